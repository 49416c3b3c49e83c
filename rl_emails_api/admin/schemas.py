"""What the status page answers with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Gap(BaseModel):
    """A message known to exist that could not be stored."""

    provider_message_id: str = Field(description="The provider's id, or the place in the source.")
    source: str = Field(description="What was read.")
    reason: str
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime


class MailboxStatus(BaseModel):
    """How far one mailbox is."""

    mailbox_id: UUID
    address: str
    display_name: str
    synced_at: datetime | None
    materialized_at: datetime | None
    stored_count: int
    parsed_count: int
    duplicate_count: int = Field(description="Folder copies among the parsed; later steps skip them.")
    embedded_count: int
    classified_count: int
    ranked_count: int
    pending_count: int = Field(description="Stored, not a folder copy, and not ranked yet.")
    oldest_pending_at: datetime | None = Field(description="When the oldest of those was stored.")
    gap_count: int
    gaps: list[Gap] = Field(description="The latest 20.")


class QueueState(BaseModel):
    """The requests in one state."""

    state: str
    request_count: int
    oldest_at: datetime | None


class Request(BaseModel):
    """A sync request."""

    request_id: UUID
    mailbox_id: UUID
    kind: str
    asked_by: str
    state: str
    attempts: int
    run_id: str | None
    run_url: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class Queue(BaseModel):
    """The queue of sync requests."""

    states: list[QueueState]
    oldest_waiting_at: datetime | None = Field(description="Since when the oldest waiting request waits.")
    requests: list[Request] = Field(description="The latest 20.")


class Run(BaseModel):
    """A Dagster run, by the rows it wrote."""

    run_id: str
    run_url: str | None
    mailbox_id: UUID
    row_count: int
    steps: list[str] = Field(description="The groups it wrote.")
    last_at: datetime


class Status(BaseModel):
    """How the whole product is."""

    version: str
    dagster_url: str
    mailboxes: list[MailboxStatus]
    queue: Queue
    runs: list[Run] = Field(description="The latest 20 that wrote rows.")
