"""Live mailboxes: grants, watches, quotas, the backlog, notices, workers; what ended leaves the queue's hot table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Rows of these live for seconds and are changed several times: dead ones are swept away by their number, not their share.
HOT_TABLES = ("sync_queue.requests", "sync_queue.handovers", "sync_queue.workers")
NEW_TABLES = (
    "app.notices", "mailboxes.credentials", "mailboxes.oauth_states", "mailboxes.quotas", "mailboxes.watches",
    "raw.backlog", "raw.listings", "sync_queue.ended_requests", "sync_queue.handovers", "sync_queue.push_counts",
    "sync_queue.pushes", "sync_queue.upkeep_runs", "sync_queue.workers",
)  # fmt: skip


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "oauth_states",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oauth_states")),
        schema="mailboxes",
    )
    op.create_table(
        "handovers",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("code_server_id", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_handovers")),
        schema="sync_queue",
    )
    op.create_index(
        "ix_handovers_offered_at",
        "handovers",
        ["offered_at"],
        unique=False,
        schema="sync_queue",
        postgresql_where=sa.text("worker_id is null"),
    )
    op.create_index("ix_handovers_worker_id", "handovers", ["worker_id"], unique=False, schema="sync_queue")
    op.create_table(
        "push_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("push_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("day", "outcome", name=op.f("pk_push_counts")),
        schema="sync_queue",
    )
    op.create_table(
        "pushes",
        sa.Column("push_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("push_id", name=op.f("pk_pushes")),
        schema="sync_queue",
    )
    op.create_index("ix_pushes_received_at", "pushes", ["received_at"], unique=False, schema="sync_queue")
    op.create_table(
        "upkeep_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_upkeep_runs")),
        schema="sync_queue",
    )
    op.create_index(
        "ix_upkeep_runs_name_started_at", "upkeep_runs", ["name", "started_at"], unique=False, schema="sync_queue"
    )
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("busy", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ready", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("is_stopping", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_workers")),
        schema="sync_queue",
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('reconnect_needed', 'watch_lapsed', 'behind', 'dead_letter')", name=op.f("ck_notices_kind")
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_notices_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        schema="app",
    )
    op.create_index(
        "uq_notices_open",
        "notices",
        ["mailbox_id", "kind"],
        unique=True,
        schema="app",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "credentials",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_credentials_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_credentials")),
        schema="mailboxes",
    )
    op.create_table(
        "quotas",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("units_left", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("units_today", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("throttled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_quotas_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_quotas")),
        schema="mailboxes",
    )
    op.create_table(
        "watches",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("history_id", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_push_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("push_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_watches_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_watches")),
        schema="mailboxes",
    )
    op.create_table(
        "backlog",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("provider_message_id", sa.Text(), nullable=False),
        sa.Column("provider_thread_id", sa.Text(), nullable=True),
        sa.Column("found_by", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "found_by in ('history', 'recent', 'listing', 'reconcile')", name=op.f("ck_backlog_found_by")
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_backlog_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "provider_message_id", name=op.f("pk_backlog")),
        schema="raw",
    )
    op.create_index(
        "ix_raw_backlog_mailbox_id_ordinal", "backlog", ["mailbox_id", "ordinal"], unique=False, schema="raw"
    )
    op.create_table(
        "listings",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("provider_message_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_listings_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "provider_message_id", name=op.f("pk_listings")),
        schema="raw",
    )
    op.create_table(
        "ended_requests",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deaths", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_permanent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('succeeded', 'failed', 'cancelled')", name=op.f("ck_ended_requests_state")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_ended_requests_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ended_requests")),
        schema="sync_queue",
    )
    op.create_index(
        "ix_ended_requests_dead",
        "ended_requests",
        ["mailbox_id", "finished_at"],
        unique=False,
        schema="sync_queue",
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_ended_requests_finished_at", "ended_requests", ["finished_at"], unique=False, schema="sync_queue"
    )
    op.add_column(
        "connections",
        sa.Column("state", sa.Text(), server_default=sa.text("'connected'"), nullable=False),
        schema="mailboxes",
    )
    op.add_column(
        "connections",
        sa.Column("state_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        schema="mailboxes",
    )
    op.add_column(
        "connections", sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=True), schema="mailboxes"
    )
    op.add_column(
        "connections", sa.Column("current_as_of", sa.DateTime(timezone=True), nullable=True), schema="mailboxes"
    )
    op.add_column(
        "labels", sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="raw"
    )
    op.create_index(
        "ix_requests_lapsing",
        "requests",
        ["leased_until"],
        unique=False,
        schema="sync_queue",
        postgresql_where=sa.text("state = 'doing'"),
    )
    op.create_check_constraint(
        "state", "connections", "state in ('connected', 'reconnect_needed', 'disconnecting')", schema="mailboxes"
    )
    op.execute(
        """
        with ended as (
            delete from sync_queue.requests where state in ('succeeded', 'failed', 'cancelled')
            returning request_id, mailbox_id, kind, asked_by, attempts, run_id, error, created_at, state, finished_at
        )
        insert into sync_queue.ended_requests
            (request_id, mailbox_id, kind, asked_by, attempts, run_id, error, created_at, state, finished_at)
        select request_id, mailbox_id, kind, asked_by, attempts, run_id, error, created_at, state,
               coalesce(finished_at, created_at)
        from ended
        """
    )
    op.drop_constraint(op.f("ck_requests_state"), "requests", schema="sync_queue")
    op.create_check_constraint("state", "requests", "state in ('todo', 'doing')", schema="sync_queue")
    op.create_check_constraint("kind", "requests", "kind in ('full', 'partial', 'disconnect')", schema="sync_queue")
    op.drop_column("requests", "finished_at", schema="sync_queue")
    op.add_column(
        "requests",
        sa.Column("deaths", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="sync_queue",
    )
    for table in HOT_TABLES:
        op.execute(
            f"alter table {table} set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, "
            "autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500, fillfactor = 70)"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("requests", sa.Column("finished_at", sa.DateTime(timezone=True)), schema="sync_queue")
    op.drop_constraint(op.f("ck_requests_state"), "requests", schema="sync_queue")
    op.drop_constraint(op.f("ck_requests_kind"), "requests", schema="sync_queue")
    op.create_check_constraint(
        "state", "requests", "state in ('todo', 'doing', 'succeeded', 'failed', 'cancelled')", schema="sync_queue"
    )
    op.execute("update sync_queue.requests set kind = 'full' where kind <> 'full'")
    op.execute(
        """
        insert into sync_queue.requests
            (request_id, mailbox_id, kind, asked_by, attempts, run_id, error, created_at, state, finished_at)
        select request_id, mailbox_id, 'full', asked_by, attempts, run_id, error, created_at, state, finished_at
        from sync_queue.ended_requests
        """
    )
    op.execute(
        "alter table sync_queue.requests reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, "
        "autovacuum_analyze_scale_factor, autovacuum_analyze_threshold, fillfactor)"
    )
    op.drop_index("ix_requests_lapsing", "requests", schema="sync_queue")
    op.drop_constraint(op.f("ck_connections_state"), "connections", schema="mailboxes")
    op.drop_column("labels", "is_shared", schema="raw")
    op.drop_column("requests", "deaths", schema="sync_queue")
    for column in ("current_as_of", "state_changed_at", "state_reason", "state"):
        op.drop_column("connections", column, schema="mailboxes")
    for table in NEW_TABLES:
        op.execute(f"drop table {table}")
