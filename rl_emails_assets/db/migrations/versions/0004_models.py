"""What people did with their mail, the models learned from it, and which of them serve."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create schema models")
    op.create_table(
        "trainings",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("feedback_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("evidence_hash", sa.LargeBinary(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('ranker', 'classifier')", name=op.f("ck_trainings_kind")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_trainings_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "kind", name=op.f("pk_trainings")),
        schema="models",
    )
    op.create_table(
        "versions",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("weights", postgresql.JSONB(), nullable=False),
        sa.Column("trained_from", postgresql.JSONB(), nullable=False),
        sa.Column("evaluation", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_passed", sa.Boolean(), nullable=False),
        sa.Column("is_rolled_back", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("took_over_from", sa.Uuid(), nullable=True),
        sa.Column("moved_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('ranker', 'classifier')", name=op.f("ck_versions_kind")),
        sa.CheckConstraint("state in ('candidate', 'serving', 'retired', 'rejected')", name=op.f("ck_versions_state")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_versions_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_versions")),
        schema="models",
    )
    op.create_index(
        "ix_models_versions_mailbox_id_created_at",
        "versions",
        ["mailbox_id", sa.text("created_at desc")],
        unique=False,
        schema="models",
    )
    op.create_index(
        "ix_models_versions_waiting",
        "versions",
        ["created_at"],
        unique=False,
        schema="models",
        postgresql_where=sa.text("state = 'candidate'"),
    )
    op.create_index(
        "uq_models_versions_serving",
        "versions",
        ["mailbox_id", "kind"],
        unique=True,
        schema="models",
        postgresql_where=sa.text("state = 'serving'"),
    )
    op.create_table(
        "behaviour",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply_hours", sa.Float(), nullable=True),
        sa.Column("is_starred", sa.Boolean(), nullable=False),
        sa.Column("is_filed", sa.Boolean(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acted", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("correction in ('important', 'not_important')", name=op.f("ck_behaviour_correction")),
        sa.CheckConstraint("acted >= 0 and acted <= 1", name=op.f("ck_behaviour_acted")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_behaviour_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["raw.messages.message_id"],
            name=op.f("fk_behaviour_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_behaviour")),
        schema="models",
    )
    op.create_index(
        "ix_models_behaviour_mailbox_id_received_at",
        "behaviour",
        ["mailbox_id", "received_at"],
        unique=False,
        schema="models",
    )
    op.create_table(
        "shifts",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("score_before", sa.Float(), nullable=False),
        sa.Column("score_after", sa.Float(), nullable=False),
        sa.Column("place_before", sa.Integer(), nullable=False),
        sa.Column("place_after", sa.Integer(), nullable=False),
        sa.Column("category_before", sa.Text(), nullable=False),
        sa.Column("category_after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_shifts_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["raw.messages.message_id"], name=op.f("fk_shifts_message_id_messages"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.versions.model_id"], name=op.f("fk_shifts_model_id_versions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "message_id", name=op.f("pk_shifts")),
        schema="models",
    )
    op.create_index("ix_models_shifts_mailbox_id", "shifts", ["mailbox_id"], unique=False, schema="models")
    op.create_index("ix_models_shifts_message_id", "shifts", ["message_id"], unique=False, schema="models")
    op.create_index("ix_app_feedback_created_at", "feedback", ["created_at"], unique=False, schema="app")
    op.add_column(
        "messages",
        sa.Column(
            "reasons_against", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
        ),
        schema="priorities",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("messages", "reasons_against", schema="priorities")
    op.drop_index("ix_app_feedback_created_at", "feedback", schema="app")
    for table in ("shifts", "trainings", "behaviour", "versions"):
        op.execute(f"drop table models.{table}")
    op.execute("drop schema models")
