"""What a candidate of the ranker has to show before it may serve: the rule of docs/decisions/0022, without I/O.

A correction is an instruction: it is carried out within bounds whatever the statistics say. A fit to behaviour is a
claim: it has to predict the newest part of the owner's own history better than what serves, and than the baselines.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from rl_emails_assets.evaluation.section import SEED
from rl_emails_assets.evaluation.statistics import bootstrap, ratio_interval
from rl_emails_assets.ranking.measures import Floats, auc, calibration_error
from rl_emails_assets.ranking.personal import Outcome, fit_person
from rl_emails_assets.ranking.personal_part import Known, PersonalPart
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import MAX_LOG_ODDS, Ranker
from rl_emails_assets.ranking.terms import reply_rate

TRAIN_SHARE = 0.7
ENOUGH_TO_TRAIN = 100
ENOUGH_TO_TEST = 50
ENOUGH_OF_EACH = 5
"""Messages acted on, and not, in each part; with fewer no comparison says anything."""
INSTRUCTED = (1.0, 1.5, 2.0)
"""Log odds that are added to (taken from) a sender's mail after one, two, and more corrections alike, on top of what
was learned from behaviour: from a score of 0.2 one makes 0.4, two 0.53, three 0.65."""
AUC_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """An outcome, and since when it is known."""

    outcome: Outcome
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """The owner's last word on the importance of one message."""

    message: RankInput
    is_important: bool
    received_at: datetime
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """How well a fit to the older part of the owner's history predicts the newer part, beside what it has to beat.

    A loss is the mean of -log(probability given to what happened), in nats: lower is better. `gain` is how much lower
    the candidate's is than that of what serves, with its 95 % interval, drawn by sender. `serving` is what serves as it
    would have been at the split: fitted then, to what it had known then.
    """

    split_at: datetime
    train_count: int
    test_count: int
    test_acted_count: int
    loss: float
    loss_serving: float
    loss_shared: float
    gain: float
    gain_low: float
    gain_high: float
    auc: float
    auc_low: float
    auc_high: float
    auc_serving: float
    auc_shared: float
    auc_reply_rate: float
    auc_recency: float
    calibration_error: float

    def as_json(self) -> dict[str, Any]:
        """For storage; what cannot be known is null."""
        return {
            name: value.isoformat()
            if isinstance(value, datetime)
            else None
            if isinstance(value, float) and not math.isfinite(value)
            else round(value, 4)
            if isinstance(value, float)
            else value
            for name, value in asdict(self).items()
        }


def compare(shared: Ranker, settled: Sequence[Settled], serving_until: datetime | None) -> Comparison | None:
    """Measure a fit on the newest part of time; None where there is too little to measure on.

    What was settled only after the split is not trained on: at the split nobody knew it. `serving_until` is until when
    what serves had known outcomes; None where the shared weights serve alone.
    """
    ordered = sorted(settled, key=lambda each: each.outcome.received_at)
    if len(ordered) < ENOUGH_TO_TRAIN + ENOUGH_TO_TEST:
        return None
    split_at = ordered[int(len(ordered) * TRAIN_SHARE)].outcome.received_at
    train = [each for each in ordered if each.outcome.received_at < split_at and each.settled_at <= split_at]
    test = [each.outcome for each in ordered if each.outcome.received_at >= split_at]
    if len(train) < ENOUGH_TO_TRAIN or len(test) < ENOUGH_TO_TEST or not (_has_both(train) and _has_both_of(test)):
        return None
    fitted = shared.with_person(fit_person(shared, [each.outcome for each in train]))
    served = shared
    if serving_until is not None:
        known = [each.outcome for each in train if each.settled_at <= serving_until]
        served = shared.with_person(fit_person(shared, known))
    return _measured(split_at, len(train), test, fitted, served, shared)


def _measured(
    split_at: datetime, train_count: int, test: list[Outcome], fitted: Ranker, served: Ranker, shared: Ranker
) -> Comparison:
    acted = np.array([each.acted for each in test])
    is_acted = acted >= 0.5
    p, p_served, p_shared = (_scores(each, test) for each in (fitted, served, shared))
    loss, loss_served, loss_shared = (_losses(each, acted) for each in (p, p_served, p_shared))
    senders = [each.message.sender for each in test]
    gain_low, gain_high = ratio_interval(loss_served - loss, np.ones(len(test)), senders, seed=SEED)
    auc_low, auc_high = bootstrap(lambda rows: _auc(p[rows], is_acted[rows]), senders, seed=SEED, rounds=AUC_ROUNDS)
    rates = np.array([reply_rate(m.message.sender_replied_count, m.message.sender_received_count) for m in test])
    return Comparison(
        split_at=split_at,
        train_count=train_count,
        test_count=len(test),
        test_acted_count=int(is_acted.sum()),
        loss=float(loss.mean()),
        loss_serving=float(loss_served.mean()),
        loss_shared=float(loss_shared.mean()),
        gain=float((loss_served - loss).mean()),
        gain_low=gain_low,
        gain_high=gain_high,
        auc=_auc(p, is_acted),
        auc_low=auc_low,
        auc_high=auc_high,
        auc_serving=_auc(p_served, is_acted),
        auc_shared=_auc(p_shared, is_acted),
        auc_reply_rate=_auc(rates, is_acted),
        auc_recency=_auc(np.array([each.received_at.timestamp() for each in test]), is_acted),
        calibration_error=calibration_error(p, is_acted),
    )


