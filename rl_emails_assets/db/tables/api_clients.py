"""What programs that build on the API rely on: the change feed, idempotency keys, and webhooks that go out."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import metadata
from rl_emails_assets.db.tables.identity import organization_column, user_column

CHANGE_KINDS = ("message", "thread", "task", "mailbox", "project")

changes = Table(
    "changes",
    metadata,
    # No foreign key: it would be checked row by row. A trigger removes the rows with their mailbox.
    Column("mailbox_id", Uuid, primary_key=True, comment="The mailbox that owns what changed."),
    Column("kind", Text, primary_key=True, comment=f"What it is: {', '.join(CHANGE_KINDS)}."),
    Column("object_id", Uuid, primary_key=True, comment="Its id."),
    Column("transaction_id", BigInteger, primary_key=True, comment="The transaction that changed it (pg_xact)."),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it began."),
    Index("ix_changes_mailbox_id_transaction_id", "mailbox_id", "transaction_id", "object_id", "kind"),
    # Rows are appended in about this order: a few kilobytes of index that tell which pages are old.
    Index("ix_changes_changed_at", "changed_at", postgresql_using="brin"),
    schema="app",
    comment="Something that the API answers with was written or removed by a transaction; written by triggers.",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    organization_column(primary_key=True),
    user_column("Who sent the key; nobody else's request ever meets it.", primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True, comment="SHA-256 of the key; the key itself seals the answer."),
    Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of method, path, query and body."),
    Column("claim_id", Uuid, nullable=False, comment="The request that has the key now."),
    Column("claimed_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Since when."),
    Column("committed_at", DateTime(timezone=True), comment="When what it asked for was done; null while it is not."),
    Column("status", Integer, comment="HTTP status of the answer; null while there is none."),
    Column("sealed_answer", LargeBinary, comment="Its headers and body, encrypted with the key."),
    Column("expires_at", DateTime(timezone=True), nullable=False, comment="The key may be used anew after."),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
    schema="app",
    comment="A request that was sent with an Idempotency-Key, and its answer.",
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", Uuid, primary_key=True, comment="The webhook."),
    organization_column(),
    user_column("Whose it is: it is told of nothing that they may not see."),
    Column("url", Text, nullable=False, comment="Where to; https, or http to this machine if the operator allows it."),
    Column("description", Text, nullable=False, server_default=text("''"), comment="What its owner calls it."),
    Column("events", ARRAY(Text), nullable=False, comment="What it is told of, as kind.change."),
    Column("sealed_secret", LargeBinary, nullable=False, comment="What its deliveries are signed with, encrypted."),
    Column("key_id", Text, nullable=False, comment="Which secret key sealed it."),
    Column("cursor", Text, nullable=False, comment="Up to where of the change feed deliveries were made."),
    Column("looked_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Last looked."),
    Column("failing_since", DateTime(timezone=True), comment="The first failure after the last success; null if none."),
    Column("delivered_at", DateTime(timezone=True), comment="The last success."),
    Column("disabled_at", DateTime(timezone=True), comment="Since when nothing is sent; null while it is."),
    Column("disabled_reason", Text, nullable=False, server_default=text("''"), comment="Why, for a person."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Made."),
    Index("ix_webhooks_organization_id", "organization_id"),
    Index("ix_webhooks_user_id", "user_id"),
    schema="app",
    comment="Where a person's program wants to be told of changes.",
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", Uuid, primary_key=True, comment="The delivery; the same in every attempt (webhook-id)."),
    Column(
        "webhook_id",
        Uuid,
        ForeignKey("app.webhooks.webhook_id", ondelete="CASCADE"),
        nullable=False,
        comment="The webhook.",
    ),
    organization_column(),
    user_column("Whose webhook it is."),
    Column("payload", JSONB, nullable=False, comment="What is sent: kinds and ids, no text of any mail."),
    Column("state", Text, nullable=False, server_default=text("'waiting'"), comment="waiting, delivered or dead."),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="How often it was tried."),
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Not tried before."),
    Column("status", Integer, comment="The last answer's HTTP status; null when there was none."),
    Column("error", Text, comment="Why the last attempt failed, for a person."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Made."),
    Column("ended_at", DateTime(timezone=True), comment="Delivered or given up."),
    CheckConstraint("state in ('waiting', 'delivered', 'dead')", name="state"),
    Index("ix_webhook_deliveries_due", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_webhook_deliveries_webhook_id_created_at", "webhook_id", text("created_at desc")),
    Index("ix_webhook_deliveries_ended_at", "ended_at"),
    Index("ix_webhook_deliveries_organization_id", "organization_id"),
    Index("ix_webhook_deliveries_user_id", "user_id"),
    schema="app",
    comment="A message to a webhook, and what became of it.",
)
