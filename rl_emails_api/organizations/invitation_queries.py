"""SQL about invitations, and the secret in their links."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from rl_emails_api.identity.principal import Role
from rl_emails_assets.db.tables import identity

LIFETIME = timedelta(days=7)
KEPT = timedelta(days=30)
"""After it has lapsed; until then whoever comes with it is told that it has."""
MOST_OPEN = 200
"""Open invitations of an organization."""
SECRET_BYTES = 32

_table = identity.invitations
_columns = _table.c
_SHOWN = (
    _columns.invitation_id,
    _columns.address,
    _columns.role,
    _columns.invited_by,
    _columns.created_at,
    _columns.expires_at,
    (_columns.expires_at <= func.now()).label("is_expired"),
)


@dataclass(frozen=True, slots=True)
class Comer:
    """Who comes with an invitation."""

    user_id: UUID
    address: str
    """Verified; '' when there is none."""


def hash_of(secret: str) -> bytes:
    """What is kept of a secret; it has 256 random bits, so a plain hash cannot be searched for it."""
    return hashlib.sha256(secret.encode()).digest()


def is_member(connection: Connection, organization_id: UUID, address: str) -> bool:
    """Somebody with this address is a member already."""
    member, person = identity.memberships.c, identity.users.c
    found = connection.execute(
        select(member.user_id)
        .join_from(identity.memberships, identity.users, person.user_id == member.user_id)
        .where(member.organization_id == organization_id, person.address == address)
        .limit(1)
    )
    return found.first() is not None


def is_personal(connection: Connection, organization_id: UUID) -> bool:
    """The organization is one person's own, the place where they are without a team."""
    table = identity.organizations.c
    found: bool = connection.execute(
        select(table.is_personal).where(table.organization_id == organization_id)
    ).scalar_one()
    return found


def opened(connection: Connection, organization_id: UUID) -> Sequence[RowMapping]:
    """Invitations that nobody accepted or took back, the latest first."""
    return (
        connection.execute(
            select(*_SHOWN)
            .where(_is_open(organization_id))
            .order_by(_columns.created_at.desc(), _columns.invitation_id)
            .limit(MOST_OPEN)
        )
        .mappings()
        .all()
    )


def make(
    connection: Connection, organization_id: UUID, *, address: str, role: Role, invited_by: UUID
) -> tuple[RowMapping, str] | None:
    """A new invitation in the place of an open one for the same address, and its secret; None when there are too many.

    Two requests at the same moment do this one after the other, or one address would get two open invitations.
    """
    organization = identity.organizations.c.organization_id
    connection.execute(select(organization).where(organization == organization_id).with_for_update())
    lapsed = _columns.expires_at < func.now() - KEPT
    connection.execute(delete(_table).where(_columns.organization_id == organization_id, lapsed))
    connection.execute(
        update(_table).where(_is_open(organization_id), _columns.address == address).values(revoked_at=func.now())
    )
    count: int = connection.execute(select(func.count()).where(_is_open(organization_id))).scalar_one()
    if count >= MOST_OPEN:
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    values: dict[str, Any] = {
        "invitation_id": uuid4(),
        "organization_id": organization_id,
        "address": address,
        "role": role,
        "token_hash": hash_of(secret),
        "invited_by": invited_by,
        "expires_at": func.now() + LIFETIME,
    }
    return connection.execute(insert(_table).values(values).returning(*_SHOWN)).mappings().one(), secret


def find(connection: Connection, organization_id: UUID, invitation_id: UUID) -> RowMapping | None:
    """An open invitation, locked."""
    return (
        connection.execute(
            select(*_SHOWN).where(_is_open(organization_id), _columns.invitation_id == invitation_id).with_for_update()
        )
        .mappings()
        .one_or_none()
    )


def revoke(connection: Connection, organization_id: UUID, invitation_id: UUID) -> None:
    """Take an open invitation back."""
    connection.execute(
        update(_table)
        .where(_is_open(organization_id), _columns.invitation_id == invitation_id)
        .values(revoked_at=func.now())
    )


# -- as the tables' owner: who accepts is no member yet, so row-level security shows them nothing of it ----------------


def comer(connection: Connection, user_id: UUID) -> Comer | None:
    """Who comes with an invitation; None when they may do nothing any more."""
    person = identity.users.c
    row = connection.execute(
        select(person.address).where(person.user_id == user_id, person.deactivated_at.is_(None))
    ).one_or_none()
    return None if row is None else Comer(user_id, row.address)


def by_secret(connection: Connection, secret: str) -> RowMapping | None:
    """The invitation of a link, locked, so that it is accepted once."""
    organization = identity.organizations.c
    member = identity.memberships.alias("inviter")
    return (
        connection.execute(
            select(
                *_SHOWN,
                _columns.organization_id,
                _columns.accepted_at,
                _columns.revoked_at,
                organization.name,
                select(member.c.role)
                .where(member.c.organization_id == _columns.organization_id, member.c.user_id == _columns.invited_by)
                .scalar_subquery()
                .label("inviter_role"),
            )
            .join_from(_table, identity.organizations, organization.organization_id == _columns.organization_id)
            .where(_columns.token_hash == hash_of(secret))
            .with_for_update(of=_table)
        )
        .mappings()
        .one_or_none()
    )


def join(connection: Connection, invitation: RowMapping, user_id: UUID) -> bool:
    """Make the person a member and use the invitation up; False when they are one already, and then nothing changes."""
    member = identity.memberships
    joined = connection.execute(
        upsert(member)
        .values(organization_id=invitation["organization_id"], user_id=user_id, role=invitation["role"])
        .on_conflict_do_nothing()
        .returning(member.c.user_id)
    )
    if joined.first() is None:
        return False
    connection.execute(
        update(_table).where(_columns.invitation_id == invitation["invitation_id"]).values(accepted_at=func.now())
    )
    return True


def _is_open(organization_id: UUID) -> ColumnElement[bool]:
    return and_(
        _columns.organization_id == organization_id, _columns.accepted_at.is_(None), _columns.revoked_at.is_(None)
    )
