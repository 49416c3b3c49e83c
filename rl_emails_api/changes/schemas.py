"""What the change feed answers with."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_assets.db.change_feed import Kind


class ChangedObject(BaseModel):
    """An object to be read again, or to be forgotten."""

    kind: Kind
    id: UUID
    mailbox_id: UUID
    change: Literal["changed", "removed"] = Field(
        description="changed: it is new or different; read it. removed: it is not there, or not yours to see, any more."
    )
    thread_id: UUID | None = Field(description="The conversation of a message that is there; null for all else.")


class Changes(BaseModel):
    """What changed since a cursor, each object once."""

    items: list[ChangedObject]
    next_cursor: str = Field(description="Ask with it as `since` the next time. Keep it when what is listed is done.")
    has_more: bool = Field(description="There is more already; ask again at once.")
