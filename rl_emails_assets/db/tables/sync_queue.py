"""The queue of sync requests."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, Table, Text, Uuid
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import mailbox_column, metadata

requests = Table(
    "requests",
    metadata,
    Column("request_id", Uuid, primary_key=True, comment="The sync request."),
    mailbox_column(),
    Column("kind", Text, nullable=False, comment="full (list everything) or partial (from the cursor)."),
    Column("asked_by", Text, nullable=False, comment="What asked: import, button, schedule, webhook."),
    Column("state", Text, nullable=False, comment="todo, doing, succeeded, failed or cancelled."),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="How often it was claimed."),
    Column("run_after", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Not before."),
    Column("lease_token", Uuid, comment="Fencing token of the present claim; finishing with another changes nothing."),
    Column("leased_until", DateTime(timezone=True), comment="The claim lapses then, unless its heartbeat moves it."),
    Column("run_id", Text, comment="The Dagster run that holds or held the claim."),
    Column("error", Text, comment="Why the last attempt failed, for a person."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Asked."),
    Column("finished_at", DateTime(timezone=True), comment="Reached a final state."),
    CheckConstraint("state in ('todo', 'doing', 'succeeded', 'failed', 'cancelled')", name="state"),
    # One waiting and one running request a mailbox: a request that arrives while one runs waits, none is dropped.
    Index("uq_requests_waiting", "mailbox_id", unique=True, postgresql_where=text("state = 'todo'")),
    Index("uq_requests_running", "mailbox_id", unique=True, postgresql_where=text("state = 'doing'")),
    Index("ix_requests_due", "run_after", postgresql_where=text("state = 'todo'")),
    schema="sync_queue",
    comment="A request to bring one mailbox up to date.",
)
