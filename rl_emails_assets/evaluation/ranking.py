"""The ranker, measured in time: learned from the first 70 % of each mailbox, tested on the rest.

Twice: with shared weights from the first 70 % of all mailboxes, and with shared weights from the other mailboxes only
(a list is left out with both its owners). The person's own part is learned from the first 70 % of the mailbox itself.
What was not known at the cut is not learned from: an answer that came after it is none, and young silence counts as
much as the share of replies that would have come by then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.errors import SourceError
from rl_emails_assets.evaluation.section import SEED, Figure, Plot, Section, Series, Table
from rl_emails_assets.evaluation.statistics import bootstrap
from rl_emails_assets.ranking import train
from rl_emails_assets.ranking.measures import auc, average_precision, brier, calibration_error
from rl_emails_assets.ranking.personal import Outcome, fit_person
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.solver import sigmoid
from rl_emails_assets.ranking.terms import reply_rate
from rl_emails_assets.ranking.train import TRAIN_SHARE, Taught
from rl_emails_assets.ranking.training_data import Mailbox, load_mailboxes

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

MIN_REPLIES = 20
"""Replies from which on a mailbox has to beat the sender's reply rate."""
LEARNED_FROM = (0, 10, 30, 100, 300)
MOST_LEARNED = 2_500
MOST_TESTED = 800
"""Of a mailbox, where something is learned and tested many times over: the newest, and evenly spaced ones."""
_ROUNDS = 400
_NEVER = 1e6
_SPLIT = "first 70 % of each mailbox's time to learn, last 30 % to test"
_OTHERS = "shared weights of the other mailboxes; own part of the first 70 %; tested on the last 30 %"
_HISTORY = ("sender_", "domain_", "thread_")
_CONTENT_FIELDS = """
subject_length word_count question_count link_count is_owner_named first_person_count second_person_count subject_words
text_words category needs urgency confidence
"""
_CONTENT = frozenset(_CONTENT_FIELDS.split())


@dataclass(frozen=True, slots=True)
class _Tested:
    """The test mail of one mailbox, and what was said of it by each way."""

    box: Taught
    log_odds: dict[str, Floats]
    threshold: float

    @property
    def y(self) -> Floats:
        return self.box.y[self.box.cut :]

    @property
    def messages(self) -> Sequence[RankInput]:
        return self.box.messages[self.box.cut :]


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """Measure the ranker on the mailboxes of `data`.

    Raises:
        SourceError: There are no mailboxes.
    """
    if not any((data / "mailboxes").glob("*.gz")):
        raise SourceError(f"There is no mailbox in {data / 'mailboxes'}; put NAME.mbox.gz or enron-USER.tar.gz there.")
    return measured(list(load_mailboxes(data / "mailboxes", Classifier.load())), seed=seed)


def measured(mailboxes: Sequence[Mailbox], *, seed: int = SEED) -> Section:
    """The section of these mailboxes; those without a reply, or without anything else, after the cut are left out."""
    boxes = [train.taught(box.name, box.rows) for box in mailboxes]
    usable = [box for box in boxes if 0 < box.y[box.cut :].sum() < len(box.y) - box.cut]
    tested = _tested(usable)
    sampled = _Sampler(tested, seed)
    return Section(
        key="ranking",
        title="Priority",
        method=(
            f"{len(usable)} mailboxes. Target: the owner replies within 30 days (In-Reply-To where the mailbox has it, "
            "else a later 'Re:' in the conversation to that sender); copies are dropped first; every signal is as of "
            "the message's arrival, and neither folder nor label is one. Learned from the first 70 % of each mailbox "
            "by what was known at the cut, tested on the last 30 %. Intervals draw conversations within each mailbox. "
            "Calibration: 10 bins of equal mass."
        ),
        figures=_figures(tested, sampled),
        tables=(_table_of_mailboxes(tested, sampled), _ablations(usable)),
        plots=(_reliability(tested), _learning_curve(usable)),
        failures={"mailboxes without both kinds of mail after the cut": len(boxes) - len(usable)}
        if len(usable) < len(boxes)
        else {},
    )


class _Shared:
    """Shared rankers of the first 70 %: of all mailboxes, and of all but one source."""

    def __init__(self, boxes: Sequence[Taught]) -> None:
        self._boxes = boxes
        self._of_others = train.left_out(boxes, TRAIN_SHARE)
        self.of_all = self._ranker(boxes, train.fitted(boxes, TRAIN_SHARE), "all")

    def of_others(self, source: str) -> Ranker:
        others = [box for box in self._boxes if box.source != source]
        return self._ranker(others, self._of_others[source], "others")

    def _ranker(self, boxes: Sequence[Taught], weights: Floats, name: str) -> Ranker:
        slope_base = train.calibration(boxes, self._of_others, TRAIN_SHARE)
        return Ranker(train.model(boxes, weights, slope_base, TRAIN_SHARE), name)


