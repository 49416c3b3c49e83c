"""Connected mailboxes and the addresses their owners write from."""

from sqlalchemy import Column, DateTime, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import mailbox_column, metadata

connections = Table(
    "connections",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True, comment="The mailbox; also its Dagster partition key."),
    Column("address", Text, nullable=False, unique=True, comment="The owner's address, lower case."),
    Column("display_name", Text, nullable=False, server_default=text("''"), comment="The owner's name, if known."),
    Column("provider", Text, nullable=False, comment="Where the mail comes from: files."),
    Column(
        "sources",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="What the provider reads: for files, a list of {path, kind}.",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First seen."),
    Column("synced_at", DateTime(timezone=True), comment="When the last sync that reached its end did so."),
    Column("materialized_at", DateTime(timezone=True), comment="When the last run that reached priorities did so."),
    schema="mailboxes",
    comment="A connected mailbox.",
)

aliases = Table(
    "aliases",
    metadata,
    mailbox_column(primary_key=True),
    Column("address", Text, primary_key=True, comment="An address the owner writes from or receives at."),
    Column("found_by", Text, nullable=False, comment="mailbox, option, or sent_mail (found in the mail itself)."),
    schema="mailboxes",
    comment="An address that belongs to the owner of a mailbox.",
)
