"""What people who share a mailbox say to one another about its conversations."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.sql import func

from rl_emails_assets.db.tables.base import mailbox_column, metadata
from rl_emails_assets.db.tables.identity import user_column

NOTE_CHARACTERS = 10_000
"""The longest note."""

thread_assignments = Table(
    "thread_assignments",
    metadata,
    # Not a foreign key: conversations are computed again, and an assignment follows one that becomes part of another.
    Column(
        "thread_id", Uuid, primary_key=True, comment="The conversation; kept when conversations are computed again."
    ),
    mailbox_column(),
    user_column("Who takes care of it."),
    Column(
        "assigned_by",
        Uuid,
        ForeignKey("identity.users.user_id", ondelete="SET NULL"),
        comment="Who said so; null when they are gone.",
    ),
    Column("assigned_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Since when."),
    Index("ix_thread_assignments_mailbox_id_user_id", "mailbox_id", "user_id"),
    Index("ix_thread_assignments_user_id", "user_id"),
    schema="app",
    comment="The member who takes care of a conversation; without a row it is nobody.",
)

thread_notes = Table(
    "thread_notes",
    metadata,
    Column("note_id", Uuid, primary_key=True, comment="The note."),
    mailbox_column(),
    Column("thread_id", Uuid, nullable=False, comment="The conversation; kept when conversations are computed again."),
    Column(
        "author_user_id",
        Uuid,
        ForeignKey("identity.users.user_id", ondelete="SET NULL"),
        comment="Who wrote it; null when they are gone.",
    ),
    Column("text", Text, nullable=False, comment="What they wrote, for the members who see the mailbox only."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="Written."),
    Column("edited_at", DateTime(timezone=True), comment="Last changed by its author; null while it is as written."),
    CheckConstraint(f"char_length(text) between 1 and {NOTE_CHARACTERS}", name="text"),
    Index("ix_thread_notes_thread_id_created_at", "thread_id", "created_at", "note_id"),
    Index("ix_thread_notes_mailbox_id", "mailbox_id"),
    Index("ix_thread_notes_author_user_id", "author_user_id"),
    schema="app",
    comment="An internal note on a conversation; it is part of no mail.",
)
