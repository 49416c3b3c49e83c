"""Changes, idempotency keys, message actions and outgoing webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


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


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_message_states_put_away", table_name="message_states", schema="app")
    for name in ("starred_at", "snoozed_until", "done_at"):
        op.drop_column("message_states", name, schema="app")
