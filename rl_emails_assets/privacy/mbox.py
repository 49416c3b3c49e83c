"""Messages as an mbox file: the "mboxrd" kind, whose quoting of From lines can be undone without loss.

Each message keeps its bytes, line ends included; a line that begins with any number of `>` and `From ` gets one more
`>`. (Library of Congress, format description fdd000383: https://www.loc.gov/preservation/digital/formats/fdd/)
"""

import re
from datetime import UTC, datetime

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mbox_entry(rfc822: bytes, received_at: datetime | None) -> bytes:
    """The message as it stands in the file, with the blank line that follows it."""
    at = (received_at or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC)
    # As C's asctime writes it, whatever the locale.
    when = f"{_WEEKDAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"
    quoted = _FROM.sub(rb">\1", rfc822)
    end = b"" if quoted.endswith(b"\n") else b"\n"
    return b"From MAILER-DAEMON " + when.encode() + b"\n" + quoted + end + b"\n"
