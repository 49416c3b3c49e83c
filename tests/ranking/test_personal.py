"""One person's own part: what it learns, from how much, and that it adds up and says so."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.ranking.columns import Sparse, sparse
from rl_emails_assets.ranking.measures import auc, brier
from rl_emails_assets.ranking.personal import (
    CORRECTION_WEIGHT,
    MAX_KNOWN,
    Outcome,
    PersonalPart,
    fit_person,
    settled_share,
)
from rl_emails_assets.ranking.personal_part import Known
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.reasons import MIN_LOG_ODDS, against
from rl_emails_assets.ranking.solver import fit, sigmoid
from rl_emails_assets.ranking.terms import TERMS
from rl_emails_assets.ranking.words import MAX_SUBJECT_WORDS, MAX_TEXT_WORDS, subject_words, text_words

SHARED = Ranker.load()
START = datetime(2024, 1, 1, tzinfo=UTC)
PLAIN = RankInput(
    recipient_count=1, is_owner_in_to=True, word_count=40, category="person", needs="read", confidence=0.8
)
BO = replace(PLAIN, sender="bo@corp.example", domain="corp.example", subject_words=("budget", "plan"))
SHOP = replace(PLAIN, sender="shop@mart.example", domain="mart.example", subject_words=("offer", "week"))
STRANGER = replace(PLAIN, sender="new@else.example", domain="else.example", subject_words=("lorem",))


def outcome(message: RankInput, acted: float, day: float, weight: float = 1.0) -> Outcome:
    return Outcome(message=message, acted=acted, weight=weight, received_at=START + timedelta(days=day))


def year() -> list[Outcome]:
    """Bo is always answered, the shop never, and others one time in ten."""
    found: list[Outcome] = []
    for day in range(0, 360, 4):
        found.append(outcome(BO, 1.0, day))
        found += [outcome(SHOP, 0.0, day + 0.1), outcome(SHOP, 0.0, day + 0.2)]
        other = replace(STRANGER, sender=f"s{day}@x{day}.example", domain=f"x{day}.example", subject_words=())
        found.append(outcome(other, float(day % 40 == 0), day + 0.3))
    return found


def part_of(outcomes: Sequence[Outcome]) -> PersonalPart:
    part = fit_person(SHARED, outcomes)
    assert part is not None
    return part


LEARNED = part_of(year())
OWN = SHARED.with_person(LEARNED)


def score(ranker: Ranker, message: RankInput) -> float:
    return ranker.rank(message).score


def test_it_learns_whose_mail_is_acted_on() -> None:
    """Prevents a ranker that never notices what its owner does."""
    assert score(OWN, BO) > 0.5 > score(SHARED, BO)
    assert score(OWN, SHOP) < score(SHARED, SHOP)
    assert score(OWN, SHOP) < score(OWN, STRANGER) < score(OWN, BO)


def test_the_rate_of_the_mailbox_is_learned() -> None:
    """Prevents scores that are right about most people and wrong about this one."""
    rng = np.random.default_rng(1)
    senders = [replace(PLAIN, sender=f"s{n}@x.example", domain="x.example") for n in range(300)]
    often = [outcome(message, float(rng.random() < 0.6), day) for day, message in enumerate(senders)]
    scores = [score(SHARED.with_person(part_of(often)), replace(PLAIN, sender="q@x.example", domain="x.example"))]
    assert scores[0] == pytest.approx(0.6, abs=0.08)


def test_subjects_and_words_are_learned() -> None:
    """Prevents a list's mail, all from strangers, from being ranked without its matter."""
    outcomes = [
        outcome(replace(STRANGER, sender=f"s{n}@x{n}.example", domain="", subject_words=(word,), text_words=(text,)),
                float(n % 2), n)
        for n, (word, text) in enumerate([("football", "goal"), ("invoice", "payment")] * 60)
    ]  # fmt: skip
    own = SHARED.with_person(part_of(outcomes))
    of_matter, of_other = (replace(STRANGER, subject_words=(word,)) for word in ("invoice", "football"))
    assert score(own, of_matter) > score(own, STRANGER) > score(own, of_other)
    assert "You act more on mail about invoice" in own.rank(of_matter).reasons
    assert "You act less on mail about football" in against(own.rank(of_other))
    assert "You act more on mail that mentions payment" in own.rank(replace(STRANGER, text_words=("payment",))).reasons


