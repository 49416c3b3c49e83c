"""What the audit log answers with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class AuditEvent(BaseModel):
    """Something that was done."""

    audit_event_id: UUID
    created_at: datetime = Field(description="When.")
    action: str = Field(
        description="What, as noun.verb; docs/reference/audit.md lists them.", examples=["person.erased"]
    )
    target: str = Field(description="The id of what it was done to, or ''.")
    user_id: UUID | None = Field(description="Who; null for the system and the command line.")
    credential: str = Field(description="How they came in: local, session, token, api_key or system.")
    client: str = Field(description="The network address it came from, or ''.", examples=["127.0.0.1"])
    request_id: str = Field(description="The request, as in the server's log, or ''.")
    details: dict[str, Any] = Field(description="Numbers, ids and short words; no text of any mail and no address.")


class AuditEvents(BaseModel):
    """A page of the audit log, the latest first."""

    items: list[AuditEvent]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")
