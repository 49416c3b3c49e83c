"""Vectors."""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Column, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import BIT

from rl_emails_assets.db.tables.base import mailbox_column, message_column, metadata, provenance_columns

DIMENSIONS = 384

messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("model", Text, nullable=False, comment="The model, with a hash of its weights."),
    Column(
        "precision", Text, nullable=False, comment="The arithmetic: fp32, bf16, int8 ...; not to be mixed silently."
    ),
    Column("text_hash", LargeBinary, nullable=False, comment="Hash of the text that was encoded."),
    Column("vector", HALFVEC(DIMENSIONS), nullable=False, comment="Unit length; cosine similarity is a dot product."),
    Column("code", BIT(DIMENSIONS), comment="The signs of the vector's numbers, kept by a trigger; null: not yet."),
    *provenance_columns(),
    # Search orders a mailbox's codes without reading its vectors.
    Index("ix_embeddings_messages_mailbox_id_code", "mailbox_id", postgresql_include=["message_id", "code"]),
    schema="embeddings",
    comment="The vector of a message's subject and new text.",
)
