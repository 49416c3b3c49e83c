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
    open_task_count: int = Field(description="Tasks in its conversations that are not done.")
    deadlines: list[datetime] = Field(description="The deadlines of these tasks, earliest first, at most 20.")


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


class OtherMailbox(BaseModel):
    """The same project in another mailbox of the organization, known by messages that both mailboxes have."""

    mailbox_id: UUID
    address: str
    project_id: UUID
    name: str = Field(description="What it is called there.")
    shared_message_count: int = Field(description="Messages that are in both.")


class Project(ProjectItem):
    """A project with its conversations and tasks."""

    threads: list[ProjectThread] = Field(description="The latest 200 at most, latest first.")
    tasks: list[Task] = Field(description="Tasks that its messages prove, by deadline.")
    also_in: list[OtherMailbox] = Field(description="Where else it is, most shared messages first.")
