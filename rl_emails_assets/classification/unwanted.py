"""How likely nobody asked for a message: spam of every kind, traps included.

Two stages: two logistic regressions over hashed words (`unwanted_words`; one over the words as they are, one over their
log count ratios, after Wang and Manning, 2012), then boosted trees over what they say and the message's shape
(`shape`), calibrated on mail that neither had seen. The file holds numbers only. What a person or a list does on
purpose (answering, subscribing) is no part of it: that is weighed with the verdict, in `signs`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification.forest import Forest
from rl_emails_assets.classification.reading import Reading
from rl_emails_assets.classification.shape import SHAPE_FEATURES, shape
from rl_emails_assets.classification.unwanted_words import ROWS, Rows, WordRows
from rl_emails_assets.classification.weights_file import read_arrays
from rl_emails_assets.errors import ModelFileError

UNWANTED_FILE = Path(__file__).with_name("unwanted.npz")
UNWANTED_CARD = Path(__file__).with_name("unwanted.json")
WORD_MODELS = 2
ARRAYS: tuple[str, ...] = ("rows", "bias", "nodes", "roots", "start", "calibration")

Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class UnwantedModel:
    """Ready to score. `version` is the start of the file's sha256."""

    version: str
    rows: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float64]
    forest: Forest
    slope: float
    offset: float
    _words: WordRows = field(default_factory=WordRows)

    @classmethod
    def load(cls, path: Path = UNWANTED_FILE, card: Path = UNWANTED_CARD) -> Self:
        """Reads the file and holds it to the sha256 of its card.

        Raises:
            ModelFileError: a file is missing, is damaged, or is not the one the card names.
        """
        arrays, version = read_arrays(
            path, card, ARRAYS, what="model of unwanted mail", made_by="rl_emails_assets.classification.train_unwanted"
        )
        try:
            return cls.from_arrays(arrays, version=version)
        except (ValueError, IndexError) as error:
            raise ModelFileError(f"{path.name} is not a model of unwanted mail ({error}); train it again") from error

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, version: str) -> Self:
        """A model from its arrays.

        Raises:
            ModelFileError: they were made for other features.
        """
        rows = np.asarray(arrays["rows"], dtype=np.float32)
        forest = Forest.from_arrays(arrays["nodes"], arrays["roots"], float(np.asarray(arrays["start"])[0]))
        if rows.shape != (ROWS, WORD_MODELS) or forest.features.max(initial=0) >= WORD_MODELS + len(SHAPE_FEATURES):
            raise ModelFileError("the unwanted-mail model was made for other features; train it again")
        slope, offset = np.asarray(arrays["calibration"], dtype=np.float64).tolist()
        return cls(version, rows, np.asarray(arrays["bias"], dtype=np.float64), forest, slope, offset)

    def log_odds(self, reading: Reading) -> float:
        """The calibrated log odds that nobody asked for the message, in a mailbox like those it was trained on."""
        rows = self._words.of(reading)
        words = words_scores(self.rows, self.bias, rows)
        return self.slope * self.forest.score(np.array([*words, *shape(reading)])) + self.offset


def words_scores(
    weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float64], rows: Rows
) -> npt.NDArray[np.float64]:
    """The first stage: the weights of the rows, scaled by how many there are."""
    total: npt.NDArray[np.float64] = weights.take(rows, axis=0).sum(axis=0, dtype=np.float64)
    return total / math.sqrt(max(1, len(rows))) + bias
