"""The Date and Received headers, in the many forms that are sent, as aware UTC times."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from rl_emails_assets.mail.limits import DefectLog

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen",
            "feb fev fév",
            "mar mär mrt mrz",
            "apr avr abr",
            "may mai maj mei mag",
            "jun giu",
            "jul lug",
            "aug ago aoû",
            "sep set",
            "oct okt out ott",
            "nov",
            "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}
_ZONES_MINUTES = {
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
    "AKST": -540, "AKDT": -480, "HST": -600, "AST": -240, "ADT": -180, "NST": -210, "BRT": -180, "ART": -180,
    "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "MEZ": 60, "MESZ": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "SAST": 120, "IST": 330, "PKT": 300, "SGT": 480, "HKT": 480,
    "JST": 540, "KST": 540, "AWST": 480, "ACST": 570, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}  # fmt: skip
"""Minutes east of UTC of the names seen in mail; of an ambiguous name the sense that mail software uses."""
_DAY_FIRST = re.compile(
    r"(?:\w{2,12}\.?,? {0,3})?(\d{1,2})[ \-./]{1,3}([^\W\d_]{3})[^\W\d_]{0,8}[ \-./,]{1,3}(\d{2,4}),?"
    r"(?: {1,3}(?:at )?(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(?:[.,]\d{1,9})?)?(?: {0,3}([AaPp])\.?[Mm]\b)?(.{0,80})",
    re.DOTALL,
)
_MONTH_FIRST = re.compile(
    r"(?:\w{2,12}\.?,? {0,3})?([^\W\d_]{3})[^\W\d_]{0,8}\.? {1,3}(\d{1,2}),? {1,3}"
    r"(?:(\d{4}),? {1,3})?(?:at )?(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?: {0,3}([AaPp])\.?[Mm]\b)?(.{0,80})",
    re.DOTALL,
)
_ISO = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]{1,3}(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d{1,9})?)?(.{0,80})", re.DOTALL
)
_NUMBERS = re.compile(
    r"(?:\w{2,12}\.?,? {0,3})?(\d{1,2})[./](\d{1,2})[./](\d{4}),? {1,3}(\d{1,2}):(\d{2})(?::(\d{2}))?"
    r"(?: {0,3}([AaPp])\.?[Mm]\b)?(.{0,80})",
    re.DOTALL,
)
_OFFSET = re.compile(r"(?:GMT|UTC?)? ?([+-])(\d{1,2}):?(\d{2})(?!\d)")
_SHORT_OFFSET = re.compile(r"(?:GMT|UTC) ?([+-])(\d{1,2})(?!\d)()")
_ZONE_NAME = re.compile(r"\b([A-Z]{1,5})(?=\b|\d)")
_YEAR = re.compile(r"\b(19[6-9]\d|20\d\d)\b")
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_SPACES = re.compile(r"\s+")
_MAX_HEADER_CHARS = 100
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_HOPS = 20
_BEFORE_SENT = timedelta(days=1)
_AFTER_SENT = timedelta(days=7)


def parse_date(text: str) -> datetime | None:
    """The time that a Date header or a calendar gives, in UTC; None when it cannot be read or is not from 1970-2200.

    Two-digit years follow RFC 5322 section 4.3. A missing or unknown zone is read as UTC.
    """
    text = _SPACES.sub(" ", text[:200]).strip(" _")
    if "(" in text:
        text = _without_comments(text)
    found = _DAY_FIRST.match(text)
    if found is not None:
        day, month_name, year, hour, minute, second, half, rest = found.groups()
        return _moment((year, _MONTHS.get(month_name.lower(), 0), day), (hour, minute, second, half), rest)
    found = _MONTH_FIRST.match(text)
    if found is not None:
        month_name, day, year, hour, minute, second, half, rest = found.groups()
        if year is None:
            late_year = _YEAR.search(rest)
            if late_year is None:
                return None
            year = late_year[1]
            rest = rest[: late_year.start()] + rest[late_year.end() :]
        return _moment((year, _MONTHS.get(month_name.lower(), 0), day), (hour, minute, second, half), rest)
    found = _ISO.match(text)
    if found is not None:
        year, month, day, hour, minute, second, rest = found.groups()
        return _moment((year, int(month), day), (hour, minute, second, None), rest)
    found = _NUMBERS.match(text)
    if found is not None:
        first, second_number, year, hour, minute, second, half, rest = found.groups()
        # With slashes and AM/PM it is American; otherwise the day comes first, unless it cannot.
        american = half is not None or int(second_number) > 12
        month, day = (first, second_number) if american else (second_number, first)
        return _moment((year, int(month), day), (hour, minute, second, half), rest)
    return None


def in_senders_zone(date_header: str, at: datetime) -> datetime:
    """`at`, aware, in the zone that the Date header names: "tomorrow at five" means five there. UTC when the header
    cannot be read or names no zone; -0000 says that it is not known (RFC 5322, 3.3)."""
    sent = as_sent(date_header)
    return at.astimezone(sent.tzinfo if sent and sent.tzinfo else UTC)


def as_sent(date_header: str) -> datetime | None:
    """What the sender's clock showed: naive where the header names no zone, None where it cannot be read."""
    try:
        return parsedate_to_datetime(date_header[:_MAX_HEADER_CHARS])
    except (ValueError, OverflowError):  # unreadable, or a day that does not exist
        return None


