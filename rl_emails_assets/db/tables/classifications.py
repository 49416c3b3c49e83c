"""Verdicts: what a message is and what it needs from the owner."""

from sqlalchemy import CheckConstraint, Column, Float, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from rl_emails_assets.classification.verdict import CATEGORIES, HANDLERS, NEEDS, URGENCIES
from rl_emails_assets.classification.verdict import Category as Category  # the columns' words, for who reads the tables
from rl_emails_assets.classification.verdict import Needs as Needs
from rl_emails_assets.db.tables.base import decision_columns, mailbox_column, message_column, metadata


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
    *decision_columns(),
    Index("ix_classifications_messages_mailbox_id", "mailbox_id"),
    _one_of("category", CATEGORIES),
    _one_of("needs", NEEDS),
    _one_of("urgency", URGENCIES),
    _one_of("handler", HANDLERS),
    schema="classifications",
    comment="What a message is, what it needs and how soon, with the evidence: the record of that decision.",
)
