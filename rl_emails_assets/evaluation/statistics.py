"""How sure a measured number is: intervals that resample whole groups, and the points of the curves in the report.

Messages of one person, list or thread resemble each other, so rows drawn one by one make an interval too narrow. Every
interval here draws whole groups with replacement and takes the 2.5th and 97.5th percentile of what is measured on them
(the cluster bootstrap: Field and Welsh, 2007; percentile method: Efron and Tibshirani, 1993, chapter 13).

Where every draw gives 0, or every draw 1, drawing again says nothing of what was not drawn: then the bound is Wilson's,
of as many cases as there are groups. A bound that cannot be known (fewer than two groups, or a measure undefined on
most draws) is NaN; the report says so in words.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rl_emails_assets.evaluation.section import Series

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

CONFIDENCE = 0.95
_TAILS = (50 * (1 - CONFIDENCE), 100 - 50 * (1 - CONFIDENCE))
_NORMAL_QUANTILE = 1.959963984540054
_LEAST_DEFINED_SHARE = 0.5
_CELLS_AT_ONCE = 2_000_000
UNKNOWN = (float("nan"), float("nan"))
"""The bounds of what cannot be bounded."""


def bootstrap(
    measure: Callable[[Rows], float], groups: Sequence[Hashable], *, seed: int, rounds: int = 1000
) -> tuple[float, float]:
    """The 95 % interval of `measure`, which is given the indices of the drawn rows (a row of a group drawn twice is
    there twice, rows of one group in their order). `groups` has each row's user, sender or thread.

    A draw on which the measure is not a number (an AUC without both classes) is left out.
    """
    members = _members(groups)
    if len(members) < 2:
        return UNKNOWN
    generator = np.random.default_rng(seed)
    if len(members) == len(groups):
        draws = (generator.integers(0, len(groups), len(groups)) for _ in range(rounds))
        return _percentiles(np.array([measure(rows) for rows in draws], dtype=np.float64), len(members))
    found = np.empty(rounds)
    for index in range(rounds):
        drawn = generator.integers(0, len(members), len(members))
        found[index] = measure(np.concatenate([members[group] for group in drawn]))
    return _percentiles(found, len(members))


def ratio_interval(
    parts: ArrayLike, wholes: ArrayLike, groups: Sequence[Hashable], *, seed: int, rounds: int = 1000
) -> tuple[float, float]:
    """The 95 % interval of sum(parts) / sum(wholes): a share of rows, a mean, an F1. Fast: sums of groups, no loop."""
    code, count = _codes(groups)
    if count < 2:
        return UNKNOWN
    part = np.bincount(code, weights=np.asarray(parts, dtype=np.float64), minlength=count)
    whole = np.bincount(code, weights=np.asarray(wholes, dtype=np.float64), minlength=count)
    generator = np.random.default_rng(seed)
    found: list[Floats] = []
    at_once = max(1, min(rounds, _CELLS_AT_ONCE // count))
    for start in range(0, rounds, at_once):
        drawn = generator.integers(0, count, (min(at_once, rounds - start), count))
        tops, bottoms = part[drawn].sum(axis=1), whole[drawn].sum(axis=1)
        found.append(np.divide(tops, bottoms, out=np.full(len(tops), np.nan), where=bottoms != 0))
    return _percentiles(np.concatenate(found), int(np.count_nonzero(whole)))


def share_interval(hits: ArrayLike, groups: Sequence[Hashable], *, seed: int) -> tuple[float, float]:
    """The 95 % interval of the share of rows that are hits, rows of a group kept together."""
    hit = np.asarray(hits, dtype=np.float64)
    return ratio_interval(hit, np.ones(len(hit)), groups, seed=seed)


def f1(labels: ArrayLike, chosen: ArrayLike) -> float:
    """2 TP / (2 TP + FP + FN); NaN where there was nothing to find and nothing was chosen."""
    parts, wholes = _f1_parts(labels, chosen)
    return float(parts.sum() / wholes.sum()) if wholes.sum() else float("nan")


def f1_interval(
    labels: ArrayLike, chosen: ArrayLike, groups: Sequence[Hashable], seed: int, *, rounds: int = 1000
) -> tuple[float, float]:
    """The 95 % interval of `f1`, rows of a group kept together."""
    return ratio_interval(*_f1_parts(labels, chosen), groups, seed=seed, rounds=rounds)


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent cases (Wilson, 1927); it stays inside 0-1 and is not empty at 0 or
    at all. (0, 1) when nothing was counted."""
    if not 0 <= successes <= count:
        raise ValueError(f"{successes} successes of {count}")
    if not count:
        return 0.0, 1.0
    share, square = successes / count, _NORMAL_QUANTILE**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = _NORMAL_QUANTILE * np.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    # Rounding would leave the certain end a hair inside.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == count else float(centre + half)
    return low, high


