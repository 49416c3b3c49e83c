"""What exports and erasures are asked with, and what receipts say."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Kind = Literal["mailbox", "person"]
AddressText = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00@]+@[^\s\x00@]+$", max_length=320, to_lower=True, strip_whitespace=True)
]


class ExportRequest(BaseModel):
    """What to export."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(description="mailbox: all of one mailbox. person: what concerns one address in your mailboxes.")
    address: AddressText = Field(description="The mailbox's address, or the person's.", examples=["ada@example.org"])


class EraseRequest(BaseModel):
    """What to erase."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field(
        description="mailbox: the mailbox, its grant and all made of it. person: every message from, to or naming "
        "them, and, for a member, all that is theirs."
    )
    address: AddressText = Field(description="The mailbox's address, or the person's.", examples=["ada@example.org"])
    confirmation: Annotated[str, StringConstraints(max_length=320)] = Field(
        description="The same address, typed again: what is erased does not come back.", examples=["ada@example.org"]
    )
    everywhere: bool = Field(
        default=False,
        description="For a person: in every mailbox of the organization, not only in your own. Administrators only.",
    )


class Kept(BaseModel):
    """Something that an erasure leaves."""

    what: str
    why: str


class Receipt(BaseModel):
    """What an erasure removed. It does not name whom it was about."""

    receipt_id: UUID
    kind: Kind
    state: Literal["waiting", "running", "done", "incomplete"] = Field(
        description="incomplete: it ended, and `left` says where something still names them."
    )
    asked_by: UUID | None = Field(description="The person who asked; null for the command line.")
    asked_at: datetime
    finished_at: datetime | None
    mailbox_id: UUID | None = Field(description="The mailbox that was erased; null for a person.")
    subject_hash: str = Field(description="scrypt (n 16384, r 8, p 1, 32 bytes) of the address in lower case; hex.")
    subject_salt: str = Field(description="The salt of that hash, hexadecimal.")
    removed: dict[str, int] = Field(description="Rows removed, by table.", examples=[{"raw.messages": 12}])
    kept: list[Kept] = Field(description="What stays, and why.")
    left: dict[str, int] = Field(description="Rows that still name them, by table; empty when all went well.")
    outcome: dict[str, str] = Field(description="For a mailbox: what became of the watch and the grant.")
    error: str | None = Field(description="What stopped the last attempt; it is tried again. Null when nothing did.")


class Receipts(BaseModel):
    """A page of receipts, the latest first."""

    items: list[Receipt]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")