def why_refused(found: Comparison) -> str:
    """Why a fit may not serve, for its owner; "" where it may."""
    if found.auc <= found.auc_reply_rate:
        return (
            f"Going by how often you answered each sender orders the newest {found.test_count} messages as well "
            f"(AUC {found.auc_reply_rate:.3f}, the model {found.auc:.3f})."
        )
    if found.auc <= found.auc_recency:
        return (
            f"Newest first orders the newest {found.test_count} messages as well (AUC {found.auc_recency:.3f}, the "
            f"model {found.auc:.3f})."
        )
    if found.gain < 0:
        return (
            f"It predicts what you did with the newest {found.test_count} messages worse than what serves now "
            f"(loss {found.loss:.3f} against {found.loss_serving:.3f})."
        )
    if found.loss > found.loss_shared:
        return (
            f"All people's model alone predicts the newest {found.test_count} messages better "
            f"(loss {found.loss_shared:.3f} against {found.loss:.3f})."
        )
    return ""


def instructed(shared: Ranker, base: PersonalPart | None, corrections: Iterable[Correction]) -> PersonalPart | None:
    """`base` with each corrected sender's mail moved as its owner said, and no other; `base` where nothing was said.

    Of one sender the word that was said more often counts, of equally many the last. It is always felt: somebody who
    says that mail is not important has seen where it stands.
    """
    of_sender = _by_sender(corrections)
    if not of_sender:
        return base
    part = base or PersonalPart(base_log_odds=0.0, threshold=shared.threshold)
    senders = dict(part.known.get("sender", {}))
    for sender, said in sorted(of_sender.items()):
        heeded = winning(said)
        amount = INSTRUCTED[min(len(heeded), len(INSTRUCTED)) - 1]
        known = senders.get(sender, Known(0.0, sum(each.is_important for each in said), len(said)))
        moved = known.log_odds + (amount if heeded[0].is_important else -amount)
        senders[sender] = replace(known, log_odds=round(moved, 4))
    return replace(part, known={**part.known, "sender": senders})


def _by_sender(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    found: defaultdict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        if correction.message.sender:
            found[correction.message.sender].append(correction)
    return found


def winning(said: Sequence[Correction]) -> list[Correction]:
    """Of what was said of one sender, the corrections that count."""
    important = [each for each in said if each.is_important]
    other = [each for each in said if not each.is_important]
    if len(important) == len(other):
        last = max(said, key=lambda each: each.said_at)
        return important if last.is_important else other
    return important if len(important) > len(other) else other


def disagreements(
    shared: Ranker, base: PersonalPart | None, part: PersonalPart | None, corrections: Iterable[Correction]
) -> list[str]:
    """The senders whose mail a part does not move from its base to the side where its owner wants it."""
    before, after = shared.with_person(base), shared.with_person(part)
    found: list[str] = []
    for sender, said in _by_sender(corrections).items():
        heeded = winning(said)
        sign = 1.0 if heeded[0].is_important else -1.0
        if any(sign * (after.log_odds(each.message) - before.log_odds(each.message)) <= 0 for each in heeded):
            found.append(sender)
    return sorted(found)


def is_sound(shared: Ranker, part: PersonalPart | None, messages: Sequence[RankInput]) -> bool:
    """Whether every number of a part is one, and so is every score by it."""
    if part is None:
        return True
    numbers = [part.base_log_odds, part.threshold]
    numbers += [weight for weights in part.terms.values() for weight in weights]
    numbers += [known.log_odds for keys in part.known.values() for known in keys.values()]
    if not all(math.isfinite(number) and abs(number) <= MAX_LOG_ODDS for number in numbers):
        return False
    engine = shared.with_person(part)
    return all(math.isfinite(engine.log_odds(message)) for message in messages)


def deciles(scores: Sequence[float]) -> list[tuple[float, float]]:
    """(score, share of scores at most that) at each tenth of the scores a model was made on, scores that are equal
    once; what drift is measured against."""
    if not len(scores):
        return []
    values = np.sort(np.asarray(scores, dtype=np.float64))
    cuts = np.unique(np.quantile(values, np.arange(0.1, 1.0, 0.1), method="lower"))
    shares = np.searchsorted(values, cuts, side="right") / len(values)
    # Rounded up, so that a score stays at or below the cut that it made.
    return [(math.ceil(cut * 1e6) / 1e6, round(share, 6)) for cut, share in zip(cuts.tolist(), shares, strict=True)]


def stability_index(parts: Sequence[Sequence[float]], scores: Sequence[float]) -> float:
    """The population stability index of scores against the `deciles` of those that a model was made on: the sum of
    (share - expected) * ln(share / expected). Below 0.1 nothing moved; from 0.25 on it is another population.

    Half a message is added to each part, so that none is empty.
    """
    cuts = [part[0] for part in parts]
    expected = np.maximum(np.diff([0.0, *(part[1] for part in parts), 1.0]), 1e-3)
    counts = np.bincount(np.searchsorted(cuts, scores, side="left"), minlength=len(cuts) + 1) + 0.5
    share, expected = counts / counts.sum(), expected / expected.sum()
    return float(((share - expected) * np.log(share / expected)).sum())


def _has_both(settled: Sequence[Settled]) -> bool:
    return _has_both_of([each.outcome for each in settled])


def _has_both_of(outcomes: Sequence[Outcome]) -> bool:
    acted = sum(each.acted >= 0.5 for each in outcomes)
    return ENOUGH_OF_EACH <= acted <= len(outcomes) - ENOUGH_OF_EACH


def _scores(engine: Ranker, outcomes: Sequence[Outcome]) -> Floats:
    log_odds = np.array([engine.log_odds(each.message) for each in outcomes])
    value: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return value


def _losses(p: Floats, acted: Floats) -> Floats:
    sure = np.clip(p, 1e-6, 1 - 1e-6)
    value: Floats = -(acted * np.log(sure) + (1 - acted) * np.log(1 - sure))
    return value


def _auc(score: Floats, is_acted: Any) -> float:
    value = auc(score, is_acted)
    return float("nan") if value is None else value
