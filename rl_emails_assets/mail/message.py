"""What one RFC 822 message says, as plain values.

Everything here is immutable and free of I/O. `mail.parse.parse` makes a `Message` from bytes; every later step
reads a `Message` or the columns made from it, never the bytes.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A name and an address from one header; `address` is lower case, without comments, and never empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the body: `part_path` is its place in the MIME tree ("1.2"), sizes are decoded bytes."""

    part_path: str
    filename: str
    content_type: str
    size_bytes: int
    is_inline: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """The first event of a text/calendar part. `method` is upper case ("REQUEST", "CANCEL", "REPLY" ...) or ""."""

    method: str
    uid: str
    summary: str
    location: str
    organizer: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that was wrong with the bytes and what was done about it. `code` is stable, `detail` is for people
    and holds no mail content beyond a header's name or a charset."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Message:
    """One parsed message.

    `text` is the whole body as plain text (from text/plain, or made from HTML when there is nothing else); `new_text`
    is what the sender wrote this time; `quoted_text` and `signature` are what was cut from it. `greeting`, `forwarded`
    and `disclaimer` are parts of these three, as in `mail.zones.Zones`. Times are aware UTC.
    `headers` holds the headers of `mail.headers.KEPT_HEADERS` that are present, lower-case names, decoded.
    No string anywhere holds NUL or a lone surrogate, so that Postgres can store it.
    """

    rfc822_message_id: str
    """Without angle brackets; "" when the header is missing or unusable."""
    in_reply_to: str
    references: tuple[str, ...]
    """Oldest first, without angle brackets, bounded, deduplicated, without the message itself."""
    from_: Address | None
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    sent_at: datetime | None
    """The Date header, if it can be read."""
    received_at: datetime | None
    """When the owner's side got it: the topmost Received header, else `sent_at`. The caller falls back further."""
    text: str
    html: str
    """The HTML body as sent (decoded, not sanitized); "" when there is none."""
    new_text: str
    quoted_text: str
    signature: str
    greeting: str
    forwarded: str
    disclaimer: str
    is_html_only: bool
    attachments: tuple[Attachment, ...]
    calendar: CalendarEvent | None
    headers: dict[str, str]
    defects: tuple[Defect, ...]
    size_bytes: int
