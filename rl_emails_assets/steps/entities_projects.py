"""entities.projects: which conversations belong together. That needs all of them, so all are computed together.

What is kept of the last time are the ids: a project that goes on keeps its own. The same project in another mailbox of
the organization is another row, with its own threads and people; the two know each other by `message_keys`, which come
from the mailbox's own mail alone: nothing is read or written across mailboxes here.
"""

import uuid
from typing import Any

import numpy as np
import numpy.typing as npt
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy import Connection, func, select, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.pending import is_current
from rl_emails_assets.db.tables import classifications, embeddings, entities, mail
from rl_emails_assets.db.tables.embeddings import DIMENSIONS
from rl_emails_assets.extraction.projects import Project, ThreadFacts, group_projects
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed

VERSION = "2"
NAME = "entities.projects"
PEOPLE_CATEGORIES = ("person", "calendar", "mailing_list")
"""What people write. Machines' mail has subjects in common without belonging together."""
MOST_PEOPLE = 30
MOST_MESSAGE_KEYS = 500
"""A project that is larger than this is recognized in another mailbox by the smallest of its keys."""

_THREADS = text(
    """
    select t.thread_id, t.subject, t.message_count, t.first_at, t.last_at,
           array(select p.address
                 from mail.participants p join mail.messages m using (message_id)
                 where m.thread_id = t.thread_id and m.duplicate_of is null
                   and not exists (select from mailboxes.aliases a
                                   where a.mailbox_id = t.mailbox_id and a.address = p.address)
                 group by p.address
                 order by count(*) filter (where p.role = 'from') desc, count(*) desc, p.address
                 limit :most_people) as people,
           (select avg(e.vector) from mail.messages m join embeddings.messages e using (message_id)
            where m.thread_id = t.thread_id) as vector
    from mail.threads t
    where t.mailbox_id = :mailbox_id
      and exists (select from mail.messages m join classifications.messages c using (message_id)
                  where m.thread_id = t.thread_id and c.category = any(:categories))
    order by t.first_at, t.thread_id
    """
)


def run(step: StepContext) -> StepResult:
    """Group the conversations again when one of them, a verdict or a vector changed."""
    result = StepResult()
    with timed(result), step.alone(NAME), step.commit() as connection:
        inputs = (mail.threads, embeddings.messages, classifications.messages)
        if not step.scope.force and is_current(connection, entities.projects, VERSION, step.mailbox_id, inputs):
            return result
        threads, vectors = _threads(connection, step.mailbox_id)
        projects = group_projects(threads, vectors, _projects_before(connection, step.mailbox_id))
        message_keys = _message_keys(connection, step.mailbox_id, [each for one in projects for each in one.thread_ids])
        for table in (entities.project_threads, entities.projects):
            connection.execute(table.delete().where(table.c.mailbox_id == step.mailbox_id))
        result.row_count = bulk.copy_rows(
            connection, entities.projects, [_row(step, each, message_keys) for each in projects]
        )
        links = [
            {"thread_id": thread_id, "mailbox_id": step.mailbox_id, "project_id": project.project_id}
            for project in projects
            for thread_id in project.thread_ids
        ]
        result.counts = {"threads": len(threads), "threads_in_projects": len(links)}
        bulk.copy_rows(connection, entities.project_threads, links)
        step.report(Progress(NAME, len(threads), len(threads), "threads"))
    return result


def _threads(connection: Connection, mailbox_id: uuid.UUID) -> tuple[list[ThreadFacts], npt.NDArray[np.float32]]:
    register_vector(bulk.driver_connection(connection))
    parameters = {"mailbox_id": mailbox_id, "most_people": MOST_PEOPLE, "categories": list(PEOPLE_CATEGORIES)}
    rows = connection.execute(_THREADS, parameters).all()
    vectors = np.zeros((len(rows), DIMENSIONS), dtype=np.float32)
    for index, row in enumerate(rows):
        if row.vector is not None:
            vectors[index] = _unit(row.vector)
    threads = [
        ThreadFacts(row.thread_id, row.subject, tuple(row.people), row.message_count, row.first_at, row.last_at)
        for row in rows
    ]
    return threads, vectors


def _projects_before(connection: Connection, mailbox_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    """The project of each conversation as grouped last."""
    columns = entities.project_threads.c
    query = select(columns.thread_id, columns.project_id).where(columns.mailbox_id == mailbox_id)
    return {row.thread_id: row.project_id for row in connection.execute(query)}


def _message_keys(
    connection: Connection, mailbox_id: uuid.UUID, threads: list[uuid.UUID]
) -> dict[uuid.UUID, list[int]]:
    """For each conversation 64 bits of its messages' fingerprints: the same message has the same in every mailbox."""
    columns = mail.messages.c
    query = select(columns.thread_id, columns.fingerprint).where(
        columns.mailbox_id == mailbox_id, columns.thread_id == func.any(threads), columns.duplicate_of.is_(None)
    )
    found: dict[uuid.UUID, list[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.thread_id, []).append(int.from_bytes(row.fingerprint[:8], "big", signed=True))
    return found


def _unit(stored: HalfVector) -> npt.NDArray[np.float32]:
    vector: npt.NDArray[np.float32] = stored.to_numpy().astype(np.float32)
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _row(step: StepContext, project: Project, message_keys: dict[uuid.UUID, list[int]]) -> dict[str, Any]:
    shared = {key for thread_id in project.thread_ids for key in message_keys.get(thread_id, ())}
    return {
        "project_id": project.project_id,
        "mailbox_id": step.mailbox_id,
        "name": project.name,
        "keywords": list(project.keywords),
        "people": list(project.people),
        "thread_count": len(project.thread_ids),
        "message_count": project.message_count,
        "first_at": project.first_at,
        "last_at": project.last_at,
        "message_keys": sorted(shared)[:MOST_MESSAGE_KEYS],
        "version": VERSION,
        "run_id": step.run_id,
    }
