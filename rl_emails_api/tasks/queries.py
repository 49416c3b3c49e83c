"""SQL of tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
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
WaitKey = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which tasks are listed; None is all of them."""

    status: str | None = None
    owner: str | None = None
    due_before: datetime | None = None
    waiting: str | None = None


def listed(
    connection: Connection,
    mailbox_id: UUID,
    *,
    chosen: Chosen,
    after: TaskKey | None,
    after_since: WaitKey | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Tasks by deadline (none last), then the priority of their message, then id; what is waited for the longest first.

    What waits is open by definition: what the owner has marked as done is not waited for.
    """
    task, message, ranked = entities.tasks, mail.messages, priorities.messages
    progress, contact = entities.task_progress, mail.contacts
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
            func.coalesce(contact.c.name, "").label("waiting_with_name"),
        )
        .join(message, message.c.message_id == task.c.message_id)
        .outerjoin(ranked, ranked.c.message_id == task.c.message_id)
        .outerjoin(contact, and_(contact.c.mailbox_id == mailbox_id, contact.c.address == progress.c.waiting_with))
        .where(message.c.mailbox_id == mailbox_id, ~has_label(message, mailbox_id, UNWANTED_LABELS))
        .limit(limit)
    )
    if chosen.status is not None:
        statement = statement.where(_status() == chosen.status)
    if chosen.owner is not None:
        statement = statement.where(task.c.owner == chosen.owner)
    if chosen.due_before is not None:
        statement = statement.where(task.c.deadline_at < chosen.due_before)
    if chosen.waiting is not None:
        statement = statement.where(progress.c.waiting_on == chosen.waiting, _status() == "open")
        if after_since is not None:
            statement = statement.where(tuple_(progress.c.since, task.c.task_id) > tuple_(*after_since))
        return connection.execute(statement.order_by(progress.c.since, task.c.task_id)).mappings().all()
    statement = statement.where(task.c.kind != "question").order_by(deadline, score.desc(), task.c.task_id)
    if after is not None:
        deadline_at, priority, task_id = after
        given = _never() if deadline_at is None else literal(deadline_at, TIMESTAMP(timezone=True))
        statement = statement.where(tuple_(deadline, -score, task.c.task_id) > tuple_(given, -priority, task_id))
    return connection.execute(statement).mappings().all()


def of_messages(connection: Connection, mailbox_id: UUID, message_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """The tasks that these messages prove, without mere questions."""
    task = entities.tasks
    return (
        connection.execute(
            _tasks(mailbox_id)
            .where(task.c.message_id.in_(message_ids), task.c.kind != "question")
            .order_by(func.coalesce(task.c.deadline_at, _never()), task.c.task_id)
        )
        .mappings()
        .all()
    )


def of_ids(connection: Connection, mailbox_id: UUID, task_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """These tasks."""
    statement = _tasks(mailbox_id).where(entities.tasks.c.task_id.in_(task_ids))
    return connection.execute(statement).mappings().all()


def by_id(connection: Connection, mailbox_id: UUID, task_id: UUID) -> dict[str, Any] | None:
    """The whole recorded row of one task, with the owner's word as `status`."""
    task, state, progress = entities.tasks, app.task_states, entities.task_progress
    row = (
        connection.execute(
            select(task, _status().label("status"))
            .select_from(
                task.outerjoin(state, state.c.task_id == task.c.task_id).outerjoin(
                    progress, progress.c.task_id == task.c.task_id
                )
            )
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
    task, state, progress = entities.tasks, app.task_states, entities.task_progress
    names = (
        "task_id", "message_id", "thread_id", "kind", "description", "owner", "owner_address", "deadline_at",
        "deadline_text", "evidence", "evidence_start", "evidence_end", "confidence",
    )  # fmt: skip
    said_by = case((state.c.status.is_not(None), "owner"), (progress.c.state == "closed", "conversation"))
    return (
        select(
            *(task.c[name] for name in names),
            _status().label("status"),
            said_by.label("status_by"),
            func.coalesce(progress.c.state, "open").label("state"),
            func.nullif(progress.c.waiting_on, "").label("waiting_on"),
            func.coalesce(progress.c.waiting_with, "").label("waiting_with"),
            progress.c.since.label("waiting_since"),
            progress.c.message_id.label("step_message_id"),
            progress.c.at.label("step_at"),
            progress.c.how.label("step_how"),
            progress.c.evidence.label("step_evidence"),
        )
        .select_from(task)
        .outerjoin(state, state.c.task_id == task.c.task_id)
        .outerjoin(progress, progress.c.task_id == task.c.task_id)
        .where(task.c.mailbox_id == mailbox_id)
    )


def _status() -> ColumnElement[str]:
    """The owner's word, which always wins; else what the conversation says."""
    closed = case((entities.task_progress.c.state == "closed", "done"), else_="open")
    return func.coalesce(app.task_states.c.status, closed)


def _never() -> ColumnElement[datetime]:
    return cast(literal("infinity"), TIMESTAMP(timezone=True))
