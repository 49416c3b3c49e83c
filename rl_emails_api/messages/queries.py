"""SQL about one message."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, FromClause, RowMapping, case, func, select
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import app, classifications, embeddings, entities, mail, priorities, raw, signals

_SHOWN = (
    "message_id", "thread_id", "duplicate_of", "rfc822_message_id", "in_reply_to", "from_name", "from_address",
    "reply_to", "to", "cc", "bcc", "subject", "received_at", "sent_at", "text", "new_text", "signature", "is_html_only",
    "attachments", "calendar", "headers", "defects", "size_bytes",
)  # fmt: skip


def by_id(connection: Connection, mailbox_id: UUID, message_id: UUID) -> RowMapping | None:
    """The parsed message with its verdict, score and what was done with it here."""
    message, verdict, ranked = mail.messages, classifications.messages, priorities.messages
    state = app.message_states
    return (
        connection.execute(
            select(
                *(message.c[name] for name in _SHOWN),
                verdict.c.category,
                verdict.c.needs,
                verdict.c.urgency,
                verdict.c.handler,
                ranked.c.score.label("priority"),
                ranked.c.reasons,
                state.c.read_at,
                state.c.done_at,
                state.c.starred_at,
                case((state.c.snoozed_until > func.now(), state.c.snoozed_until)).label("snoozed_until"),
            )
            .select_from(
                message.outerjoin(verdict, verdict.c.message_id == message.c.message_id)
                .outerjoin(ranked, ranked.c.message_id == message.c.message_id)
                .outerjoin(state, state.c.message_id == message.c.message_id)
            )
            .where(message.c.message_id == message_id, message.c.mailbox_id == mailbox_id)
        )
        .mappings()
        .one_or_none()
    )


def rfc822(connection: Connection, mailbox_id: UUID, message_id: UUID) -> bytes | None:
    """The message as the provider has it, byte for byte."""
    content: bytes | None = connection.execute(
        select(raw.messages.c.rfc822).where(
            raw.messages.c.message_id == message_id, raw.messages.c.mailbox_id == mailbox_id
        )
    ).scalar_one_or_none()
    return content


def labels(connection: Connection, mailbox_id: UUID, message_id: UUID) -> list[str]:
    """The message's labels, sorted."""
    return list(
        connection.execute(
            select(raw.labels.c.label)
            .where(raw.labels.c.message_id == message_id, raw.labels.c.mailbox_id == mailbox_id)
            .order_by(raw.labels.c.label)
        ).scalars()
    )


def recorded(connection: Connection, mailbox_id: UUID, message_id: UUID) -> dict[str, dict[str, Any] | None]:
    """The recorded rows about the message, by group; None where there is none yet. The vector itself is left out."""
    tables = {
        "priority": priorities.messages,
        "verdict": classifications.messages,
        "extraction": entities.messages,
        "signals": signals.messages,
        "embedding": embeddings.messages,
    }
    return {name: _row(connection, table, mailbox_id, message_id) for name, table in tables.items()}


def recorded_tasks(connection: Connection, mailbox_id: UUID, message_id: UUID) -> Sequence[RowMapping]:
    """The recorded rows of the tasks that the message proves, with how each stands in its conversation."""
    table, progress = entities.tasks, entities.task_progress
    return (
        connection.execute(
            select(
                table,
                progress.c.state,
                progress.c.how.label("step_how"),
                progress.c.message_id.label("step_message_id"),
                progress.c.at.label("step_at"),
                progress.c.evidence.label("step_evidence"),
                progress.c.waiting_on,
            )
            .select_from(table.outerjoin(progress, progress.c.task_id == table.c.task_id))
            .where(table.c.message_id == message_id, table.c.mailbox_id == mailbox_id)
            .order_by(table.c.task_id)
        )
        .mappings()
        .all()
    )


def set_read(connection: Connection, mailbox_id: UUID, message_id: UUID, *, is_read: bool) -> None:
    """Store that the message was opened here, or is to count as unread again."""
    statement = insert(app.message_states).values(
        message_id=message_id, mailbox_id=mailbox_id, read_at=func.now() if is_read else None
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={"read_at": func.coalesce(app.message_states.c.read_at, func.now()) if is_read else None},
            where=app.message_states.c.mailbox_id == mailbox_id,
        )
    )


def _row(connection: Connection, table: FromClause, mailbox_id: UUID, message_id: UUID) -> dict[str, Any] | None:
    columns = [column for column in table.c if column.name != "vector"]
    row = (
        connection.execute(select(*columns).where(table.c.message_id == message_id, table.c.mailbox_id == mailbox_id))
        .mappings()
        .one_or_none()
    )
    return dict(row) if row else None
