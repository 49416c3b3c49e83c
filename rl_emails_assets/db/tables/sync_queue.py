"""The queue of sync requests, what asked for them, and the workers that run them.

`requests` is hot: only what waits or runs is in it. What has ended is moved to `ended_requests` by the statement that
ends it, so that a claim never wades through history.
"""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import count, mailbox_column, metadata

KINDS = ("full", "partial", "disconnect")
ALIVE_SECONDS = 10.0
"""A worker that was silent for longer is offered nothing; it beats every two seconds."""


def _request_columns() -> list[Column[Any]]:
    return [
        Column("request_id", Uuid, primary_key=True, comment="The sync request."),
        mailbox_column(),
        Column(
            "kind",
            Text,
            nullable=False,
            comment="full (list everything), partial (from the cursor) or disconnect (end the grant and erase).",
        ),
        Column(
            "asked_by",
            Text,
            nullable=False,
            comment="What asked: import, connect, button, webhook, poll, schedule, backlog (a first sync) or learning.",
        ),
        Column("attempts", Integer, nullable=False, server_default=text("0"), comment="How often it was tried."),
        Column(
            "deaths",
            Integer,
            nullable=False,
            server_default=text("0"),
            comment="How often a run that held it died without a word.",
        ),
        Column("run_id", Text, comment="The Dagster run that holds or last held the claim."),
        Column("error", Text, comment="Why the last attempt failed, for a person."),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Asked."),
    ]


requests = Table(
    "requests",
    metadata,
    *_request_columns(),
    Column("state", Text, nullable=False, comment="todo or doing."),
    Column("run_after", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Not before."),
    Column("lease_token", Uuid, comment="Fencing token of the present claim; finishing with another changes nothing."),
    Column("leased_until", DateTime(timezone=True), comment="The claim lapses then, unless its heartbeat moves it."),
    CheckConstraint("state in ('todo', 'doing')", name="state"),
    CheckConstraint("kind in ('full', 'partial', 'disconnect')", name="kind"),
    # One waiting and one running request a mailbox: a request that arrives while one runs waits, none is dropped.
    Index("uq_requests_waiting", "mailbox_id", unique=True, postgresql_where=text("state = 'todo'")),
    Index("uq_requests_running", "mailbox_id", unique=True, postgresql_where=text("state = 'doing'")),
    Index("ix_requests_due", "run_after", postgresql_where=text("state = 'todo'")),
    Index("ix_requests_lapsing", "leased_until", postgresql_where=text("state = 'doing'")),
    schema="sync_queue",
    comment="A request to bring one mailbox up to date that waits or runs.",
)

ended_requests = Table(
    "ended_requests",
    metadata,
    *_request_columns(),
    Column("state", Text, nullable=False, comment="succeeded, failed (a dead letter, redrivable) or cancelled."),
    Column(
        "is_permanent",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="It failed for a reason that trying again does not mend.",
    ),
    Column("finished_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Ended."),
    CheckConstraint("state in ('succeeded', 'failed', 'cancelled')", name="state"),
    Index("ix_ended_requests_finished_at", "finished_at"),
    Index("ix_ended_requests_dead", "mailbox_id", "finished_at", postgresql_where=text("state = 'failed'")),
    schema="sync_queue",
    comment="A sync request that has ended.",
)

pushes = Table(
    "pushes",
    metadata,
    Column("push_id", Text, primary_key=True, comment="Pub/Sub's message id."),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Arrived."),
    Index("ix_pushes_received_at", "received_at"),
    schema="sync_queue",
    comment="A push that was accepted; a second one with the same id is a repetition.",
)

push_counts = Table(
    "push_counts",
    metadata,
    Column("day", Date, primary_key=True, comment="The day, UTC."),
    Column("outcome", Text, primary_key=True, comment="queued, joined, known, duplicate, unknown or garbage."),
    count("push_count", "Verified pushes with this outcome."),
    schema="sync_queue",
    comment="How many pushes of a day had one outcome.",
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Uuid, primary_key=True, comment="The worker process."),
    Column("host", Text, nullable=False, comment="The machine it runs on."),
    Column("process", Text, nullable=False, comment="Its mark there: boot, pid and start time."),
    Column("slots", Integer, nullable=False, comment="Runs it executes at a time."),
    Column("busy", Integer, nullable=False, server_default=text("0"), comment="Runs it executes now."),
    Column("ready", Integer, nullable=False, server_default=text("0"), comment="Slots that could take a run now."),
    count("run_count", "Runs it has executed."),
    Column("version", Text, nullable=False, comment="The release it runs."),
    Column("is_stopping", Text, comment="Why it takes no further run; null while it does."),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Started."),
    Column("heartbeat_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Last alive."),
    schema="sync_queue",
    comment="A resident process that executes runs.",
)

handovers = Table(
    "handovers",
    metadata,
    Column("run_id", Text, primary_key=True, comment="The Dagster run that is handed over."),
    Column("code_server_id", Text, comment="The code server that the run was requested from."),
    Column("offered_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Offered."),
    Column("worker_id", Uuid, comment="The worker that took it; null while it is offered."),
    Column("process", Text, comment="The mark of the process that executes it."),
    Column("taken_at", DateTime(timezone=True), comment="Taken."),
    Column("cancel_at", DateTime(timezone=True), comment="Somebody asked to cancel the run."),
    Index("ix_handovers_offered_at", "offered_at", postgresql_where=text("worker_id is null")),
    Index("ix_handovers_worker_id", "worker_id"),
    schema="sync_queue",
    comment="A run on its way to, or at, a worker; deleted when the run has ended.",
)

upkeep_runs = Table(
    "upkeep_runs",
    metadata,
    Column("run_id", Text, primary_key=True, comment="The Dagster run."),
    Column("name", Text, nullable=False, comment="The schedule's name."),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Started."),
    Column("finished_at", DateTime(timezone=True), comment="Ended; null while it runs, or when it was killed."),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="What it did, by name."),
    Column("error", Text, comment="Why it failed; null when it did not."),
    Index("ix_upkeep_runs_name_started_at", "name", "started_at"),
    schema="sync_queue",
    comment="One run of a schedule's upkeep.",
)
