"""What makes a vector of a text."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

DIMENSIONS = 384
MAX_TOKENS = 256
"""all-MiniLM-L6-v2 was trained on at most 256 word pieces; sentence-transformers cuts there too."""


class Encoder(Protocol):
    """Makes unit-length vectors. Two encoders with the same `model` and `precision` give comparable vectors."""

    @property
    def model(self) -> str:
        """The model's name and a short hash of its weights, as stored with each vector."""
        ...

    @property
    def precision(self) -> str:
        """The arithmetic it runs in: fp32, bf16, int8 ..., as stored with each vector."""
        ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of shape (len(texts), DIMENSIONS), float32, each of length 1; an empty text has one too."""
        ...