def _log_odds(ranker: Ranker, messages: Sequence[RankInput]) -> Floats:
    return np.array([ranker.log_odds(message) for message in messages])


def _tested(boxes: Sequence[Taught]) -> list[_Tested]:
    shared = _Shared(boxes)
    found: list[_Tested] = []
    for box in boxes:
        outcomes = box.outcomes(box.cut)
        test = box.messages[box.cut :]
        others = shared.of_others(box.source)
        own = shared.of_all.with_person(fit_person(shared.of_all, outcomes))
        log_odds = {
            "served": _log_odds(own, test),
            "shared": _log_odds(shared.of_all, test),
            "others, own part": _log_odds(others.with_person(fit_person(others, outcomes)), test),
            "others": _log_odds(others, test),
            **{name: np.array([read(message) for message in test]) for name, read in _BASELINES.items()},
        }
        found.append(_Tested(box, log_odds, own.threshold))
    return found


def _keywords(message: RankInput) -> float:
    """What a rule would look for, without any learning: a person, who asks the owner something."""
    is_bulk = message.is_bulk or message.is_automatic or message.is_list
    asks = (message.question_count > 0) + message.is_owner_named + message.is_reply_to_owner
    return asks + message.is_owner_in_to - 2.0 * is_bulk


_BASELINES: dict[str, Callable[[RankInput], float]] = {
    "majority": lambda _: 0.0,
    "sender's reply rate": lambda m: reply_rate(m.sender_replied_count, m.sender_received_count),
    "recency": lambda m: -_NEVER if m.sender_days_since_sent is None else -m.sender_days_since_sent,
    "keyword rules": _keywords,
}


class _Sampler:
    """Measures over all test mail, a mailbox at a time, and their intervals."""

    def __init__(self, tested: Sequence[_Tested], seed: int) -> None:
        self._seed = seed
        self._tested = tested
        self.y = np.concatenate([each.y for each in tested])
        self._of = np.repeat(np.arange(len(tested)), [len(each.y) for each in tested])
        self._groups = [
            (index, thread) for index, each in enumerate(tested) for thread in each.box.threads[each.box.cut :]
        ]
        self._sizes = np.bincount(self._of)

    def scores(self, way: str) -> Floats:
        """The log odds of all test mail."""
        return np.concatenate([each.log_odds[way] for each in self._tested])

    def mean(self, way: str, measure: Callable[[Floats, Floats], float | None]) -> Callable[[Rows], float]:
        """The mean over mailboxes of `measure` (score, y); NaN ones are left out."""
        score = self.scores(way)

        def of(rows: Rows) -> float:
            found = []
            for index in range(len(self._tested)):
                own = rows[self._of[rows] == index]
                value = measure(score[own], self.y[own]) if len(own) else None
                if value is not None:
                    found.append(value)
            return float(np.mean(found)) if found else float("nan")

        return of

    def pooled(self, way: str, measure: Callable[[Floats, Floats, Floats], float]) -> Callable[[Rows], float]:
        """`measure` (score, y, weight) over all mail, each mailbox weighing the same."""
        score = self.scores(way)
        weight = 1.0 / self._sizes[self._of]
        return lambda rows: measure(score[rows], self.y[rows], weight[rows])

    def bounded(self, measure: Callable[[Rows], float]) -> tuple[float, float, float]:
        """(value, low, high)."""
        value = measure(np.arange(len(self.y)))
        return value, *bootstrap(measure, self._groups, seed=self._seed, rounds=_ROUNDS)

    def one(self, index: int, way: str) -> tuple[float, float]:
        """The interval of one mailbox's AUC."""
        each = self._tested[index]

        def of(rows: Rows) -> float:
            found = auc(each.log_odds[way][rows], each.y[rows])
            return float("nan") if found is None else found

        return bootstrap(of, list(each.box.threads[each.box.cut :]), seed=self._seed, rounds=_ROUNDS)


def _ece(score: Floats, y: Floats) -> float:
    return calibration_error(sigmoid(score), y)


