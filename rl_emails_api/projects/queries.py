"""SQL about projects."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, tuple_

from rl_emails_assets.db.tables import entities, mail, priorities

MAX_THREADS = 200

ProjectKey = tuple[datetime, UUID]

_COLUMNS = tuple(
    entities.projects.c[name]
    for name in ("project_id", "name", "keywords", "thread_count", "message_count", "first_at", "last_at")
)


def listed(connection: Connection, mailbox_id: UUID, after: ProjectKey | None, limit: int) -> Sequence[RowMapping]:
    """Projects, the one with the latest message first."""
    project = entities.projects
    statement = (
        select(*_COLUMNS, project.c.people)
        .where(project.c.mailbox_id == mailbox_id)
        .order_by(project.c.last_at.desc(), project.c.project_id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(project.c.last_at, project.c.project_id) < tuple_(*after))
    return connection.execute(statement).mappings().all()


def by_id(connection: Connection, mailbox_id: UUID, project_id: UUID) -> RowMapping | None:
    """One project."""
    project = entities.projects
    return (
        connection.execute(
            select(project).where(project.c.project_id == project_id, project.c.mailbox_id == mailbox_id)
        )
        .mappings()
        .one_or_none()
    )


def threads(connection: Connection, mailbox_id: UUID, project_id: UUID) -> Sequence[RowMapping]:
    """Its conversations, latest first."""
    thread, member, ranked = mail.threads, entities.project_threads, priorities.threads
    return (
        connection.execute(
            select(
                thread.c.thread_id,
                thread.c.subject,
                thread.c.message_count,
                thread.c.last_at,
                thread.c.last_message_id,
                ranked.c.score.label("priority"),
            )
            .select_from(
                member.join(thread, thread.c.thread_id == member.c.thread_id).outerjoin(
                    ranked, ranked.c.thread_id == thread.c.thread_id
                )
            )
            .where(
                member.c.project_id == project_id, member.c.mailbox_id == mailbox_id, thread.c.mailbox_id == mailbox_id
            )
            .order_by(thread.c.last_at.desc(), thread.c.thread_id)
            .limit(MAX_THREADS)
        )
        .mappings()
        .all()
    )


def names(connection: Connection, mailbox_id: UUID, addresses: Sequence[str]) -> dict[str, str]:
    """The names behind addresses, where they are known."""
    contact = mail.contacts
    rows = connection.execute(
        select(contact.c.address, contact.c.name).where(
            contact.c.mailbox_id == mailbox_id, contact.c.address.in_(addresses)
        )
    )
    return {row.address: row.name for row in rows}


def messages_with_tasks(connection: Connection, mailbox_id: UUID, project_id: UUID) -> list[UUID]:
    """The messages of the project that prove a task."""
    task, member = entities.tasks, entities.project_threads
    return list(
        connection.execute(
            select(task.c.message_id)
            .distinct()
            .select_from(task.join(member, member.c.thread_id == task.c.thread_id))
            .where(
                member.c.project_id == project_id, member.c.mailbox_id == mailbox_id, task.c.mailbox_id == mailbox_id
            )
        ).scalars()
    )
