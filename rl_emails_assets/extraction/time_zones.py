"""Time zones as people write them after a time, as offsets from UTC."""

import re
from datetime import date, timedelta

_OFFSET_HOURS: dict[str, float] = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "IST": 5.5, "SGT": 8, "HKT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "HST": -10,
}  # fmt: skip
_GENERIC_HOURS = {"ET": -5, "EASTERN": -5, "CT": -6, "CENTRAL": -6, "MT": -7, "MOUNTAIN": -7, "PT": -8, "PACIFIC": -8}
"""North American zones without standard or daylight: the day decides."""

_NAMES = "|".join(sorted((*_OFFSET_HOURS, "ET", "CT", "MT", "PT"), key=lambda name: (-len(name), name)))
_ZONE = re.compile(
    rf"\s{{0,2}}\(?(?:(?P<short>{_NAMES})\b|(?i:(?P<long>eastern|central|mountain|pacific)"
    rf"(?:\s(?:standard|daylight))?(?:\stime)?\b))"
    r"(?P<offset>[+-]\d{1,2}(?!\d)(?::?[0-5]\d)?)?\)?"
)


def zone_after(text: str, position: int) -> tuple[str, int] | None:
    """The zone written at `position` of `text`, as `offset_of` reads it, and where its words end; None when there is
    none. Abbreviations count in capitals only ("et" and "est" are French words)."""
    match = _ZONE.match(text, position)
    if match is None:
        return None
    return (match["short"] or match["long"]).upper() + (match["offset"] or ""), match.end()


def offset_of(zone: str, day: date) -> timedelta:
    """The offset from UTC that a zone of `zone_after` has on `day`, within a day."""
    name = zone.rstrip("+-:0123456789")
    if name in _GENERIC_HOURS:
        hours = float(_GENERIC_HOURS[name]) + (1 if _is_daylight_time(day) else 0)
    else:
        hours = float(_OFFSET_HOURS[name])
    if name in ("UTC", "GMT") and zone != name:
        hours += _signed_hours(zone[len(name) :])
    return timedelta(hours=max(-14.0, min(14.0, hours)))


def _signed_hours(offset: str) -> float:
    digits = offset[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    return (hours + minutes / 60) * (-1 if offset[0] == "-" else 1)


def _is_daylight_time(day: date) -> bool:
    """North American daylight time: second Sunday of March to first Sunday of November (since 2007); before, first
    Sunday of April to last Sunday of October."""
    if day.year >= 2007:
        return _sunday(day.year, 3, 8) <= day < _sunday(day.year, 11, 1)
    return _sunday(day.year, 4, 1) <= day < _sunday(day.year, 10, 25)


def _sunday(year: int, month: int, first: int) -> date:
    """The first Sunday on or after that day."""
    start = date(year, month, first)
    return start + timedelta(days=6 - start.weekday())
