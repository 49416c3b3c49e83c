"""What corrections are made of."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.schemas import Category, Importance


class ImportanceCorrection(BaseModel):
    """The message is or is not important."""

    kind: Literal["importance"]
    value: Importance


class CategoryCorrection(BaseModel):
    """The message is of another category."""

    kind: Literal["category"]
    value: Category


Correction = Annotated[ImportanceCorrection | CategoryCorrection, Field(discriminator="kind")]


class Feedback(BaseModel):
    """A stored correction."""

    feedback_id: UUID
    message_id: UUID
    task_id: UUID | None = None
    kind: str = Field(description="importance, category or task_status.")
    value: str
    was: dict[str, Any] = Field(description="What the decision record said then; empty if there was none yet.")
    created_at: datetime
