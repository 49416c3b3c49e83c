"""What people say and do in the product; the only tables, with the queue's, that the API writes."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import func, text

from rl_emails_assets.db.tables.base import mailbox_column, metadata

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", Uuid, primary_key=True, comment="The correction."),
    mailbox_column(),
    Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        nullable=False,
        comment="The message that was corrected.",
    ),
    Column("kind", Text, nullable=False, comment="importance, category or task_status."),
    Column("value", Text, nullable=False, comment="important / not_important, a category, or done / open."),
    Column("task_id", Uuid, comment="The task, for task_status."),
    Column("was", JSONB, nullable=False, comment="What the decision record said when it was corrected."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When."),
    CheckConstraint("kind in ('importance', 'category', 'task_status')", name="kind"),
    Index("ix_app_feedback_mailbox_id_message_id", "mailbox_id", "message_id"),
    # A sensor looks every few seconds for what was said lately.
    Index("ix_app_feedback_created_at", "created_at"),
    schema="app",
    comment="A correction by the owner; never changed, later ones win.",
)

task_states = Table(
    "task_states",
    metadata,
    Column("task_id", Uuid, primary_key=True, comment="The task; kept when tasks are computed again."),
    mailbox_column(),
    Column("status", Text, nullable=False, comment="open or done."),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When."),
    CheckConstraint("status in ('open', 'done')", name="status"),
    schema="app",
    comment="The owner's word on a task.",
)

message_states = Table(
    "message_states",
    metadata,
    Column(
        "message_id",
        Uuid,
        ForeignKey("raw.messages.message_id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message.",
    ),
    mailbox_column(),
    Column("read_at", DateTime(timezone=True), comment="When it was opened here; null while unread."),
    Column("done_at", DateTime(timezone=True), comment="When it was put out of the inbox; null while it is open."),
    Column("snoozed_until", DateTime(timezone=True), comment="Out of the inbox until then; null or past: not snoozed."),
    Column("starred_at", DateTime(timezone=True), comment="When it was starred here; null while it is not."),
    # What the inbox leaves out: few rows beside those of all that was ever opened.
    Index(
        "ix_message_states_put_away",
        "mailbox_id",
        "message_id",
        postgresql_where=text("done_at is not null or snoozed_until is not null"),
    ),
    schema="app",
    comment="What the owner did with a message here; the provider's own labels stay in raw.labels.",
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True, comment="The notice."),
    mailbox_column(),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="reconnect_needed, watch_lapsed, behind, dead_letter or webhook_disabled.",
    ),
    Column("text", Text, nullable=False, comment="What happened and what to do, for the owner."),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First raised."),
    Column("ended_at", DateTime(timezone=True), comment="No longer so, or dismissed."),
    CheckConstraint(
        "kind in ('reconnect_needed', 'watch_lapsed', 'behind', 'dead_letter', 'webhook_disabled')", name="kind"
    ),
    # What goes on is told once.
    Index("uq_notices_open", "mailbox_id", "kind", unique=True, postgresql_where=text("ended_at is null")),
    schema="app",
    comment="Something the owner of a mailbox should know; one of a kind is open at a time.",
)