messages = st.builds(
    RankInput,
    sender=st.sampled_from(["", BO.sender, SHOP.sender, "x@y.example"]),
    domain=st.sampled_from(["", BO.domain, SHOP.domain, BO.sender]),
    list_id=st.sampled_from(["", "list.example"]),
    subject_words=st.lists(st.sampled_from(["budget", "plan", "offer", "lorem"]), max_size=4).map(tuple),
    text_words=st.lists(st.sampled_from(["budget", "plan", "offer"]), max_size=3).map(tuple),
    word_count=st.integers(0, 10**6),
    sender_days_since_sent=st.none() | st.floats(),
    category=st.sampled_from([None, "person", "promotion"]),
    confidence=st.none() | st.floats(),
)


@given(messages)
@settings(max_examples=60)
def test_contributions_add_up_with_an_own_part_too(message: RankInput) -> None:
    """Promise 4: what is shown has to be the score, or nobody can trust either."""
    priority = OWN.rank(message)
    total = priority.base_log_odds + sum(part.log_odds for part in priority.contributions)
    assert priority.score == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-9)
    assert OWN.log_odds(message) == pytest.approx(total, abs=1e-9)
    assert all(bool(part.words) <= (abs(part.log_odds) >= MIN_LOG_ODDS) for part in priority.contributions)
    json.dumps([asdict(part) for part in priority.contributions])


def test_reasons_tell_what_was_done_and_what_speaks_against() -> None:
    """Prevents "personal_sender" from standing on the page instead of words."""
    assert "You acted on 90 of 90 mails from this sender" in OWN.rank(BO).reasons
    said = against(OWN.rank(SHOP))
    assert "You acted on none of 180 mails from this sender" in said
    assert not set(said) & {part.words for part in OWN.rank(SHOP).contributions if part.log_odds > 0}
    assert against(SHARED.rank(RankInput(is_bulk=True)))[0] == "Sent in bulk"


def test_too_little_teaches_nothing_and_one_word_of_the_owner_does() -> None:
    """Prevents a model from two clicks, and a correction that changes nothing."""
    assert fit_person(SHARED, []) is None
    assert fit_person(SHARED, [outcome(BO, 1.0, day) for day in range(4)]) is None
    assert fit_person(SHARED, [outcome(BO, 1.0, 0, weight=0.0)] * 50) is None
    said = SHARED.with_person(part_of([outcome(BO, 1.0, 0, weight=CORRECTION_WEIGHT)]))
    assert score(said, replace(BO, subject_words=("lunch",))) > 1.5 * score(SHARED, BO)


def test_a_correction_weighs_like_several_deeds() -> None:
    """Prevents the owner from having to say it twenty times."""
    silent = [outcome(BO, 0.0, day) for day in range(20)]
    done = SHARED.with_person(part_of([*silent, outcome(BO, 1.0, 21)]))
    said = SHARED.with_person(part_of([*silent, outcome(BO, 1.0, 21, weight=CORRECTION_WEIGHT)]))
    assert score(said, BO) > 2 * score(done, BO)


def test_the_newest_wins() -> None:
    """Prevents mail that mattered four years ago from standing on top for ever."""
    then = [outcome(BO, 1.0, day) for day in range(30)]
    now = [outcome(BO, 0.0, 1500 + day) for day in range(30)]
    turned = [replace(each, acted=1 - each.acted) for each in (*then, *now)]
    falling, rising = (SHARED.with_person(part_of(outcomes)) for outcomes in ([*then, *now], turned))
    assert score(falling, BO) < 0.35
    assert score(rising, BO) > 0.65


