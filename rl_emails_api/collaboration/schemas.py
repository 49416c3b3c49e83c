"""What assignments and notes are asked and answered with."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from rl_emails_assets.db.tables.collaboration import NOTE_CHARACTERS

NoteText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_CHARACTERS, pattern=r"^[^\x00]*$")
]


class Person(BaseModel):
    """A member of the organization, as colleagues see them."""

    user_id: UUID
    display_name: str = Field(description="Their name, else their address; '' when they have left.")


class Assignment(BaseModel):
    """Who takes care of a conversation."""

    thread_id: UUID
    user_id: UUID | None = Field(description="The member; null when it is nobody.")
    display_name: str = Field(description="Their name, else their address; '' when it is nobody.")
    assigned_by: UUID | None = Field(description="Who said so; null when it is nobody, or they are gone.")
    assigned_at: datetime | None = Field(description="Since when; null when it is nobody.")


class AssignmentChange(BaseModel):
    """Who is to take care of it, and who did before."""

    user_id: UUID | None = Field(description="A member who sees the mailbox; null for nobody.")
    was: UUID | None = Field(
        default=None,
        description="Who had it when you looked; null for nobody. When somebody else has it by now the answer is 409. "
        "Left out, only what is nobody's or your own changes hands.",
    )


class Note(BaseModel):
    """An internal note on a conversation. It is part of no mail."""

    note_id: UUID
    thread_id: UUID
    author: Person | None = Field(description="Who wrote it; null when they are gone.")
    text: str = Field(examples=["I have asked Tomas for the old quote; please wait."])
    created_at: datetime
    edited_at: datetime | None = Field(description="When its author last changed it; null while it is as written.")
    is_yours: bool = Field(description="You wrote it, and may change it.")


class Notes(BaseModel):
    """One page of a conversation's notes, oldest first."""

    items: list[Note]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.")


class NoteChange(BaseModel):
    """What a note says."""

    text: NoteText
