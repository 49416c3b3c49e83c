"""SQL about mailboxes themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Text, cast, or_, select, text

from rl_emails_assets.db.tables import mailboxes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The mailbox a request is about."""

    mailbox_id: UUID
    address: str


def named(connection: Connection, name: str | None) -> list[Mailbox]:
    """The mailbox with this address or id; without a name at most two of all, enough to see whether there is one."""
    table = mailboxes.connections
    statement = select(table.c.mailbox_id, table.c.address).order_by(table.c.created_at, table.c.mailbox_id).limit(2)
    if name is not None:
        statement = statement.where(
            or_(table.c.address == name.lower(), cast(table.c.mailbox_id, Text) == name.lower())
        )
    return [Mailbox(row.mailbox_id, row.address) for row in connection.execute(statement)]


def by_id(connection: Connection, mailbox_id: UUID) -> Mailbox | None:
    """The mailbox with this id."""
    row = connection.execute(
        select(mailboxes.connections.c.address).where(mailboxes.connections.c.mailbox_id == mailbox_id)
    ).one_or_none()
    return Mailbox(mailbox_id, row.address) if row else None


def listed(connection: Connection) -> Sequence[RowMapping]:
    """Every mailbox, oldest connection first."""
    table = mailboxes.connections
    return (
        connection.execute(
            select(
                table.c.mailbox_id, table.c.address, table.c.display_name, table.c.synced_at, table.c.materialized_at
            ).order_by(table.c.created_at, table.c.mailbox_id)
        )
        .mappings()
        .all()
    )


# A forged or broken date puts a message years after all others; a window counted from it would be empty. So the newest
# message is the first of the latest 50 that another one precedes by less than 90 days.
_NEWEST = text(
    """
    with latest as (
        select received_at, lead(received_at) over (order by received_at desc) as previous_at
        from (
            select received_at
            from mail.messages
            where mailbox_id = :mailbox_id and duplicate_of is null and received_at <= now() + interval '1 day'
            order by received_at desc
            limit 50
        ) as newest
    )
    select coalesce(max(received_at) filter (where received_at - previous_at < interval '90 days'), max(received_at))
    from latest
    """
)


def newest_at(connection: Connection, mailbox_id: UUID) -> datetime | None:
    """When the mailbox's newest message came, leaving out isolated ones that are dated long after the rest."""
    newest: datetime | None = connection.execute(_NEWEST, {"mailbox_id": mailbox_id}).scalar()
    return newest
