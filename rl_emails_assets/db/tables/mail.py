"""Parsed messages, conversations, and the addresses in them."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import literal_column, text

from rl_emails_assets.db.tables.base import count, mailbox_column, message_column, metadata, provenance_columns

messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("thread_id", Uuid, nullable=False, comment="The conversation; see mail.threads."),
    Column(
        "duplicate_of",
        Uuid,
        comment="The message stored before that says the same (date, sender, subject, text); later steps skip the row.",
    ),
    Column("fingerprint", LargeBinary, nullable=False, comment="Hash of date, sender, subject and text."),
    Column("rfc822_message_id", Text, nullable=False, comment="The Message-ID header without brackets, or ''."),
    Column("in_reply_to", Text, nullable=False, comment="The In-Reply-To header's first id, or ''."),
    Column("reference_ids", ARRAY(Text), nullable=False, comment="The References header's ids, oldest first."),
    Column("from_name", Text, nullable=False, comment="The sender's name as written."),
    Column("from_address", Text, nullable=False, comment="The sender's address, lower case, or ''."),
    Column("reply_to", JSONB, nullable=False, comment="[{name, address}] of Reply-To."),
    Column("to", JSONB, nullable=False, comment="[{name, address}] of To."),
    Column("cc", JSONB, nullable=False, comment="[{name, address}] of Cc."),
    Column("bcc", JSONB, nullable=False, comment="[{name, address}] of Bcc."),
    Column("subject", Text, nullable=False, comment="The subject, decoded."),
    Column("subject_key", Text, nullable=False, comment="The subject without Re:, Fwd:, list tags; folded case."),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="When the owner's side got it."),
    Column("sent_at", DateTime(timezone=True), comment="The Date header, if it can be read."),
    Column("text", Text, nullable=False, comment="The whole body as plain text."),
    Column("new_text", Text, nullable=False, comment="What the sender wrote this time."),
    Column("signature", Text, nullable=False, comment="The signature that was cut off."),
    Column("snippet", Text, nullable=False, comment="The start of the new text on one line."),
    Column("is_html_only", Boolean, nullable=False, comment="There was no plain text; `text` was made from HTML."),
    Column(
        "has_mismatched_link",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="A link's words name another site than the one it leads to.",
    ),
    Column(
        "markup",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="Counts of what stands in its HTML (mail.markup): {images, links, hosts, hidden, ...}.",
    ),
    Column("attachments", JSONB, nullable=False, comment="[{part_path, filename, content_type, size_bytes, ...}]."),
    Column("calendar", JSONB, comment="{method, summary, starts_at, ...} of an invitation."),
    Column("headers", JSONB, nullable=False, comment="The headers that later steps read."),
    Column("defects", JSONB, nullable=False, comment="[{code, detail}]: what was wrong with the bytes."),
    Column("size_bytes", Integer, nullable=False, comment="Size of the raw message."),
    *provenance_columns(),
    Index("ix_mail_messages_mailbox_id_received_at", "mailbox_id", text("received_at desc"), "message_id"),
    Index("ix_mail_messages_mailbox_id_fingerprint", "mailbox_id", "fingerprint"),
    Index("ix_mail_messages_mailbox_id_subject_key", "mailbox_id", "subject_key"),
    Index(
        "ix_mail_messages_duplicate_of", "mailbox_id", "message_id", postgresql_where=text("duplicate_of is not null")
    ),
    Index("ix_mail_messages_thread_id", "thread_id", "received_at"),
    Index("ix_mail_messages_rfc822_message_id", "mailbox_id", "rfc822_message_id"),
    schema="mail",
    comment="A parsed, de-quoted message.",
)

participants = Table(
    "participants",
    metadata,
    message_column(),
    mailbox_column(),
    Column("role", Text, primary_key=True, comment="from, to, cc or bcc."),
    Column("position", SmallInteger, primary_key=True, comment="Place in the header, from 0."),
    Column("address", Text, nullable=False, comment="The address, lower case."),
    Column("domain", Text, nullable=False, comment="What follows the @, or ''."),
    Column("name", Text, nullable=False, comment="The name as written."),
    Index("ix_mail_participants_mailbox_id_address", "mailbox_id", "address", "role"),
    Index("ix_mail_participants_mailbox_id_domain", "mailbox_id", "domain", postgresql_where=text("role = 'from'")),
    schema="mail",
    comment="An address in a role on one message.",
)

threads = Table(
    "threads",
    metadata,
    Column("thread_id", Uuid, primary_key=True, comment="Derived from the first message stored of it."),
    mailbox_column(),
    Column("subject", Text, nullable=False, comment="Subject of its first message."),
    count("message_count", "Messages in it, folder copies not counted."),
    Column("participants", ARRAY(Text), nullable=False, comment="Addresses of its senders and recipients."),
    Column("first_at", DateTime(timezone=True), nullable=False, comment="Its first message was received."),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="Its last message was received."),
    Column("last_message_id", Uuid, nullable=False, comment="Its last message."),
    *provenance_columns(),
    Index("ix_mail_threads_mailbox_id_last_at", "mailbox_id", text("last_at desc")),
    schema="mail",
    comment="A conversation.",
)

thread_nodes = Table(
    "thread_nodes",
    metadata,
    mailbox_column(primary_key=True),
    Column("rfc822_message_id", Text, primary_key=True, comment="A Message-ID that was seen or referred to."),
    Column("thread_id", Uuid, nullable=False, comment="The conversation it belongs to."),
    Column("is_stored", Boolean, nullable=False, comment="A message with this id is stored."),
    Index("ix_mail_thread_nodes_thread_id", "thread_id"),
    schema="mail",
    comment="Which conversation a Message-ID belongs to, also one that has not arrived.",
)

contacts = Table(
    "contacts",
    metadata,
    mailbox_column(primary_key=True),
    Column("address", Text, primary_key=True, comment="The address, lower case."),
    Column("name", Text, nullable=False, comment="The name most often written with it."),
    count("from_count", "Messages it sent."),
    count("to_count", "Messages it was a recipient of."),
    Column("first_at", DateTime(timezone=True), nullable=False, comment="First seen."),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="Last seen."),
    *provenance_columns(),
    Index(
        "ix_mail_contacts_names",
        "mailbox_id",
        literal_column("search.folded(((' '::text || name) || ' '::text) || address)").label("names"),
        postgresql_using="gin",
        postgresql_ops={"names": "gin_trgm_ops"},
    ),
    schema="mail",
    comment="An address that sent or received mail in the mailbox, and the name behind it.",
)
