"""Invitations: the time of a meeting must be right, whatever zone it is written in."""

from datetime import UTC, datetime

import pytest

from rl_emails_assets.mail.calendar import parse_calendar
from rl_emails_assets.mail.limits import DEFAULT_LIMITS

ZONE = (
    "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:DAYLIGHT\nTZOFFSETTO:+0300\nEND:DAYLIGHT\n"
    "BEGIN:STANDARD\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
)


def event(*lines: str, zone: str = "") -> str:
    """A calendar with one event."""
    return f"BEGIN:VCALENDAR\nMETHOD:request\n{zone}BEGIN:VEVENT\n" + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR"


@pytest.mark.parametrize(
    ("line", "hour"),
    [
        ("DTSTART:20240715T120000Z", 12),
        ("DTSTART:20240715T120000", 12),
        ("DTSTART;TZID=Europe/Berlin:20240715T120000", 10),
        ('DTSTART;TZID="W. Europe Standard Time":20240715T120000', 10),
        ("DTSTART;TZID=/example.org/2024/Europe/Berlin:20240715T120000", 10),
        ("DTSTART;TZID=Mine:20240715T120000", 10),
        ("DTSTART;TZID=No/Where:20240715T120000", 12),
        ("DTSTART;TZID=../../etc/passwd:20240715T120000", 12),
        ("DTSTART;VALUE=DATE:20240715", 0),
    ],
)
def test_start_times_are_utc(line: str, hour: int) -> None:
    found = parse_calendar(event(line, zone=ZONE.format(offset="+0200")), DEFAULT_LIMITS)
    assert found is not None
    assert found.starts_at == datetime(2024, 7, 15, hour, tzinfo=UTC)


@pytest.mark.parametrize(("offset", "hour"), [("-0500", 17), ("+9900", 12), ("x", 12)])
def test_an_unknown_zone_takes_its_own_offset(offset: str, hour: int) -> None:
    found = parse_calendar(event("DTSTART;TZID=Mine:20240715T120000", zone=ZONE.format(offset=offset)), DEFAULT_LIMITS)
    assert found is not None
    assert found.starts_at == datetime(2024, 7, 15, hour, tzinfo=UTC)


def test_all_values_are_read_unfolded_and_unescaped() -> None:
    found = parse_calendar(
        event(
            "UID:1@x",
            'SUMMARY;X="a:b":Plan\\, bud',
            " get\\nand more",
            "LOCATION:Room 1",
            'ORGANIZER;CN="An:n":MAILTO:Ann@X.example',
            "DTSTART:20240102T030405Z",
            "DURATION:P1DT2H",
            "BEGIN:VALARM",
            "SUMMARY:alarm",
            "END:VALARM",
            "NOCOLON",
            'BROKEN;X="y:z',
        ),
        DEFAULT_LIMITS,
    )
    assert found is not None
    assert (found.method, found.uid, found.summary) == ("REQUEST", "1@x", "Plan, budget and more")
    assert (found.location, found.organizer) == ("Room 1", "ann@x.example")
    assert found.ends_at == datetime(2024, 1, 3, 5, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:soon",),
        ("DTSTART:20241345T000000Z",),
        ("DTSTART;TZID=Asia/Tokyo:00010101T000000",),
    ],
)
def test_times_that_cannot_be_read_are_none(lines: tuple[str, ...]) -> None:
    found = parse_calendar(event(*lines), DEFAULT_LIMITS)
    assert found is not None
    assert (found.starts_at, found.ends_at) == (None, None)


@pytest.mark.parametrize("duration", ["-P1D", "soon", "P9999W"])
def test_durations_that_make_no_end_are_ignored(duration: str) -> None:
    found = parse_calendar(event("DTSTART:99991231T000000Z", f"DURATION:{duration}"), DEFAULT_LIMITS)
    assert found is not None
    assert found.ends_at is None


def test_without_an_event_there_is_none() -> None:
    assert parse_calendar("BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:X\nTZOFFSETTO:+0100", DEFAULT_LIMITS) is None


def test_a_calendar_without_end_is_bounded() -> None:
    found = parse_calendar("BEGIN:VEVENT\n" * 100_000, DEFAULT_LIMITS)
    assert found is not None
    assert found.summary == ""
