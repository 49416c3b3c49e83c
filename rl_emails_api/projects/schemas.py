"""What projects answer with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.schemas import Address, Task


class ProjectItem(BaseModel):
    """Conversations that belong together."""

    project_id: UUID
    name: str
    keywords: list[str] = Field(description="The words that set it apart.")
    people: list[Address] = Field(description="Who is most active in it.")
    thread_count: int
    message_count: int
    first_at: datetime
    last_at: datetime


class Projects(BaseModel):
    """One page of projects."""

    items: list[ProjectItem]
    next_cursor: str | None


class ProjectThread(BaseModel):
    """A conversation of a project."""

    thread_id: UUID
    subject: str
    message_count: int
    last_at: datetime
    last_message_id: UUID
    priority: float | None


class Project(ProjectItem):
    """A project with its conversations and tasks."""

    threads: list[ProjectThread] = Field(description="The latest 200 at most, latest first.")
    tasks: list[Task] = Field(description="Tasks that its messages prove, by deadline.")
