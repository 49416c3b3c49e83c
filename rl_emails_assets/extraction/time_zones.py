"""Time zones as people write them after a time, as offsets from UTC.

No database of zones: mail names a few dozen, and their rules of the last decades fit in a page. The zones of places
are offsets with the summer time of North America or of Europe.
"""

import re
from datetime import date, timedelta

_OFFSET_HOURS: dict[str, float] = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "TRT": 3, "EAT": 3, "CAT": 2, "SAST": 2, "WAT": 1, "GST": 4, "PKT": 5, "IST": 5.5, "ICT": 7,
    "WIB": 7, "SGT": 8, "HKT": 8, "PHT": 8, "MYT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8,
    "HST": -10, "AST": -4, "ADT": -3, "NST": -3.5, "NDT": -2.5, "BRT": -3, "ART": -3,
}  # fmt: skip
_GENERIC_HOURS = {"ET": -5, "EASTERN": -5, "CT": -6, "CENTRAL": -6, "MT": -7, "MOUNTAIN": -7, "PT": -8, "PACIFIC": -8}
"""North American zones without standard or daylight: the day decides."""
_PLACES: dict[str, tuple[float, str]] = {
    place: (hours, rule)
    for places, hours, rule in (
        ("london|uk|dublin|edinburgh|lisbon|british", 0, "EU"),
        ("berlin|paris|madrid|rome|amsterdam|brussels|vienna|zurich|munich|frankfurt|stockholm|oslo", 1, "EU"),
        ("copenhagen|milan|barcelona|prague|warsaw|geneva|hamburg|german|french|central european", 1, "EU"),
        ("athens|helsinki|bucharest|kyiv", 2, "EU"),
        ("new york|ny|nyc|boston|washington|atlanta|miami|toronto|detroit|philadelphia|montreal|east coast", -5, "US"),
        ("chicago|houston|dallas|austin|texas|minneapolis", -6, "US"),
        ("denver|calgary", -7, "US"),
        ("los angeles|san francisco|seattle|california|portland|vancouver|las vegas|west coast|sf", -8, "US"),
        ("phoenix", -7, ""),
        ("mumbai|delhi|bangalore|india|indian", 5.5, ""),
        ("dubai", 4, ""),
        ("moscow|istanbul", 3, ""),
        ("singapore|hong kong|beijing|shanghai|china|perth", 8, ""),
        ("tokyo|japan|seoul", 9, ""),
        ("brisbane", 10, ""),
        ("sao paulo|são paulo|buenos aires", -3, ""),
    )
    for place in places.split("|")
}  # fmt: skip

_NAMES = "|".join(sorted((*_OFFSET_HOURS, "ET", "CT", "MT", "PT"), key=lambda name: (-len(name), name)))
_PLACE_NAMES = "|".join(sorted(_PLACES, key=lambda name: (-len(name), name)))
_ZONE = re.compile(
    rf"\s{{0,2}}\(?(?:(?P<short>{_NAMES})\b|(?i:(?P<long>eastern|central|mountain|pacific)(?!\seuropean)"
    rf"(?:\s(?:standard|daylight))?(?:\stime)?\b)|(?i:(?:(?:in|for)\s)?(?P<place>{_PLACE_NAMES})\s(?:local\s)?time\b))"
    r"(?P<offset>[+-]\d{1,2}(?!\d)(?::?[0-5]\d)?)?\)?"
)

_AFTER_HALF = re.compile(r"[ap]\.?m\.?$", re.IGNORECASE)
_LOWER_ZONE = re.compile(
    r"\s{0,2}\(?(?P<short>utc|gmt|cet|cest|(?P<half>est|edt|cst|cdt|mst|mdt|pst|pdt|ct|mt|pt|bst|ist))\b"
    r"(?P<offset>[+-]\d{1,2}(?!\d)(?::?[0-5]\d)?)?\)?"
)


def zone_after(text: str, position: int) -> tuple[str, int] | None:
    """The zone written at `position` of `text`, as `offset_of` reads it, and where its words end; None when there is
    none. Abbreviations count in capitals, or behind am and pm ("est" is a French word), places with "time" behind
    them."""
    match = _ZONE.match(text, position)
    if match is None:
        lower = _LOWER_ZONE.match(text, position) if text[position : position + 4].strip(" (").islower() else None
        if lower is None or (lower["half"] and not _AFTER_HALF.search(text, max(0, position - 4), position)):
            return None
        return lower["short"].upper() + (lower["offset"] or ""), lower.end()
    name = match["short"] or match["long"] or " ".join(match["place"].split())
    return name.upper() + (match["offset"] or ""), match.end()


def offset_of(zone: str, day: date) -> timedelta:
    """The offset from UTC that a zone of `zone_after` has on `day`, within a day."""
    name = zone.rstrip("+-:0123456789")
    if name in _GENERIC_HOURS:
        hours = float(_GENERIC_HOURS[name]) + (1 if _is_daylight_time(day) else 0)
    elif name in _OFFSET_HOURS:
        hours = float(_OFFSET_HOURS[name])
    else:
        standard, rule = _PLACES[name.lower()]
        is_summer = _is_daylight_time(day) if rule == "US" else rule == "EU" and _is_european_summer(day)
        hours = standard + (1 if is_summer else 0)
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


def _is_european_summer(day: date) -> bool:
    """Last Sunday of March to last Sunday of October (since 1996)."""
    return _sunday(day.year, 3, 25) <= day < _sunday(day.year, 10, 25)


def _sunday(year: int, month: int, first: int) -> date:
    """The first Sunday on or after that day."""
    start = date(year, month, first)
    return start + timedelta(days=6 - start.weekday())