def test_the_result_depends_on_the_outcomes_and_nothing_else() -> None:
    """Prevents scores from moving because a query returned its rows in another order."""
    again = part_of(year()[::-1])
    assert again.version == LEARNED.version
    assert again == LEARNED
    assert part_of([*year(), outcome(BO, 0.0, 400)]).version != LEARNED.version


def test_what_is_stored_serves_as_what_was_learned() -> None:
    """Prevents a rounding or a lost field between learning and serving."""
    stored = PersonalPart.from_json(json.loads(json.dumps(LEARNED.to_json())))
    assert stored.version == LEARNED.version
    assert SHARED.with_person(stored).rank(BO) == OWN.rank(BO)
    assert (stored.outcome_count, stored.acted_count, stored.until) == (360, 99, LEARNED.until)


def test_versions_name_both_parts_and_none_is_the_shared_one() -> None:
    """Prevents scores of one person's weights from counting as scores of another's."""
    assert OWN.model_version == f"{SHARED.model_version}+{LEARNED.version}"
    assert OWN.with_person(None).model_version == SHARED.model_version
    assert OWN.with_person(None).rank(BO) == SHARED.rank(BO)
    assert OWN.with_person(LEARNED).rank(BO) == OWN.rank(BO), "an own part was put on top of an own part"


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 0},
        {"base_log_odds": "nan"},
        {"threshold": None},
        {"terms": []},
        {"terms": {"word_count": [math.inf]}},
        {"known": {"sender": {"a@b.example": [1.0]}}},
        {"known": {"sender": {"a@b.example": [math.nan, 1, 1]}}},
        {"outcome_count": "many"},
    ],
)
def test_a_damaged_part_is_refused(damage: dict[str, Any]) -> None:
    """Prevents an inbox in an order that nobody learned."""
    with pytest.raises(ModelFileError, match="own part"):
        PersonalPart.from_json(LEARNED.to_json() | damage)
    with pytest.raises(ModelFileError, match="own part"):
        PersonalPart.from_json({})


def test_a_part_of_another_release_says_nothing_of_what_changed() -> None:
    """Prevents one knot more in a term from stopping a mailbox, or from shifting its weights by one."""
    odd = PersonalPart(base_log_odds=0.0, threshold=0.2, terms={"word_count": (1.0,), "gone": (1.0, 2.0)})
    ranker = SHARED.with_person(odd)
    assert ranker.rank(PLAIN) == SHARED.rank(PLAIN)
    assert ranker.threshold == 0.2


def test_only_the_strongest_keys_are_kept() -> None:
    """Prevents a model that grows with every stranger."""
    rng = np.random.default_rng(2)
    strangers = [
        outcome(replace(PLAIN, sender=f"s{n}@x.example", domain="x.example"), float(rng.random() < 0.5), n / 100)
        for n in range(MAX_KNOWN + 300)
    ]
    known = part_of([*strangers, *(outcome(BO, 1.0, day) for day in range(20))]).known["sender"]
    assert len(known) == MAX_KNOWN
    assert known[BO.sender] == Known(known[BO.sender].log_odds, 20, 20)


def test_the_threshold_is_higher_for_who_acts_on_much() -> None:
    """Prevents a section of important mail that holds everything of one person and nothing of another."""
    assert 0.1 < LEARNED.threshold < 0.5
    busy = part_of([replace(each, acted=1.0 if each.message != SHOP else each.acted) for each in year()])
    idle = part_of([replace(each, acted=0.0 if each.message == BO else each.acted) for each in year()])
    assert idle.threshold < LEARNED.threshold < busy.threshold
    assert score(OWN, BO) > OWN.threshold > score(OWN, SHOP)