def _figures(tested: Sequence[_Tested], sampled: _Sampler) -> tuple[Figure, ...]:
    count = len(sampled.y)
    everything = np.arange(count)
    rows = [
        ("mean AUC", "served", _SPLIT, sampled.mean("served", auc), 0.85, True),
        ("mean AUC, weights of other mailboxes", "others, own part", _OTHERS, sampled.mean("others, own part", auc),
         None, True),
        ("mean AUC of a cold start", "others", "weights of the other mailboxes alone; tested on the last 30 %",
         sampled.mean("others", auc), None, True),
        ("mean average precision", "served", _SPLIT, sampled.mean("served", average_precision), None, True),
        ("calibration error over all", "served", _SPLIT,
         sampled.pooled("served", lambda z, y, w: calibration_error(sigmoid(z), y, w)), 0.05, False),
        ("calibration error, mean of the mailboxes", "served", _SPLIT, sampled.mean("served", _ece), 0.05, False),
        ("calibration error of a cold start, over all", "others", "weights of the other mailboxes alone",
         sampled.pooled("others", lambda z, y, w: calibration_error(sigmoid(z), y, w)), None, False),
        ("Brier score", "served", _SPLIT,
         sampled.pooled("served", lambda z, y, w: brier(sigmoid(z), y, w)), None, False),
    ]  # fmt: skip
    found: list[Figure] = []
    for name, _, split, measure, goal, is_more_better in rows:
        value, low, high = sampled.bounded(measure)
        found.append(
            Figure(
                name=name,
                value=value,
                low=low,
                high=high,
                goal=goal,
                split=split,
                count=count,
                is_more_better=is_more_better,
                baselines=_baselines(name, sampled, everything),
            )
        )
    large = [each for each in tested if each.box.y.sum() >= MIN_REPLIES]
    better = [
        (auc(each.log_odds["served"], each.y) or 0) > (auc(each.log_odds["sender's reply rate"], each.y) or 1)
        for each in large
    ]
    if large:
        found.append(
            Figure(
                name=f"share of mailboxes with {MIN_REPLIES} replies that beat the sender's reply rate",
                value=float(np.mean(better)),
                goal=1.0,
                split=_SPLIT,
                count=len(large),
            )
        )
    return tuple(found)


def _baselines(name: str, sampled: _Sampler, everything: Rows) -> dict[str, float]:
    if "AUC" in name:
        return {way: sampled.mean(way, auc)(everything) for way in _BASELINES}
    if "precision" in name:
        # Ties stand in the order of time, which would be a rank of its own: a majority's precision is the rate.
        rate = sampled.mean("served", lambda _, y: float(y.mean()))(everything)
        return {
            "majority": rate,
            **{way: sampled.mean(way, average_precision)(everything) for way in _BASELINES if way != "majority"},
        }
    if "Brier" in name:
        return {"majority": sampled.pooled("served", lambda _, y, w: _spread(y, w))(everything)}
    return {}


def _spread(y: Floats, weight: Floats) -> float:
    rate = float(np.average(y, weights=weight))
    return rate * (1 - rate)


