"""SQL about mailboxes themselves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Connection, RowMapping, Text, Uuid, cast, func, or_, select, text

from rl_emails_assets.db.tables import identity, mailboxes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The mailbox a request is about."""

    mailbox_id: UUID
    address: str


def is_visible(mailbox_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The person may read the mailbox. Row-level security shows administrators the connections of all mailboxes of
    their organization, so that they can tend them; those are not theirs to read."""
    visible = select(func.identity.visible_mailboxes(type_=ARRAY(Uuid))).scalar_subquery()
    return mailbox_id == func.any(cast(visible, ARRAY(Uuid)))


def named(connection: Connection, name: str | None) -> list[Mailbox]:
    """The mailbox with this address or id; without a name at most two of all, enough to see whether there is one."""
    table = mailboxes.connections
    statement = (
        select(table.c.mailbox_id, table.c.address)
        .where(is_visible(table.c.mailbox_id))
        .order_by(table.c.created_at, table.c.mailbox_id)
        .limit(2)
    )
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


# The oldest of the backlog is the first by its order of finding: a walk of an index, where min() would read every row.
_STANDINGS = text(
    """
    select
        connection.mailbox_id, connection.address, connection.display_name, connection.provider, connection.state,
        connection.state_reason, connection.state_changed_at, connection.created_at, connection.synced_at,
        connection.materialized_at, connection.current_as_of, connection.is_shared, connection.owner_user_id,
        watch.mailbox_id is not null as has_watch, watch.topic, watch.expires_at as watch_expires_at,
        watch.renewed_at, watch.last_push_at, coalesce(watch.push_count, 0) as push_count,
        watch.error as watch_error, watch.error_at as watch_error_at,
        (select count(*) from raw.backlog where mailbox_id = connection.mailbox_id) as backlog_count,
        (
            select added_at from raw.backlog where mailbox_id = connection.mailbox_id order by ordinal limit 1
        ) as oldest_backlog_at,
        (select count(*) from raw.gaps where mailbox_id = connection.mailbox_id) as gap_count,
        greatest(
            (select max(applied_at) from models.versions where mailbox_id = connection.mailbox_id),
            (select max(ended_at) from models.versions where mailbox_id = connection.mailbox_id),
            (select max(trained_at) from models.trainings where mailbox_id = connection.mailbox_id)
        ) as learned_at,
        now() as asked_at
    from mailboxes.connections as connection
    left join mailboxes.watches as watch on watch.mailbox_id = connection.mailbox_id
    where
        not cast(:only_visible as boolean)
        or connection.mailbox_id = any ((select identity.visible_mailboxes())::uuid[])
    order by connection.created_at, connection.mailbox_id
    """
)

_NOTICES = text(
    """
    select notice_id, mailbox_id, kind, text, created_at
    from app.notices
    where ended_at is null
    order by created_at, notice_id
    """
)

_DISMISS = text(
    """
    update app.notices set ended_at = coalesce(ended_at, now())
    where notice_id = :notice_id and mailbox_id = :mailbox_id
    returning notice_id, mailbox_id, kind, text, created_at
    """
)


def standings(connection: Connection, *, only_visible: bool = False) -> Sequence[RowMapping]:
    """Every mailbox, or every one that the person may read, with what its freshness is told from; the oldest first."""
    return connection.execute(_STANDINGS, {"only_visible": only_visible}).mappings().all()


def owners(connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """How the owners of mailboxes are called: their name, else their address."""
    person = identity.users.c
    name = func.coalesce(func.nullif(person.display_name, ""), person.address)
    rows = connection.execute(select(person.user_id, name.label("name")).where(person.user_id.in_(user_ids)))
    return {row.user_id: row.name for row in rows}


def notices(connection: Connection) -> Sequence[RowMapping]:
    """Every open notice, oldest first."""
    return connection.execute(_NOTICES).mappings().all()


def dismiss(connection: Connection, mailbox_id: UUID, notice_id: UUID) -> RowMapping | None:
    """End a notice of the mailbox; None when it has no such notice."""
    parameters = {"mailbox_id": mailbox_id, "notice_id": notice_id}
    return connection.execute(_DISMISS, parameters).mappings().one_or_none()


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
