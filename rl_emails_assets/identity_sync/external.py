"""What an identity provider says of a person, an organization and a membership, in our words."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExternalUser:
    """A person as the provider knows them."""

    subject: str
    """Their id there: the `sub` of their tokens."""
    address: str
    """Verified, lower case, or ''."""
    name: str
    is_banned: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExternalOrganization:
    """An organization as the provider knows it."""

    organization_id: str
    name: str
    """'' where it is not told."""
    created_by: str
    """The subject of who made it, or ''."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExternalMembership:
    """A person's membership of an organization as the provider knows it."""

    membership_id: str
    """The provider's id of this membership; somebody who comes back gets a new one."""
    organization: ExternalOrganization
    subject: str
    role: str
    """The provider's word for it."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a verified token says of who carries it."""

    issuer: str
    subject: str
    issued_at: datetime
    address: str = ""
    """Verified, lower case, or ''."""
    name: str = ""
    organization_id: str | None = None
    """The provider's id of the organization they act in; None for their own."""
    organization_name: str = ""
    role: str | None = None
    """The provider's word for their role there; None when it does not tell."""
    actor: str = ""
    """Who acts in their place (impersonation), as the provider names them, or ''."""
