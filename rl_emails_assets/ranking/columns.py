"""Messages as columns of numbers: how much of each term's weights each message gets.

A row of this design has few entries that are not 0 (two for a numeric term, one for a choice), so it is kept as pairs
of column and value: the shared fit expands it, a person's fit works on it as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.terms import Choice, Numeric, Term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def widths(terms: Sequence[Term]) -> dict[str, slice]:
    """Which columns are whose: a numeric term has one a knot and a last one for "nothing to measure", a choice one a
    name."""
    found: dict[str, slice] = {}
    start = 0
    for term in terms:
        size = len(term.knots) + 1 if isinstance(term, Numeric) else len(term.prior)
        found[term.name] = slice(start, start + size)
        start += size
    return found


@dataclass(frozen=True, slots=True)
class Sparse:
    """`index` and `value` have a row a message; an entry of value 0 stands for nothing, whatever its index."""

    index: Ints
    value: Floats
    width: int

    def times(self, weights: Floats) -> Floats:
        """The sum of each row's weights."""
        product: Floats = np.einsum("ij,ij->i", weights[self.index], self.value)
        return product

    def transposed_times(self, rows: Floats, power: int = 1) -> Floats:
        """For each column, the sum of `rows` times the column's values to the power."""
        value = self.value if power == 1 else self.value**power
        summed: Floats = np.bincount(self.index.ravel(), (value * rows[:, None]).ravel(), self.width).astype(float)
        return summed

    def dense(self) -> Floats:
        """One row a message, one column a weight."""
        rows = np.repeat(np.arange(len(self.index)), self.index.shape[1])
        flat = rows * self.width + self.index.ravel()
        found: Floats = np.bincount(flat, self.value.ravel(), len(self.index) * self.width).astype(float)
        return found.reshape(len(self.index), self.width)


def sparse(messages: Sequence[RankInput], terms: Sequence[Term]) -> Sparse:
    """The design of the terms over the messages."""
    where = widths(terms)
    parts = [
        _numeric(term, messages, where[term.name].start)
        if isinstance(term, Numeric)
        else _choice(term, messages, where[term.name].start)
        for term in terms
    ]
    width = max((part.stop for part in where.values()), default=0)
    return Sparse(np.hstack([index for index, _ in parts]), np.hstack([value for _, value in parts]), width)


def _confidence(message: RankInput) -> float:
    if message.confidence is None:
        return 1.0
    return message.confidence if 0.0 <= message.confidence <= 1.0 else 0.0


def _numeric(term: Numeric, messages: Sequence[RankInput], start: int) -> tuple[Ints, Floats]:
    knots = np.array(term.knots, dtype=float)
    read = [term.read(message) for message in messages]
    values = np.array([np.nan if value is None else value for value in read], dtype=float)
    is_missing = ~np.isfinite(values)
    at = np.clip(np.where(is_missing, knots[0], values), knots[0], knots[-1])
    right = np.clip(np.searchsorted(knots, at), 1, len(knots) - 1)
    share = (at - knots[right - 1]) / (knots[right] - knots[right - 1])
    index = start + np.column_stack([np.where(is_missing, len(knots), right - 1), right])
    value = np.column_stack([np.where(is_missing, 1.0, 1.0 - share), np.where(is_missing, 0.0, share)])
    return index.astype(np.int64), value


def _choice(term: Choice, messages: Sequence[RankInput], start: int) -> tuple[Ints, Floats]:
    place = {name: number for number, name in enumerate(term.prior)}
    found = np.array([place.get(term.read(message) or "", -1) for message in messages], dtype=np.int64)
    value = np.where(found >= 0, 1.0, 0.0)
    if term.is_scaled_by_confidence:
        value = value * np.array([_confidence(message) for message in messages])
    return (start + np.maximum(found, 0))[:, None], value[:, None]
