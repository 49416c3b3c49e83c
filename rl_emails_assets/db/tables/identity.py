"""Who there is: organizations, the people in them, and what they sign in with.

An installation that nobody signs in to has one organization and one person, `LOCAL_ORGANIZATION` and `LOCAL_USER`,
which the first migration of this schema makes; the local access token acts as that person.
"""

import uuid

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import metadata

LOCAL_ORGANIZATION = uuid.UUID("5d1a4a70-3c0e-4f52-9c1d-000000000001")
LOCAL_USER = uuid.UUID("5d1a4a70-3c0e-4f52-9c1d-000000000002")
ROLES = ("owner", "admin", "member")

_ROLE = "role in ('owner', 'admin', 'member')"


def organization_column(*, primary_key: bool = False, nullable: bool = False) -> Column[uuid.UUID]:
    """The organization that owns the row."""
    return Column(
        "organization_id",
        Uuid,
        ForeignKey("identity.organizations.organization_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
        comment="The organization that owns the row.",
    )


def user_column(comment: str, *, name: str = "user_id", primary_key: bool = False) -> Column[uuid.UUID]:
    """A person, whose row goes with them."""
    return Column(
        name,
        Uuid,
        ForeignKey("identity.users.user_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        comment=comment,
    )


organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", Uuid, primary_key=True, comment="The organization."),
    Column("external_id", Text, unique=True, comment="Its id at the identity provider; null for one made here."),
    Column("name", Text, nullable=False, comment="What its members call it."),
    Column("is_personal", Boolean, nullable=False, server_default=text("false"), comment="It is one person's own."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Made."),
    schema="identity",
    comment="A tenant: mailboxes, and the people who may see them.",
)

users = Table(
    "users",
    metadata,
    Column("user_id", Uuid, primary_key=True, comment="The person."),
    Column("issuer", Text, nullable=False, comment="Who vouches for them: the `iss` of their tokens, or `local`."),
    Column("subject", Text, nullable=False, comment="Their id there: the `sub` of their tokens."),
    Column("address", Text, nullable=False, server_default=text("''"), comment="Verified address, lower case, or ''."),
    Column("display_name", Text, nullable=False, server_default=text("''"), comment="Their name, or ''."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First seen."),
    Column("signed_in_at", DateTime(timezone=True), comment="When they last signed in."),
    Column("deactivated_at", DateTime(timezone=True), comment="Since when they may do nothing; null while they may."),
    Index("uq_users_issuer_subject", "issuer", "subject", unique=True),
    schema="identity",
    comment="A person who signs in.",
)

memberships = Table(
    "memberships",
    metadata,
    organization_column(primary_key=True),
    user_column("The member.", primary_key=True),
    Column("role", Text, nullable=False, comment="owner, admin or member."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Since when."),
    CheckConstraint(_ROLE, name="role"),
    Index("ix_memberships_user_id", "user_id"),
    schema="identity",
    comment="A person's role in an organization; without the row they see nothing of it.",
)

invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", Uuid, primary_key=True, comment="The invitation."),
    organization_column(),
    Column("address", Text, nullable=False, comment="Who is invited: only who has this verified address may accept."),
    Column("role", Text, nullable=False, comment="The role that they get."),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the link's secret."),
    user_column("Who invited.", name="invited_by"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Sent."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="Not usable after."),
    Column("accepted_at", DateTime(timezone=True), comment="When it was accepted."),
    Column("revoked_at", DateTime(timezone=True), comment="When it was taken back."),
    CheckConstraint(_ROLE, name="role"),
    Index("ix_invitations_organization_id", "organization_id"),
    schema="identity",
    comment="An invitation into an organization.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("api_key_id", Uuid, primary_key=True, comment="The key."),
    organization_column(),
    user_column("Whose key it is: it can do nothing that they cannot."),
    Column("name", Text, nullable=False, comment="What its owner calls it."),
    Column("prefix", Text, nullable=False, comment="The start of the key, to tell keys apart."),
    Column("key_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the key, which has 256 bits."),
    Column("scopes", ARRAY(Text), nullable=False, comment="What it may be used for."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Made."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="Not usable after."),
    Column("revoked_at", DateTime(timezone=True), comment="When it was revoked."),
    Column("last_used_at", DateTime(timezone=True), comment="Last use, to the minute."),
    Index("ix_api_keys_organization_id", "organization_id"),
    Index("ix_api_keys_user_id", "user_id"),
    schema="identity",
    comment="A key that a program uses in a person's place.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Uuid, primary_key=True, comment="The session."),
    user_column("Who signed in."),
    organization_column(),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the cookie's secret."),
    Column("device", Text, nullable=False, server_default=text("''"), comment="Browser and system, for its owner."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Signed in."),
    Column(
        "last_seen_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="To the minute."
    ),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="Not usable after."),
    Column("revoked_at", DateTime(timezone=True), comment="When it was signed out."),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_organization_id", "organization_id"),
    schema="identity",
    comment="A device on which a person is signed in, in one of their organizations.",
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("audit_event_id", Uuid, primary_key=True, comment="The event."),
    # No foreign keys: the record outlives who and what it is about.
    Column("organization_id", Uuid, comment="Where; null for what belongs to no organization."),
    Column("user_id", Uuid, comment="Who; null for the system."),
    Column("credential", Text, nullable=False, comment="How they came in: local, session, token, api_key or system."),
    Column("action", Text, nullable=False, comment="What, as noun.verb: session.created, mailbox.exported, ..."),
    Column("target", Text, nullable=False, server_default=text("''"), comment="The id of what it was done to."),
    Column("details", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="No text of any mail."),
    Column("client", Text, nullable=False, server_default=text("''"), comment="The network address it came from."),
    Column("request_id", Text, nullable=False, server_default=text("''"), comment="The request, as in the log."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When."),
    Index("ix_audit_events_organization_id_created_at", "organization_id", text("created_at desc")),
    schema="identity",
    comment="Something that was done and that somebody may ask about later; never changed.",
)
