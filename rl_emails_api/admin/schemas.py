"""What the status page answers with."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.mailboxes.freshness import Freshness
from rl_emails_api.mailboxes.schemas import Notice


class Gap(BaseModel):
    """A message known to exist that could not be stored."""

    provider_message_id: str = Field(description="The provider's id, or the place in the source.")
    source: str = Field(description="What was read.")
    reason: str
    attempts: int
    first_seen_at: datetime
    last_seen_at: datetime


class Watch(BaseModel):
    """The provider's standing promise to push."""

    topic: str = Field(examples=["projects/example/topics/gmail"])
    expires_at: datetime | None = Field(description="When the provider stops pushing unless it is renewed.")
    seconds_left: float | None = Field(description="Until then; below 0 when it has lapsed.")
    renewed_at: datetime | None
    last_push_at: datetime | None
    push_count: int
    error: str | None = Field(description="Why the last renewal failed; null when it worked.")
    error_at: datetime | None


class Quota(BaseModel):
    """The mailbox's bucket of quota units at its provider."""

    units_left: float = Field(description="In the bucket now; below 0 when more was spent than there was.")
    units_per_minute: int = Field(description="What the bucket holds, and gets in a minute.")
    units_today: int = Field(description="Spent since midnight UTC.")
    batch_size: int = Field(description="Messages asked for in one batch; adapts to refusals.")
    throttled_at: datetime | None = Field(description="When the provider last refused for its rate.")


class Failure(BaseModel):
    """The last failed try of a mailbox's sync."""

    request_id: UUID
    state: str = Field(description="todo or doing: it is tried again; failed: it is a dead letter.")
    attempts: int
    error: str
    run_id: str | None
    run_url: str | None


class MailboxStatus(BaseModel):
    """How far one mailbox is."""

    mailbox_id: UUID
    address: str
    display_name: str
    provider: str = Field(examples=["gmail"])
    state: str = Field(description="connected, reconnect_needed or disconnecting.")
    state_reason: str
    state_changed_at: datetime | None
    freshness: Freshness
    current_as_of: datetime | None = Field(description="The inbox shows all that the provider had at this time.")
    current_age_seconds: float | None = Field(description="How long ago that was.")
    synced_at: datetime | None
    materialized_at: datetime | None
    watch: Watch | None = Field(description="Null where the provider does not push.")
    quota: Quota | None = Field(description="Null while nothing was asked of a provider.")
    backlog_count: int = Field(description="Messages known at the provider and not fetched yet.")
    oldest_backlog_at: datetime | None = Field(description="Since when the first of them is known.")
    failure: Failure | None = Field(description="Null while nothing failed since the last success.")
    notices: list[Notice] = Field(description="What its owner is told now.")
    cost_usd: float = Field(description="What questions about its mail to language models have cost.")
    opinions: dict[str, int] = Field(description="How many such questions came to what.")
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


class DeadLetter(BaseModel):
    """A sync request that was given up; a later success of its mailbox ends it by itself."""

    request_id: UUID
    mailbox_id: UUID
    kind: str
    asked_by: str
    attempts: int
    deaths: int = Field(description="How many of the tries ended with a run that died without a word.")
    is_permanent: bool = Field(description="Trying again as it is gives the same result.")
    error: str | None = Field(description="Why the last try failed.")
    next_step: str = Field(description="What a person can do about it.")
    run_id: str | None
    run_url: str | None
    created_at: datetime
    finished_at: datetime


class DeadLetters(BaseModel):
    """The open dead letters, the latest first."""

    items: list[DeadLetter]


class Queue(BaseModel):
    """The queue of sync requests."""

    states: list[QueueState] = Field(description="todo, doing, and failed: the dead letters.")
    oldest_waiting_at: datetime | None = Field(description="Since when the oldest waiting request waits.")
    oldest_due_at: datetime | None = Field(description="Since when the oldest request that could run now could run.")
    lapsed_count: int = Field(description="Claims whose run was silent for longer than its lease.")
    requests: list[Request] = Field(description="The latest 20: waiting, running, then the last that ended.")
    dead_letters: list[DeadLetter] = Field(description="The latest 20.")


class Pushes(BaseModel):
    """Verified pushes with one outcome."""

    outcome: str = Field(examples=["queued"], description="queued, joined, known, duplicate, unknown or garbage.")
    today_count: int = Field(description="Since midnight UTC.")
    week_count: int = Field(description="In seven days, today included.")


class Upkeep(BaseModel):
    """The last run of a schedule."""

    name: str
    state: str = Field(description="running, succeeded or failed; a run that was killed stays running.")
    started_at: datetime
    finished_at: datetime | None
    succeeded_at: datetime | None = Field(description="When one of its runs last succeeded.")
    counts: dict[str, object] = Field(description="What it did, by name.")
    error: str | None
    run_id: str
    run_url: str | None


class Worker(BaseModel):
    """A resident process that executes runs."""

    worker_id: UUID
    host: str
    version: str
    is_alive: bool = Field(description="Its heartbeat is at most 10 s old.")
    heartbeat_at: datetime
    heartbeat_age_seconds: float
    slots: int = Field(description="Runs it executes at a time.")
    busy: int = Field(description="Runs it executes now.")
    ready: int = Field(description="Slots that could take a run now.")
    run_count: int
    is_stopping: str | None = Field(description="Why it takes no further run; null while it does.")
    started_at: datetime


class Cost(BaseModel):
    """What questions to language models about a mailbox's mail cost on one day (UTC)."""

    mailbox_id: UUID
    day: date
    cost_usd: float
    question_count: int


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
    asked_at: datetime = Field(description="The time of the answer, by the database's clock.")
    counted_at: datetime = Field(
        description="When the messages, runs and costs were counted: at most 30 s earlier from 20,000 messages on."
    )
    takes_pushes: bool = Field(description="The settings name a push subscription; without one mail is polled for.")
    mailboxes: list[MailboxStatus]
    queue: Queue
    workers: list[Worker] = Field(description="Processes that execute runs; without one Dagster starts a process each.")
    last_push_at: datetime | None
    pushes: list[Pushes]
    upkeep: list[Upkeep] = Field(description="The last run of each schedule.")
    costs: list[Cost] = Field(description="The latest 60 of a mailbox and day.")
    runs: list[Run] = Field(description="The latest 20 that wrote rows.")
