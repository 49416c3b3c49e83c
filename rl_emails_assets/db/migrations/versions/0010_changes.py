"""Message actions, the change feed, idempotency keys and outgoing webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rl_emails_assets.db.change_feed import install, uninstall
from rl_emails_assets.db.row_security import protect, unprotect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NOTICES = "kind in ('reconnect_needed', 'watch_lapsed', 'behind', 'dead_letter'{more})"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("done_at", "snoozed_until", "starred_at"):
        op.add_column("message_states", sa.Column(name, sa.DateTime(timezone=True), nullable=True), schema="app")
    op.create_index(
        "ix_message_states_put_away",
        "message_states",
        ["mailbox_id", "message_id"],
        schema="app",
        postgresql_where=sa.text("done_at is not null or snoozed_until is not null"),
    )
    _replace_notice_kinds(", 'webhook_disabled'")
    _create_changes()
    _create_idempotency_keys()
    _create_webhooks()
    protect(op.execute, "app.changes", by="mailbox", rights="select")
    protect(op.execute, "app.idempotency_keys", by="user")
    protect(op.execute, "app.webhooks", by="user")
    protect(op.execute, "app.webhook_deliveries", by="user")
    install(op.execute)


def _replace_notice_kinds(more: str) -> None:
    op.drop_constraint(op.f("ck_notices_kind"), "notices", schema="app")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", _NOTICES.format(more=more), schema="app")


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", "kind", "object_id", "transaction_id", name=op.f("pk_changes")),
        schema="app",
    )
    op.create_index(
        "ix_changes_mailbox_id_transaction_id",
        "changes",
        ["mailbox_id", "transaction_id", "object_id", "kind"],
        schema="app",
    )
    op.create_index("ix_changes_changed_at", "changes", ["changed_at"], schema="app", postgresql_using="brin")


def _organization_and_user(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["identity.organizations.organization_id"],
            name=op.f(f"fk_{table}_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity.users.user_id"], name=op.f(f"fk_{table}_user_id_users"), ondelete="CASCADE"
        ),
    ]


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_organization_and_user("idempotency_keys"),
        sa.PrimaryKeyConstraint("organization_id", "user_id", "key_hash", name=op.f("pk_idempotency_keys")),
        schema="app",
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"], schema="app")


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *_organization_and_user("webhooks"),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhooks")),
        schema="app",
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'delivered', 'dead')", name=op.f("ck_webhook_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["app.webhooks.webhook_id"],
            name=op.f("fk_webhook_deliveries_webhook_id_webhooks"),
            ondelete="CASCADE",
        ),
        *_organization_and_user("webhook_deliveries"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_webhook_deliveries")),
        schema="app",
    )
    for table in ("webhooks", "webhook_deliveries"):
        for column in ("organization_id", "user_id"):
            op.create_index(f"ix_{table}_{column}", table, [column], schema="app")
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["next_at"],
        schema="app",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_webhook_deliveries_webhook_id_created_at",
        "webhook_deliveries",
        ["webhook_id", sa.literal_column("created_at desc")],
        schema="app",
    )
    op.create_index("ix_webhook_deliveries_ended_at", "webhook_deliveries", ["ended_at"], schema="app")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    uninstall(op.execute)
    for table in ("webhook_deliveries", "webhooks", "idempotency_keys", "changes"):
        unprotect(op.execute, f"app.{table}")
        op.drop_table(table, schema="app")
    op.execute("delete from app.notices where kind = 'webhook_disabled'")
    _replace_notice_kinds("")
    op.drop_index("ix_message_states_put_away", table_name="message_states", schema="app")
    for name in ("starred_at", "snoozed_until", "done_at"):
        op.drop_column("message_states", name, schema="app")
