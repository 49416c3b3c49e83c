"""What the inbox answers with."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from rl_emails_api.collaboration.schemas import Person
from rl_emails_api.schemas import Address, Category, Corrections, Needs

Order = Literal["priority", "date"]


class InboxItem(BaseModel):
    """One message, as a line of the inbox."""

    message_id: UUID
    thread_id: UUID
    from_: Address = Field(serialization_alias="from")
    subject: str = Field(examples=["Pier survey: can you sign off the revised quote?"])
    snippet: str = Field(description="The start of what was written, on one line.")
    received_at: datetime
    is_unread: bool = Field(description="Unread at the provider and not opened here.")
    labels: list[str] = Field(examples=[["INBOX", "UNREAD"]])
    category: Category | None = Field(description="As recorded; null while it is not classified.")
    needs: Needs | None = Field(description="What it needs from the owner; null while it is not classified.")
    urgency: str | None
    priority: float | None = Field(
        examples=[0.94], description="Score 0-1; null while it is not ranked (order=date shows those too)."
    )
    reasons: list[str] = Field(
        examples=[["You answered 9 of 10 of this sender's messages"]],
        description="Why it stands here, strongest first, as recorded.",
    )
    task_count: int = Field(description="Open tasks it proves.")
    has_attachments: bool
    is_done: bool = Field(description="Put out of the inbox here.")
    is_starred: bool = Field(description="Starred here.")
    snoozed_until: datetime | None = Field(description="Out of the inbox until then; null when it is not snoozed.")
    assigned_to: Person | None = Field(description="Who takes care of its conversation; null when it is nobody.")
    corrections: Corrections

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        """An item from a row of the inbox query."""
        values = dict(row)
        return cls(
            from_=Address(name=values.pop("from_name"), address=values.pop("from_address")),
            corrections=Corrections(
                importance=values.pop("corrected_importance"), category=values.pop("corrected_category")
            ),
            **values,
        )


class Inbox(BaseModel):
    """One page of the inbox."""

    items: list[InboxItem]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.")
    pending_count: int | None = Field(
        description="Stored and not ranked yet; they enter once they are. Counted for the first page only."
    )
