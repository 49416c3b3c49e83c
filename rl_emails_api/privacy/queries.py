"""SQL about whom an export or an erasure concerns."""

from uuid import UUID

from sqlalchemy import Connection, func, select

from rl_emails_assets.db.mailbox_rows import Mailbox
from rl_emails_assets.db.tables import identity, mailboxes

_columns = mailboxes.connections.c


def readable(connection: Connection, user_id: UUID) -> list[Mailbox]:
    """The mailboxes whose mail this person may read: their own, and shared ones."""
    query = select(_columns.mailbox_id, _columns.address).where(
        (_columns.owner_user_id == user_id) | _columns.is_shared
    )
    return [Mailbox(row.mailbox_id, row.address) for row in connection.execute(query.order_by(_columns.address))]


def in_organization(connection: Connection, organization_id: UUID, address: str) -> Mailbox | None:
    """The organization's mailbox of this address, if its row is visible; whose it is, is another question."""
    query = select(_columns.mailbox_id, _columns.address).where(
        _columns.organization_id == organization_id, _columns.address == address
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Mailbox(row.mailbox_id, row.address)


def own(connection: Connection, user_id: UUID) -> list[Mailbox]:
    """The mailboxes that are this person's alone, of those that are visible."""
    query = select(_columns.mailbox_id, _columns.address).where(
        _columns.owner_user_id == user_id, _columns.is_shared.is_(False)
    )
    return [Mailbox(row.mailbox_id, row.address) for row in connection.execute(query.order_by(_columns.address))]


def member(connection: Connection, organization_id: UUID, address: str) -> UUID | None:
    """The member with this verified address."""
    users, memberships = identity.users.c, identity.memberships.c
    query = (
        select(users.user_id)
        .join(identity.memberships, memberships.user_id == users.user_id)
        .where(memberships.organization_id == organization_id, users.address == address)
    )
    return connection.execute(query).scalars().first()


def is_last_owner(connection: Connection, organization_id: UUID, user_id: UUID) -> bool:
    """Whether without this person nobody would own the organization, and somebody else be left in it."""
    columns = identity.memberships.c
    query = select(
        func.count().filter(columns.user_id != user_id),
        func.count().filter((columns.role == "owner") & (columns.user_id != user_id)),
    ).where(columns.organization_id == organization_id)
    others, owners = connection.execute(query).one()
    return bool(others) and not owners
