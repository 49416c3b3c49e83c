"""What the owner is told of what was learned."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

CorrectionState = Literal["waiting", "learned", "applied", "unchanged"]


class Moved(BaseModel):
    """A message that a model moved."""

    message_id: UUID
    subject: str
    from_address: str
    score_before: float
    score_after: float
    place_before: int = Field(description="Its place in the mailbox, from 1, before the model served.")
    place_after: int
    category_before: str
    category_after: str


class LearnedModel(BaseModel):
    """What the mailbox has of its own of one kind of model."""

    kind: str = Field(examples=["ranker"], description="ranker (importance) or classifier (categories).")
    state: str = Field(
        description="shared (what all share serves alone), waiting (made, and about to serve) or serving."
    )
    version: str | None = Field(description="As decisions name it; null while the shared one serves alone.")
    since: datetime | None = Field(description="Since when it serves.")
    applied_at: datetime | None = Field(description="When every message was decided with it; null until then.")
    reason: str = Field(description="Why it serves.")
    trained_from: dict[str, Any] = Field(description="Outcomes and corrections that it was made of.")
    comparison: dict[str, Any] | None = Field(
        description="What it was measured to be on the newest part of the history; null where there was too little."
    )
    moved_count: int = Field(description="Messages that it moved when it began to serve.")
    trained_at: datetime | None = Field(description="The last training, whatever came of it.")
    training_note: str = Field(
        description="What came of the last training: why there is no newer model, if there is none."
    )


class LearnedCorrection(BaseModel):
    """A correction, and what it changed."""

    feedback_id: UUID
    message_id: UUID
    from_address: str = Field(description="Whose mail was corrected.")
    kind: str = Field(description="importance or category.")
    value: str
    created_at: datetime
    state: CorrectionState = Field(
        description="waiting (no training has seen it), learned (a model serves, messages are being decided anew), "
        "applied (they are), unchanged (it was heard and no model changed; `reason` says why)."
    )
    reason: str = Field(description="Why nothing changed, or what the model that heard it does.")
    model_version: str | None = Field(description="The first model that heard it and served.")
    moved_count: int = Field(description="Messages from this sender that the model moved.")
    top: list[Moved] = Field(description="Those that moved farthest.")


class Learning(BaseModel):
    """What the owner's corrections changed, and the models that serve."""

    models: list[LearnedModel]
    corrections: list[LearnedCorrection] = Field(description="The latest, newest first.")
    top: list[Moved] = Field(description="The messages that the serving models moved farthest.")