def fold_of(groups: Sequence[Hashable], count: int, *, seed: int) -> Rows:
    """Which of `count` folds each row is in: whole groups, shuffled, the largest first into the emptiest fold."""
    code, group_count = _codes(groups)
    if group_count < count:
        raise ValueError(f"{group_count} groups do not fill {count} folds")
    sizes = np.bincount(code, minlength=group_count)
    shuffled = np.random.default_rng(seed).permutation(group_count)
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold = np.empty(group_count, dtype=np.int64)
    filled = np.zeros(count, dtype=np.int64)
    for group in order:
        fold[group] = int(filled.argmin())
        filled[fold[group]] += sizes[group]
    return fold[code]


def reliability_points(stated: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean stated probability, observed rate, rows) of bins of equal mass, lowest first.

    Rows with the same probability are in the same bin, so the order of rows changes nothing and bins may differ in
    size, or be fewer.
    """
    p, y = np.asarray(stated, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if not len(p):
        return []
    values, code, counts = np.unique(p, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(p)
    bucket = np.minimum((middle * bins).astype(np.int64), bins - 1)
    rates = np.bincount(code, weights=y, minlength=len(values))
    points: list[tuple[float, float, int]] = []
    for index in np.unique(bucket):
        own = bucket == index
        rows = int(counts[own].sum())
        points.append((float(values[own] @ counts[own]) / rows, float(rates[own].sum()) / rows, rows))
    return points


def precision_recall_points(score: ArrayLike, labels: ArrayLike, *, most: int = 100) -> list[tuple[float, float]]:
    """(recall, precision) at every distinct score, from the strictest; thinned evenly to `most`. Empty without
    positives."""
    s, y = np.asarray(score, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if not y.sum():
        return []
    order = np.argsort(-s, kind="stable")
    last_of_tie = np.append(np.diff(s[order]) != 0, True)
    found = np.cumsum(y[order])[last_of_tie]
    taken = np.flatnonzero(last_of_tie) + 1
    keep = np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).astype(np.int64))
    return [(float(found[at] / y.sum()), float(found[at] / taken[at])) for at in keep]


def learning_curve(
    measure: Callable[[Rows], float],
    groups: Sequence[Hashable],
    *,
    seed: int,
    shares: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0),
    repeats: int = 1,
) -> list[tuple[int, float]]:
    """(rows trained on, mean of `measure`) for growing shares of the groups.

    `measure` is given the indices of the rows to train on and measures on others that it holds itself. A smaller share
    is part of a larger one; `repeats` shuffles anew and takes the mean.
    """
    members = _members(groups)
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(members)) for _ in range(repeats)]
    points: list[tuple[int, float]] = []
    for share in shares:
        taken = max(1, round(share * len(members)))
        rows = [np.sort(np.concatenate([members[group] for group in order[:taken]])) for order in orders]
        points.append(
            (round(sum(map(len, rows)) / repeats), float(np.mean([measure(part) for part in rows], dtype=np.float64)))
        )
    return points


def series(name: str, points: Sequence[tuple[Any, ...]]) -> Series:
    """A line through points (their first two coordinates)."""
    return Series(name=name, x=tuple(point[0] for point in points), y=tuple(float(point[1]) for point in points))


def _f1_parts(labels: ArrayLike, chosen: ArrayLike) -> tuple[Floats, Floats]:
    label, choice = np.asarray(labels, dtype=bool), np.asarray(chosen, dtype=bool)
    both = 2.0 * (label & choice)
    return both, both + (label ^ choice)


def _codes(groups: Sequence[Hashable]) -> tuple[Rows, int]:
    seen: dict[Hashable, int] = {}
    code = np.array([seen.setdefault(group, len(seen)) for group in groups], dtype=np.int64)
    return code, len(seen)


def _members(groups: Sequence[Hashable]) -> list[Rows]:
    """Each group's row indices, groups in order of their first row: names do not change a draw."""
    code, count = _codes(groups)
    order = np.argsort(code, kind="stable")
    return np.split(order, np.cumsum(np.bincount(code, minlength=count))[:-1]) if count else []


def _percentiles(found: Floats, group_count: int) -> tuple[float, float]:
    defined = found[np.isfinite(found)]
    if len(defined) < _LEAST_DEFINED_SHARE * len(found):
        return UNKNOWN
    if (defined == 0).all() or (defined == 1).all():
        return wilson(group_count if defined[0] else 0, group_count)
    low, high = np.percentile(defined, _TAILS)
    return float(low), float(high)
