"""Tasks that end, people and projects that stay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "task_progress",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("waiting_on", sa.Text(), nullable=False),
        sa.Column("waiting_with", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carried_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_task_progress_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_progress")),
        schema="entities",
    )
    op.create_index(
        "ix_entities_task_progress_mailbox_id_waiting_on_since",
        "task_progress",
        ["mailbox_id", "waiting_on", "since"],
        schema="entities",
    )
    op.create_index("ix_entities_task_progress_thread_id", "task_progress", ["thread_id"], schema="entities")
    op.add_column("tasks", sa.Column("evidence_start", sa.Integer(), nullable=True), schema="entities")
    op.add_column("tasks", sa.Column("evidence_end", sa.Integer(), nullable=True), schema="entities")
    op.create_index("ix_entities_tasks_mailbox_id_thread_id", "tasks", ["mailbox_id", "thread_id"], schema="entities")
    op.add_column(
        "projects",
        sa.Column(
            "message_keys", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False
        ),
        schema="entities",
    )
    op.create_index(
        "ix_entities_projects_message_keys", "projects", ["message_keys"], schema="entities", postgresql_using="gin"
    )
    for name, kind, default in PEOPLE_COLUMNS:
        op.add_column(
            "people", sa.Column(name, kind, server_default=sa.text(default), nullable=False), schema="entities"
        )
    op.add_column("connections", sa.Column("organization_id", sa.Uuid(), nullable=True), schema="mailboxes")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("connections", "organization_id", schema="mailboxes")
    for name, _, _ in PEOPLE_COLUMNS:
        op.drop_column("people", name, schema="entities")
    op.drop_index("ix_entities_projects_message_keys", "projects", schema="entities")
    op.drop_column("projects", "message_keys", schema="entities")
    op.drop_index("ix_entities_tasks_mailbox_id_thread_id", "tasks", schema="entities")
    op.drop_column("tasks", "evidence_end", schema="entities")
    op.drop_column("tasks", "evidence_start", schema="entities")
    op.drop_table("task_progress", schema="entities")


PEOPLE_COLUMNS = (
    ("replied_count", sa.BigInteger(), "0"),
    ("strength_parts", postgresql.JSONB(), "'{}'::jsonb"),
    ("merged_by", postgresql.JSONB(), "'[]'::jsonb"),
    ("is_role", sa.Boolean(), "false"),
)
