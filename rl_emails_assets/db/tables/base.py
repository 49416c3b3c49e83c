"""What every table shares: one metadata, named constraints, and the columns of a computed row.

A table's `comment` is one sentence that says what a row is; each column has a comment. The data reference in docs/ and
the column schemas in the Dagster UI are made from them.
"""

import uuid
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, LargeBinary, MetaData, Numeric, Text, Uuid
from sqlalchemy.sql import func, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SCHEMAS = (
    "identity",
    "mailboxes",
    "raw",
    "mail",
    "signals",
    "embeddings",
    "classifications",
    "entities",
    "priorities",
    "search",
    "models",
    "app",
    "sync_queue",
    "privacy",
)

# Message ids are derived from (mailbox, provider id), so importing the same mail again gives the same ids.
ID_NAMESPACE = uuid.UUID("6b0f3c5e-7a52-4c2f-9a51-0f8d6a2f4e11")


def mailbox_column(*, primary_key: bool = False) -> Column[Any]:
    """The mailbox that owns the row; every query filters by it."""
    return Column(
        "mailbox_id",
        Uuid,
        ForeignKey("mailboxes.connections.mailbox_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        comment="The mailbox that owns the row.",
    )


def message_column() -> Column[Any]:
    """The message a derived row is about, as its primary key."""
    return Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message the row is about.",
    )


def provenance_columns() -> list[Column[Any]]:
    """How a computed row came to be.

    A row is pending (to be computed again) when it is missing, when its `version` is not the running code's, or when
    `is_stale` says that an input changed after it was computed.
    """
    return [
        Column("version", Text, nullable=False, comment="Version of the code and rules that computed the row."),
        Column(
            "is_stale",
            Boolean,
            nullable=False,
            server_default=text("false"),
            comment="An input changed after the row was computed; the next run computes it again.",
        ),
        Column("run_id", Text, nullable=False, comment="The Dagster run that wrote the row."),
        Column(
            "computed_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
            comment="When the row was written.",
        ),
    ]


def decision_columns() -> list[Column[Any]]:
    """What makes a computed row the record of a decision (promise 4)."""
    return [
        Column("model_version", Text, nullable=False, comment="The trained model or rule set that decided."),
        Column("inputs_hash", LargeBinary, nullable=False, comment="Hash of everything the decision was made from."),
        Column(
            "cost_usd",
            Numeric(12, 6),
            nullable=False,
            server_default=text("0"),
            comment="What the decision cost; 0 for the offline engines.",
        ),
        *provenance_columns(),
    ]


def count(name: str, comment: str) -> Column[Any]:
    """A non-negative count, 0 unless told."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"), comment=comment)