def test_the_solver_finds_the_maximum() -> None:
    """Prevents weights from a search that stopped early: the gradient is 0 where the posterior is highest."""
    rng = np.random.default_rng(3)
    x = Sparse(rng.integers(0, 40, (300, 5)), rng.normal(size=(300, 5)), 40)
    y, offset, weight = (rng.random(300) < 0.3).astype(float), rng.normal(size=300), rng.random(300) + 0.1
    penalty = np.full(40, 0.7)
    coupled = np.array([[2.0, -2.0], [-2.0, 2.0]])
    beta = fit(x, offset, y, weight, penalty, coupled)
    believed = penalty * beta
    believed[:2] += coupled @ beta[:2]
    gradient = x.dense().T @ (weight * (sigmoid(offset + x.dense() @ beta) - y)) + believed
    assert np.abs(gradient).max() < 1e-2
    assert x.times(beta) == pytest.approx(x.dense() @ beta)
    squares = Sparse(x.index, x.value**2, 40).dense()
    assert x.transposed_times(weight, power=2) == pytest.approx(weight @ squares)


def test_the_solver_survives_what_is_certain() -> None:
    """Prevents a full Newton step from overshooting for ever where the curve is flat."""
    x = Sparse(np.zeros((50, 1), dtype=np.int64), np.full((50, 1), 40.0), 1)
    beta = fit(x, np.full(50, -20.0), np.ones(50), np.full(50, 1e6), np.ones(1))
    assert np.isfinite(beta).all()
    assert sigmoid(x.times(beta) - 20.0)[0] > 0.99


def test_training_reads_a_message_as_serving_does() -> None:
    """Prevents own weights that were fitted to other columns than they are served with."""
    design = sparse([BO, replace(BO, confidence=7.0), RankInput()], TERMS).dense()
    weights = np.random.default_rng(4).normal(size=design.shape[1]).round(4)
    place, terms = 0, {}
    for term in TERMS:
        size = len(term.prior) if hasattr(term.prior, "keys") else len(term.knots) + 1
        terms[term.name] = tuple(weights[place : place + size])
        place += size
    own = SHARED.with_person(PersonalPart(base_log_odds=0.0, threshold=0.5, terms=terms))
    for row, message in enumerate([BO, replace(BO, confidence=7.0), RankInput()]):
        assert own.log_odds(message) - SHARED.log_odds(message) == pytest.approx(float(design[row] @ weights), abs=1e-9)


def test_silence_says_more_with_time() -> None:
    """Prevents this morning's mail from teaching that nobody answers it."""
    shares = settled_share(np.array([-1.0, 0.0, 0.5, 2.0, 10.0, 30.0, 900.0]))
    assert shares[0] == shares[1] == 0.0
    assert shares.tolist() == sorted(shares)
    assert shares[-1] == shares[-2] == 1.0


def test_words_are_folded_bounded_and_said_once() -> None:
    """Prevents "Budget" and "budget" from being two matters, and a long mail from a slow score."""
    assert subject_words("Re: Budget for the BUDGET plan 2024") == ("budget", "plan")
    assert len(subject_words(" ".join(f"word{chr(97 + n)}" for n in range(26)))) == MAX_SUBJECT_WORDS
    assert len(text_words(" ".join(f"{a}{b}xy" for a in "abcdefghij" for b in "abcdefghijklm"))) == MAX_TEXT_WORDS
    assert subject_words("") == text_words("12 34 !") == ()


def test_an_own_part_beats_the_shared_weights_on_later_mail() -> None:
    """Prevents an own part that only remembers: it has to predict what comes after."""
    rng = np.random.default_rng(5)
    taste = {f"s{n}@x{n}.example": rng.random() < 0.3 for n in range(30)}

    def mail(day: int) -> Outcome:
        sender = list(taste)[rng.integers(30)]
        likely = 0.8 if taste[sender] else 0.05
        message = replace(PLAIN, sender=sender, domain=sender.partition("@")[2], word_count=int(rng.integers(1, 300)))
        return outcome(message, float(rng.random() < likely), day)

    past, future = [mail(day) for day in range(400)], [mail(400 + day) for day in range(200)]
    own = SHARED.with_person(part_of(past))
    y = np.array([each.acted for each in future])
    p, q = (np.array([score(ranker, each.message) for each in future]) for ranker in (own, SHARED))
    assert (auc(p, y) or 0) > 0.8 > (auc(q, y) or 1)
    assert brier(p, y) < brier(q, y)
