from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.db.tables.signals import FEATURES
from rl_emails_assets.mail.headers import KEPT_HEADERS
from rl_emails_assets.signals.content import HEADERS_READ, ContentFeatures, content_features, owner_names
from rl_emails_assets.signals.history import HISTORY_FEATURES

AT = datetime(2024, 5, 5, 23, 30, tzinfo=timezone(timedelta(hours=2)))  # a Sunday; 21:30 UTC
NAMES = owner_names("Ana Müller", ["ana.mueller77@work.example"])


def features(**changes: Any) -> ContentFeatures:
    values: dict[str, Any] = {
        "subject": "Plan",
        "new_text": "",
        "text": "",
        "headers": {},
        "from_address": "bo@shop.example",
        "attachment_count": 0,
        "has_calendar": False,
        "is_html_only": False,
        "at": AT,
        "names": NAMES,
    }
    return content_features(**values | changes)


def test_counts_of_the_text() -> None:
    """Prevents links from being counted as questions, or "really???" as three."""
    found = features(
        subject="Plan B",
        new_text="Shall we meet? Really??? See https://x.example/?q=1?z=2 or\nwww.y.example 本当？",
        text="https://x.example/?q=1 WWW.y.example <http://z.example>",
        attachment_count=2,
        has_calendar=True,
        is_html_only=True,
    )
    assert (found.subject_length, found.word_count, found.question_count, found.link_count) == (6, 9, 3, 3)
    assert (found.attachment_count, found.has_calendar, found.is_html_only) == (2, True, True)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Hi Ana,\nhow are you", True),
        ("\n\n  ANA - a word", True),
        ("Dear Ms Müller", True),
        ("one two three four five six Ana", False),
        ("Hello all,\n@ana can you look?", True),
        ("Hello all,\nask @bo", False),
        ("Hello all,\nwrite to Ana", False),
        ("", False),
    ],
)
def test_the_owner_is_named_in_a_greeting_or_a_mention(text: str, is_named: bool) -> None:
    """Prevents any mention of a common first name from counting as being addressed."""
    assert features(new_text=text).is_owner_named is is_named


def test_owner_names_leave_out_what_is_no_name() -> None:
    """Prevents an address like jo.2024@ from making every "2024" a greeting."""
    assert owner_names("Ana-Lou O. Müller", ["jo_schmidt.2024@x.example"]) == {"ana", "lou", "müller", "schmidt"}


def test_words_for_the_writer_and_the_reader_are_counted() -> None:
    """Prevents a plea to one reader from looking like a circular, and "mining" from counting as "mine"."""
    found = features(new_text="I've lost my key; could YOU (or your brother) help me? Mining is mine, you\u2019ll see.")
    assert (found.first_person_count, found.second_person_count) == (4, 3)
    assert features(new_text="The plan is out.").first_person_count == 0


@pytest.mark.parametrize(
    ("changes", "is_reply"),
    [
        ({"subject": "Re: Plan"}, True),
        ({"subject": "AW: Plan"}, True),
        ({"subject": "Plan", "in_reply_to": "<a@x.example>"}, True),
        ({"subject": "Plan"}, False),
        ({"subject": "Fwd: Plan"}, False),
        ({"subject": "Regarding: Plan"}, False),
    ],
)
def test_an_answer_is_known_by_its_subject_or_header(changes: dict[str, Any], is_reply: bool) -> None:
    """Prevents answers from programs that write no In-Reply-To from counting as first mails."""
    assert features(**changes).is_reply is is_reply


@pytest.mark.parametrize(
    ("date", "hour", "weekday"),
    [
        ("Mon, 6 May 2024 09:15:00 -0700", 9, 0),
        ("Sat, 4 May 2024 00:15:00 +0900", 0, 5),
        ("", 21, 6),
        ("yesterday", 21, 6),
        ("Mon, 99 May 2024 09:15:00 +0000", 21, 6),
        ("Mon, 6 May 99999999999999999999 09:15:00 +0000", 21, 6),
        ("Mon, 6 May 2024 09:15:00 +999999999999", 21, 6),
    ],
)
def test_the_hour_is_the_senders(date: str, hour: int, weekday: int) -> None:
    """Prevents a mail written at night from counting as written at noon, and a broken Date header from stopping a
    run."""
    found = features(headers={"date": date})
    assert (found.sent_hour, found.sent_weekday) == (hour, weekday)


