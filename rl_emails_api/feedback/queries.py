"""SQL of corrections."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, insert, select

from rl_emails_assets.db.tables import app, classifications, mail, priorities

_PROVENANCE = ("model_version", "inputs_hash", "version", "run_id", "computed_at")


def add(
    connection: Connection,
    mailbox_id: UUID,
    message_id: UUID,
    *,
    kind: str,
    value: str,
    was: dict[str, Any],
    task_id: UUID | None = None,
) -> tuple[UUID, datetime]:
    """Store one correction; earlier ones stay, the last wins. Returns its id and time."""
    row = connection.execute(
        insert(app.feedback)
        .values(
            feedback_id=uuid4(),
            mailbox_id=mailbox_id,
            message_id=message_id,
            kind=kind,
            value=value,
            task_id=task_id,
            was=was,
        )
        .returning(app.feedback.c.feedback_id, app.feedback.c.created_at)
    ).one()
    return row.feedback_id, row.created_at


def record(row: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """What a decision's row said, as it is kept with the correction: `fields` and where the row came from."""
    kept: dict[str, Any] = {}
    for name in (*fields, *_PROVENANCE):
        value = row[name]
        if isinstance(value, bytes):
            value = value.hex()
        elif isinstance(value, datetime):
            value = value.isoformat()
        kept[name] = value
    return kept


def message_exists(connection: Connection, mailbox_id: UUID, message_id: UUID) -> bool:
    """Whether the mailbox has this message, parsed."""
    table = mail.messages
    return (
        connection.execute(
            select(table.c.message_id).where(table.c.message_id == message_id, table.c.mailbox_id == mailbox_id)
        ).first()
        is not None
    )


def priority_record(connection: Connection, mailbox_id: UUID, message_id: UUID) -> dict[str, Any]:
    """What the ranker had said; empty while the message is not ranked."""
    table = priorities.messages
    row = _row(connection, table, mailbox_id, message_id)
    return record(dict(row), ("score", "reasons")) if row else {}


def verdict_record(connection: Connection, mailbox_id: UUID, message_id: UUID) -> dict[str, Any]:
    """What the classifier had said; empty while the message is not classified."""
    row = _row(connection, classifications.messages, mailbox_id, message_id)
    return record(dict(row), ("category", "needs", "urgency", "confidence")) if row else {}


def of_message(connection: Connection, mailbox_id: UUID, message_id: UUID) -> Sequence[RowMapping]:
    """Every correction of one message, newest first."""
    table = app.feedback
    return (
        connection.execute(
            select(table)
            .where(table.c.message_id == message_id, table.c.mailbox_id == mailbox_id)
            .order_by(table.c.created_at.desc(), table.c.feedback_id)
        )
        .mappings()
        .all()
    )


def _row(connection: Connection, table: Any, mailbox_id: UUID, message_id: UUID) -> RowMapping | None:
    return (
        connection.execute(select(table).where(table.c.message_id == message_id, table.c.mailbox_id == mailbox_id))
        .mappings()
        .one_or_none()
    )
