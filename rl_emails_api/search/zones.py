"""The zone in which a search query's dates are days."""

from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo


def named_zone(name: str) -> tzinfo | None:
    """The zone of that IANA name, None when there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def zone_of_date(header: str) -> tzinfo:
    """The zone that a Date header was written in; UTC when it tells none."""
    try:
        written_at: datetime = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return UTC
    # "-0000" says that the place is unknown, and reads as no zone at all.
    return written_at.tzinfo or UTC
