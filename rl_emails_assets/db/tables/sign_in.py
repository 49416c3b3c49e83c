"""What signing in has to remember: what was used up, and how new what the identity provider said is."""

from sqlalchemy import Boolean, Column, DateTime, Index, LargeBinary, Table, Text
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import metadata
from rl_emails_assets.db.tables.identity import organization_column, user_column

used_sign_ins = Table(
    "used_sign_ins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True, comment="SHA-256 of the sign-in's state."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="After this the state is refused anyway."),
    Index("ix_used_sign_ins_expires_at", "expires_at"),
    schema="identity",
    comment="A sign-in that a browser came back from; it cannot be finished twice.",
)

provider_objects = Table(
    "provider_objects",
    metadata,
    Column("issuer", Text, primary_key=True, comment="The identity provider."),
    Column("object_id", Text, primary_key=True, comment="Its id of a user, organization or membership; or a pair."),
    Column("version_at", DateTime(timezone=True), nullable=False, comment="What was said later than this is news."),
    Column(
        "is_deleted",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="It is gone for good: ids are not used again.",
    ),
    schema="identity",
    comment="How new what we know of something at the identity provider is: its events come in any order.",
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True, comment="The sender's id; a repetition has the same."),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Taken."),
    Index("ix_webhook_deliveries_received_at", "received_at"),
    schema="identity",
    comment="An event of the identity provider that was taken; a repetition of it changes nothing.",
)

removed_memberships = Table(
    "removed_memberships",
    metadata,
    organization_column(primary_key=True),
    user_column("Who was a member.", primary_key=True),
    Column("removed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Since when not."),
    Column(
        "by_provider",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="The identity provider removed them; else somebody here did, and no token brings them back.",
    ),
    Index("ix_removed_memberships_user_id", "user_id"),
    schema="identity",
    comment="A membership that ended: a token from before does not make it again.",
)
