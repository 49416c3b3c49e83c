"""Date and Received in the forms that are sent."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.mail.dates import parse_date, received_at
from rl_emails_assets.mail.limits import DefectLog
from rl_emails_assets.mail.parse import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 14 May 2001 16:39:00 -0700 (PDT)", "2001-05-14T23:39:00"),
        ("Mon, 14 May 2001 (x (y)) 16:39:00 -0700", "2001-05-14T23:39:00"),
        ("14 May 01 16:39 EST", "2001-05-14T21:39:00"),
        ("14 May 99 16:39", "1999-05-14T16:39:00"),
        ("Wed, 9 Jul 103 10:00:00 +0200", "2003-07-09T08:00:00"),
        ("Sun, 25 Aug 0102 03:37:45 +0000", "2002-08-25T03:37:45"),
        ("Mon, 14-May-2001 1:2:3 -0000", "2001-05-14T01:02:03"),
        ("Mon May 14 16:39:00 2001", "2001-05-14T16:39:00"),
        ("Mon May 14 16:39:00 PDT 2001", "2001-05-14T23:39:00"),
        ("Monday, May 14, 2001 4:39 PM", "2001-05-14T16:39:00"),
        ("14 May 2001 12:05 am", "2001-05-14T00:05:00"),
        ("2001-05-14T16:39:00.123Z", "2001-05-14T16:39:00"),
        ("2001-05-14 16:39:00+02:00", "2001-05-14T14:39:00"),
        ("2001-05-14", "2001-05-14T00:00:00"),
        ("Mon, 14 May 2001 16:39:00 GMT+0200", "2001-05-14T14:39:00"),
        ("Mon, 14 May 2001 16:39:00 GMT-5", "2001-05-14T21:39:00"),
        ("Mon, 14 May 2001 16:39:00 EST5EDT", "2001-05-14T21:39:00"),
        ("Mon, 14 May 2001 16:39:00 UT", "2001-05-14T16:39:00"),
        ("Mon, 14 May 2001 16:39:00 XYZ", "2001-05-14T16:39:00"),
        ("Mon, 14 May 2001 16:39:00 +9999", "2001-05-14T16:39:00"),
        ("Mon, 14 May 2001 24:00:00", "2001-05-15T00:00:00"),
        ("Fri, 31 Dec 1999 23:59:60 +0000", "1999-12-31T23:59:59"),
        ("14/05/2001 16:39", "2001-05-14T16:39:00"),
        ("5/14/2001 4:39 PM", "2001-05-14T16:39:00"),
        ("3.4.2001 16:39", "2001-04-03T16:39:00"),
        ("Mo, 14 Mai 2001 16:39:00 MESZ", "2001-05-14T14:39:00"),
    ],
)
def test_dates_are_read(text: str, expected: str) -> None:
    assert parse_date(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "32 May 2001",
        "14 Foo 2001",
        "14 May 1901",
        "14 May 2001 25:00",
        "14 May 2001 10:61",
        "May 14 10:00",
        "0/0/2001 1:00",
    ],
)
def test_what_is_no_date_gives_none(text: str) -> None:
    assert parse_date(text) is None


SENT = datetime(2024, 1, 10, 12, tzinfo=UTC)


def hop(text: str) -> str:
    """A Received header with this time."""
    return f"from a by b; {text}"


def test_the_topmost_received_header_is_when_it_arrived() -> None:
    log = DefectLog()
    found = received_at([hop("10 Jan 2024 12:05 +0000"), hop("10 Jan 2024 12:01 +0000")], SENT, log)
    assert found == datetime(2024, 1, 10, 12, 5, tzinfo=UTC)
    assert log.found == []


def test_servers_beat_a_wrong_clock() -> None:
    log = DefectLog()
    found = received_at([hop("10 Jan 2020 12:05 +0000")], SENT, log)
    assert found == datetime(2020, 1, 10, 12, 5, tzinfo=UTC)
    assert [defect.code for defect in log.found] == ["date-implausible"]


def test_mail_moved_between_servers_years_later_keeps_its_time() -> None:
    log = DefectLog()
    found = received_at([hop("1 Mar 2030 00:00 +0000"), hop("10 Jan 2024 12:01 +0000")], SENT, log)
    assert found == datetime(2024, 1, 10, 12, 1, tzinfo=UTC)
    assert [defect.code for defect in log.found] == ["received-late"]


def test_without_one_the_other_is_taken() -> None:
    assert received_at(["no date"], SENT, DefectLog()) == SENT
    assert received_at([hop("10 Jan 2024 12:01 +0000")], None, DefectLog()) == datetime(2024, 1, 10, 12, 1, tzinfo=UTC)


def test_an_unreadable_date_is_a_defect_and_no_time() -> None:
    message = parse(b"Date: soon\n\nx")
    assert message.sent_at is None
    assert "date-unreadable" in {defect.code for defect in message.defects}


@pytest.mark.parametrize("character", list("0123 :.,-/()+aA"))
def test_long_runs_of_one_character_end(character: str) -> None:
    assert parse_date("1" + character * 100_000) is None
