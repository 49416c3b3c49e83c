"""Verdicts: what a message is and what it needs from the owner."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import text

from rl_emails_assets.classification.verdict import CATEGORIES, HANDLERS, NEEDS, URGENCIES
from rl_emails_assets.classification.verdict import Category as Category  # the columns' words, for who reads the tables
from rl_emails_assets.classification.verdict import Needs as Needs
from rl_emails_assets.db.tables.base import count, decision_columns, mailbox_column, message_column, metadata


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


messages = Table(
    "messages",
    metadata,
    message_column(),
    mailbox_column(),
    Column("category", Text, nullable=False, comment=f"What it is: {', '.join(CATEGORIES)}."),
    Column("needs", Text, nullable=False, comment=f"What it needs from the owner: {', '.join(NEEDS)}."),
    Column("urgency", Text, nullable=False, comment=f"By when: {', '.join(URGENCIES)}."),
    Column("handler", Text, nullable=False, comment=f"Who can handle it: {', '.join(HANDLERS)}."),
    Column("confidence", Float, nullable=False, comment="Probability (0-1) of the category and needs given."),
    Column(
        "evidence", JSONB, nullable=False, comment="[{supports, source, quote, weight}]: what the verdict rests on."
    ),
    Column(
        "opinion_id", Uuid, comment="The language model's opinion that was weighed; null for the offline engine alone."
    ),
    *decision_columns(),
    Index("ix_classifications_messages_mailbox_id", "mailbox_id"),
    _one_of("category", CATEGORIES),
    _one_of("needs", NEEDS),
    _one_of("urgency", URGENCIES),
    _one_of("handler", HANDLERS),
    schema="classifications",
    comment="What a message is, what it needs and how soon, with the evidence: the record of that decision.",
)

OPINION_STATES = (
    "wanted", "asked", "answered", "refused", "malformed", "timed_out", "rate_limited", "failed", "not_shown",
)  # fmt: skip

opinions = Table(
    "opinions",
    metadata,
    Column("opinion_id", Uuid, primary_key=True, comment="Derived from the message, what is sent, model and prompt."),
    mailbox_column(),
    Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        nullable=False,
        comment="The message that was asked about.",
    ),
    Column(
        "content_hash", LargeBinary, nullable=False, comment="SHA-256 of what is sent; the cache's key in a mailbox."
    ),
    Column("model", Text, nullable=False, comment="The model asked."),
    Column("prompt_version", Text, nullable=False, comment="Version of the prompt and of the allowed answers."),
    Column("state", Text, nullable=False, comment=f"{', '.join(OPINION_STATES)} (it speaks to a program)."),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="Why there is no answer."),
    Column("answer", JSONB, comment="{category, needs, urgency, quote}, as checked."),
    Column("dropped", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="Parts not believed."),
    Column("is_copy", Boolean, nullable=False, server_default=text("false"), comment="Taken from an equal question."),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Times it was asked."),
    count("input_tokens", "Tokens sent, all attempts together, where the server tells."),
    count("output_tokens", "Tokens answered."),
    Column(
        "cost_usd",
        Numeric(12, 6),
        nullable=False,
        server_default=text("0"),
        comment="What it cost; the most it can cost while it is being asked, and where the server does not tell.",
    ),
    Column("latency_ms", Integer, comment="How long the last answer took."),
    Column("next_at", DateTime(timezone=True), comment="Not to be asked again before."),
    Column("asked_at", DateTime(timezone=True), comment="When it was last asked."),
    Column("answered_at", DateTime(timezone=True), comment="When it was settled."),
    Column("run_id", Text, nullable=False, comment="The Dagster run that asked."),
    CheckConstraint(f"state in ({', '.join(repr(state) for state in OPINION_STATES)})", name="state"),
    Index("ix_classifications_opinions_message_id", "message_id"),
    Index("ix_classifications_opinions_mailbox_id_content_hash", "mailbox_id", "content_hash"),
    schema="classifications",
    comment="What a language model was asked about a message, what it said and what it cost.",
)

spending = Table(
    "spending",
    metadata,
    mailbox_column(primary_key=True),
    Column("day", Date, primary_key=True, comment="The day, in UTC."),
    Column(
        "cost_usd",
        Numeric(12, 6),
        nullable=False,
        server_default=text("0"),
        comment="What questions of that day cost, with what those on their way may cost.",
    ),
    count("question_count", "Questions sent."),
    Index("ix_classifications_spending_day", "day"),
    schema="classifications",
    comment="What language models cost a mailbox on a day; the caps are held against it.",
)
