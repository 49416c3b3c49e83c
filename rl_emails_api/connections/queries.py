"""SQL about connections."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, select

from rl_emails_assets.db.tables import mailboxes


def listed(connection: Connection) -> Sequence[RowMapping]:
    """Every connection, oldest first."""
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
            ).order_by(columns.created_at, columns.mailbox_id)
        )
        .mappings()
        .all()
    )
