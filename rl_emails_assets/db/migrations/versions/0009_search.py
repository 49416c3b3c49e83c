"""What search needs: a narrow table of each message's words, short codes of vectors, and the functions that search them.

The words are kept by triggers, in the transaction that stores the message. What was stored before is filled in by the
graph, a few hundred messages at a time (db/search_rows.py), so that no table is locked for long.

The functions that search have definer's rights: under row-level security no index serves `@@`, `<~>` or `%>`, which are
not leakproof. They look for themselves whether the mailbox may be seen, and take values only, never SQL.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from rl_emails_assets.db.row_security import API_ROLE, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

EXTENSIONS = ("unaccent", "pg_trgm", "btree_gin")
DIRECTORY = Path(__file__).parent
FILES = ("0009_words.sql", "0009_conditions.sql", "0009_finding.sql")
# What the API may call; the others are parts of these.
FOR_THE_API = (
    "search.found(uuid, jsonb, jsonb, jsonb, text[], text, text, text, boolean, timestamptz)",
    "search.listed(uuid, jsonb, boolean, timestamptz, uuid, integer)",
    "search.contacts_like(uuid, text, boolean, integer)",
    "search.subjects_like(uuid, text, integer)",
    "search.unfilled_count(uuid)",
    "search.stems(text[])",
    "search.stem(text)",
)
_OLD_WORDS = (
    "setweight(to_tsvector('english', subject), 'A') || "
    "setweight(to_tsvector('english', from_name || ' ' || from_address), 'B') || "
    "to_tsvector('english', left(text, 100000))"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for extension in EXTENSIONS:
        op.execute(f"create extension if not exists {extension}")
    op.execute("create schema search")
    _tables()
    for statement in _statements():
        # Neither a colon nor a percent sign in it is a parameter.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
    _indexes()
    for table in ("search.messages", "search.unfilled"):
        protect(op.execute, table, by="service")
    op.execute("revoke execute on all functions in schema search from public")
    op.execute(f"grant usage on schema search to {API_ROLE}")
    for function in FOR_THE_API:
        op.execute(f"grant execute on function {function} to {API_ROLE}")
    op.execute("insert into search.unfilled (mailbox_id) select mailbox_id from mailboxes.connections")


def _tables() -> None:
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["mail.messages.message_id"],
            name=op.f("fk_messages_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_messages_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        schema="search",
    )
    # The words are stored apart from the row: what is counted, sorted and filtered by is then a tenth of the pages.
    op.execute("alter table search.messages set (toast_tuple_target = 128)")
    op.create_table(
        "unfilled",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_unfilled")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.connections.mailbox_id"],
            name=op.f("fk_unfilled_mailbox_id_connections"),
            ondelete="CASCADE",
        ),
        schema="search",
    )
    op.drop_index("ix_mail_messages_search", "messages", schema="mail")
    op.drop_column("messages", "search", schema="mail")
    op.add_column("messages", sa.Column("code", postgresql.BIT(384), nullable=True), schema="embeddings")


def _indexes() -> None:
    op.create_index(
        "ix_search_messages_words", "messages", ["mailbox_id", "words"], schema="search", postgresql_using="gin"
    )
    op.create_index(
        "ix_search_messages_mailbox_id_received_at",
        "messages",
        ["mailbox_id", sa.text("received_at desc"), sa.text("message_id desc")],
        schema="search",
    )
    op.create_index(
        "ix_mail_contacts_names",
        "contacts",
        ["mailbox_id", sa.text(f"search.folded(' ' || name || ' ' || address) {_schema_of('pg_trgm')}.gin_trgm_ops")],
        schema="mail",
        postgresql_using="gin",
    )
    op.create_index(
        "ix_embeddings_messages_mailbox_id_code",
        "messages",
        ["mailbox_id"],
        schema="embeddings",
        postgresql_include=["message_id", "code"],
    )
    op.drop_index("ix_embeddings_messages_mailbox_id", "messages", schema="embeddings")


def _statements() -> list[str]:
    """The functions and triggers, with the schemas in which this database has its extensions."""
    source = "\n-- ;;\n".join((DIRECTORY / name).read_text() for name in FILES)
    for extension in (*EXTENSIONS, "vector"):
        source = source.replace(f"@{extension}@", _schema_of(extension))
    return [part for part in source.split("\n-- ;;\n") if part.strip()]


def _schema_of(extension: str) -> str:
    query = sa.text(
        "select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace "
        "where extname = :extension"
    )
    return str(op.get_bind().execute(query, {"extension": extension}).scalar_one())


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index("ix_embeddings_messages_mailbox_id", "messages", ["mailbox_id"], schema="embeddings")
    op.execute("drop trigger code on embeddings.messages")
    op.drop_index("ix_embeddings_messages_mailbox_id_code", "messages", schema="embeddings")
    op.drop_column("messages", "code", schema="embeddings")
    op.drop_index("ix_mail_contacts_names", "contacts", schema="mail")
    for trigger in ("words_added", "words_kept"):
        op.execute(f"drop trigger {trigger} on mail.messages")
    op.execute("drop schema search cascade")
    op.add_column(
        "messages",
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed(_OLD_WORDS, persisted=True), nullable=False),
        schema="mail",
    )
    op.create_index("ix_mail_messages_search", "messages", ["search"], schema="mail", postgresql_using="gin")
