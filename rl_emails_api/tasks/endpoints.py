"""GET /v1/tasks and POST /v1/tasks/{task_id}/status."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from rl_emails_api.feedback import queries as feedback
from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.problems import not_found
from rl_emails_api.schemas import Task, TaskOwner, TaskStatus, WaitingOn, When
from rl_emails_api.tasks import queries
from rl_emails_api.tasks.rows import task, task_item
from rl_emails_api.tasks.schemas import Tasks, TaskStatusChange
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["tasks"])

_KEY: TypeAdapter[tuple[When | None, float, UUID]] = TypeAdapter(tuple[When | None, float, UUID])
_SINCE: TypeAdapter[tuple[When, UUID]] = TypeAdapter(tuple[When, UUID])


@router.get("/v1/tasks", summary="What is to be done, by deadline", dependencies=[needs("mail:read")])
def get_tasks(
    *,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    status: Annotated[TaskStatus | None, Query(description="open or done; everything unless given.")] = None,
    owner: Annotated[TaskOwner | None, Query(description="Who does it.")] = None,
    waiting: Annotated[
        WaitingOn | None,
        Query(description="them: what the owner waits for; me: who waits for the owner. Questions too, longest first."),
    ] = None,
    as_of: Annotated[
        When | None, Query(description="The clock of is_overdue and waited_days; now unless given.")
    ] = None,
    due_before: Annotated[When | None, Query(description="Only deadlines before this time.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Tasks:
    """Tasks with the sentence that proves each: by deadline (none last), then priority of the message, then id.

    Questions, which ask for nothing but an answer, are listed among what is waited for only.
    """
    rows = queries.listed(
        transaction,
        mailbox.mailbox_id,
        chosen=queries.Chosen(status=status, owner=owner, due_before=due_before, waiting=waiting),
        after=None if waiting else decode_cursor(cursor, "deadline", _KEY),
        after_since=decode_cursor(cursor, "since", _SINCE) if waiting else None,
        limit=limit + 1,
    )
    clock = as_of or datetime.now(UTC)
    items = [task_item(row, clock) for row in rows[:limit]]
    next_cursor = None
    if len(rows) > limit:
        last = items[-1]
        next_cursor = (
            encode_cursor("since", (last.waiting_since, last.task_id))
            if waiting
            else encode_cursor("deadline", (last.deadline_at, last.priority or 0.0, last.task_id))
        )
    return Tasks(items=items, next_cursor=next_cursor)


@router.post("/v1/tasks/{task_id}/status", summary="Mark a task done or open", dependencies=[needs("mail:write")])
def post_task_status(transaction: Transaction, mailbox: ChosenMailbox, task_id: UUID, change: TaskStatusChange) -> Task:
    """Stores the owner's word and, as a correction to learn from, what the record said."""
    recorded = queries.by_id(transaction, mailbox.mailbox_id, task_id)
    if recorded is None:
        raise not_found("task")
    queries.set_status(transaction, mailbox.mailbox_id, task_id, change.status)
    feedback.add(
        transaction,
        mailbox.mailbox_id,
        recorded["message_id"],
        kind="task_status",
        value=change.status,
        task_id=task_id,
        was=feedback.record(
            recorded, ("status", "kind", "description", "owner", "deadline_at", "evidence", "confidence")
        ),
    )
    return task(queries.of_ids(transaction, mailbox.mailbox_id, [task_id])[0])
