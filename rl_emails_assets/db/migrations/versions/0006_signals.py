"""What tells whether a message wants an answer: it answers another, and speaks of its writer and its reader."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "messages",
        sa.Column("is_reply", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="signals",
    )
    for name in ("first_person_count", "second_person_count"):
        op.add_column(
            "messages", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False), schema="signals"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("second_person_count", "first_person_count", "is_reply"):
        op.drop_column("messages", name, schema="signals")
