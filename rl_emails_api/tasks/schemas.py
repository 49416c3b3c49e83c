"""What tasks answer with."""

from datetime import datetime

from pydantic import BaseModel, Field

from rl_emails_api.schemas import Address, Task, TaskStatus


class TaskItem(Task):
    """A task, with the message that proves it."""

    subject: str
    from_: Address = Field(serialization_alias="from")
    received_at: datetime
    priority: float | None = Field(description="Score of the message; null while it is not ranked.")
    waiting_with_name: str = Field(description="The name of the other person, or ''.")
    waited_days: float | None = Field(description="How long one has waited, by the clock of the request.")
    is_overdue: bool = Field(description="Open, and its deadline has passed by the clock of the request.")


class Tasks(BaseModel):
    """One page of tasks."""

    items: list[TaskItem]
    next_cursor: str | None


class TaskStatusChange(BaseModel):
    """The owner's word on a task."""

    status: TaskStatus
