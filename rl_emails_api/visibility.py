"""Which messages the owner wants to see: conditions that every listing shares."""

from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, exists, select, union

from rl_emails_assets.db.tables import mailboxes, raw

HIDDEN_LABELS = ("SENT", "DRAFT", "TRASH", "SPAM")
UNWANTED_LABELS = ("TRASH", "SPAM")


def has_label(message: FromClause, mailbox_id: UUID, labels: tuple[str, ...]) -> ColumnElement[bool]:
    """The message has one of `labels`; `message` needs a `message_id`."""
    label = raw.labels.alias()
    return exists().where(
        label.c.message_id == message.c.message_id, label.c.mailbox_id == mailbox_id, label.c.label.in_(labels)
    )


def is_from_owner(message: FromClause, mailbox_id: UUID) -> ColumnElement[bool]:
    """The owner wrote it, from any of their addresses; `message` is mail.messages."""
    return message.c.from_address.in_(
        union(
            select(mailboxes.aliases.c.address).where(mailboxes.aliases.c.mailbox_id == mailbox_id),
            select(mailboxes.connections.c.address).where(mailboxes.connections.c.mailbox_id == mailbox_id),
        )
    )
