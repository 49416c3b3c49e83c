import json
import math
import random
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.classification.verdict import CATEGORIES, NEEDS, URGENCIES
from rl_emails_assets.db.tables.signals import FEATURES
from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.ranking import reasons
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.reasons import MAX_REASONS, MIN_LOG_ODDS, TEMPLATES, duration, strongest, words
from rl_emails_assets.ranking.terms import TERMS, Choice, Numeric, addressing, reply_rate

RANKER = Ranker.load()
SHIPPED = json.loads((Path(str(reasons.__file__)).with_name("model.json")).read_text())

# Mail to a mailbox without any history.
PERSON = RankInput(
    recipient_count=1,
    is_owner_in_to=True,
    is_owner_only_recipient=True,
    subject_length=25,
    word_count=40,
    sent_hour=10,
    sent_weekday=1,
    category="person",
    needs="read",
    confidence=0.8,
)
QUESTION = replace(PERSON, question_count=1, needs="reply")
INVITATION = replace(PERSON, has_calendar=True, category="calendar", needs="decision", link_count=1)
RECEIPT = replace(PERSON, category="receipt", needs="nothing", is_automatic=True, link_count=4)
NEWSLETTER = replace(
    PERSON, category="newsletter", needs="read", is_bulk=True, is_html_only=True, link_count=20, word_count=600
)
PROMOTION = replace(NEWSLETTER, category="promotion", needs="nothing", word_count=150)


def score(message: RankInput) -> float:
    return RANKER.rank(message).score


measures = st.none() | st.floats(allow_nan=True, allow_infinity=True)
counts = st.integers(0, 10**9)
inputs = st.builds(
    RankInput,
    **{
        field.name: measures
        if "None" in str(field.type) and "float" in str(field.type)
        else st.booleans()
        if field.type is bool
        else counts
        for field in fields(RankInput)
        if field.name not in ("category", "needs", "urgency")
    },
    category=st.sampled_from([None, *CATEGORIES, "unheard of"]),
    needs=st.sampled_from([None, *NEEDS, ""]),
    urgency=st.sampled_from([None, *URGENCIES]),
)


@given(inputs)
def test_contributions_add_up_to_the_score(message: RankInput) -> None:
    """Promise 4: the record of a decision has to be the decision, whatever the values are."""
    priority = RANKER.rank(message)
    total = priority.base_log_odds + sum(part.log_odds for part in priority.contributions)
    assert 0 <= priority.score <= 1
    assert priority.score == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-9)
    assert math.log(priority.score / (1 - priority.score)) == pytest.approx(total, abs=1e-9)
    strengths = [abs(part.log_odds) for part in priority.contributions]
    assert strengths == sorted(strengths, reverse=True)
    assert len(priority.reasons) <= MAX_REASONS
    assert all(priority.reasons)
    json.dumps([asdict(part) for part in priority.contributions])


def random_inputs(seed: int, count: int) -> list[RankInput]:
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [
        replace(
            QUESTION,
            sender_received_count=chance.randrange(40),
            sender_replied_count=chance.randrange(10),
            sender_days_since_sent=chance.choice([None, chance.expovariate(0.1)]),
            word_count=chance.randrange(900),
            recipient_count=chance.randrange(30),
            category=chance.choice(CATEGORIES),
            needs=chance.choice(NEEDS),
            confidence=chance.random(),
        )
        for _ in range(count)
    ]


def test_a_score_does_not_depend_on_its_batch() -> None:
    """Promise 5: the last bit of a score moved with what it was computed with."""
    messages = random_inputs(1, 500)
    together = RANKER.rank_all(messages)
    assert together == [RANKER.rank(message) for message in messages]
    assert RANKER.rank_all(reversed(messages)) == together[::-1]
    assert RANKER.rank_all(iter(())) == []


def test_without_history_people_come_first_and_promotions_last() -> None:
    """Prevents a new mailbox from opening on advertisements."""
    order = [QUESTION, INVITATION, RECEIPT, NEWSLETTER, PROMOTION]
    assert [score(m) for m in order] == sorted(map(score, order), reverse=True)
    assert score(replace(QUESTION, is_from_owner=True)) < score(PROMOTION)


