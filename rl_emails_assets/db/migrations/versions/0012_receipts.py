"""Receipts of erasures, the orders that fill them, and the messages that must not come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rl_emails_assets.db.row_security import API_ROLE, protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema privacy")
    op.execute(f"grant usage on schema privacy to {API_ROLE}")
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_salt", sa.LargeBinary(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("removed", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("kept", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("left", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('mailbox', 'person')", name=op.f("ck_receipts_kind")),
        sa.CheckConstraint("state in ('waiting', 'running', 'done', 'incomplete')", name=op.f("ck_receipts_state")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipts")),
        schema="privacy",
    )
    op.create_index(
        "ix_receipts_organization_id_asked_at",
        "receipts",
        ["organization_id", sa.literal_column("asked_at desc"), "receipt_id"],
        schema="privacy",
    )
    op.create_index("ix_receipts_mailbox_id", "receipts", ["mailbox_id"], schema="privacy")
    op.create_table(
        "orders",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("mailbox_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('mailbox', 'person')", name=op.f("ck_orders_kind")),
        sa.ForeignKeyConstraint(
            ["receipt_id"],
            ["privacy.receipts.receipt_id"],
            name=op.f("fk_orders_receipt_id_receipts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_orders")),
        schema="privacy",
    )
    op.create_table(
        "suppressed",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("provider_hash", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_suppressed_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "provider_hash", name=op.f("pk_suppressed")),
        schema="privacy",
    )
    protect(op.execute, "privacy.receipts", by="organization", rights="select, insert")
    # The API asks; only the owner of the tables may read whom it is about.
    protect(op.execute, "privacy.orders", by="organization", rights="insert")
    protect(op.execute, "privacy.suppressed", by="service")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("suppressed", "orders", "receipts"):
        op.drop_table(table, schema="privacy")
    op.execute("drop schema privacy")
