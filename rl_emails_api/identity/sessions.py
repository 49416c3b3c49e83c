"""Sessions: devices on which a person is signed in."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from rl_emails_api.identity.credential_secrets import hash_of, new_secret
from rl_emails_assets.db import audit
from rl_emails_assets.db.tables.identity import sessions
from rl_emails_assets.identity_sync.admission import Access

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def begin_session(
    connection: Connection, access: Access, *, lifetime: timedelta, user_agent: str, client: str, replaces: str = ""
) -> str:
    """Sign a person in on a device; returns the cookie's secret, which is not kept. Ends the session it replaces."""
    secret, session_id = new_secret(), uuid4()
    is_replaced = (sessions.c.token_hash == hash_of(replaces)) & sessions.c.revoked_at.is_(None)
    ended = update(sessions).where(is_replaced, sessions.c.user_id == access.user_id)
    connection.execute(ended.values(revoked_at=func.now()))
    connection.execute(
        insert(sessions).values(
            session_id=session_id,
            user_id=access.user_id,
            organization_id=access.organization_id,
            token_hash=hash_of(secret),
            device=device_of(user_agent),
            expires_at=func.now() + lifetime,
        )
    )
    audit.record(
        connection,
        "session.created",
        target=session_id,
        organization_id=access.organization_id,
        user_id=access.user_id,
        credential="session",
        client=client,
    )
    return secret


def revoke(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End a session of this person; False when they have no such session."""
    return (
        connection.execute(
            update(sessions)
            .where(sessions.c.session_id == session_id, sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(sessions.c.session_id)
        ).first()
        is not None
    )


def listed(connection: Connection, user_id: UUID, *, idle_days: float) -> Sequence[RowMapping]:
    """The sessions of a person that still open something, the one that was seen last first."""
    columns = sessions.c
    return (
        connection.execute(
            select(
                columns.session_id,
                columns.organization_id,
                columns.device,
                columns.created_at,
                columns.last_seen_at,
                columns.expires_at,
            )
            .where(
                columns.user_id == user_id,
                columns.revoked_at.is_(None),
                columns.expires_at > func.now(),
                columns.last_seen_at > func.now() - timedelta(days=idle_days),
            )
            .order_by(columns.last_seen_at.desc(), columns.session_id)
        )
        .mappings()
        .all()
    )


def device_of(user_agent: str) -> str:
    """Browser and system, as a person would say it; nothing that a browser makes up is kept."""
    browser = next((name for sign, name in _BROWSERS if re.search(rf"\b{sign}[A-Za-z]*/", user_agent)), "A browser")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser
