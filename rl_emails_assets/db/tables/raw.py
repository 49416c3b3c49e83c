"""The mail as its provider has it: bytes, labels, gaps, and how far each source has been read."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import count, mailbox_column, metadata

messages = Table(
    "messages",
    metadata,
    Column("message_id", Uuid, primary_key=True, comment="Derived from the mailbox and the provider's id."),
    mailbox_column(),
    Column("seq", BigInteger, Identity(), nullable=False, comment="Order of arrival here; later steps work in it."),
    Column("provider_message_id", Text, nullable=False, comment="The provider's id; for files, a SHA-256 of the mail."),
    Column("provider_thread_id", Text, comment="The provider's conversation id (X-GM-THRID), if it has one."),
    Column("source", Text, nullable=False, comment="Where the bytes were read: a path, and an offset in it."),
    Column("provider_received_at", DateTime(timezone=True), comment="When the provider says it arrived, if it does."),
    Column("size_bytes", Integer, nullable=False, comment="Length of `rfc822`."),
    Column("rfc822", LargeBinary, nullable=False, comment="The message, byte for byte."),
    Column("run_id", Text, nullable=False, comment="The Dagster run that stored the row."),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When stored."),
    UniqueConstraint("mailbox_id", "provider_message_id"),
    Index("ix_raw_messages_mailbox_id_seq", "mailbox_id", "seq", unique=True),
    schema="raw",
    comment="The bytes of one message as the provider has it.",
)

labels = Table(
    "labels",
    metadata,
    mailbox_column(),
    Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The labelled message.",
    ),
    Column("label", Text, primary_key=True, comment="A provider label or folder; INBOX, SENT, UNREAD ... as Gmail."),
    Column(
        "is_shared",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="The message has it only because a folder copy of it has.",
    ),
    Index("ix_raw_labels_mailbox_id_label", "mailbox_id", "label"),
    schema="raw",
    comment="One label or folder of one message.",
)

gaps = Table(
    "gaps",
    metadata,
    mailbox_column(primary_key=True),
    Column("provider_message_id", Text, primary_key=True, comment="The provider's id, or the place in the source."),
    Column("source", Text, nullable=False, comment="The path it was read from, as in raw.cursors."),
    Column("reason", Text, nullable=False, comment="Why it could not be stored, for a person."),
    Column("attempts", Integer, nullable=False, server_default=text("1"), comment="How often it was tried."),
    Column("first_seen_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First."),
    Column("last_seen_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Last."),
    schema="raw",
    comment="A message known to exist that could not be stored, and why.",
)

cursors = Table(
    "cursors",
    metadata,
    mailbox_column(primary_key=True),
    Column("source", Text, primary_key=True, comment="The path that is read."),
    Column("position", JSONB, nullable=False, comment="How far it is read; everything before is stored or a gap."),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="When this pass over it began."),
    count("imported_count", "Messages stored from it that were new."),
    count("duplicate_count", "Items that were stored already."),
    count("gap_count", "Items that became gaps."),
    Column("is_complete", Boolean, nullable=False, server_default=text("false"), comment="Its end was reached."),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Last moved."),
    schema="raw",
    comment="How far one source has been read; moves in the transaction of the rows it accounts for.",
)

backlog = Table(
    "backlog",
    metadata,
    mailbox_column(primary_key=True),
    Column("provider_message_id", Text, primary_key=True, comment="A message known to exist and not fetched yet."),
    Column("provider_thread_id", Text, comment="Its conversation at the provider."),
    Column(
        "found_by", Text, nullable=False, comment="history, recent, listing or reconcile, in the order of fetching."
    ),
    Column("ordinal", BigInteger, Identity(), nullable=False, comment="Order of finding; listings are newest first."),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="How often fetching it was begun."),
    Column("error", Text, comment="Why an attempt failed; null when none ended, or none was begun."),
    Column("tried_at", DateTime(timezone=True), comment="When the last attempt was begun; the next waits for longer."),
    Column("added_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Found."),
    CheckConstraint("found_by in ('history', 'recent', 'listing', 'reconcile')", name="found_by"),
    Index("ix_raw_backlog_mailbox_id_ordinal", "mailbox_id", "ordinal"),
    schema="raw",
    comment="A message that the cursor has passed or a listing has named, and that is neither stored nor a gap yet.",
)

listings = Table(
    "listings",
    metadata,
    mailbox_column(primary_key=True),
    Column("provider_message_id", Text, primary_key=True, comment="An id that the full sync under way has listed."),
    schema="raw",
    comment="What the full sync under way has listed so far; emptied at its end.",
)
