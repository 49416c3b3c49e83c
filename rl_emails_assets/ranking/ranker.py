"""The ranker: a message's signals and verdict to a probability that the owner acts on it, and what it is made of.

An additive logistic model: each term gives log odds for its value, `base_log_odds` and they add up to the log odds of
the score. It is computed row by row in plain floats, so a score is the same to the bit whatever it is computed with.
"""

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.ranking.personal_part import PersonalPart
from rl_emails_assets.ranking.priority import Contribution, Priority
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.reasons import strongest, words
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric, Term, Value

VERSION = "2"
"""Of this code, its terms and its words; a change that can change a priority raises it."""

MAX_LOG_ODDS = 30.0
"""Beyond this a probability is 0 or 1 to the last digit that matters; a broken model file is refused instead."""

DEFAULT_THRESHOLD = 0.2
"""For a person of whom nothing is known: about half of the best F1 on left-out people's mail."""

# Reads a term: (value to show, log odds).
_Reader = Callable[[RankInput], tuple[Value, float]]


class Ranker:
    """A trained ranker, of all people or with one person's own part.

    `model_version` names the weights: another one makes scored messages pending again. `threshold` is the score from
    which mail counts as important.
    """

    def __init__(self, model: Mapping[str, Any], model_version: str, part: PersonalPart | None = None) -> None:
        """Raises ModelFileError when the weights do not fit the terms of this release."""
        self._model = model
        self._shared_version = model_version
        self.model_version = model_version if part is None else f"{model_version}+{part.version}"
        try:
            self._base = _finite(model["base_log_odds"])
            self.threshold = float(model.get("threshold", DEFAULT_THRESHOLD))
            weights: dict[str, Sequence[float]] = {
                term.name: _heights(term, model["terms"][term.name]) for term in TERMS
            }
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"The ranker's weights {model_version} do not fit this release ({error!r}); install the release again, "
                "or train with python -m rl_emails_assets.ranking.train."
            ) from error
        if part is not None:
            self._base += part.base_log_odds
            self.threshold = part.threshold
            weights = {name: part.deviated(name, own) for name, own in weights.items()}
        self._readers: list[tuple[str, _Reader]] = [(term.name, _reader(term, weights[term.name])) for term in TERMS]
        if part is not None:
            self._readers += part.readers()

    def with_person(self, part: PersonalPart | None) -> "Ranker":
        """The same shared weights with this person's own part in place of any other; None: of all people alone."""
        return Ranker(self._model, self._shared_version, part)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The shipped ranker, or the one in a file.

        Raises:
            ModelFileError: The file is missing, is not JSON, or does not fit this release.
        """
        source = files("rl_emails_assets.ranking").joinpath("model.json") if path is None else path
        try:
            data = source.read_bytes()
            model = json.loads(data)
            name = str(model["name"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelFileError(
                f"The ranker's weights cannot be read from {source} ({error}); install the release again."
            ) from error
        return cls(model, f"{name}-{hashlib.sha256(data).hexdigest()[:8]}")

    def rank_all(self, messages: Iterable[RankInput]) -> list[Priority]:
        """One priority for each message, in the same order; each depends on its own message alone."""
        return [self.rank(message) for message in messages]

    def log_odds(self, message: RankInput) -> float:
        """Of the score, without what it is made of."""
        return math.fsum((self._base, *(read(message)[1] for _, read in self._readers)))

    def rank(self, message: RankInput) -> Priority:
        """The priority of one message."""
        found: list[tuple[str, Value, float]] = []
        for name, read in self._readers:
            value, log_odds = read(message)
            if log_odds:
                found.append((name, value, log_odds))
        found.sort(key=_strength)
        log_odds = math.fsum((self._base, *(term[2] for term in found)))
        contributions = tuple([Contribution(*term, words(message, *term)) for term in found])
        return Priority(
            score=_probability(log_odds),
            base_log_odds=self._base,
            contributions=contributions,
            reasons=strongest(part.words for part in contributions),
        )


def _strength(term: tuple[str, Value, float]) -> tuple[float, str]:
    return -abs(term[2]), term[0]


def _probability(log_odds: float) -> float:
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


def _finite(value: Any) -> float:
    number = float(value)
    if not abs(number) <= MAX_LOG_ODDS:
        raise ValueError(f"a weight of {number}")
    return number


def _heights(term: Term, weights: Mapping[str, Any]) -> tuple[float, ...]:
    """The term's weights in the order of its columns: of its knots and of "nothing to measure", or of its names."""
    if isinstance(term, Choice):
        return tuple(_finite(weights["log_odds"][name]) for name in term.prior)
    if list(weights["knots"]) != list(term.knots) or len(weights["log_odds"]) != len(term.knots):
        raise ValueError(f"other knots for {term.name}")
    return tuple(_finite(weight) for weight in (*weights["log_odds"], weights["missing"]))


def _reader(term: Term, weights: Sequence[float]) -> _Reader:
    read = _numeric_reader(term, weights) if isinstance(term, Numeric) else _choice_reader(term, weights)
    return _confident(read) if term.is_scaled_by_confidence else read


def _confident(read: _Reader) -> _Reader:
    """A verdict that is half sure counts half."""

    def scaled(message: RankInput) -> tuple[Value, float]:
        value, log_odds = read(message)
        confidence = 1.0 if message.confidence is None else message.confidence
        # A confidence outside 0-1, or not a number, is a fault upstream that must not decide the order of an inbox.
        return value, log_odds * confidence if 0.0 <= confidence <= 1.0 else 0.0

    return scaled


def _choice_reader(term: Choice, weights: Sequence[float]) -> _Reader:
    log_odds = dict(zip(term.prior, weights, strict=True))
    is_flag = set(log_odds) == {"yes"}
    term_read = term.read

    def read(message: RankInput) -> tuple[Value, float]:
        name = term_read(message)
        if name is None:
            return None, 0.0
        return (True if is_flag else name), log_odds.get(name, 0.0)

    return read


def _numeric_reader(term: Numeric, weights: Sequence[float]) -> _Reader:
    knots = term.knots
    *heights, missing = weights
    slopes = [(heights[i + 1] - heights[i]) / (knots[i + 1] - knots[i]) for i in range(len(knots) - 1)]
    first, last = knots[0], knots[-1]
    term_read = term.read

    def read(message: RankInput) -> tuple[Value, float]:
        value = term_read(message)
        if value is None or not math.isfinite(value):
            return None, missing
        if value <= first:
            return value, heights[0]
        if value >= last:
            return value, heights[-1]
        left = bisect_right(knots, value) - 1
        return value, heights[left] + slopes[left] * (value - knots[left])

    return read
