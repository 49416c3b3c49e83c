"""What search finds messages by. Kept by triggers; searched by the functions of migration 0009 only."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Uuid
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import mailbox_column, metadata

messages = Table(
    "messages",
    metadata,
    Column(
        "message_id",
        Uuid,
        ForeignKey("mail.messages.message_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message; folder copies have no row.",
    ),
    mailbox_column(),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="As in mail.messages."),
    Column("size_bytes", Integer, nullable=False, comment="Size of the raw message."),
    Column(
        "words",
        TSVECTOR,
        nullable=False,
        comment="Its words: A subject, B sender and files, C new text, D quoted text; unstemmed; by field.",
    ),
    Column(
        "added_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When it could first be found; later pages of a search show nothing newer.",
    ),
    Index("ix_search_messages_words", "mailbox_id", "words", postgresql_using="gin"),
    Index("ix_search_messages_mailbox_id_received_at", "mailbox_id", text("received_at desc"), text("message_id desc")),
    schema="search",
    comment="The words of a message, as they are searched.",
)

unfilled = Table(
    "unfilled",
    metadata,
    mailbox_column(primary_key=True),
    schema="search",
    comment="A mailbox that may have messages from before there were words of them; the graph fills them in.",
)
