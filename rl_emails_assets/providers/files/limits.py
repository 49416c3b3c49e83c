"""How much of a file is held in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. An item above `max_item_bytes` is skipped and becomes an unreadable item."""

    max_item_bytes: int = 50 * 1024 * 1024
    block_bytes: int = 1024 * 1024
    """How much is read from a file at once."""