@pytest.mark.parametrize(
    "changes",
    [
        {"is_reply_to_owner": True, "thread_earlier_count": 1, "thread_owner_count": 1},
        {"question_count": 1},
        {"nearest_deadline_hours": 30.0},
        {"task_count_me": 1},
        {"urgency": "today"},
        {"needs": "decision"},
        {"is_owner_named": True},
        {"sender_received_count": 10, "sender_replied_count": 8},
        {"sender_sent_count": 20, "sender_days_since_sent": 1.0},
    ],
)
def test_what_should_raise_a_message_raises_it(changes: dict[str, Any]) -> None:
    """Prevents a retrained model from turning a plain sign of importance upside down."""
    assert score(replace(PERSON, **changes)) > score(PERSON)


@pytest.mark.parametrize(
    "changes",
    [
        {"is_bulk": True},
        {"is_automatic": True},
        {"needs": "nothing"},
        {"link_count": 20},
        {"recipient_count": 40, "is_owner_only_recipient": False},
        {"is_owner_only_recipient": False, "is_owner_in_to": False},
        {"sender_received_count": 50},
        {"category": "suspicious"},
    ],
)
def test_what_should_lower_a_message_lowers_it(changes: dict[str, Any]) -> None:
    """Prevents a retrained model from turning a plain sign of unimportance upside down."""
    assert score(replace(PERSON, **changes)) < score(PERSON)


def test_the_more_the_owner_answers_a_sender_the_higher() -> None:
    """Prevents a dent in the weight of the strongest feature."""
    scores = [score(replace(PERSON, sender_received_count=20, sender_replied_count=replied)) for replied in range(21)]
    assert scores == sorted(scores)


def test_a_closer_deadline_ranks_higher() -> None:
    """Prevents a deadline in a month from standing above tomorrow's."""
    scores = [score(replace(PERSON, nearest_deadline_hours=hours)) for hours in (30, 72, 200, 700, 5000)]
    assert scores == sorted(scores, reverse=True)


def test_an_unsure_verdict_counts_less() -> None:
    """Prevents a guess of the classifier from burying a person's mail."""
    sure, unsure = (replace(PROMOTION, confidence=confidence) for confidence in (1.0, 0.3))
    assert score(sure) < score(unsure)
    assert score(replace(PROMOTION, confidence=None)) == score(sure)
    broken = {score(replace(PROMOTION, confidence=value)) for value in (math.nan, -1.0, 7.0)}
    assert broken == {score(replace(PROMOTION, confidence=0.0))}


def test_reasons_are_plain_words_with_the_values() -> None:
    """Prevents reasons that name a feature instead of saying what was seen."""
    friend = replace(QUESTION, sender_received_count=10, sender_replied_count=8, nearest_deadline_hours=30.0)
    found = RANKER.rank(friend).reasons
    assert "You answered 8 of 10 earlier mails from this sender" in found
    assert "Due within 30 hours" in found
    assert "Newsletter" in RANKER.rank(NEWSLETTER).reasons
    assert "Sent in bulk" in RANKER.rank(NEWSLETTER).reasons


def test_weak_contributions_are_no_reason_and_nothing_is_said_twice() -> None:
    """Prevents an inbox of reasons like "Sent on a Tuesday"."""
    assert words(PERSON, "addressing", "alone", MIN_LOG_ODDS / 2) == ""
    assert words(PERSON, "addressing", "alone", -MIN_LOG_ODDS) == "Sent to you alone"
    never = [("sender_sent_count", 0, -1.0), ("sender_days_since_sent", None, -0.9), ("urgency", "whenever", 0.5)]
    assert strongest(words(PERSON, *each) for each in never) == ("You had never written to this sender",)
    many = [("word_count", 1, 1.0), ("question_count", 1, 1.0), ("link_count", 1, 1.0)] * 2
    many += [("is_bulk", True, 1.0), ("is_automatic", True, 1.0)]
    assert len(strongest(words(PERSON, *each) for each in many)) == MAX_REASONS


