"""The values that several features answer with, and the words they use."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from rl_emails_assets.db.tables.classifications import Category as Category
from rl_emails_assets.db.tables.classifications import Needs as Needs

Importance = Literal["important", "not_important"]
TaskStatus = Literal["open", "done"]
TaskOwner = Literal["me", "them", "someone_else"]
TaskKind = Literal["request", "promise", "question"]
TaskState = Literal["open", "promised", "asked_back", "closed"]
WaitingOn = Literal["me", "them"]

# Postgres text holds no NUL.
Plain = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
When = AwareDatetime


class Address(BaseModel):
    """A person as one header names them."""

    name: str = Field(description="As written, or ''.", examples=["Ada Lovelace"])
    address: str = Field(description="Lower case, or ''.", examples=["ada@example.org"])


class Corrections(BaseModel):
    """What the owner said; the decision record stays as it was."""

    importance: Importance | None = Field(default=None, description="The owner's last word on its importance.")
    category: Category | None = Field(default=None, description="The owner's last word on its category.")


class Recorded(BaseModel):
    """Where a computed row came from."""

    model_config = ConfigDict(extra="allow")

    version: str = Field(description="Version of the code and rules that computed the row.")
    is_stale: bool = Field(description="An input changed since; the next run computes it again.")
    run_id: str = Field(description="The Dagster run that wrote the row.")
    run_url: str | None = Field(description="That run in the Dagster UI.")
    computed_at: datetime = Field(description="When the row was written.")


class Decided(Recorded):
    """Where a decision came from (promise 4 of DESIGN.md)."""

    model_version: str = Field(description="The trained model or rule set that decided.")
    inputs_hash: str = Field(description="Hash of everything the decision was made from, hexadecimal.")
    cost_usd: float = Field(description="What the decision cost.")


class TaskStep(BaseModel):
    """The message that changed how a task stands."""

    message_id: UUID
    at: datetime
    how: str = Field(
        description="answered, delivered, done, done_by_other, accepted, withdrawn, declined, promised, asked_back, "
        "answered_back or reopened."
    )
    evidence: str = Field(description="The sentence that says so; '' for a file.")


class Task(BaseModel):
    """Something to be done, with the sentence that proves it."""

    task_id: UUID
    message_id: UUID = Field(description="The message that proves it.")
    thread_id: UUID
    kind: TaskKind = Field(description="request (of somebody), promise (somebody will do it) or question.")
    description: str = Field(examples=["Approve the revised quote"])
    owner: str = Field(description="Who does it: me, them, someone_else.")
    owner_address: str
    deadline_at: datetime | None = Field(description="By when; null when nothing is said.")
    deadline_text: str = Field(description="The words that say by when, or ''.")
    evidence: str = Field(
        examples=["Please send me your approval before noon on 24 March."],
        description="The sentence that proves it, as written.",
    )
    evidence_start: int | None = Field(description="Where it begins in the new text; null when it is the subject.")
    evidence_end: int | None = Field(description="Where it ends in the new text.")
    confidence: float = Field(description="Probability (0-1) that it is a task.")
    status: TaskStatus = Field(description="The owner's word; else done when the conversation has closed it.")
    status_by: Literal["owner", "conversation"] | None = Field(description="Who said so; null while nobody has.")
    state: TaskState = Field(description="How it stands after the last message of its conversation.")
    step: TaskStep | None = Field(description="The message that brought it there; null while none has.")
    waiting_on: WaitingOn | None = Field(description="Who has to act: me, or them; null when nobody waits.")
    waiting_with: str = Field(description="The address of the other person, or ''.")
    waiting_since: datetime | None = Field(description="Since when one waits.")


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as recorded, with bytes as hexadecimal, so that it can be answered."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
