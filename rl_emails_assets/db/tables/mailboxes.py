"""Connected mailboxes and the addresses their owners write from."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import count, mailbox_column, metadata
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER

connections = Table(
    "connections",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True, comment="The mailbox; also its Dagster partition key."),
    Column("address", Text, nullable=False, comment="The owner's address, lower case."),
    Column("display_name", Text, nullable=False, server_default=text("''"), comment="The owner's name, if known."),
    Column("provider", Text, nullable=False, comment="Where the mail comes from: files or gmail."),
    Column(
        "sources",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="What the provider reads: for files, a list of {path, kind}.",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First seen."),
    Column("synced_at", DateTime(timezone=True), comment="When the last sync that reached its end did so."),
    Column("materialized_at", DateTime(timezone=True), comment="When the last run that reached priorities did so."),
    Column(
        "state",
        Text,
        nullable=False,
        server_default=text("'connected'"),
        comment="connected, reconnect_needed (the grant is gone; nothing is tried) or disconnecting (being erased).",
    ),
    Column("state_reason", Text, nullable=False, server_default=text("''"), comment="Why, for a person."),
    Column("state_changed_at", DateTime(timezone=True), comment="Since when it is in this state."),
    Column("current_as_of", DateTime(timezone=True), comment="The inbox shows all that the provider had at this time."),
    Column(
        "organization_id",
        Uuid,
        ForeignKey("identity.organizations.organization_id"),
        nullable=False,
        server_default=text(f"'{LOCAL_ORGANIZATION}'"),
        comment="The organization it belongs to.",
    ),
    Column(
        "owner_user_id",
        Uuid,
        ForeignKey("identity.users.user_id"),
        server_default=text(f"'{LOCAL_USER}'"),
        comment="Who connected it, and alone sees it unless it is shared; null when they are gone.",
    ),
    Column(
        "is_shared",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="All members of its organization see it.",
    ),
    CheckConstraint("state in ('connected', 'reconnect_needed', 'disconnecting')", name="state"),
    UniqueConstraint("organization_id", "address"),
    # A push names its mailbox by the address, whatever the organization.
    Index("ix_connections_address", "address"),
    Index("ix_connections_owner_user_id", "owner_user_id"),
    schema="mailboxes",
    comment="A connected mailbox.",
)

aliases = Table(
    "aliases",
    metadata,
    mailbox_column(primary_key=True),
    Column("address", Text, primary_key=True, comment="An address the owner writes from or receives at."),
    Column("found_by", Text, nullable=False, comment="mailbox, option, or sent_mail (found in the mail itself)."),
    schema="mailboxes",
    comment="An address that belongs to the owner of a mailbox.",
)

credentials = Table(
    "credentials",
    metadata,
    mailbox_column(primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="The grant's tokens, encrypted and bound to this row."),
    Column("key_id", Text, nullable=False, comment="Which secret key sealed them."),
    Column("scopes", ARRAY(Text), nullable=False, comment="What the owner granted."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="When the access token expires."),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Last sealed."),
    schema="mailboxes",
    comment="The tokens with which a mailbox's provider lets us in.",
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True, comment="SHA-256 of the `state` sent to the provider."),
    Column("session_hash", LargeBinary, nullable=False, comment="SHA-256 of the session that began; only it may end."),
    Column("sealed", LargeBinary, nullable=False, comment="The PKCE code verifier, encrypted and bound to this row."),
    Column("redirect_uri", Text, nullable=False, comment="Where the provider sends the browser back to."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Begun."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="Not usable after."),
    schema="mailboxes",
    comment="A sign-in at a provider that has begun; deleted by its first use.",
)

watches = Table(
    "watches",
    metadata,
    mailbox_column(primary_key=True),
    Column("topic", Text, nullable=False, comment="The Pub/Sub topic that the provider publishes to."),
    Column("history_id", Text, comment="The mailbox's history id when the watch was last renewed."),
    Column("expires_at", DateTime(timezone=True), comment="When the provider stops pushing unless it is renewed."),
    Column("renewed_at", DateTime(timezone=True), comment="When it was last renewed."),
    Column("last_push_at", DateTime(timezone=True), comment="When the last push arrived."),
    count("push_count", "Pushes that arrived."),
    Column("error", Text, comment="Why the last renewal failed; null when it worked."),
    Column("error_at", DateTime(timezone=True), comment="When that was."),
    schema="mailboxes",
    comment="A mailbox's live push subscription and when it lapses.",
)

quotas = Table(
    "quotas",
    metadata,
    mailbox_column(primary_key=True),
    Column("units_left", Numeric(14, 3), nullable=False, comment="In the bucket at `counted_at`; may be below zero."),
    Column("counted_at", DateTime(timezone=True), nullable=False, comment="When the bucket was last counted."),
    Column("day", Date, nullable=False, comment="The day (UTC) that `units_today` counts."),
    count("units_today", "Units spent on that day."),
    Column("batch_size", Integer, nullable=False, comment="Messages asked for in one batch; adapts to refusals."),
    Column("throttled_at", DateTime(timezone=True), comment="When the provider last refused for its rate."),
    schema="mailboxes",
    comment="A mailbox's quota bucket at its provider.",
)
