"""What is asked and answered when something is done with messages."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from rl_emails_api.schemas import When

Action = Literal["done", "not_done", "read", "unread", "snooze", "unsnooze", "star", "unstar"]
MAX_MESSAGES = 200


class MessageActions(BaseModel):
    """One action, on many messages."""

    action: Action = Field(
        description="done takes a message out of the inbox and ends its snooze; snooze takes it out until `until` and "
        "makes it open again; read, unread, star and unstar say what they do."
    )
    message_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_MESSAGES)]
    until: When | None = Field(default=None, description="For snooze, and only for it: when it comes back.")

    @model_validator(mode="after")
    def _until_belongs_to_snooze(self) -> Self:
        if (self.until is not None) != (self.action == "snooze"):
            raise ValueError("`until` is given with snooze, and with nothing else")
        return self


class ActionOutcome(BaseModel):
    """What became of each message."""

    changed: list[UUID] = Field(description="It is so now, and was not before.")
    unchanged: list[UUID] = Field(description="It was so already.")
    not_found: list[UUID] = Field(description="There is no such message in any mailbox that you may see.")
