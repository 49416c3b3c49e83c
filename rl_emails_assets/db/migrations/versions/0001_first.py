"""The first tables."""

from alembic import op

from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables.base import SCHEMAS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists vector")
    for schema in SCHEMAS:
        op.execute(f"create schema if not exists {schema}")
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    for schema in reversed(SCHEMAS):
        op.execute(f"drop schema {schema} cascade")
