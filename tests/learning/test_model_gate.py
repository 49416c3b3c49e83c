"""The rule by which a model may serve, on made-up people: what is better passes, what is worse is refused."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.ranking.personal import Outcome
from rl_emails_assets.ranking.personal_part import Known, PersonalPart
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.steps import models_gate as gate
from rl_emails_assets.steps.models_gate import Comparison, Correction, Settled

SHARED = Ranker.load()
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def received(sender: str, at: int, **known: object) -> tuple[RankInput, datetime]:
    """Message number `at`, one an hour."""
    values = {"is_owner_in_to": True, "recipient_count": 2, "word_count": 60, "category": "person", **known}
    message = RankInput(sender=f"{sender}@{sender}.example", domain=f"{sender}.example", **values)  # type: ignore[arg-type]
    return message, START + timedelta(hours=at)


def history(count: int, acts_on: str = "ada", seed: int = 3, late_days: float = 0.0) -> list[Settled]:
    """Somebody who acts on nearly all mail of one of six senders, and nearly none of the others'; the senders' reply
    rates, as the signals have them, are the same for all and say nothing."""
    choose = random.Random(seed)  # noqa: S311 - a test's choices
    found = []
    for index in range(count):
        sender = choose.choice(("ada", "bo", "cy", "di", "ed", "flo"))
        acted = choose.random() < (0.9 if sender == acts_on else 0.05)
        message, at = received(sender, index, sender_received_count=30, sender_replied_count=6)
        outcome = Outcome(message=message, acted=float(acted), weight=1.0, received_at=at)
        found.append(Settled(outcome, at + timedelta(days=late_days, hours=1)))
    return found


def said(sender: str, *words: bool) -> list[Correction]:
    """What was said of a sender, one message after the other."""
    found = []
    for at, word in enumerate(words):
        message, received_at = received(sender, at)
        found.append(Correction(message, word, received_at, START + timedelta(days=30, minutes=at)))
    return found


def test_a_fit_that_knows_the_person_is_measured_as_better_than_all_it_is_compared_with() -> None:
    """A gate that cannot tell a person apart would let nothing through, ever."""
    found = gate.compare(SHARED, history(600), None)
    assert found is not None
    assert found.auc > 0.85 > max(found.auc_reply_rate, found.auc_recency, found.auc_shared)
    assert found.auc_low < found.auc < found.auc_high
    assert found.gain_low > 0
    assert found.loss < found.loss_shared == found.loss_serving
    assert gate.why_refused(found) == ""
    assert (found.train_count, found.test_count) == (420, 180)
    assert found.as_json()["split_at"] == found.split_at.isoformat()


def test_nothing_of_the_newer_part_is_known_to_the_older() -> None:
    """What the test part holds, and what was settled only after the split, would be graded by heart."""
    settled = history(600)
    found = gate.compare(SHARED, settled, None)
    assert found is not None
    # Turning every outcome that the split did not know changes what is measured on, and nothing that was fitted.
    late = [replace(each, settled_at=each.settled_at + timedelta(days=40)) for each in settled]
    assert gate.compare(SHARED, late, None) is None, "at the split nothing had been settled"
    turned = [
        each
        if each.outcome.received_at < found.split_at
        else replace(each, outcome=replace(each.outcome, acted=1.0 - each.outcome.acted))
        for each in settled
    ]
    other = gate.compare(SHARED, turned, None)
    assert other is not None
    assert other.auc == pytest.approx(1.0 - found.auc, abs=1e-9)


def test_labels_at_random_are_refused() -> None:
    """A gate that lets chance through promotes noise every night."""
    choose = random.Random(8)  # noqa: S311 - a test's choices
    outcomes = [float(choose.random() < 0.2) for _ in range(600)]
    settled = [
        replace(each, outcome=replace(each.outcome, acted=acted))
        for each, acted in zip(history(600), outcomes, strict=True)
    ]
    found = gate.compare(SHARED, settled, None)
    assert found is not None
    assert found.auc == pytest.approx(0.5, abs=0.12)


def test_what_serves_is_compared_as_it_would_have_been_at_the_split() -> None:
    """Against a model that has seen the newest part already no other could ever win."""
    settled = history(600)
    same = gate.compare(SHARED, settled, settled[-1].settled_at)
    assert same is not None
    assert same.gain == pytest.approx(0.0)
    older = gate.compare(SHARED, settled, settled[120].settled_at)
    assert older is not None
    assert older.loss_serving < older.loss_shared
    assert older.loss < older.loss_serving


@pytest.mark.parametrize("count", [0, 60, 149])
def test_too_little_is_not_compared(count: int) -> None:
    """A figure of a handful of messages is none."""
    assert gate.compare(SHARED, history(count), None) is None


def test_without_both_kinds_there_is_nothing_to_compare() -> None:
    """Somebody who never acts on anything has no AUC."""
    settled = [replace(each, outcome=replace(each.outcome, acted=0.0)) for each in history(400)]
    assert gate.compare(SHARED, settled, None) is None


_GOOD = Comparison(
    split_at=START, train_count=200, test_count=90, test_acted_count=20, loss=0.3, loss_serving=0.4, loss_shared=0.45,
    gain=0.1, gain_low=0.02, gain_high=0.2, auc=0.9, auc_low=0.85, auc_high=0.95, auc_serving=0.85, auc_shared=0.8,
    auc_reply_rate=0.7, auc_recency=0.5, calibration_error=0.03,
)  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({}, ""),
        ({"auc_reply_rate": 0.9}, "how often you answered"),
        ({"auc_recency": 0.95}, "Newest first"),
        ({"gain": -0.01, "loss": 0.41}, "worse than what serves now"),
        ({"loss": 0.46, "loss_serving": 0.5}, "All people's model alone"),
        ({"auc": float("nan")}, ""),
    ],
)
def test_each_bar_is_one_and_says_its_name(worse: dict[str, float], why: str) -> None:
    """An owner who is told no wants to know what it was that did better."""
    found = gate.why_refused(replace(_GOOD, **worse))
    assert why in found
    assert bool(found) == bool(why)


def test_an_instruction_moves_one_sender_within_bounds_and_says_more_when_repeated() -> None:
    """One word must be felt, three must not drown the mailbox."""
    ada, _ = received("ada", 1)
    bo, _ = received("bo", 2)
    moved = []
    for words in ((True,), (True, True), (True,) * 3, (True,) * 9):
        part = gate.instructed(SHARED, None, said("ada", *words))
        assert part is not None
        engine = SHARED.with_person(part)
        assert engine.log_odds(bo) == SHARED.log_odds(bo)
        moved.append(engine.log_odds(ada) - SHARED.log_odds(ada))
    assert moved == pytest.approx([1.0, 1.5, 2.0, 2.0], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "is_up"), [((True, False), False), ((False, True), True), ((True, True, False), True), ((False,), False)]
)
def test_of_two_words_the_more_frequent_counts_else_the_last(words: tuple[bool, ...], is_up: bool) -> None:
    """Somebody who changed their mind must not be held to their first word."""
    ada, _ = received("ada", 1)
    part = gate.instructed(SHARED, None, said("ada", *words))
    assert part is not None
    assert (SHARED.with_person(part).log_odds(ada) > SHARED.log_odds(ada)) == is_up
    assert gate.disagreements(SHARED, None, part, said("ada", *words)) == []


@pytest.mark.parametrize("known", [-4.0, 0.0, 6.0])
@pytest.mark.parametrize("word", [True, False])
def test_a_word_is_felt_whatever_behaviour_had_taught_and_bounded(known: float, word: bool) -> None:
    """Who sees where mail stands and says no wants it lower than that, not lower than where others would have it."""
    base = PersonalPart(base_log_odds=-2.0, threshold=0.3, known={"sender": {"ada@ada.example": Known(known, 9, 9)}})
    part = gate.instructed(SHARED, base, said("ada", word))
    assert part is not None
    ada, _ = received("ada", 1)
    moved = SHARED.with_person(part).log_odds(ada) - SHARED.with_person(base).log_odds(ada)
    assert moved == pytest.approx(1.0 if word else -1.0)
    assert part.known["sender"]["ada@ada.example"].count == 9
    assert gate.disagreements(SHARED, base, part, said("ada", word)) == []
    assert gate.disagreements(SHARED, base, part, said("ada", not word)) == ["ada@ada.example"]
    assert gate.disagreements(SHARED, base, base, said("ada", word)) == ["ada@ada.example"]


def test_without_a_word_nothing_is_instructed() -> None:
    """Mail without a sender has nobody to move."""
    assert gate.instructed(SHARED, None, []) is None
    nobody = replace(said("ada", True)[0], message=RankInput())
    assert gate.instructed(SHARED, None, [nobody]) is None
    assert gate.disagreements(SHARED, None, None, [nobody]) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=12))
def test_instructions_are_the_same_in_any_order_and_never_more_than_the_most(words: list[tuple[str, bool]]) -> None:
    """A part that depended on the order of rows, or grew with every click, would never come to rest."""
    corrections = [each for sender, word in words for each in said(sender, word)]
    part = gate.instructed(SHARED, None, corrections)
    assert gate.instructed(SHARED, None, corrections) == part
    assert gate.disagreements(SHARED, None, part, corrections) == []
    assert gate.is_sound(SHARED, part, [each.message for each in corrections])
    known = {} if part is None else part.known["sender"]
    assert set(known) == {each.message.sender for each in corrections}
    assert all(gate.INSTRUCTED[0] <= abs(each.log_odds) <= gate.INSTRUCTED[-1] for each in known.values())


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -31.0])
@pytest.mark.parametrize("where", ["base", "threshold", "term", "known"])
def test_a_part_with_a_number_that_is_none_is_unsound(number: float, where: str) -> None:
    """NaN compares with nothing: such a part would put the whole mailbox in no order."""
    part = PersonalPart(
        base_log_odds=number if where == "base" else 0.0,
        threshold=number if where == "threshold" else 0.3,
        terms={"sent_hour": (number,)} if where == "term" else {},
        known={"word": {"plan": Known(number, 1, 1)}} if where == "known" else {},
    )
    assert not gate.is_sound(SHARED, part, [])
    assert gate.is_sound(SHARED, None, [])


def test_the_stability_index_is_nothing_for_the_same_and_much_for_another_population() -> None:
    """Drift that is not seen, or is seen where there is none."""
    choose = random.Random(5)  # noqa: S311 - a test's choices
    made_on = [choose.random() for _ in range(2000)]
    edges = gate.deciles(made_on)
    assert [round(share, 2) for _, share in edges] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert gate.stability_index(edges, [choose.random() for _ in range(2000)]) < 0.05
    assert gate.stability_index(edges, [0.3 * choose.random() for _ in range(2000)]) > 0.25
    tied = gate.deciles([0.1] * 900 + [0.9] * 100)
    assert gate.stability_index(tied, [0.1] * 450 + [0.9] * 50) < 0.01
    assert gate.deciles([]) == []
