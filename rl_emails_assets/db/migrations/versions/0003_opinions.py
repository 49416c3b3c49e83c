"""What language models answered, what it cost, and what they may cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATES = ("wanted", "asked", "answered", "refused", "malformed", "timed_out", "rate_limited", "failed", "not_shown")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("messages", sa.Column("opinion_id", sa.Uuid(), nullable=True), schema="classifications")
    op.create_table(
        "opinions",
        sa.Column("opinion_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("dropped", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_copy", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.CheckConstraint(f"state in ({', '.join(repr(state) for state in STATES)})", name=op.f("ck_opinions_state")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_opinions_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["raw.messages.message_id"],
            name=op.f("fk_opinions_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_opinions")),
        schema="classifications",
    )
    op.create_index(
        "ix_classifications_opinions_message_id", "opinions", ["message_id"], unique=False, schema="classifications"
    )
    op.create_index(
        "ix_classifications_opinions_mailbox_id_content_hash",
        "opinions",
        ["mailbox_id", "content_hash"],
        unique=False,
        schema="classifications",
    )
    op.create_table(
        "spending",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("question_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_spending_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "day", name=op.f("pk_spending")),
        schema="classifications",
    )
    op.create_index("ix_classifications_spending_day", "spending", ["day"], unique=False, schema="classifications")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("spending", schema="classifications")
    op.drop_table("opinions", schema="classifications")
    op.drop_column("messages", "opinion_id", schema="classifications")
