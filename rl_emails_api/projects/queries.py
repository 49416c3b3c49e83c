"""SQL about projects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, text, tuple_

from rl_emails_assets.db.tables import entities, mail, priorities

MAX_THREADS = 200

_OPEN_WORK = text(
    """
    select m.project_id, count(*) as open_task_count,
           coalesce(
               (array_agg(t.deadline_at order by t.deadline_at) filter (where t.deadline_at is not null))[1:20], '{}'
           ) as deadlines
    from entities.project_threads m
    join entities.tasks t on t.mailbox_id = m.mailbox_id and t.thread_id = m.thread_id and t.kind <> 'question'
    left join entities.task_progress g on g.task_id = t.task_id
    left join app.task_states u on u.task_id = t.task_id
    where m.mailbox_id = :mailbox_id and m.project_id = any(:projects)
      and coalesce(u.status, case when g.state = 'closed' then 'done' else 'open' end) = 'open'
    group by m.project_id
    """
)

# Both mailboxes hold these very messages, so nobody learns of mail that is not their own.
_IN_OTHER_MAILBOXES = text(
    """
    select other.mailbox_id, c.address, other.project_id, other.name, shared.count as shared_message_count
    from entities.projects other
    join mailboxes.connections c on c.mailbox_id = other.mailbox_id and c.state <> 'disconnecting'
    join mailboxes.connections own
      on own.mailbox_id = :mailbox_id and own.organization_id is not distinct from c.organization_id
    cross join lateral (
        select count(*) from unnest(other.message_keys) as k (key) where k.key = any(cast(:message_keys as bigint[]))
    ) shared
    where other.mailbox_id <> :mailbox_id and other.message_keys && cast(:message_keys as bigint[])
    order by shared.count desc, other.project_id
    limit 20
    """
)

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


def open_work(connection: Connection, mailbox_id: UUID, projects: Sequence[UUID]) -> Mapping[UUID, RowMapping]:
    """For each project with open tasks how many, and their deadlines."""
    parameters = {"mailbox_id": mailbox_id, "projects": list(projects)}
    return {row["project_id"]: row for row in connection.execute(_OPEN_WORK, parameters).mappings()}


def in_other_mailboxes(connection: Connection, mailbox_id: UUID, project: RowMapping) -> Sequence[RowMapping]:
    """The projects of the organization's other mailboxes that have messages of this one."""
    parameters = {"mailbox_id": mailbox_id, "message_keys": list(project["message_keys"])}
    return connection.execute(_IN_OTHER_MAILBOXES, parameters).mappings().all()


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