def _table_of_mailboxes(tested: Sequence[_Tested], sampled: _Sampler) -> Table:
    rows: list[tuple[str | float | int | None, ...]] = []
    for index, each in enumerate(tested):
        low, high = sampled.one(index, "served")
        p = sigmoid(each.log_odds["served"])
        chosen = p >= each.threshold
        hits = float(each.y[chosen].sum())
        rows.append(
            (
                each.box.name,
                len(each.y),
                int(each.y.sum()),
                auc(each.log_odds["served"], each.y),
                low,
                high,
                auc(each.log_odds["others, own part"], each.y),
                auc(each.log_odds["others"], each.y),
                auc(each.log_odds["sender's reply rate"], each.y),
                auc(each.log_odds["recency"], each.y),
                auc(each.log_odds["keyword rules"], each.y),
                average_precision(each.log_odds["served"], each.y),
                calibration_error(p, each.y),
                brier(p, each.y),
                each.threshold,
                hits / int(chosen.sum()) if chosen.any() else None,
                hits / float(each.y.sum()),
            )
        )
    return Table(
        title="Each mailbox",
        headings=(
            "mailbox", "tested", "replies", "AUC", "low", "high", "AUC, others' weights", "AUC, cold start",
            "sender's reply rate", "recency", "keyword rules", "average precision", "calibration error", "Brier",
            "threshold", "precision", "recall",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _without(box: Taught, is_blank: Callable[[str], bool]) -> Taught:
    defaults = {field.name: field.default for field in fields(RankInput) if is_blank(field.name)}
    messages = [replace(message, **defaults) for message in box.messages]  # type: ignore[arg-type]
    return train.of_messages(box.name, messages, box.received_at, box.answered_at, box.threads)


def _ablations(boxes: Sequence[Taught]) -> Table:
    """What each part is worth: learned and tested again without it."""

    def row(
        name: str, boxes: Sequence[Taught], ranker: Ranker, *, has_own_part: bool = True
    ) -> tuple[str | float, ...]:
        found: list[tuple[float, float, float]] = []
        for box in boxes:
            part = fit_person(ranker, box.outcomes(box.cut)[-MOST_LEARNED:]) if has_own_part else None
            rows = _spaced(box)
            y = box.y[rows]
            score = _log_odds(ranker.with_person(part), [box.messages[at] for at in rows])
            found.append((auc(score, y) or 0.5, average_precision(score, y) or 0.0, _ece(score, y)))
        return (name, *(float(mean) for mean in np.mean(found, axis=0)))

    everything = _Shared(boxes).of_all
    rows = [
        row("everything", boxes, everything),
        row("without the person's own part", boxes, everything, has_own_part=False),
    ]
    for name, is_blank in (
        ("without history", lambda field: field.startswith(_HISTORY) or field == "is_reply_to_owner"),
        ("without content", lambda field: field in _CONTENT),
        ("without words in the own part", lambda field: field in ("subject_words", "text_words")),
        ("without verdicts", lambda field: field in ("category", "needs", "urgency")),
    ):
        changed = [_without(box, is_blank) for box in boxes]
        rows.append(row(name, changed, _Shared(changed).of_all))
    return Table(
        title=f"What each part is worth (mean of the mailboxes; learned from the newest {MOST_LEARNED:,}, "
        f"tested on at most {MOST_TESTED} of each)",
        headings=("", "AUC", "average precision", "calibration error"),
        rows=tuple(rows),
    )


def _spaced(box: Taught) -> Rows:
    count = len(box.y) - box.cut
    rows: Rows = box.cut + np.linspace(0, count - 1, min(count, MOST_TESTED)).astype(np.int64)
    return rows


def _learning_curve(boxes: Sequence[Taught]) -> Plot:
    """Mean AUC of shared weights of the others with an own part of the newest so many outcomes before the cut."""
    shared = _Shared(boxes)
    means: list[float] = []
    counts: list[float] = []
    for limit in (*LEARNED_FROM, MOST_LEARNED):
        found: list[float] = []
        sizes: list[int] = []
        for box in boxes:
            others = shared.of_others(box.source)
            known = box.outcomes(box.cut)
            newest: list[Outcome] = known[len(known) - min(limit, len(known)) :]
            sizes.append(len(newest))
            ranker = others.with_person(fit_person(others, newest) if newest else None)
            rows = _spaced(box)
            found.append(auc(_log_odds(ranker, [box.messages[row] for row in rows]), box.y[rows]) or 0.5)
        means.append(float(np.mean(found)))
        counts.append(float(np.mean(sizes)))
    return Plot(
        kind="learning_curve",
        name="ranking_learning",
        title="What a person's own behaviour adds",
        x_label=f"newest outcomes of the person (at most {MOST_LEARNED:,}; the mean where there are fewer)",
        y_label=f"mean AUC on the last 30 % (at most {MOST_TESTED} messages of a mailbox)",
        series=(Series(name="weights of others and own part", x=tuple(counts), y=tuple(means)),),
    )


def _reliability(tested: Sequence[_Tested]) -> Plot:
    """Stated against observed, ten bins of equal mass, each mailbox weighing the same."""

    def series(name: str, way: str) -> Series:
        p = sigmoid(np.concatenate([each.log_odds[way] for each in tested]))
        y = np.concatenate([each.y for each in tested])
        weight = np.concatenate([np.full(len(each.y), 1 / len(each.y)) for each in tested])
        order = np.argsort(p, kind="stable")
        mass = np.cumsum(weight[order]) / weight.sum()
        bins = np.minimum((mass * 10 - 1e-12).astype(int), 9)
        parts = [order[bins == index] for index in range(10) if (bins == index).any()]
        return Series(
            name=name,
            x=tuple(float(np.average(p[part], weights=weight[part])) for part in parts),
            y=tuple(float(np.average(y[part], weights=weight[part])) for part in parts),
        )

    return Plot(
        kind="reliability",
        name="ranking_reliability",
        title="Stated and observed probability of a reply",
        x_label="stated",
        y_label="observed",
        series=(series("with own part", "served"), series("cold start", "others")),
    )
