"""The small trained model of genres: does a message read like a letter, a newsletter, an offer or a transaction.

A logistic regression over hashed tokens and pairs of tokens plus hand-made cues. The file holds weights only, no
word of the mail it was trained on, and `model.json` beside it its sha256, its measures and what it was trained on.
Scores are sums over one message alone, so they do not depend on what else is classified.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification.document import DOCUMENT_CUES, GENRES, document_cues
from rl_emails_assets.classification.hashing import SIZE, pair_row, row_of, token_hash
from rl_emails_assets.classification.weights_file import read_arrays
from rl_emails_assets.errors import ModelFileError

MODEL_FILE = Path(__file__).with_name("model.npz")
CARD_FILE = Path(__file__).with_name("model.json")
_MAX_MEMORY = 60_000

Weights = Mapping[str, npt.NDArray[np.generic]]
SHAPES: dict[str, tuple[int, ...]] = {
    "genre_rows": (SIZE, len(GENRES)),
    "genre_cues": (len(DOCUMENT_CUES), len(GENRES)),
    "genre_bias": (len(GENRES),),
    "genre_temperature": (1,),
}


@dataclass(frozen=True, slots=True)
class Model:
    """The weights, ready to score. `version` is the start of the file's sha256."""

    version: str
    genre_rows: npt.NDArray[np.float32]
    genre_cues: npt.NDArray[np.float32]
    genre_bias: npt.NDArray[np.float32]
    genre_temperature: float
    _hashes: dict[str, int]

    @classmethod
    def load(cls, path: Path = MODEL_FILE, card: Path = CARD_FILE) -> Self:
        """Reads the model file and holds it to the sha256 of its card.

        Raises:
            ModelFileError: a file is missing, is damaged, or is not the one the card names.
        """
        arrays, version = read_arrays(
            path, card, SHAPES, what="classifier model", made_by="rl_emails_assets.classification.train"
        )
        return cls.from_weights(arrays, version=version)

    @classmethod
    def from_weights(cls, weights: Weights, *, version: str) -> Self:
        """A model from its arrays.

        Raises:
            ModelFileError: an array has another shape than this code's features need.
        """
        for name, shape in SHAPES.items():
            if weights[name].shape != shape:
                raise ModelFileError(
                    f"{name} has shape {weights[name].shape} and not {shape}: the model was made for other features; "
                    "train it again"
                )
        numbers = {name: np.asarray(weights[name], dtype=np.float32) for name in SHAPES}
        return cls(
            version=version,
            genre_rows=numbers["genre_rows"],
            genre_cues=numbers["genre_cues"],
            genre_bias=numbers["genre_bias"],
            genre_temperature=float(numbers["genre_temperature"][0]),
            _hashes={},
        )

    def genre_probabilities(self, subject: str, tokens: Sequence[str]) -> dict[str, float]:
        """The calibrated probability of each of `GENRES`; `tokens` come from `document.document_tokens`."""
        hashed = np.array(self._hashes_of(tokens), dtype=np.uint64)
        rows = np.concatenate((row_of(hashed), pair_row(hashed[:-1], hashed[1:]))).astype(np.intp)
        total = self.genre_rows.take(rows, axis=0).sum(axis=0, dtype=np.float64)
        total /= math.sqrt(len(tokens))
        for cue in document_cues(subject, tokens):
            total += self.genre_cues[cue]
        scores = ((total + self.genre_bias) / self.genre_temperature).tolist()
        highest = max(scores)
        parts = [math.exp(score - highest) for score in scores]
        whole = math.fsum(parts)
        return {genre: part / whole for genre, part in zip(GENRES, parts, strict=True)}

    def _hashes_of(self, tokens: Sequence[str]) -> list[int]:
        known = self._hashes
        if len(known) >= _MAX_MEMORY:
            known.clear()
        found = []
        for token in tokens:
            hashed = known.get(token)
            if hashed is None:
                hashed = known[token] = token_hash(token)
            found.append(hashed)
        return found
