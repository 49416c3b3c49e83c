"""What webhooks are made of."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.schemas import Plain

Event = Literal[
    "message.changed",
    "message.removed",
    "thread.changed",
    "thread.removed",
    "task.changed",
    "task.removed",
    "project.changed",
    "project.removed",
    "mailbox.changed",
    "mailbox.removed",
]
Url = Annotated[
    Plain,
    Field(
        max_length=2000,
        description="https, on the public internet; no name or password in it.",
        examples=["https://program.example.org/rl-emails"],
    ),
]
Events = Annotated[
    list[Event], Field(min_length=1, max_length=20, description="What to be told of.", examples=[["message.changed"]])
]
Description = Annotated[Plain, Field(max_length=200, description="What you call it.")]


class NewWebhook(BaseModel):
    """A webhook to be made."""

    url: Url
    events: Events
    description: Description = ""


class WebhookChange(BaseModel):
    """What is to be different; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    is_enabled: bool | None = Field(default=None, description="false sends nothing; true begins again.")


class Webhook(BaseModel):
    """Where a program of yours is told of changes."""

    webhook_id: UUID
    url: str
    description: str
    events: list[Event]
    is_enabled: bool
    disabled_reason: str = Field(description="Why nothing is sent; '' while it is.")
    failing_since: datetime | None = Field(description="The first failure after the last success.")
    delivered_at: datetime | None = Field(description="The last success.")
    created_at: datetime


class MadeWebhook(Webhook):
    """A new webhook, with what is shown this once."""

    secret: str = Field(
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        description="Verifies `webhook-signature` (Standard Webhooks). It is not shown again.",
    )


class Webhooks(BaseModel):
    """Your webhooks, oldest first."""

    items: list[Webhook]


class Delivery(BaseModel):
    """One message to a webhook."""

    delivery_id: UUID = Field(description="The header `webhook-id`, the same in every attempt.")
    state: Literal["waiting", "delivered", "dead"] = Field(description="dead: given up; it can be sent again.")
    attempts: int
    status: int | None = Field(description="The last answer's HTTP status.")
    error: str | None = Field(description="Why the last attempt failed.")
    payload: dict[str, Any]
    next_at: datetime | None = Field(description="When it is tried next, while it waits.")
    created_at: datetime
    ended_at: datetime | None


class Deliveries(BaseModel):
    """The latest deliveries, newest first."""

    items: list[Delivery]
