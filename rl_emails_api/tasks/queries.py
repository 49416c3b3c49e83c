"""SQL of tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from rl_emails_api.visibility import UNWANTED_LABELS, has_label
from rl_emails_assets.db.tables import app, entities, mail, priorities

TaskKey = tuple[datetime | None, float, UUID]


def listed(
    connection: Connection,
    mailbox_id: UUID,
    *,
    status: str | None,
    owner: str | None,
    due_before: datetime | None,
    after: TaskKey | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Tasks by deadline (none last), then the priority of their message, then id."""
    task, message, ranked = entities.tasks, mail.messages, priorities.messages
    deadline = func.coalesce(task.c.deadline_at, _never())
    score = func.coalesce(ranked.c.score, 0.0)
    statement = (
        _tasks(mailbox_id)
        .add_columns(
            ranked.c.score.label("priority"),
            message.c.subject,
            message.c.from_name,
            message.c.from_address,
            message.c.received_at,
        )
        .join(message, message.c.message_id == task.c.message_id)
        .outerjoin(ranked, ranked.c.message_id == task.c.message_id)
        .where(message.c.mailbox_id == mailbox_id, ~has_label(message, mailbox_id, UNWANTED_LABELS))
        .order_by(deadline, score.desc(), task.c.task_id)
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(_status() == status)
    if owner is not None:
        statement = statement.where(task.c.owner == owner)
    if due_before is not None:
        statement = statement.where(task.c.deadline_at < due_before)
    if after is not None:
        deadline_at, priority, task_id = after
        given = _never() if deadline_at is None else literal(deadline_at, TIMESTAMP(timezone=True))
        statement = statement.where(tuple_(deadline, -score, task.c.task_id) > tuple_(given, -priority, task_id))
    return connection.execute(statement).mappings().all()


def of_messages(connection: Connection, mailbox_id: UUID, message_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """The tasks that these messages prove."""
    task = entities.tasks
    return (
        connection.execute(
            _tasks(mailbox_id)
            .where(task.c.message_id.in_(message_ids))
            .order_by(func.coalesce(task.c.deadline_at, _never()), task.c.task_id)
        )
        .mappings()
        .all()
    )


def by_id(connection: Connection, mailbox_id: UUID, task_id: UUID) -> dict[str, Any] | None:
    """The whole recorded row of one task, with the owner's word as `status`."""
    task, state = entities.tasks, app.task_states
    row = (
        connection.execute(
            select(task, _status().label("status"))
            .select_from(task.outerjoin(state, state.c.task_id == task.c.task_id))
            .where(task.c.task_id == task_id, task.c.mailbox_id == mailbox_id)
        )
        .mappings()
        .one_or_none()
    )
    return dict(row) if row else None


def set_status(connection: Connection, mailbox_id: UUID, task_id: UUID, status: str) -> None:
    """Store the owner's word on a task."""
    statement = insert(app.task_states).values(task_id=task_id, mailbox_id=mailbox_id, status=status)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["task_id"],
            set_={"status": statement.excluded.status, "updated_at": func.now()},
            where=app.task_states.c.mailbox_id == mailbox_id,
        )
    )


def _tasks(mailbox_id: UUID) -> Select[Any]:
    task, state = entities.tasks, app.task_states
    names = (
        "task_id", "message_id", "thread_id", "kind", "description", "owner", "owner_address", "deadline_at",
        "deadline_text", "evidence", "confidence",
    )  # fmt: skip
    return (
        select(*(task.c[name] for name in names), _status().label("status"))
        .select_from(task)
        .outerjoin(state, state.c.task_id == task.c.task_id)
        .where(task.c.mailbox_id == mailbox_id)
    )


def _status() -> ColumnElement[str]:
    return func.coalesce(app.task_states.c.status, "open")


def _never() -> ColumnElement[datetime]:
    return cast(literal("infinity"), TIMESTAMP(timezone=True))
