"""Scores."""

from sqlalchemy import CheckConstraint, Column, DateTime, Float, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import text

from rl_emails_assets.db.tables.base import (
    decision_columns,
    mailbox_column,
    message_column,
    metadata,
    provenance_columns,
)

messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="As in mail.messages; breaks ties."),
    Column("score", Float, nullable=False, comment="Probability (0-1) that the owner will act on the message."),
    Column(
        "contributions",
        JSONB,
        nullable=False,
        comment="[{feature, value, log_odds}], strongest first; with the base they add up to the score's log odds.",
    ),
    Column("base_log_odds", Float, nullable=False, comment="The model's intercept."),
    Column("reasons", ARRAY(Text), nullable=False, comment="The strongest contributions in words, as decided."),
    Column(
        "reasons_against",
        ARRAY(Text),
        nullable=False,
        server_default=text("'{}'::text[]"),
        comment="Why it is not higher: the strongest contributions against it in words, as decided.",
    ),
    *decision_columns(),
    CheckConstraint("score >= 0 and score <= 1", name="score"),
    Index(
        "ix_priorities_messages_inbox",
        "mailbox_id",
        text("score desc"),
        text("received_at desc"),
        text("message_id desc"),
    ),
    schema="priorities",
    comment="How much a message matters and what that is made of: the record of that decision.",
)

threads = Table(
    "threads",
    metadata,
    Column("thread_id", Uuid, primary_key=True, comment="The conversation."),
    mailbox_column(),
    Column("score", Float, nullable=False, comment="The highest score of its messages after the owner's last one."),
    Column("message_id", Uuid, nullable=False, comment="The message that has it."),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="Its last message."),
    *provenance_columns(),
    Index("ix_priorities_threads_mailbox_id_score", "mailbox_id", text("score desc"), "thread_id"),
    schema="priorities",
    comment="How much a conversation matters now.",
)
