"""Does a sentence ask its reader for something: a small model of its own, in numpy's file and plain Python.

A logistic regression over the wording, the order of the words of asking and hand-made cues (`request_features`), with
two voices learned from mail that nobody labelled: would "please" or "can you" stand here, would a question mark. They
know verbs and phrases that the labelled sets do not hold, and speak the same of anybody's mail. The file holds numbers
only; `requests.json` beside it holds its sha256 and how it was measured. English only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from rl_emails_assets.classification.cues import CUES
from rl_emails_assets.classification.request_features import (
    PAIRS,
    PRIOR_ROWS,
    ROWS,
    Hashes,
    prior_rows,
    sentence_features,
)
from rl_emails_assets.classification.weights_file import read_arrays
from rl_emails_assets.errors import ModelFileError

REQUESTS_FILE = Path(__file__).with_name("requests.npz")
REQUESTS_CARD = Path(__file__).with_name("requests.json")
PRIORS = ("please", "question")
"""The voices learned without labels: the chance of a word of politeness, of a question mark."""
PRIOR_FEATURES = 3 * len(PRIORS)
NO_WORDS = -9.0
"""Log odds of a sentence without a word."""

Weights = Mapping[str, npt.NDArray[np.generic]]
SHAPES: dict[str, tuple[int, ...]] = {
    "rows": (ROWS,),
    "pairs": (PAIRS,),
    "cues": (len(CUES),),
    "voices": (PRIOR_FEATURES,),
    "bias": (1,),
    "scale": (2,),
    "prior_rows": (PRIOR_ROWS, len(PRIORS)),
    "prior_scale": (len(PRIORS),),
    "prior_bias": (len(PRIORS),),
    "calibration": (2,),
    "threshold": (1,),
}
"""`rows`, `pairs` and `prior_rows` are small whole numbers, to be multiplied by `scale` and `prior_scale`."""


def voice_features(scores: Sequence[float]) -> list[float]:
    """What the model is told of the unlabelled voices' log odds: straight, bounded, and where they speak for it."""
    told: list[float] = []
    for score in scores:
        told += (score / 3, math.tanh(score / 2), max(score, 0.0) / 3)
    return told


@dataclass(frozen=True, slots=True)
class RequestModel:
    """The weights, ready to score. `version` is the start of the file's sha256.

    `threshold` is the log odds from which a sentence counts as asking where precision and recall matter alike (the
    best F1 out of fold); at 0 it is as likely as not.
    """

    version: str
    threshold: float
    _rows: list[float]
    _pairs: list[float]
    _cues: tuple[float, ...]
    _voices: tuple[float, ...]
    _bias: float
    _prior_rows: tuple[list[float], ...]
    _prior_bias: tuple[float, ...]
    _slope: float
    _offset: float
    _hashes: Hashes

    @classmethod
    def load(cls, path: Path = REQUESTS_FILE, card: Path = REQUESTS_CARD) -> Self:
        """Reads the weights file and holds it to the sha256 of its card.

        Raises:
            ModelFileError: a file is missing, is damaged, or is not the one the card names.
        """
        arrays, version = read_arrays(
            path, card, SHAPES, what="request model", made_by="rl_emails_assets.classification.train_requests"
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
                    f"{name} has shape {weights[name].shape} and not {shape}: the request model was made for other "
                    "features; train it again"
                )
        numbers = {name: np.asarray(weights[name], dtype=np.float64) for name in SHAPES}
        priors = numbers["prior_rows"] * numbers["prior_scale"]
        return cls(
            version=version,
            threshold=float(numbers["threshold"][0]),
            _rows=(numbers["rows"] * numbers["scale"][0]).tolist(),
            _pairs=(numbers["pairs"] * numbers["scale"][1]).tolist(),
            _cues=tuple(numbers["cues"].tolist()),
            _voices=tuple(numbers["voices"].tolist()),
            _bias=float(numbers["bias"][0]),
            _prior_rows=tuple(priors[:, column].tolist() for column in range(len(PRIORS))),
            _prior_bias=tuple(numbers["prior_bias"].tolist()),
            _slope=float(numbers["calibration"][0]),
            _offset=float(numbers["calibration"][1]),
            _hashes=Hashes(),
        )

    def log_odds(self, sentence: str, tokens: Sequence[str]) -> float:  # noqa: ARG002 - for models that read characters
        """The calibrated log odds that a sentence asks its reader for something; `tokens` as `lexer` cuts them."""
        if not tokens:
            return NO_WORDS
        found = sentence_features(tokens, self._hashes)
        of_grams, of_places, of_pairs, of_turns = found.scales
        row, pair, cue = self._rows.__getitem__, self._pairs.__getitem__, self._cues.__getitem__
        total = (
            of_grams * sum(map(row, found.grams))
            + of_places * sum(map(row, found.places))
            + of_pairs * sum(map(pair, found.pairs))
            + of_turns * sum(map(row, found.turns))
            + sum(map(cue, found.cues))
            + self._bias
        )
        told = voice_features(self.voices(tokens))
        total += sum(weight * value for weight, value in zip(self._voices, told, strict=True))
        return self._slope * total + self._offset

    def voices(self, tokens: Sequence[str]) -> tuple[float, ...]:
        """What the parts that were learned without labels say, as log odds, in the order of `PRIORS`."""
        rows = prior_rows(tokens, self._hashes)
        scale = 1 / math.sqrt(max(1, len(rows)))
        return tuple(
            scale * sum(map(table.__getitem__, rows)) + bias
            for table, bias in zip(self._prior_rows, self._prior_bias, strict=True)
        )
