"""What one message answers with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from rl_emails_api.feedback.schemas import Feedback
from rl_emails_api.schemas import Address, Category, Corrections, Decided, Needs, Recorded, Task


class AttachmentItem(BaseModel):
    """A part that is not the body."""

    part_path: str = Field(description="Its place in the MIME tree; names it in /attachments/{part_path}.")
    filename: str
    content_type: str = Field(description="As declared by the sender; downloads never use it.")
    size_bytes: int
    is_inline: bool


class Defect(BaseModel):
    """Something that was wrong with the bytes, and what was done about it."""

    code: str
    detail: str


class Message(BaseModel):
    """A message, taken apart."""

    message_id: UUID
    thread_id: UUID
    duplicate_of: UUID | None = Field(description="The stored message that this one repeats.")
    rfc822_message_id: str
    in_reply_to: str
    from_: Address = Field(serialization_alias="from")
    reply_to: list[Address]
    to: list[Address]
    cc: list[Address]
    bcc: list[Address]
    subject: str
    received_at: datetime
    sent_at: datetime | None
    labels: list[str]
    is_unread: bool
    is_done: bool = Field(description="Put out of the inbox here.")
    is_starred: bool = Field(description="Starred here.")
    snoozed_until: datetime | None = Field(description="Out of the inbox until then; null when it is not snoozed.")
    new_text: str = Field(description="What the sender wrote this time.")
    quoted_text: str = Field(description="What was cut from it as quoted.")
    signature: str
    is_html_only: bool = Field(description="There was no plain text; the text zones were made from HTML.")
    html: str = Field(description="Sanitized HTML without remote content; '' when there is none.")
    blocked_count: int = Field(description="Remote images and styles that were left out of it.")
    tracker_count: int = Field(description="Those of them that only tell the sender of the opening; never loaded.")
    attachments: list[AttachmentItem]
    calendar: dict[str, Any] | None = Field(description="The invitation it carries, if it does.")
    headers: dict[str, str]
    defects: list[Defect]
    size_bytes: int
    category: Category | None
    needs: Needs | None
    urgency: str | None
    handler: str | None
    priority: float | None
    reasons: list[str]
    tasks: list[Task]
    corrections: Corrections


class ReadState(BaseModel):
    """Whether the message counts as read here."""

    is_read: bool = Field(default=True, description="false makes it unread again.")


class Contribution(BaseModel):
    """What one feature added to the score."""

    model_config = ConfigDict(extra="allow")

    feature: str
    value: Any = Field(description="The feature's value for this message.")
    log_odds: float = Field(description="What it added; the base and all of these are the score's log odds.")


class PriorityRecord(Decided):
    """The row of priorities.messages."""

    score: float
    base_log_odds: float
    contributions: list[Contribution]
    reasons: list[str]
    reasons_against: list[str] = Field(description="Why it is not higher: the strongest signs against it, in words.")


class EvidenceItem(BaseModel):
    """One thing a verdict rests on."""

    model_config = ConfigDict(extra="allow")

    supports: str = Field(description="The part of the verdict: category, needs, urgency, handler.")
    source: str = Field(description="Where it was seen.")
    quote: str
    weight: float = Field(description="Log odds for that part; 0 for a rule that decides alone.")


class VerdictRecord(Decided):
    """The row of classifications.messages."""

    category: Category
    needs: Needs
    urgency: str
    handler: str
    confidence: float
    evidence: list[EvidenceItem]


class ExtractionRecord(Decided):
    """The row of entities.messages."""

    deadlines: list[dict[str, Any]]
    signature_facts: dict[str, Any]
    task_count: int


class TaskRecord(Decided):
    """A row of entities.tasks."""

    task_id: UUID
    kind: str
    description: str
    owner: str
    deadline_at: datetime | None
    evidence: str
    evidence_start: int | None
    evidence_end: int | None
    confidence: float
    state: str | None = Field(description="How it stands after the last message of its conversation.")
    step_how: str | None
    step_message_id: UUID | None = Field(description="The message that brought it there.")
    step_evidence: str | None
    waiting_on: str | None


class SignalsRecord(Recorded):
    """The row of signals.messages; every feature is a field of its own."""


class EmbeddingRecord(Recorded):
    """The row of embeddings.messages without the vector."""

    model: str
    precision: str
    text_hash: str


class Explanation(BaseModel):
    """The record of what was decided about a message; nothing in it is worked out again."""

    message_id: UUID
    priority: PriorityRecord | None
    verdict: VerdictRecord | None
    extraction: ExtractionRecord | None
    tasks: list[TaskRecord]
    signals: SignalsRecord | None
    embedding: EmbeddingRecord | None
    corrections: list[Feedback] = Field(description="What the owner said about it, newest first.")
