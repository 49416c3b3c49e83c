"""What the mailbox listing answers with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class MailboxItem(BaseModel):
    """A connected mailbox."""

    mailbox_id: UUID
    address: str = Field(examples=["ada@example.org"])
    display_name: str
    newest_at: datetime | None = Field(
        description="Its newest message, leaving out isolated ones dated long after the rest; null while it is empty."
    )
    synced_at: datetime | None = Field(description="When the last sync that reached its end did so.")
    materialized_at: datetime | None = Field(description="When the last run that reached priorities did so.")


class Mailboxes(BaseModel):
    """Every mailbox, oldest connection first."""

    items: list[MailboxItem]


class SyncRequest(BaseModel):
    """The sync request that now waits for the mailbox."""

    request_id: UUID
    mailbox_id: UUID
    kind: str = Field(examples=["full"])
    state: str = Field(examples=["todo"])
