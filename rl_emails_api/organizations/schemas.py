"""What organizations are asked and answered with."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from rl_emails_api.identity.principal import Role

NAME_CHARACTERS = 100

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=NAME_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
    ),
]
# What counts is that the identity provider has verified the address; here only what cannot be one is kept out.
InvitedAddress = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        min_length=3,
        max_length=320,
        pattern=r"^[^\s\x00-\x1f\x7f-\x9f@<>]+@[^\s\x00-\x1f\x7f-\x9f@<>]+$",
    ),
]


class Organization(BaseModel):
    """The organization in which the principal asks."""

    organization_id: UUID
    name: str = Field(examples=["Kestrel Marine"])
    is_personal: bool = Field(description="It is one person's own.")
    created_at: datetime
    role: Role = Field(description="Your role in it.")
    managed_by: Literal["rl-emails", "identity-provider"] = Field(
        description="Where names, members and roles are changed; with identity-provider the endpoints here refuse to."
    )
    member_count: int
    mailbox_count: int = Field(description="Mailboxes that you see.")
    shared_mailbox_count: int = Field(description="Of these, mailboxes that every member sees.")
    invitation_count: int | None = Field(description="Open invitations; null unless you may see them.")


class OrganizationChange(BaseModel):
    """Another name."""

    name: Name = Field(examples=["Kestrel Marine"])


class Member(BaseModel):
    """A person in the organization."""

    user_id: UUID
    display_name: str = Field(description="Their name, or ''.", examples=["Ada Byron"])
    address: str = Field(description="Their verified address, or ''.", examples=["ada@example.org"])
    role: Role
    joined_at: datetime
    is_you: bool
    is_deactivated: bool = Field(description="They may do nothing at present.")


class Members(BaseModel):
    """One page of members, the longest there first."""

    items: list[Member]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.")


class RoleChange(BaseModel):
    """Another role."""

    role: Role


class InvitationRequest(BaseModel):
    """Who is to be invited, and as what."""

    address: InvitedAddress = Field(examples=["grace@example.org"])
    role: Role = "member"


class Invitation(BaseModel):
    """An invitation that nobody has accepted yet."""

    invitation_id: UUID
    address: str = Field(description="Only a person with this verified address may accept.")
    role: Role
    invited_by: UUID
    created_at: datetime
    expires_at: datetime
    is_expired: bool


class NewInvitation(Invitation):
    """An invitation that has just been made; its link is told this once."""

    link: str = Field(
        examples=["https://mail.example.org/#/invitation?token=9x..."],
        description="Give it to the person. It holds the secret, of which only a hash is kept.",
    )


class Invitations(BaseModel):
    """Every open invitation, the latest first."""

    items: list[Invitation]


class Acceptance(BaseModel):
    """The secret of an invitation's link."""

    token: str = Field(min_length=1, max_length=200, description="What follows `token=` in the link.")


class Joined(BaseModel):
    """The organization that the person has joined; POST /v1/me/organization goes there."""

    organization_id: UUID
    name: str
    role: Role
