"""What connecting and disconnecting mailboxes is asked and answered with."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from rl_emails_api.mailboxes.schemas import Notice
from rl_emails_api.schemas import Plain


class GmailSignIn(BaseModel):
    """Which account is to be connected."""

    login_hint: Plain = Field(
        default="",
        max_length=320,
        examples=["ada@example.org"],
        description="The address to sign in with. When it is that of a mailbox, only this account will be accepted.",
    )


class Authorization(BaseModel):
    """A sign-in that has begun."""

    authorization_url: str = Field(
        examples=["https://accounts.google.com/o/oauth2/v2/auth?response_type=code"],
        description="Where to send the browser that has got the cookie of this answer.",
    )


class ConnectionItem(BaseModel):
    """A mailbox as a connection to its provider."""

    mailbox_id: UUID
    provider: str = Field(examples=["gmail"], description="Where the mail comes from: files or gmail.")
    address: str = Field(examples=["ada@example.org"])
    state: str = Field(examples=["connected"], description="connected, reconnect_needed or disconnecting.")
    reason: str = Field(description="Why it is in this state, for a person; '' while it is connected.")
    since: datetime = Field(description="Since when it is in this state.")
    notices: list[Notice] = Field(description="What its owner should know, oldest first.")


class Connections(BaseModel):
    """Every connection, oldest first."""

    items: list[ConnectionItem]


class Disconnection(BaseModel):
    """A mailbox that is being disconnected."""

    mailbox_id: UUID
    state: str = Field(examples=["disconnecting"])
