"""What people answer with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Merge(BaseModel):
    """What ties two addresses together."""

    address: str
    other: str
    how: str = Field(
        description="organization (one name there), answered_from (a mail to the one was answered from the other), "
        "names_itself, phone, spelling (a bare address that spells the name), nickname (two forms of one given name), "
        "or same_mailbox (an address with a tag)."
    )


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
    replied_count: int = Field(description="Messages from them that the owner answered.")
    strength: float = Field(description="Strength of the relationship, 0-1.")
    strength_parts: dict[str, float] = Field(description="volume, recency and reciprocity, each 0-1.")
    merged_by: list[Merge] = Field(description="Why these addresses are one person's.")
    is_role: bool = Field(description="The address of a function, a list or a robot.")
    last_at: datetime = Field(description="Last message from or to them.")


class People(BaseModel):
    """One page of people."""

    items: list[Person]
    next_cursor: str | None
