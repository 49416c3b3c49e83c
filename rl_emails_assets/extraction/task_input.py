"""One message as its tasks are looked for in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rl_emails_assets.mail.message import Address, CalendarEvent

Owner = Literal["me", "them", "someone_else"]


@dataclass(frozen=True, slots=True)
class TaskInput:
    """One message, as its tasks are looked for in it. `category` and `needs` are the verdict's words, or "" when
    there is none.
    `owner_names` and `owner_addresses` (lower case) are the mailbox owner's; `written_at` is aware, in the sender's
    zone."""

    new_text: str
    subject: str
    from_name: str
    from_address: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    owner_names: tuple[str, ...]
    owner_addresses: tuple[str, ...]
    is_from_owner: bool
    written_at: datetime
    category: str = ""
    needs: str = ""
    calendar: CalendarEvent | None = None
