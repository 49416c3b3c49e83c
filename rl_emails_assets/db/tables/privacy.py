"""What was asked to be erased, the receipts of it, and the messages that must not come back."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import mailbox_column, metadata

KINDS = ("mailbox", "person")
STATES = ("waiting", "running", "done", "incomplete")

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", Uuid, primary_key=True, comment="The receipt."),
    # No foreign keys: a receipt outlives what it is about, and who asked.
    Column("organization_id", Uuid, nullable=False, comment="The organization that the erasure was asked for."),
    Column("asked_by", Uuid, comment="Who asked; null for the command line and for the system."),
    Column("credential", Text, nullable=False, comment="How they came in: local, session, token, api_key or system."),
    Column("kind", Text, nullable=False, comment="mailbox or person."),
    Column("subject_salt", LargeBinary, nullable=False, comment="Random; no two receipts of an address look alike."),
    Column("subject_hash", LargeBinary, nullable=False, comment="scrypt of the address: who knows it can compare it."),
    Column("mailbox_id", Uuid, comment="The mailbox that was erased; null for a person."),
    Column("state", Text, nullable=False, server_default=text("'waiting'"), comment=f"{', '.join(STATES)}."),
    Column("removed", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="{table: rows removed}."),
    Column("kept", JSONB, nullable=False, server_default=text("'[]'::jsonb"), comment="[{what, why}] of what stays."),
    Column("left", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="{table: rows that name them}."),
    Column("outcome", JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment="What became of the grant."),
    Column("error", Text, comment="Why the last attempt failed; null when none did."),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Asked."),
    Column("finished_at", DateTime(timezone=True), comment="Everything was removed."),
    CheckConstraint("kind in ('mailbox', 'person')", name="kind"),
    CheckConstraint("state in ('waiting', 'running', 'done', 'incomplete')", name="state"),
    Index("ix_receipts_organization_id_asked_at", "organization_id", text("asked_at desc"), "receipt_id"),
    Index("ix_receipts_mailbox_id", "mailbox_id"),
    schema="privacy",
    comment="What an erasure removed: how many rows of which table, and what stays, without naming whom it was about.",
)

orders = Table(
    "orders",
    metadata,
    Column(
        "receipt_id",
        Uuid,
        ForeignKey("privacy.receipts.receipt_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The receipt that it fills.",
    ),
    Column("organization_id", Uuid, nullable=False, comment="The organization that the erasure was asked for."),
    Column("kind", Text, nullable=False, comment="mailbox or person."),
    Column("subject", Text, nullable=False, comment="The address, lower case; gone with the row once all is erased."),
    Column("mailbox_ids", ARRAY(Uuid), comment="Only in these mailboxes; null: in all of the organization."),
    Column("user_id", Uuid, comment="The member who is erased with all that is theirs, if the address is a member's."),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Asked."),
    Column("tried_at", DateTime(timezone=True), comment="When an attempt was begun last; another follows."),
    CheckConstraint("kind in ('mailbox', 'person')", name="kind"),
    schema="privacy",
    comment="An erasure that is not finished; the only row that names whom it is about, and it goes at the end.",
)

suppressed = Table(
    "suppressed",
    metadata,
    mailbox_column(primary_key=True),
    Column("provider_hash", LargeBinary, primary_key=True, comment="SHA-256 of the mailbox's and the provider's id."),
    Column("erased_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Erased."),
    schema="privacy",
    comment="A message that was erased here and may still be at its provider: it is not stored again.",
)
