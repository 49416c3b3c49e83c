"""What the endpoints about oneself take and answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from rl_emails_api.identity.principal import CredentialKind, Role, Scope


class Person(BaseModel):
    """Somebody who signs in."""

    user_id: UUID
    address: str = Field(description="Verified address, lower case, or ''.", examples=["ada@example.org"])
    display_name: str = Field(description="Their name, or ''.", examples=["Ada Lovelace"])


class OwnOrganization(BaseModel):
    """An organization that one is a member of."""

    organization_id: UUID
    name: str
    is_personal: bool = Field(description="It is one person's own.")
    role: Role


class Me(BaseModel):
    """Who one is, and what one may do."""

    user: Person
    organization: OwnOrganization = Field(description="The one that this request acts in.")
    role: Role
    scopes: list[Scope] = Field(description="What this credential may ask for.")
    credential: CredentialKind = Field(description="How the request came in.")
    session_id: UUID | None = Field(default=None, description="The session of this device, if it is one.")
    impersonated_by: str | None = Field(default=None, description="Who acts in the person's place, at the issuer.")
    organizations: list[OwnOrganization] = Field(description="All that one is a member of.")


class OrganizationChoice(BaseModel):
    """The organization to act in."""

    organization_id: UUID


class Session(BaseModel):
    """A device on which one is signed in."""

    session_id: UUID
    organization_id: UUID
    device: str = Field(examples=["Firefox on Linux"])
    created_at: datetime = Field(description="When one signed in there.")
    last_seen_at: datetime = Field(description="When it was last used, to the minute.")
    expires_at: datetime
    is_current: bool = Field(description="It is the one that asks.")


class Sessions(BaseModel):
    """Every device that is signed in, the latest seen first."""

    items: list[Session]


class NewKey(BaseModel):
    """An API key to be made."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    scopes: Annotated[list[Scope], Field(min_length=1, description="At most one's own.")]
    expires_at: AwareDatetime | None = Field(default=None, description="At most a year ahead; 90 days unless given.")


class Key(BaseModel):
    """An API key, without what only its holder knows."""

    api_key_id: UUID
    organization_id: UUID
    name: str
    prefix: str = Field(description="How the key begins, to tell keys apart.", examples=["rle_b7xQ2f"])
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="Last use, to the minute; null while it was not used.")


class MadeKey(Key):
    """A new API key."""

    key: str = Field(description="Shown this once; only its hash is kept.")


class Keys(BaseModel):
    """One's API keys that can still be used, the newest first."""

    items: list[Key]
