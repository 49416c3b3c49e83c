"""What is read from a message's bytes when it is shown: the rest was stored when it was parsed."""

from collections.abc import Callable
from dataclasses import dataclass

from rl_emails_api.schemas import Address
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.mail import display, parse, zones


@dataclass(frozen=True, slots=True)
class Shown:
    """A message's HTML as it may be shown; without HTML, its text in a div."""

    html: str
    has_html: bool
    blocked_count: int
    tracker_count: int


def quoted_text(text: str, sender: Address) -> str:
    """The part of the stored text that the sender quoted."""
    return zones.split_zones(text, sender=f"{sender.name} {sender.address}").quoted_text


def shown(content: bytes, rewrite: Callable[[str], str | None] | None = None) -> Shown:
    """The sanitized body of the message; `rewrite` gives remote images their addresses, without it there are none."""
    message = parse.parse(content)
    safe = display.safe_html(message, content, rewrite=rewrite)
    has_html = bool(message.html) and not safe.is_plain_text
    return Shown(safe.html, has_html, safe.blocked_count, safe.tracker_count)


def attachment(content: bytes, part_path: str) -> tuple[str, bytes] | None:
    """A safe file name and the decoded bytes of one part; None when there is no such part."""
    try:
        filename, _, data = display.attachment_bytes(content, part_path)
    except NotFoundError:
        return None
    return filename, data
