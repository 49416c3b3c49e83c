"""entities.task_progress: how each task stands after the last message of its conversation.

A conversation is followed as a whole again when a message of it was looked at, moved or removed. The rows depend on the
conversation and nothing else, and on no clock: a late message, a crash or another order of arrival ends in the same
rows.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.pending import batches
from rl_emails_assets.db.tables import entities
from rl_emails_assets.extraction.following import Progress as TaskProgress
from rl_emails_assets.extraction.following import ThreadMessage, ThreadTask, follow_thread
from rl_emails_assets.extraction.reply_reading import MAX_CHARS
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.records import as_row

VERSION = "1"
NAME = "entities.task_progress"
MACHINES = ("newsletter", "promotion", "notification", "receipt", "social", "automatic", "suspicious")
"""Categories of mail that answers nobody."""

# A conversation that merged into another, or whose messages all went, leaves rows behind.
_FORGET = text(
    """
    delete from entities.task_progress p
    where p.mailbox_id = :mailbox_id
      and not exists (select from entities.tasks t where t.task_id = p.task_id and t.thread_id = p.thread_id)
    """
)
_PENDING = text(
    """
    select t.thread_id
    from entities.tasks t
    left join entities.task_progress p
      on p.task_id = t.task_id and p.thread_id = t.thread_id and p.version = :version and not p.is_stale
    where t.mailbox_id = :mailbox_id and p.task_id is null
    group by t.thread_id
    order by t.thread_id
    """
)
_TASKS = text(
    """
    select t.thread_id, t.task_id, t.message_id, t.kind, t.owner, t.owner_address, t.description
    from entities.tasks t
    where t.mailbox_id = :mailbox_id and t.thread_id = any(:threads)
    order by t.thread_id, t.message_id, t.evidence_start nulls first, t.task_id
    """
)
_MESSAGES = text(
    f"""
    select m.thread_id, m.message_id, m.received_at, m.from_address, m.from_name, left(m.new_text, {MAX_CHARS}) as text,
           s.is_from_owner, s.attachment_count > 0 as has_attachment,
           c.category = any(:machines) or s.is_automatic as is_machine,
           array(select p.address from mail.participants p
                 where p.message_id = m.message_id and p.role in ('to', 'cc')) as recipients
    from mail.messages m
    join signals.messages s using (message_id)
    join classifications.messages c using (message_id)
    where m.mailbox_id = :mailbox_id and m.thread_id = any(:threads) and m.duplicate_of is null
    """  # noqa: S608 - a constant of ours
)
_OWNERS = text("select address from mailboxes.aliases where mailbox_id = :mailbox_id")


def mark_stale(connection: Connection, threads: Iterable[uuid.UUID]) -> None:
    """Say that these conversations have changed: their tasks are followed again."""
    connection.execute(
        text("update entities.task_progress set is_stale = true where thread_id = any(:threads) and not is_stale"),
        {"threads": list(threads)},
    )


def run(step: StepContext) -> StepResult:
    """Follow the tasks that were never followed, or whose conversation changed."""
    result = StepResult()
    # The lock of the step that writes tasks: none is written between the reading of a conversation and its rows.
    with timed(result), step.alone("entities.messages"):
        parameters = {"mailbox_id": step.mailbox_id, "version": VERSION}
        with step.commit() as connection:
            connection.execute(_FORGET, parameters)
            pending = list(connection.execute(_PENDING, parameters).scalars())
            owners = frozenset(connection.execute(_OWNERS, parameters).scalars())
        done = closed = 0
        for threads in batches(pending, step.settings.batch_size):
            with step.commit() as connection:
                rows = _follow(step, connection, threads, owners)
                bulk.delete_rows(connection, entities.task_progress, "thread_id", threads)
                result.row_count += bulk.copy_rows(connection, entities.task_progress, rows)
            done += len(threads)
            closed += sum(row["state"] == "closed" for row in rows)
            step.report(Progress(NAME, done, len(pending), "threads"))
        result.counts = {"tasks_followed": result.row_count, "tasks_closed": closed}
    return result


def _follow(
    step: StepContext, connection: Connection, threads: list[uuid.UUID], owners: frozenset[str]
) -> list[dict[str, Any]]:
    parameters = {"mailbox_id": step.mailbox_id, "threads": threads, "machines": list(MACHINES)}
    tasks: dict[uuid.UUID, list[ThreadTask]] = defaultdict(list)
    for row in connection.execute(_TASKS, parameters):
        tasks[row.thread_id].append(
            ThreadTask(row.task_id, row.message_id, row.kind, row.owner, row.owner_address, row.description)
        )
    messages: dict[uuid.UUID, list[ThreadMessage]] = defaultdict(list)
    for row in connection.execute(_MESSAGES, parameters):
        messages[row.thread_id].append(
            ThreadMessage(
                message_id=row.message_id,
                at=row.received_at,
                from_address=row.from_address,
                from_name=row.from_name,
                is_from_owner=row.is_from_owner,
                recipients=frozenset(row.recipients),
                new_text=row.text,
                has_attachment=row.has_attachment,
                is_machine=row.is_machine,
            )
        )
    return [
        _row(step, thread_id, progress)
        for thread_id in threads
        for progress in follow_thread(messages[thread_id], tasks[thread_id], owners)
    ]


def _row(step: StepContext, thread_id: uuid.UUID, progress: TaskProgress) -> dict[str, Any]:
    return as_row(progress) | {
        "mailbox_id": step.mailbox_id,
        "thread_id": thread_id,
        "version": VERSION,
        "run_id": step.run_id,
    }