def _moment(
    date: tuple[str, int, str], clock: tuple[str | None, str | None, str | None, str | None], rest: str
) -> datetime | None:
    year, month, day = date
    hour, minute, second, half = clock
    full_year = int(year)
    if len(year) == 2:
        full_year += 2000 if full_year < 50 else 1900
    elif len(year) == 3 or 70 <= full_year <= 199:
        # Years since 1900, as old programs print them: 102, and 0102.
        full_year += 1900
    if not _FIRST_YEAR <= full_year <= _LAST_YEAR:
        return None
    hours = int(hour or 0)
    if half is not None and 1 <= hours <= 12:
        hours = hours % 12 + (12 if half in "pP" else 0)
    try:
        local = datetime(full_year, month, int(day), tzinfo=UTC)
    except ValueError:
        return None
    if hours > 24 or int(minute or 0) > 59 or int(second or 0) > 61:
        return None
    return local + timedelta(
        hours=hours, minutes=int(minute or 0) - _offset_minutes(rest), seconds=min(int(second or 0), 59)
    )


def _offset_minutes(rest: str) -> int:
    """Minutes east of UTC that the end of a date names; 0 when it names none that is known."""
    found = _OFFSET.search(rest) or _SHORT_OFFSET.search(rest)
    if found is not None:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes > 15 * 60 or int(found[3] or 0) > 59:
            return 0
        return -minutes if found[1] == "-" else minutes
    for name in _ZONE_NAME.findall(rest):
        if name in _ZONES_MINUTES:
            return _ZONES_MINUTES[name]
        if name in {"GMT", "UTC", "UT", "Z"}:
            return 0
    return 0


def _without_comments(text: str) -> str:
    """The text with its comments, nested up to three deep, moved to the end, where a zone's name may be one."""
    comments: list[str] = []
    for _ in range(3):
        comments += _COMMENT.findall(text)
        text = _COMMENT.sub(" ", text)
    return _SPACES.sub(" ", f"{text} {' '.join(comments)}").strip()


def received_at(received: list[str], sent_at: datetime | None, log: DefectLog) -> datetime | None:
    """When the owner's side got the message: the topmost Received header that is plausible, else `sent_at`.

    Received headers are written by servers and beat the sender's clock. Only when the first hop agrees with Date and
    the last is more than a week later (mail moved between servers gets new headers) the topmost hop near Date counts.
    """
    hops = [moment for moment in (parse_date(line.rpartition(";")[2]) for line in received[:_HOPS]) if moment]
    if not hops:
        return sent_at
    if sent_at is None:
        return hops[0]
    near = [hop for hop in hops if sent_at - _BEFORE_SENT <= hop <= sent_at + _AFTER_SENT]
    if near and near[0] == hops[0]:
        return hops[0]
    if near:
        log.add("received-late", "a later hop than Date allows was passed over")
        return near[0]
    log.add("date-implausible", "Date and Received differ by more than a day before or a week after")
    return hops[0]
