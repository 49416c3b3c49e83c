"""The dates of a search query: days, months and years in the owner's zone, and spans back from now."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

# From the year 1 on there is no earlier day to count from, and zones would leave the calendar at both ends.
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_SPAN_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
"""An `m` is 30 days and a `y` 365, as in Gmail."""
_MAX_SPAN_DAYS = 36_500.0
_SPAN = re.compile(r"(\d{1,5})(h|d|w|m|y)", re.IGNORECASE | re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Period:
    """From `begins_at` until before `ends_at`."""

    begins_at: datetime
    ends_at: datetime
    note: str = ""
    """How a date that can be read in two ways was read."""


def span(text: str) -> timedelta | None:
    """How long `7d`, `2w`, `3m`, `1y` or `12h` is; None when the text is none of them."""
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    return timedelta(days=min(int(found[1]) * _SPAN_DAYS[found[2].lower()], _MAX_SPAN_DAYS))


def period(text: str, now: datetime, zone: tzinfo) -> Period | None:
    """The day, month or year that `text` names, as seen in `zone`; None when it names none.

    `2026-11-23`, `2026/11/23`, `2026-11`, `2026`, `23.11.2026`, `11/23/2026`, `today`, `yesterday`, a weekday (the last
    one, today included), `7d` (the day that was so long ago). With slashes and two numbers that may each be the month,
    the month comes first, as in Gmail.
    """
    word = text.lower()
    today = now.astimezone(zone)
    if word in _WEEKDAYS:
        return _days(today - timedelta(days=(today.weekday() - _WEEKDAYS.index(word)) % 7), zone)
    if word in ("today", "yesterday"):
        return _days(today - timedelta(days=word == "yesterday"), zone)
    if (back := span(word)) is not None:
        return _days((now - back).astimezone(zone), zone)
    if found := _YEAR_FIRST.fullmatch(word):
        return _calendar(int(found[1]), found[2] and int(found[2]), found[3] and int(found[3]), zone)
    if found := _YEAR_LAST.fullmatch(word):
        return _year_last(int(found[1]), int(found[3]), int(found[4]), found[2], zone)
    return None


def _year_last(first: int, second: int, year: int, separator: str, zone: tzinfo) -> Period | None:
    if separator == "." or first > 12:
        return _calendar(year, second, first, zone)
    made = _calendar(year, first, second, zone)
    if made is None or first == second or second > 12:
        return made
    note = (
        f"{first}/{second}/{year} was read as {made.begins_at:%-d %B %Y}; {made.begins_at:%Y-%m-%d} is never misread."
    )
    return Period(made.begins_at, made.ends_at, note)


def _calendar(year: int, month: int | str | None, day: int | str | None, zone: tzinfo) -> Period | None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    if not month:
        return None if month == 0 else Period(_midnight(year, 1, 1, zone), _midnight(year + 1, 1, 1, zone))
    month = int(month)
    if not 1 <= month <= 12:
        return None
    if not day:
        following = (year + 1, 1) if month == 12 else (year, month + 1)
        return None if day == 0 else Period(_midnight(year, month, 1, zone), _midnight(*following, 1, zone))
    if not 1 <= int(day) <= monthrange(year, month)[1]:
        return None
    return _days(_midnight(year, month, int(day), zone), zone)


def _days(day: datetime, zone: tzinfo) -> Period:
    # Midnights of the calendar: a day on which clocks change has 23 or 25 hours.
    following = day.date() + timedelta(days=1)
    return Period(_midnight(day.year, day.month, day.day, zone), datetime.combine(following, time(), zone))


def _midnight(year: int, month: int, day: int, zone: tzinfo) -> datetime:
    return datetime(year, month, day, tzinfo=zone)