@pytest.mark.parametrize(
    ("feature", "changes", "said"),
    [
        ("sender_reply_rate", {}, ""),
        ("sender_reply_rate", {"sender_received_count": 1}, "No answer to the earlier mail from this sender"),
        (
            "sender_reply_rate",
            {"sender_received_count": 1, "sender_replied_count": 1},
            "You answered the only earlier mail from this sender",
        ),
        ("sender_reply_rate", {"sender_received_count": 5}, "You answered none of 5 earlier mails from this sender"),
        (
            "domain_reply_rate",
            {"domain_received_count": 5, "domain_replied_count": 5},
            "You answered all of 5 earlier mails from the sender's domain",
        ),
        ("sender_received_count", {}, "First mail from this sender"),
        ("sender_received_count", {"sender_received_count": 1}, "1 earlier mail from this sender"),
        ("sender_sent_count", {"sender_sent_count": 2}, "You had sent this sender 2 mails"),
        ("sender_days_since_received", {"sender_days_since_received": 0.1}, "The sender had written 3 hours before"),
        ("sender_median_reply_hours", {}, ""),
        (
            "sender_median_reply_hours",
            {"sender_median_reply_hours": 0.2},
            "You usually answer this sender within 12 minutes",
        ),
        ("thread_earlier_count", {}, "Starts a conversation"),
        ("thread_earlier_count", {"thread_earlier_count": 2}, "2 earlier messages in the conversation"),
        ("thread_owner_count", {}, "You had not written in the conversation"),
        ("thread_owner_count", {"thread_owner_count": 1}, "You had written 1 message in the conversation"),
        ("thread_hours_since_previous", {}, ""),
        (
            "thread_hours_since_previous",
            {"thread_hours_since_previous": 60.0},
            "Comes 3 days after the conversation's previous message",
        ),
        ("recipient_count", {"recipient_count": 0}, "Names no recipient"),
        ("recipient_count", {"recipient_count": 3}, "Sent to 3 recipients"),
        ("subject_length", {"subject_length": 0}, "No subject"),
        ("subject_length", {"subject_length": 5}, "Short subject"),
        ("subject_length", {"subject_length": 40}, ""),
        ("subject_length", {"subject_length": 90}, "Long subject"),
        ("word_count", {"word_count": 0}, "No new text"),
        ("question_count", {}, "Asks no question"),
        ("question_count", {"question_count": 3}, "Asks 3 questions"),
        ("link_count", {}, "Has no links"),
        ("attachment_count", {}, ""),
        ("attachment_count", {"attachment_count": 1}, "Has 1 attachment"),
        ("sent_weekday", {"sent_weekday": 6}, "Sent on a Sunday"),
        ("is_flagged_urgent", {}, "Marked as urgent by the sender"),
        ("needs", {"needs": "decision"}, "Asks you for a decision"),
        ("needs", {"needs": None}, ""),
        ("category", {"category": "unheard of"}, ""),
        ("task_count_me", {}, ""),
        ("task_count_me", {"task_count_me": 1}, "Has a task for you"),
        ("task_count_me", {"task_count_me": 2}, "Has 2 tasks for you"),
        ("nearest_deadline_hours", {}, ""),
        ("nearest_deadline_hours", {"nearest_deadline_hours": -2.0}, "Its deadline had passed"),
    ],
)
def test_each_template_says_what_was_seen(feature: str, changes: dict[str, Any], said: str) -> None:
    """Prevents a reason that is wrong in number, or speaks of what was not there."""
    assert TEMPLATES[feature](replace(PERSON, **changes)) == said


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (-1.0, "1 minute"),
        (-1.7e308, "1 minute"),
        (0.0, "1 minute"),
        (0.99, "60 minutes"),
        (1.0, "1 hour"),
        (47.5, "48 hours"),
        (48.0, "2 days"),
        (24.0 * 21, "3 weeks"),
        (1e12, "2 years or more"),
        (math.inf, "a long time"),
        (math.nan, "a long time"),
    ],
)
def test_durations_are_said_as_people_say_them(hours: float, words: str) -> None:
    """Prevents "within 0 hours", and a broken number from stopping a run."""
    assert duration(hours) == words


