"""SQL about an organization and its members. Row-level security lets nobody see another organization's rows; the
conditions say all the same which organization is meant, because one function is also asked as the tables' owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, delete, func, insert, literal, select, text, tuple_, update

from rl_emails_api.identity.principal import Role
from rl_emails_assets.db.tables import identity

MemberKey = tuple[datetime, UUID]
MOST_OWNED = 50
"""Organizations of which one person is an owner."""

_ORGANIZATION = text(
    """
    select
        organization.organization_id, organization.name, organization.is_personal, organization.created_at,
        organization.external_id, member.role,
        (
            select count(*) from identity.memberships where organization_id = organization.organization_id
        ) as member_count,
        visible.mailbox_count,
        visible.shared_mailbox_count,
        (
            select count(*) from identity.invitations
            where organization_id = organization.organization_id and accepted_at is null and revoked_at is null
                and expires_at > now()
        ) as invitation_count
    from identity.organizations as organization
    join identity.memberships as member
        on member.organization_id = organization.organization_id and member.user_id = :user_id
    cross join (
        select count(*) as mailbox_count, count(*) filter (where is_shared) as shared_mailbox_count
        from mailboxes.connections
        where organization_id = :organization_id and (is_shared or owner_user_id = :user_id)
    ) as visible
    where organization.organization_id = :organization_id
    """
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The roles that a change of members is decided by; locked until the transaction ends."""

    actor: Role | None
    """Of who asks; None when they are no member any more."""
    member: Role | None
    """Of whom it is about; None when there is no such member."""
    other_owner_count: int
    """Owners who may sign in, besides the latter."""


def organization(connection: Connection, organization_id: UUID, user_id: UUID) -> RowMapping | None:
    """The organization, as this member sees it."""
    parameters = {"organization_id": organization_id, "user_id": user_id}
    return connection.execute(_ORGANIZATION, parameters).mappings().one_or_none()


def make(connection: Connection, name: str, *, owner_id: UUID) -> UUID | None:
    """A new organization with its owner, as the tables' owner; None when they own too many."""
    member, table = identity.memberships, identity.organizations
    person = identity.users.c.user_id
    # One after the other, or two requests at once would both be the last that is allowed.
    connection.execute(select(person).where(person == owner_id).with_for_update())
    owned = select(func.count()).where(member.c.user_id == owner_id, member.c.role == "owner")
    if connection.execute(owned).scalar_one() >= MOST_OWNED:
        return None
    organization_id = uuid4()
    connection.execute(insert(table).values(organization_id=organization_id, name=name))
    connection.execute(insert(member).values(organization_id=organization_id, user_id=owner_id, role="owner"))
    return organization_id


def rename(connection: Connection, organization_id: UUID, name: str) -> bool:
    """Give the organization a name; False when nobody may, or it has this name already."""
    table = identity.organizations
    changed = connection.execute(
        update(table)
        .where(table.c.organization_id == organization_id, table.c.name != name)
        .values(name=name)
        .returning(table.c.organization_id)
    )
    return changed.first() is not None


def members(
    connection: Connection,
    organization_id: UUID,
    *,
    after: MemberKey | None = None,
    user_id: UUID | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Members by when they joined, or the one with this id."""
    member, person = identity.memberships.c, identity.users.c
    statement = (
        select(
            member.user_id,
            person.display_name,
            person.address,
            member.role,
            member.created_at.label("joined_at"),
            person.deactivated_at.is_not(None).label("is_deactivated"),
        )
        .join_from(identity.memberships, identity.users, person.user_id == member.user_id)
        .where(member.organization_id == organization_id)
        .order_by(member.created_at, member.user_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(member.created_at, member.user_id) > tuple_(*after))
    if user_id is not None:
        statement = statement.where(member.user_id == user_id)
    return connection.execute(statement).mappings().all()


def standing(connection: Connection, organization_id: UUID, *, actor_id: UUID, member_id: UUID) -> Standing:
    """Lock the owners, who asks and whom it is about, always in the same order: of two owners who leave at the same
    moment the second one is the last."""
    member, person = identity.memberships.c, identity.users.c
    rows = connection.execute(
        select(member.user_id, member.role)
        .where(
            member.organization_id == organization_id,
            (member.role == literal("owner")) | member.user_id.in_([actor_id, member_id]),
        )
        .order_by(member.user_id)
        .with_for_update()
    ).all()
    roles: dict[UUID, Role] = {row.user_id: row.role for row in rows}
    others = [user_id for user_id, role in roles.items() if role == "owner" and user_id != member_id]
    active = select(func.count()).where(person.user_id.in_(others), person.deactivated_at.is_(None))
    return Standing(roles.get(actor_id), roles.get(member_id), connection.execute(active).scalar_one())


def set_role(connection: Connection, organization_id: UUID, user_id: UUID, role: Role) -> None:
    """Give a member another role."""
    table = identity.memberships
    connection.execute(
        update(table).where(table.c.organization_id == organization_id, table.c.user_id == user_id).values(role=role)
    )


def end_membership(connection: Connection, organization_id: UUID, user_id: UUID) -> None:
    """End a membership. Triggers (migrations 0008 and 0011) end at once what hangs on it: sessions, API keys, assigned
    threads, invitations, and the fetching of personal mailboxes."""
    table = identity.memberships
    connection.execute(delete(table).where(table.c.organization_id == organization_id, table.c.user_id == user_id))
