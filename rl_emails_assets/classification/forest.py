"""Boosted decision trees as arrays: the second stage of the unwanted-mail model, evaluated with numpy alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rl_emails_assets.errors import ModelFileError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of all trees in a row: a node sends a value up to its threshold to `left`, else to `right`.

    A leaf leads to itself and carries its value; `roots` are the first nodes of the trees, `depth` the longest way.
    """

    features: Ints
    thresholds: Floats
    left: Ints
    right: Ints
    values: Floats
    roots: Ints
    depth: int
    start: float

    @classmethod
    def from_arrays(cls, nodes: npt.NDArray[np.generic], roots: npt.NDArray[np.generic], start: float) -> Self:
        """From one row a node: feature, threshold, left, right, value.

        Raises:
            ModelFileError: a node leads out of the forest or backwards.
        """
        numbers = np.asarray(nodes, dtype=np.float64)
        features, left, right = (numbers[:, column].astype(np.int64) for column in (0, 2, 3))
        here = np.arange(len(numbers))
        if not (((left >= here) & (right >= here) & (left < len(here)) & (right < len(here))).all()):
            raise ModelFileError("the unwanted-mail model's trees lead nowhere; train it again")
        first = np.asarray(roots, dtype=np.int64)
        depth, at = 0, first[:, None]
        while not ((left[at] == at) & (right[at] == at)).all():
            at = np.unique(np.concatenate([left[at], right[at]], axis=None))[:, None]
            depth += 1
        return cls(features, numbers[:, 1].copy(), left, right, numbers[:, 4].copy(), first, depth, start)

    def score(self, values: npt.NDArray[np.float64]) -> float:
        """The log odds for one row of feature values."""
        forward = np.where(values[self.features] <= self.thresholds, self.left, self.right)
        at = self.roots
        for _ in range(self.depth):
            at = forward[at]
        return self.start + float(self.values[at].sum())
