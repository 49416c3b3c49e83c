"""SQL about connections."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select

from rl_emails_api.mailboxes.queries import is_visible
from rl_emails_assets.db.tables import mailboxes


def listed(connection: Connection) -> Sequence[RowMapping]:
    """Every connection of a mailbox that the person may read, oldest first."""
    columns = mailboxes.connections.c
    return (
        connection.execute(
            select(
                columns.mailbox_id,
                columns.provider,
                columns.address,
                columns.state,
                columns.state_reason.label("reason"),
                func.coalesce(columns.state_changed_at, columns.created_at).label("since"),
            )
            .where(is_visible(columns.mailbox_id))
            .order_by(columns.created_at, columns.mailbox_id)
        )
        .mappings()
        .all()
    )


def is_owner(connection: Connection, mailbox_id: UUID, user_id: UUID) -> bool | None:
    """Whether this person connected the mailbox; None when there is no such mailbox."""
    columns = mailboxes.connections.c
    row = connection.execute(select(columns.owner_user_id).where(columns.mailbox_id == mailbox_id)).one_or_none()
    return None if row is None else row.owner_user_id == user_id
