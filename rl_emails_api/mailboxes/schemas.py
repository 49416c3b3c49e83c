"""What the mailbox listing answers with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.mailboxes.freshness import Freshness


class Notice(BaseModel):
    """Something the owner of a mailbox should know; one of a kind is open at a time."""

    notice_id: UUID
    kind: str = Field(
        examples=["reconnect_needed"], description="reconnect_needed, watch_lapsed, behind or dead_letter."
    )
    text: str = Field(
        examples=["Google no longer lets us read this mailbox. Connect it again."],
        description="What happened and what to do.",
    )
    created_at: datetime = Field(description="When it was first so.")


class Owner(BaseModel):
    """Who connected a mailbox."""

    user_id: UUID
    display_name: str = Field(description="Their name, else their address, or ''.")


class MailboxItem(BaseModel):
    """A connected mailbox."""

    mailbox_id: UUID
    address: str = Field(examples=["ada@example.org"])
    display_name: str
    provider: str = Field(examples=["gmail"], description="Where the mail comes from: files or gmail.")
    state: str = Field(examples=["connected"], description="connected, reconnect_needed or disconnecting.")
    state_reason: str = Field(description="Why it is in this state, for a person; '' while it is connected.")
    is_shared: bool = Field(description="Every member of the organization sees it; else only its owner.")
    owner: Owner | None = Field(description="Who connected it; null when they have left the organization.")
    freshness: Freshness = Field(description="How fresh its inbox is, in one word.")
    current_as_of: datetime | None = Field(description="The inbox shows all that the provider had at this time.")
    backlog_count: int = Field(description="Messages known at the provider and not fetched yet.")
    gap_count: int = Field(description="Messages known to exist that could not be stored.")
    notices: list[Notice] = Field(description="What its owner should know, oldest first.")
    newest_at: datetime | None = Field(
        description="Its newest message, leaving out isolated ones dated long after the rest; null while it is empty."
    )
    synced_at: datetime | None = Field(description="When the last sync that reached its end did so.")
    materialized_at: datetime | None = Field(
        description="When the last run that reached priorities did so; the inbox has changed when this has."
    )
    learned_at: datetime | None = Field(
        description="When its corrections were last learned from, or what was learned last applied; GET /v1/learning "
        "has changed when this has."
    )


class Mailboxes(BaseModel):
    """Every mailbox, oldest connection first."""

    items: list[MailboxItem]
    can_connect_gmail: bool = Field(description="The settings name an OAuth client: a Gmail account can be connected.")


class SyncRequest(BaseModel):
    """The sync request that now waits for the mailbox."""

    request_id: UUID
    mailbox_id: UUID
    kind: str = Field(examples=["full"])
    state: str = Field(examples=["todo"])