def test_every_term_has_words() -> None:
    """Prevents a new term from failing when it becomes a strongest one."""
    names = {term.name for term in TERMS}
    assert names == TEMPLATES.keys() | {"addressing"}
    assert names == SHIPPED["terms"].keys()


def test_the_ranker_reads_the_signals_and_the_verdict() -> None:
    """Prevents a signal from being renamed in one place, and a category without a weight."""
    read = {field.name for field in fields(RankInput)}
    assert {column.name for column in FEATURES} <= read
    choices = {term.name: set(term.prior) for term in TERMS if isinstance(term, Choice)}
    assert choices["category"] == set(CATEGORIES)
    assert choices["needs"] == set(NEEDS)
    assert choices["urgency"] == set(URGENCIES)


def test_knots_rise_and_priors_fit_them() -> None:
    """Prevents an interpolation that divides by zero or runs out of weights."""
    for term in TERMS:
        if isinstance(term, Numeric):
            assert list(term.knots) == sorted(set(term.knots)), term.name
            assert len(term.prior) in ({0, len(term.knots)} if term.is_taught else {len(term.knots)}), term.name


def test_a_row_of_the_tables_becomes_an_input() -> None:
    """Prevents a null or a further column of a joined row from stopping a run."""
    row = {"word_count": 7, "category": None, "sender_replied_count": None, "thread_id": "x"}
    assert RankInput.from_row(row) == RankInput(word_count=7)


@pytest.mark.parametrize(
    ("message", "way"),
    [
        (RankInput(is_owner_only_recipient=True, is_owner_in_to=True), "alone"),
        (RankInput(is_owner_in_to=True, is_owner_in_cc=True, is_list=True), "to"),
        (RankInput(is_owner_in_cc=True), "cc"),
        (RankInput(is_list=True), "list"),
        (RankInput(recipient_count=1), "hidden"),
        (RankInput(), None),
    ],
)
def test_addressing_takes_the_closest_way(message: RankInput, way: str) -> None:
    """Prevents a direct mail that also went through a list from counting as list mail."""
    assert addressing(message) == way


def test_a_single_answer_is_no_certainty() -> None:
    """Prevents a sender with one answered mail from outranking one with 8 of 10."""
    assert reply_rate(1, 1) < reply_rate(8, 10)
    assert reply_rate(0, 0) == pytest.approx(0.1)


def test_the_model_version_names_the_weights(tmp_path: Path) -> None:
    """Prevents new weights from being served under the old version, so that nothing is scored again."""
    assert RANKER.model_version.startswith("ranker-2-")
    changed = tmp_path / "model.json"
    changed.write_text(json.dumps(SHIPPED | {"base_log_odds": -1.0}))
    other = Ranker.load(changed)
    assert other.model_version != RANKER.model_version
    assert other.rank(PERSON).score > score(PERSON)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "not json",
        "[]",
        "{}",
        json.dumps({"name": "x", "terms": SHIPPED["terms"]}),
        json.dumps(SHIPPED | {"base_log_odds": "nan"}),
        json.dumps(SHIPPED | {"terms": {}}),
        json.dumps(
            SHIPPED | {"terms": SHIPPED["terms"] | {"word_count": {"knots": [0], "log_odds": [1], "missing": 0}}}
        ),
        json.dumps(SHIPPED | {"terms": SHIPPED["terms"] | {"is_bulk": {"log_odds": {"yes": 1e9}}}}),
    ],
)
def test_broken_weights_are_refused(tmp_path: Path, content: str | None) -> None:
    """Prevents an inbox in an order that nobody trained."""
    path = tmp_path / "model.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelFileError, match="ranker's weights"):
        Ranker.load(path)
