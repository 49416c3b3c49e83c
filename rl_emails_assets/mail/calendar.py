"""The first event of a text/calendar part (RFC 5545), as far as an inbox needs it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from rl_emails_assets.mail.charsets import clean
from rl_emails_assets.mail.limits import Limits
from rl_emails_assets.mail.message import CalendarEvent

_MOST_LINES = 5_000
_TEXT_CHARS = 1_000
_FOLD = re.compile(r"\r?\n[ \t]")
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?")
_DURATION = re.compile(r"([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_ZONE_KEY = re.compile(r"[A-Za-z0-9_+\-]{1,30}(?:/[A-Za-z0-9_+\-]{1,30}){0,2}")
_WINDOWS_ZONES = {
    "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver",
    "us mountain standard time": "America/Phoenix",
    "pacific standard time": "America/Los_Angeles",
    "alaskan standard time": "America/Anchorage",
    "hawaiian standard time": "Pacific/Honolulu",
    "atlantic standard time": "America/Halifax",
    "sa pacific standard time": "America/Bogota",
    "e. south america standard time": "America/Sao_Paulo",
    "argentina standard time": "America/Buenos_Aires",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "central europe standard time": "Europe/Budapest",
    "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau",
    "fle standard time": "Europe/Kiev",
    "gtb standard time": "Europe/Bucharest",
    "russian standard time": "Europe/Moscow",
    "turkey standard time": "Europe/Istanbul",
    "israel standard time": "Asia/Jerusalem",
    "egypt standard time": "Africa/Cairo",
    "south africa standard time": "Africa/Johannesburg",
    "arabian standard time": "Asia/Dubai",
    "arab standard time": "Asia/Riyadh",
    "iran standard time": "Asia/Tehran",
    "pakistan standard time": "Asia/Karachi",
    "india standard time": "Asia/Kolkata",
    "se asia standard time": "Asia/Bangkok",
    "china standard time": "Asia/Shanghai",
    "singapore standard time": "Asia/Singapore",
    "taipei standard time": "Asia/Taipei",
    "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul",
    "w. australia standard time": "Australia/Perth",
    "cen. australia standard time": "Australia/Adelaide",
    "aus eastern standard time": "Australia/Sydney",
    "e. australia standard time": "Australia/Brisbane",
    "new zealand standard time": "Pacific/Auckland",
    "utc": "UTC",
}
"""Outlook's zone names, from the Unicode CLDR table windowsZones, the ones seen in mail."""


def parse_calendar(text: str, limits: Limits) -> CalendarEvent | None:  # noqa: PLR0912 - one branch a property
    """The method and the first VEVENT; None when there is no event.

    A floating time (without zone) is read as UTC; a zone that is not known by name takes the standard offset that the
    part's own VTIMEZONE gives.
    """
    method = ""
    offsets: dict[str, tzinfo] = {}
    zone_name = ""
    stack: list[str] = []
    values: dict[str, tuple[dict[str, str], str]] = {}
    for name, params, value in _lines(text[: limits.calendar_chars]):
        if name == "BEGIN":
            stack.append(value.strip().upper())
        elif name == "END":
            if stack and stack.pop() == "VEVENT":
                break
        elif stack[-1:] == ["VEVENT"]:
            values.setdefault(name, (params, value))
        elif name == "METHOD":
            method = clean(value).strip().upper()[:40]
        elif name == "TZID":
            zone_name = value.strip()
        elif name == "TZOFFSETTO" and stack[-1:] == ["STANDARD"]:
            found = _OFFSET.fullmatch(value.strip())
            if found is not None:
                minutes = int(found[2]) * 60 + int(found[3])
                if minutes < 24 * 60:
                    offsets.setdefault(zone_name, timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes)))
    if not values and "VEVENT" not in text[: limits.calendar_chars]:
        return None
    starts_at = _moment(values.get("DTSTART"), offsets)
    ends_at = _moment(values.get("DTEND"), offsets)
    if ends_at is None and starts_at is not None and "DURATION" in values:
        ends_at = _after(starts_at, values["DURATION"][1])
    organizer = values.get("ORGANIZER", ({}, ""))[1].strip()
    if organizer[:7].lower() == "mailto:":
        organizer = organizer[7:]
    return CalendarEvent(
        method=method,
        uid=_text(values, "UID"),
        summary=_text(values, "SUMMARY"),
        location=_text(values, "LOCATION"),
        organizer=clean(organizer).lower()[:_TEXT_CHARS],
        starts_at=starts_at,
        ends_at=ends_at,
    )


def _lines(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """(name, parameters, value) of each content line, unfolded."""
    for line in _FOLD.sub("", text).replace("\r", "\n").split("\n", _MOST_LINES)[:_MOST_LINES]:
        head_end = _colon(line)
        if head_end < 0:
            continue
        name, *raw_params = line[:head_end].split(";")
        params: dict[str, str] = {}
        for raw in raw_params:
            key, _, param = raw.partition("=")
            params.setdefault(key.strip().upper(), param.strip().strip('"'))
        yield name.strip().upper(), params, line[head_end + 1 :]


def _colon(line: str) -> int:
    """The colon before the value; one inside a quoted parameter does not count."""
    colon = line.find(":")
    quote = line.find('"')
    while 0 <= quote < colon:
        closing = line.find('"', quote + 1)
        if closing < 0:
            return colon
        if closing > colon:
            colon = line.find(":", closing)
        quote = line.find('"', closing + 1)
    return colon


def _text(values: dict[str, tuple[dict[str, str], str]], name: str) -> str:
    raw = values.get(name, ({}, ""))[1][: 2 * _TEXT_CHARS]
    text = _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], raw)
    return clean(" ".join(text.split()))[:_TEXT_CHARS]


def _moment(value: tuple[dict[str, str], str] | None, offsets: dict[str, tzinfo]) -> datetime | None:
    if value is None:
        return None
    params, text = value
    found = _TIME.match(text.strip())
    if found is None:
        return None
    zone: tzinfo = UTC
    if found[4] is not None and found[7] is None:
        zone = _zone(params.get("TZID", ""), offsets)
    try:
        local = datetime(
            int(found[1]),
            int(found[2]),
            int(found[3]),
            int(found[4] or 0),
            int(found[5] or 0),
            min(int(found[6] or 0), 59),
            tzinfo=zone,
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(name: str, offsets: dict[str, tzinfo]) -> tzinfo:
    # Some programs write a path before the name: /example.org/2024/Europe/Berlin.
    for key in (name, _WINDOWS_ZONES.get(name.lower(), ""), "/".join(name.split("/")[-2:])):
        if key and _ZONE_KEY.fullmatch(key):
            try:
                return ZoneInfo(key)
            except (ValueError, OSError, LookupError):
                continue
    return offsets.get(name, UTC)


def _after(start: datetime, duration: str) -> datetime | None:
    found = _DURATION.fullmatch(duration.strip())
    if found is None or found[1] == "-":
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    try:
        return start + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
