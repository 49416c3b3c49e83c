"""SQL of oneself: profile, organizations, API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, func, insert, select, text, update

from rl_emails_api.identity.credential_secrets import SHOWN_CHARACTERS, hash_of, new_api_key
from rl_emails_assets.db.tables.identity import api_keys, sessions, users

MOST_KEYS = 50
"""Keys of one person that can be used at a time."""

_SHOWN = (
    api_keys.c.api_key_id,
    api_keys.c.organization_id,
    api_keys.c.name,
    api_keys.c.prefix,
    api_keys.c.scopes,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.last_used_at,
)
# All of one's own, not only those of the organization that one acts in: row security shows no others.
_OWN = text("select organization_id, name, is_personal, role from identity.own_memberships() order by name, 1")


def person(connection: Connection, user_id: UUID) -> RowMapping:
    """The person's profile."""
    columns = users.c
    return (
        connection.execute(
            select(columns.user_id, columns.address, columns.display_name).where(columns.user_id == user_id)
        )
        .mappings()
        .one()
    )


def own_organizations(connection: Connection) -> Sequence[RowMapping]:
    """The organizations that the transaction's person is a member of, by name."""
    return connection.execute(_OWN).mappings().all()


def switch(connection: Connection, session_id: UUID, organization_id: UUID) -> None:
    """Have the session act in another organization from the next request on."""
    connection.execute(
        update(sessions).where(sessions.c.session_id == session_id).values(organization_id=organization_id)
    )


def usable_keys(connection: Connection, user_id: UUID) -> Sequence[RowMapping]:
    """The person's keys that are neither revoked nor expired, the newest first."""
    columns = api_keys.c
    return (
        connection.execute(
            select(*_SHOWN)
            .where(columns.user_id == user_id, columns.revoked_at.is_(None), columns.expires_at > func.now())
            .order_by(columns.created_at.desc(), columns.api_key_id)
        )
        .mappings()
        .all()
    )


def add_key(
    connection: Connection,
    *,
    user_id: UUID,
    organization_id: UUID,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
) -> tuple[dict[str, Any], str]:
    """Make a key; returns its row and the key itself, which is not kept."""
    key = new_api_key()
    row = (
        connection.execute(
            insert(api_keys)
            .values(
                api_key_id=uuid4(),
                organization_id=organization_id,
                user_id=user_id,
                name=name,
                prefix=key[:SHOWN_CHARACTERS],
                key_hash=hash_of(key),
                scopes=list(scopes),
                expires_at=expires_at,
            )
            .returning(*_SHOWN)
        )
        .mappings()
        .one()
    )
    return dict(row), key


def revoke_key(connection: Connection, user_id: UUID, api_key_id: UUID) -> bool:
    """End a key of this person; False when they have no such key."""
    return (
        connection.execute(
            update(api_keys)
            .where(api_keys.c.api_key_id == api_key_id, api_keys.c.user_id == user_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(api_keys.c.api_key_id)
        ).first()
        is not None
    )
