"""What a conversation answers with."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from rl_emails_api.collaboration.schemas import Note, Person
from rl_emails_api.schemas import Address, Category, Needs


class ThreadMessage(BaseModel):
    """A message of the conversation; /v1/messages/{message_id} has all of it."""

    message_id: UUID
    from_: Address = Field(serialization_alias="from")
    to: list[Address]
    cc: list[Address]
    subject: str
    snippet: str
    received_at: datetime
    new_text: str = Field(description="What the sender wrote this time; at most 20,000 characters.")
    is_cut: bool = Field(description="`new_text` is longer than that.")
    is_from_owner: bool
    is_unread: bool
    category: Category | None
    needs: Needs | None
    priority: float | None

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        """A message from a row of the thread's query."""
        values = dict(row)
        return cls(from_=Address(name=values.pop("from_name"), address=values.pop("from_address")), **values)


class Thread(BaseModel):
    """A conversation."""

    thread_id: UUID
    subject: str
    message_count: int
    participants: list[str]
    first_at: datetime
    last_at: datetime
    priority: float | None = Field(description="The highest score of its messages after the owner's last one.")
    project_id: UUID | None
    project_name: str | None
    assigned_to: Person | None = Field(description="Who takes care of it; null when it is nobody.")
    messages: list[ThreadMessage] = Field(description="The latest 200 at most, oldest first.")
    notes: list[Note] = Field(description="Internal notes: the latest 100 at most, oldest first.")
