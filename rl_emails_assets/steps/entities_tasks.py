"""entities.messages and entities.tasks: the deadlines and tasks of each message, with the sentences that prove them.

How each task stands after the last message of its conversation follows in entities.task_progress: a row there depends
on the message, its conversation and nothing else. What is found here depends on the message alone, as a score must.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import entities
from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.extraction.deadlines import Deadline, find_deadlines
from rl_emails_assets.extraction.questions import find_questions
from rl_emails_assets.extraction.signatures import signature_facts
from rl_emails_assets.extraction.tasks import TaskInput, find_tasks
from rl_emails_assets.mail.dates import in_senders_zone
from rl_emails_assets.mail.message import Address, CalendarEvent
from rl_emails_assets.steps import entities_task_progress
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.steps.per_message import count, run_per_message
from rl_emails_assets.steps.records import as_row, inputs_hash

VERSION = "3"
MARKETING = frozenset({"newsletter", "promotion", "social", "suspicious"})
MODEL_VERSION = f"extraction-rules/{VERSION}"

_INPUTS = text(
    """
    select m.message_id, m.thread_id, m.subject, m.new_text, m.from_name, m.from_address, m."to", m.cc,
           m.signature, m.headers, m.sent_at, m.received_at, m.calendar, s.is_from_owner, c.category, c.needs
    from mail.messages m
    join signals.messages s using (message_id)
    join classifications.messages c using (message_id)
    where m.message_id = any(:ids)
    """
)
# The names are those of the connection. What correspondents call the owner changes as mail comes in, and a task that
# changes hands by later mail would change its message's score; how a message itself names the owner is read from it.
_OWNER = text(
    """
    select array(select a.address from mailboxes.aliases a where a.mailbox_id = c.mailbox_id order by 1) as addresses,
           array_remove(array[c.display_name], '') as names
    from mailboxes.connections c where c.mailbox_id = :mailbox_id
    """
)


def run(step: StepContext) -> StepResult:
    """Look for deadlines and tasks in the messages that were not looked at by this version, then follow the tasks whose
    conversations changed."""
    with step.engine.connect() as connection:
        owner = connection.execute(_OWNER, {"mailbox_id": step.mailbox_id}).one()
    write = partial(_extract_batch, step, _Owner(tuple(dict.fromkeys(owner.names)), tuple(owner.addresses)))
    found = run_per_message(step, entities.messages, VERSION, write)
    followed = entities_task_progress.run(step)
    found.counts |= followed.counts
    found.seconds += followed.seconds
    return found


@dataclass(frozen=True, slots=True)
class _Owner:
    names: tuple[str, ...]
    addresses: tuple[str, ...]


def _extract_batch(
    step: StepContext, owner: _Owner, connection: Connection, ids: list[uuid.UUID], result: StepResult
) -> None:
    messages: list[dict[str, Any]] = []
    threads: set[uuid.UUID] = set()
    tasks: list[dict[str, Any]] = []
    for row in connection.execute(_INPUTS, {"ids": ids}):
        threads.add(row.thread_id)
        inputs = _input(row, owner)
        decided = {
            "model_version": MODEL_VERSION,
            "inputs_hash": inputs_hash(inputs),
            "version": VERSION,
            "run_id": step.run_id,
        }
        # What marketing is "only until Friday" is nobody's deadline.
        deadlines = () if row.category in MARKETING else find_deadlines(row.new_text, inputs.written_at)
        found = _tasks(row, inputs)
        tasks.extend(task | {"mailbox_id": step.mailbox_id} | decided for task in found)
        facts = signature_facts(row.signature, row.from_name)
        messages.append(
            {
                "message_id": row.message_id,
                "mailbox_id": step.mailbox_id,
                "deadlines": [_deadline_row(deadline) for deadline in deadlines],
                "signature_facts": {name: value for name, value in as_row(facts).items() if value},
                "task_count": sum(task["kind"] != "question" for task in found),
                **decided,
            }
        )
    bulk.replace_rows(connection, entities.messages, "message_id", messages)
    bulk.delete_rows(connection, entities.tasks, "message_id", ids)
    bulk.copy_rows(connection, entities.tasks, tasks)
    entities_task_progress.mark_stale(connection, threads)
    count(result, "tasks", len(tasks))


def _tasks(row: Any, inputs: TaskInput) -> list[dict[str, Any]]:
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    found = find_tasks(inputs)
    for task in (*found, *find_questions(inputs, found)):
        # The same words in the same message are the same task, so that the owner's word on it outlives a recomputation.
        task_id = uuid.uuid5(ID_NAMESPACE, f"{row.message_id}/{task.kind}/{task.evidence}/{task.description}")
        rows[task_id] = {
            "task_id": task_id,
            "message_id": row.message_id,
            "thread_id": row.thread_id,
            "kind": task.kind,
            "description": task.description,
            "owner": task.owner,
            "owner_address": task.owner_address,
            "deadline_at": task.deadline.at if task.deadline else None,
            "deadline_text": task.deadline.text if task.deadline else "",
            "evidence": task.evidence,
            "confidence": task.confidence,
            "evidence_start": task.evidence_start,
            "evidence_end": task.evidence_end,
        }
    return list(rows.values())


def _input(row: Any, owner: _Owner) -> TaskInput:
    return TaskInput(
        new_text=row.new_text,
        subject=row.subject,
        from_name=row.from_name,
        from_address=row.from_address,
        to=tuple(Address(**address) for address in row.to),
        cc=tuple(Address(**address) for address in row.cc),
        owner_names=owner.names,
        owner_addresses=owner.addresses,
        is_from_owner=row.is_from_owner,
        written_at=in_senders_zone(row.headers.get("date", ""), row.sent_at or row.received_at),
        category=row.category,
        needs=row.needs,
        calendar=_calendar(row.calendar),
    )


def _deadline_row(deadline: Deadline) -> dict[str, Any]:
    times = {
        name: at.isoformat() if at else None for name, at in (("at", deadline.at), ("begins_at", deadline.begins_at))
    }
    return as_row(deadline) | times


def _calendar(event: dict[str, Any] | None) -> CalendarEvent | None:
    if event is None:
        return None
    times = {name: datetime.fromisoformat(event[name]) if event[name] else None for name in ("starts_at", "ends_at")}
    return CalendarEvent(**(event | times))
