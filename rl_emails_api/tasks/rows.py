"""From a row of the queries to what is answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from rl_emails_api.schemas import Address, Task, TaskStep
from rl_emails_api.tasks.schemas import TaskItem

_STEP = {"message_id": "step_message_id", "at": "step_at", "how": "step_how", "evidence": "step_evidence"}
SECONDS_A_DAY = 86_400


def task_values(row: RowMapping) -> dict[str, Any]:
    """The fields of a Task; the step's columns put together."""
    values: dict[str, Any] = dict(row)
    step = {name: values.pop(column) for name, column in _STEP.items()}
    values["step"] = TaskStep(**step) if step["message_id"] is not None else None
    if values["waiting_on"] is None:
        values["waiting_since"] = None
    return values


def task(row: RowMapping) -> Task:
    """A task as it is answered with its message or project."""
    return Task(**task_values(row))


def task_item(row: RowMapping, as_of: datetime) -> TaskItem:
    """A task of the listing. How long somebody has waited and what is overdue are worked out here, from the clock of
    the request: stored they would be wrong the next day."""
    values = task_values(row)
    sender = Address(name=values.pop("from_name"), address=values.pop("from_address"))
    since, deadline = values["waiting_since"], values["deadline_at"]
    waited_days = None if since is None else round((as_of - since).total_seconds() / SECONDS_A_DAY, 3)
    is_overdue = values["status"] == "open" and deadline is not None and deadline < as_of
    return TaskItem(from_=sender, waited_days=waited_days, is_overdue=is_overdue, **values)
