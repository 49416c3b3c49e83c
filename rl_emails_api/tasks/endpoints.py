"""GET /v1/tasks and POST /v1/tasks/{task_id}/status."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from rl_emails_api.feedback import queries as feedback
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.problems import not_found
from rl_emails_api.schemas import Address, Task, TaskOwner, TaskStatus, When
from rl_emails_api.tasks import queries
from rl_emails_api.tasks.schemas import TaskItem, Tasks, TaskStatusChange
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["tasks"])

_KEY: TypeAdapter[tuple[When | None, float, UUID]] = TypeAdapter(tuple[When | None, float, UUID])


@router.get("/v1/tasks", summary="What is to be done, by deadline")
def get_tasks(
    *,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    status: Annotated[TaskStatus | None, Query(description="open or done; everything unless given.")] = None,
    owner: Annotated[TaskOwner | None, Query(description="Who does it.")] = None,
    due_before: Annotated[When | None, Query(description="Only deadlines before this time.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Tasks:
    """Tasks with the sentence that proves each: by deadline (none last), then priority of the message, then id."""
    rows = queries.listed(
        transaction,
        mailbox.mailbox_id,
        status=status,
        owner=owner,
        due_before=due_before,
        after=decode_cursor(cursor, "deadline", _KEY),
        limit=limit + 1,
    )
    items = []
    for row in rows[:limit]:
        values = dict(row)
        sender = Address(name=values.pop("from_name"), address=values.pop("from_address"))
        items.append(TaskItem(from_=sender, **values))
    next_cursor = None
    if len(rows) > limit:
        last = items[-1]
        next_cursor = encode_cursor("deadline", (last.deadline_at, last.priority or 0.0, last.task_id))
    return Tasks(items=items, next_cursor=next_cursor)


@router.post("/v1/tasks/{task_id}/status", summary="Mark a task done or open")
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
    return Task(**{**recorded, "status": change.status})
