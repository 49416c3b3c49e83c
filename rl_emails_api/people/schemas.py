"""What people answer with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Person(BaseModel):
    """A person behind one or more addresses."""

    person_id: UUID
    name: str
    addresses: list[str] = Field(description="Most used first.")
    organization: str
    title: str
    phone: str
    received_count: int = Field(description="Messages received from them.")
    sent_count: int = Field(description="Messages the owner sent to them.")
    strength: float = Field(description="Strength of the relationship, 0-1.")
    last_at: datetime = Field(description="Last message from or to them.")


class People(BaseModel):
    """One page of people."""

    items: list[Person]
    next_cursor: str | None