@pytest.mark.parametrize(
    ("headers", "flags"),
    [
        ({}, (False, False)),
        ({"list-id": "<l.example>"}, (True, False)),
        ({"list-post": "<mailto:l@x.example>", "list-unsubscribe": "<u>", "precedence": "list"}, (True, False)),
        ({"list-id": "<n.example>", "list-unsubscribe": "<u>"}, (True, True)),
        ({"list-unsubscribe": "<u>"}, (False, True)),
        ({"precedence": " Bulk "}, (False, True)),
        ({"feedback-id": "1:2"}, (False, True)),
    ],
)
def test_a_discussion_list_is_not_bulk(headers: dict[str, str], flags: tuple[bool, bool]) -> None:
    """Prevents discussion lists, which also offer to unsubscribe, from sinking with newsletters."""
    found = features(headers=headers)
    assert (found.is_list, found.is_bulk) == flags


@pytest.mark.parametrize(
    ("headers", "sender", "is_automatic"),
    [
        ({}, "bo@shop.example", False),
        ({"auto-submitted": "no"}, "bo@shop.example", False),
        ({"auto-submitted": "auto-generated"}, "bo@shop.example", True),
        ({"x-autoreply": "yes"}, "bo@shop.example", True),
        ({"x-autorespond": ""}, "bo@shop.example", True),
        ({"return-path": "<>"}, "bo@shop.example", True),
        ({}, "no-reply@shop.example", True),
        ({}, "donotreply+123@shop.example", True),
        ({}, "orders-noreply@shop.example", True),
        ({}, "mailer-daemon@shop.example", True),
        ({}, "bounces+1=2@shop.example", True),
        ({}, "alerta@shop.example", False),
        ({}, "robotham@shop.example", False),
        ({}, "", False),
    ],
)
def test_machines_are_told_from_people(headers: dict[str, str], sender: str, is_automatic: bool) -> None:
    """Prevents Ms Robotham from being taken for a robot, and a bounce for a person."""
    assert features(headers=headers, from_address=sender).is_automatic is is_automatic


@pytest.mark.parametrize(
    ("headers", "is_urgent"),
    [
        ({"importance": "High"}, True),
        ({"x-priority": "1 (Highest)"}, True),
        ({"x-priority": "3"}, False),
        ({"x-msmail-priority": "High"}, True),
        ({"priority": "urgent"}, True),
        ({"priority": "normal", "importance": "low"}, False),
    ],
)
def test_urgency_is_what_the_sender_marked(headers: dict[str, str], is_urgent: bool) -> None:
    """Prevents "Importance: low" from raising a message."""
    assert features(headers=headers).is_flagged_urgent is is_urgent


@pytest.mark.parametrize("trigger", ["?", "http://", "www.", "@", "@a", "<", "a ", "\n", "no-reply", "-", " "])
def test_hostile_text_is_read_in_linear_time(trigger: str) -> None:
    """Prevents a crafted body, name or header from hanging a run: quadratic work here would take minutes."""
    text = trigger * (400_000 // len(trigger))
    found = features(new_text=text, text=text, from_address=text, headers=dict.fromkeys(HEADERS_READ, text))
    assert found.link_count <= 200_000
    assert len(owner_names(text, [text])) <= 200


@given(st.text(), st.text(), st.dictionaries(st.sampled_from(HEADERS_READ), st.text()))
def test_no_text_makes_it_fail(new_text: str, sender: str, headers: dict[str, str]) -> None:
    """Prevents one odd message from stopping a run."""
    found = features(new_text=new_text, text=new_text, from_address=sender, headers=headers)
    assert 0 <= found.sent_hour < 24
    assert 0 <= found.sent_weekday < 7


def test_the_mail_step_keeps_the_headers_that_are_read() -> None:
    """Prevents a header from being dropped before it can decide a feature."""
    assert set(HEADERS_READ) <= KEPT_HEADERS


def test_history_and_content_are_all_the_signals() -> None:
    """Prevents a column of the signals table that nothing fills."""
    content = {field.name for field in fields(ContentFeatures)}
    assert content | set(HISTORY_FEATURES) == {column.name for column in FEATURES}
    assert not content & set(HISTORY_FEATURES)


def test_utc_is_used_without_a_readable_date() -> None:
    """Prevents the hour from depending on the zone in which a database driver happens to return a time."""
    assert features(at=AT.astimezone(UTC)) == features(at=AT)
