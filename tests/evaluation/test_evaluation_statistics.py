"""Intervals and curves: what a report would get wrong if they were wrong."""

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.evaluation import statistics

ROWS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)
SCORED = st.lists(st.tuples(st.sampled_from((0.0, 0.1, 0.25, 0.5, 0.9, 1.0)), st.booleans()), min_size=1, max_size=80)


def test_bootstrap_draws_whole_groups() -> None:
    """An interval from rows drawn one by one is too narrow."""
    groups = ["ann", "bob", "ann", "cy", "bob", "ann"]

    def measure(rows: np.ndarray) -> float:
        count = Counter(groups[row] for row in rows)
        assert count["ann"] % 3 == count["bob"] % 2 == 0
        assert sum(count[name] // size for name, size in (("ann", 3), ("bob", 2), ("cy", 1))) == 3
        return float(len(rows))

    low, high = statistics.bootstrap(measure, groups, seed=1, rounds=2000)
    assert (low, high) == (3, 9)


def test_bootstrap_of_groups_is_wider_than_of_rows() -> None:
    """Twenty senders who always agree with themselves are twenty cases, not two thousand."""
    hits = np.repeat(np.arange(20) % 2, 100).astype(float)
    by_row = statistics.bootstrap(lambda rows: float(hits[rows].mean()), range(2000), seed=1, rounds=300)
    by_sender = statistics.bootstrap(
        lambda rows: float(hits[rows].mean()), np.repeat(range(20), 100), seed=1, rounds=300
    )
    assert by_row[1] - by_row[0] < 0.06
    assert 0.3 < by_sender[1] - by_sender[0] < 0.6


def test_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    """Of 200 samples of 60 people the 95 % interval holds the true share in about 190."""
    generator = np.random.default_rng(7)
    covered = 0
    for sample in range(200):
        rates = generator.choice((0.1, 0.5), 60)
        hits = generator.random((60, 5)) < rates[:, None]
        low, high = statistics.share_interval(hits.ravel(), np.repeat(range(60), 5), seed=sample)
        covered += low <= 0.3 <= high
    assert 180 <= covered <= 199


@pytest.mark.parametrize("groups", [[], ["one", "one", "one"]])
def test_one_group_bounds_nothing(groups: list[str]) -> None:
    """A single mailbox must not get an interval of no width."""
    assert all(map(math.isnan, statistics.bootstrap(len, groups, seed=1)))
    assert all(map(math.isnan, statistics.share_interval([True] * len(groups), groups, seed=1)))


def test_all_right_is_not_certainly_right() -> None:
    """Ten of ten right drawn again is ten of ten right: an interval of no width for ten cases."""
    senders = [row // 3 for row in range(30)]
    for found in (
        statistics.share_interval([True] * 30, senders, seed=1),
        statistics.f1_interval([True] * 30, [True] * 30, senders, 1),
        statistics.bootstrap(lambda _: 1.0, senders, seed=1, rounds=20),
    ):
        assert found == (pytest.approx(statistics.wilson(10, 10)[0]), 1)
    assert statistics.share_interval([False] * 30, senders, seed=1) == (0, statistics.wilson(0, 10)[1])
    # Groups without a case do not count: two senders had one.
    labels = [sender < 2 for sender in senders]
    assert statistics.f1_interval(labels, labels, senders, 1)[0] == pytest.approx(statistics.wilson(2, 2)[0])


def test_undefined_draws_are_left_out_and_too_many_bound_nothing() -> None:
    """A NaN of a few draws must not become the interval, and few defined draws must not pass for all."""
    labels = np.array([True] * 3 + [False] * 30)

    def defined(rows: np.ndarray) -> float:
        return float(labels[rows].mean()) if labels[rows].any() else math.nan

    def seldom_defined(rows: np.ndarray) -> float:
        return 1.0 if labels[rows].sum() > 5 else math.nan

    low, high = statistics.bootstrap(defined, range(33), seed=3, rounds=300)
    assert 0 < low < 3 / 33 < high < 0.3
    assert all(map(math.isnan, statistics.bootstrap(seldom_defined, range(33), seed=3, rounds=300)))


@given(ROWS, st.integers(0, 2**31))
@settings(max_examples=40)
def test_interval_is_the_same_for_a_seed_whatever_the_groups_are_called(
    rows: list[tuple[bool, bool, int]], seed: int
) -> None:
    """A report made twice, or of renamed senders, has the same bounds, inside 0-1 and in order."""
    labels, chosen, groups = zip(*rows, strict=True)
    renamed = [f"sender {group}" for group in groups]
    found = statistics.f1_interval(labels, chosen, groups, seed, rounds=60)
    assert repr(found) == repr(statistics.f1_interval(labels, chosen, renamed, seed, rounds=60))
    low, high = found
    assert math.isnan(low) == math.isnan(high)
    assert math.isnan(low) or 0 <= low <= high <= 1


@given(ROWS)
@settings(max_examples=60)
def test_f1_is_that_of_its_definition(rows: list[tuple[bool, bool, int]]) -> None:
    """The harmonic mean of precision and recall, counted by hand."""
    labels, chosen, _ = zip(*rows, strict=True)
    both = sum(a and b for a, b in zip(labels, chosen, strict=True))
    if not any(labels) and not any(chosen):
        assert math.isnan(statistics.f1(labels, chosen))
    elif not both:
        assert statistics.f1(labels, chosen) == 0
    else:
        precision, recall = both / sum(chosen), both / sum(labels)
        assert statistics.f1(labels, chosen) == pytest.approx(2 * precision * recall / (precision + recall))


def test_fast_and_general_bootstrap_agree() -> None:
    """The interval from sums of groups is the one of measuring on the drawn rows."""
    generator = np.random.default_rng(5)
    labels, noise = generator.random(400) < 0.4, generator.random(400) < 0.2
    chosen, groups = labels ^ noise, generator.integers(0, 80, 400)
    fast = statistics.f1_interval(labels, chosen, groups, 11)
    general = statistics.bootstrap(lambda rows: statistics.f1(labels[rows], chosen[rows]), groups, seed=11)
    assert fast == pytest.approx(general, abs=1e-9)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_its_share_and_narrows(successes: int, failures: int) -> None:
    """No bound outside 0-1, none that excludes what was seen, none of no width; ten times the cases bound closer."""
    count = successes + failures
    low, high = statistics.wilson(successes, count)
    assert 0 <= low < high <= 1
    if count:
        assert low <= successes / count <= high
        wide = statistics.wilson(10 * successes, 10 * count)
        assert wide[1] - wide[0] < high - low


def test_wilson_is_the_published_interval() -> None:
    """15 of 148 (Newcombe 1998, table I, method 3): 0.0624 to 0.1605; and no share above all cases."""
    assert statistics.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert statistics.wilson(0, 0) == (0, 1)
    with pytest.raises(ValueError, match="5 successes of 4"):
        statistics.wilson(5, 4)


@given(st.lists(st.integers(0, 12), min_size=40, max_size=120), st.integers(2, 4), st.integers(0, 99))
@settings(max_examples=40)
def test_folds_keep_groups_whole_and_are_of_like_size(groups: list[int], count: int, seed: int) -> None:
    """No sender is both trained on and tested on, and no fold is empty."""
    if len(set(groups)) < count:
        with pytest.raises(ValueError, match="groups do not fill"):
            statistics.fold_of(groups, count, seed=seed)
        return
    folds = statistics.fold_of(groups, count, seed=seed)
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    sizes = np.bincount(folds, minlength=count)
    assert sizes.min() > 0
    assert sizes.max() - sizes.min() <= max(Counter(groups).values())


@given(SCORED, st.randoms())
@settings(max_examples=60)
def test_reliability_points_weigh_all_rows_once_in_any_order(rows: list[tuple[float, bool]], shuffle: Random) -> None:
    """The diagram does not depend on the order of mail, and its points add up to all of it."""
    points = statistics.reliability_points(*zip(*rows, strict=True))
    assert sum(count for _, _, count in points) == len(rows)
    assert sum(stated * count for stated, _, count in points) == pytest.approx(sum(p for p, _ in rows))
    assert sum(seen * count for _, seen, count in points) == pytest.approx(sum(y for _, y in rows))
    assert [point[0] for point in points] == sorted(point[0] for point in points)
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    assert statistics.reliability_points(*zip(*shuffled, strict=True)) == points


def test_reliability_bins_hold_equally_many() -> None:
    """A diagram of bins of equal width would show mostly the emptiest."""
    points = statistics.reliability_points(np.linspace(0, 1, 100) ** 4, np.arange(100) % 2, bins=10)
    assert [count for _, _, count in points] == [10] * 10
    assert statistics.reliability_points([], []) == []


@given(SCORED)
@settings(max_examples=60)
def test_precision_recall_points_are_those_of_each_threshold(rows: list[tuple[float, bool]]) -> None:
    """Every point is what choosing everything at or above a score gives; the last finds all."""
    scores, labels = zip(*rows, strict=True)
    points = statistics.precision_recall_points(scores, labels)
    if not any(labels):
        assert points == []
        return
    expected = []
    for least in sorted(set(scores), reverse=True):
        taken = [label for score, label in rows if score >= least]
        expected.append((sum(taken) / sum(labels), sum(taken) / len(taken)))
    assert np.array(points) == pytest.approx(np.array(expected))


def test_a_long_precision_recall_curve_is_thinned_and_keeps_its_ends() -> None:
    """A plot of ten thousand points is megabytes of report."""
    points = statistics.precision_recall_points(np.arange(5000), np.arange(5000) % 3 == 0, most=50)
    assert len(points) == 50
    assert points[0] == (0, 0)
    assert points[-1] == (1, pytest.approx(1667 / 5000))


def test_learning_curve_grows_by_whole_groups_and_nests() -> None:
    """A sender's mail must not be half in a training set, and a larger set must hold the smaller."""
    groups = [name for name in "abcdefghij" for _ in range(3)]
    seen: list[set[int]] = []

    def measure(rows: np.ndarray) -> float:
        seen.append(set(rows.tolist()))
        return len(rows) / 30

    points = statistics.learning_curve(measure, groups, seed=4, shares=(0.1, 0.5, 1.0))
    assert points == [(3, 0.1), (15, 0.5), (30, 1.0)]
    assert seen[0] < seen[1] < seen[2]
    assert all({row // 3 * 3 + at for row in rows for at in range(3)} == rows for rows in seen)
    line = statistics.series("model", points)
    assert (line.x, line.y) == ((3, 15, 30), (0.1, 0.5, 1.0))
