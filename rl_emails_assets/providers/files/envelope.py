"""The "From " line that starts a message in an mbox."""

import re
from datetime import UTC, datetime, timedelta

LONGEST_ENVELOPE = 512

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ENVELOPE = re.compile(
    rb"From [^\r\n]{0,400}?(?:^|[ \t])(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},?[ \t]{1,4}"
    rb"(?:(?P<month>[a-z]{3})[ \t]{1,4}(?P<day>\d{1,2})"
    rb"|(?P<day2>\d{1,2})[ \t-]{1,4}(?P<month2>[a-z]{3})[ \t-]{1,4}(?P<year2>\d{4})),?"
    rb"[ \t]{1,4}(?P<time>\d{1,2}:\d\d(?::\d\d)?)(?P<rest>[^\r\n]{0,60})",
    re.IGNORECASE,
)
_ARCHIVE_ENVELOPE = re.compile(
    rb"From \S{1,200} at \S{1,200} {1,3}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\r?$"
)
_YEAR = re.compile(rb"(?<!\d)\d{4}(?!\d)(?<![+-]\d{4})")
_OFFSET = re.compile(rb"(?<!\w)([+-])(\d\d)(\d\d)(?!\d)")
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,4}:")


def is_envelope(line: bytes | bytearray) -> bool:
    """Whether it is "From ", somebody (also "name at host"), and a date as the C library or a mail writes it."""
    match = _ENVELOPE.match(line)
    return match is not None and (match["year2"] is not None or _YEAR.search(match["rest"]) is not None)


def is_header_start(line: bytes | bytearray) -> bool:
    """Whether a line can be the first of a mail: a header, or the blank line of a mail without headers."""
    return _HEADER_LINE.match(line) is not None or not line.strip() or line.startswith(b">From ")


def is_archive_envelope(line: bytes | bytearray, following: bytes | bytearray) -> bool:
    """Whether it is an envelope as mailing list archives (pipermail) write it, "name at host", with its "From:" below.

    Archives of several months are often put together without the blank line in between.
    """
    return following.startswith(b"From: ") and b" at " in following and _ARCHIVE_ENVELOPE.match(line) is not None


def envelope_time(line: bytes | bytearray) -> tuple[datetime | None, bool]:
    """The date of an envelope line in UTC, and whether the line said its offset (else UTC is assumed)."""
    match = _ENVELOPE.match(line)
    if match is None:
        return None, False
    month = (match["month"] or match["month2"]).decode().lower()
    year = _YEAR.search(match["rest"])
    offset = _OFFSET.search(match["rest"])
    clock = [int(part) for part in match["time"].split(b":")]
    try:
        local = datetime(
            int(match["year2"] or (year[0] if year else b"0")),
            _MONTHS.index(month) + 1,
            int(match["day"] or match["day2"]),
            clock[0],
            clock[1],
            min(clock[2], 59) if len(clock) == 3 else 0,
            tzinfo=UTC,
        )
        if offset is None:
            return local, False
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return (local - shift if offset[1] == b"+" else local + shift), True
    except (ValueError, OverflowError):
        return None, False
