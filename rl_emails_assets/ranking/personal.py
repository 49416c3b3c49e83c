"""Learning one person's own part of the ranker from what the person did with earlier mail, in a second or two.

The shared weights are held fixed; the part's weights are pulled to 0, each kind as strongly as its variance between
people (or between the senders, domains, words of one person) is small. With little behaviour the part is nearly
nothing, and with more it takes over: there is no switch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from rl_emails_assets.ranking.columns import Floats, Sparse, sparse, widths
from rl_emails_assets.ranking.personal_part import KINDS, WORD_KINDS, Known, PersonalPart, keys_of, word_share
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.solver import fit, sigmoid
from rl_emails_assets.ranking.terms import TERMS, Numeric

__all__ = ["CORRECTION_WEIGHT", "Outcome", "PersonalPart", "fit_person"]

CORRECTION_WEIGHT = 8.0
"""What a person says outright counts as much as this many of the things the person did."""
MIN_WEIGHT = 5.0
"""Of all outcomes together: one thing said, or five things done."""
HALF_LIFE_DAYS = 730.0
"""After which what a person did counts half. Of 90 days to 4 years on the training mailboxes, 2 to 4 years were best:
what people act on changes slowly, and most of it with their senders, whom the signals follow by themselves."""
_SMALLEST = 0.01
"""Of a weight that is kept; a weaker one moves no score by a quarter of a point."""

BASE_PENALTY = 0.5
LEVEL_PENALTY = 10.0
STEP_PENALTY = 10.0
KEY_PENALTY = {"sender": 10.0, "domain": 10.0, "list": 10.0, "subject": 3.0, "text": 3.0}
"""Inverse variances, chosen on the first 70 % of the training mailboxes (learned on 49 %, tried on 21 %)."""
MIN_WORD_COUNT = 2
MAX_KNOWN = 2_000
"""Keys of a kind that are kept: those of the strongest weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message: `acted` (0-1) says how much the person acted on it, as far as is known now.

    `weight` is 1 for what the person did, CORRECTION_WEIGHT for what the person said. Give each message once, with the
    newest word on it.
    """

    message: RankInput
    acted: float
    weight: float
    received_at: datetime


_ANSWERED_BY_DAYS = (0.0, 0.04, 0.25, 1.0, 3.0, 7.0, 30.0)
_ANSWERED_SHARE = (0.0, 0.4, 0.55, 0.75, 0.88, 0.95, 1.0)


def settled_share(age_days: Floats) -> Floats:
    """How much silence says after a while: the share of all replies that have come by then.

    As the weight of an unanswered message it corrects for those that will still be answered (delayed feedback: Chapelle
    2014). The shares are those of the replies in the training mailboxes; Kooti et al. 2015 have 90 % within a day.
    """
    share: Floats = np.interp(age_days, _ANSWERED_BY_DAYS, _ANSWERED_SHARE)
    return share


def fit_person(shared: Ranker, outcomes: Sequence[Outcome]) -> PersonalPart | None:
    """This person's own part, on top of the shared ranker; None where there is too little to learn from.

    The result depends on the outcomes alone, not on their order or on now.
    """
    kept = sorted(
        (o for o in outcomes if o.weight > 0),
        key=lambda o: (o.received_at, o.message.sender, o.message.subject_words, o.acted),
    )
    if sum(o.weight for o in kept) < MIN_WEIGHT:
        return None
    messages = [o.message for o in kept]
    y = np.array([min(max(o.acted, 0.0), 1.0) for o in kept])
    weight = np.array([o.weight for o in kept]) * _freshness(kept)
    columns, penalty, keys = _columns(messages)
    offset = np.array([shared.log_odds(message) for message in messages])
    beta = fit(columns, offset, y, weight, penalty, _coupled())
    score = sigmoid(offset + columns.times(beta))
    return PersonalPart(
        base_log_odds=round(float(beta[0]), 4),
        threshold=_threshold(score, weight),
        terms=_terms(beta[1:]),
        known=_known(keys, beta, messages, y),
        outcome_count=len(kept),
        acted_count=int(np.sum(y >= 0.5)),
        until=kept[-1].received_at.isoformat(),
    )


def _freshness(outcomes: Sequence[Outcome]) -> Floats:
    newest = outcomes[-1].received_at
    days = np.array([(newest - o.received_at).total_seconds() / 86_400 for o in outcomes])
    value: Floats = 0.5 ** (days / HALF_LIFE_DAYS)
    return value


def _columns(messages: Sequence[RankInput]) -> tuple[Sparse, Floats, dict[str, dict[str, int]]]:
    """A column for the base, those of the terms, and one for each key of each kind; their penalties; which key is
    where."""
    terms = sparse(messages, TERMS)
    penalties = [np.array([BASE_PENALTY]), np.full(terms.width, LEVEL_PENALTY)]
    indexes = [np.zeros((len(messages), 1), dtype=np.int64), terms.index + 1]
    values = [np.ones((len(messages), 1)), terms.value]
    start = 1 + terms.width
    places: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        of_messages = [keys_of(message, kind) for message in messages]
        seen = Counter(key for keys in of_messages for key in keys)
        least = MIN_WORD_COUNT if kind in WORD_KINDS else 1
        place = {key: start + at for at, key in enumerate(sorted(key for key, count in seen.items() if count >= least))}
        longest = max(map(len, of_messages), default=0)
        index = np.zeros((len(messages), longest), dtype=np.int64)
        value = np.zeros((len(messages), longest))
        for row, keys in enumerate(of_messages):
            share = word_share(len(keys)) if kind in WORD_KINDS else 1.0
            index[row, : len(keys)] = [place.get(key, 0) for key in keys]
            value[row, : len(keys)] = [share if key in place else 0.0 for key in keys]
        indexes.append(index)
        values.append(value)
        penalties.append(np.full(len(place), KEY_PENALTY[kind]))
        places[kind] = place
        start += len(place)
    return Sparse(np.hstack(indexes), np.hstack(values), start), np.concatenate(penalties), places


def _coupled() -> Floats:
    """Ties the deviation at each knot to those at the knots beside it, after the column of the base."""
    where = widths(TERMS)
    size = 1 + max(part.stop for part in where.values())
    found = np.zeros((size, size))
    for term in TERMS:
        if isinstance(term, Numeric):
            start = 1 + where[term.name].start
            steps = np.diff(np.eye(len(term.knots)), axis=0)
            knots = slice(start, start + len(term.knots))
            found[knots, knots] = STEP_PENALTY * steps.T @ steps
    return found


def _terms(beta: Floats) -> dict[str, tuple[float, ...]]:
    return {name: tuple(round(float(w), 4) for w in beta[where]) for name, where in widths(TERMS).items()}


def _known(
    places: dict[str, dict[str, int]], beta: Floats, messages: Sequence[RankInput], y: Floats
) -> dict[str, dict[str, Known]]:
    found: dict[str, dict[str, Known]] = {}
    happened = [int(outcome >= 0.5) for outcome in y]
    for kind, place in places.items():
        count = dict.fromkeys(place, 0)
        acted = dict.fromkeys(place, 0)
        for message, outcome in zip(messages, happened, strict=True):
            for key in keys_of(message, kind):
                if key in place:
                    count[key] += 1
                    acted[key] += outcome
        found[kind] = {
            key: Known(round(float(beta[at]), 4), acted[key], count[key])
            for key, at in place.items()
            if abs(beta[at]) >= _SMALLEST
        }
        strongest = sorted(found[kind].items(), key=lambda item: (-abs(item[1].log_odds), item[0]))
        found[kind] = dict(strongest[:MAX_KNOWN])
    return found


def _threshold(score: Floats, weight: Floats) -> float:
    """The score from which mail is important: where precision and recall are expected to balance best (F1) on the
    person's own mail.

    Expected by the scores themselves, not by what happened: that is stable with few outcomes, and the best threshold is
    then half of the best F1 (Lipton, Elkan and Narayanaswamy 2014). Who acts on much is asked for more.
    """
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum((weight * score)[order])
    f1 = 2 * hits / (np.cumsum(weight[order]) + hits[-1])
    return round(float(f1.max()) / 2, 4)
