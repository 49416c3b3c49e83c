"""What the HTML of a message looks like, beside the parsed message."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "messages",
        sa.Column("markup", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        schema="mail",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("messages", "markup", schema="mail")
