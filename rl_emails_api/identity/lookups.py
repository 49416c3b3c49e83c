"""Whose API key or session a secret is, asked of the database at each request: what was revoked is refused at once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose credential it is, and what they may be."""

    credential_id: UUID
    user_id: UUID
    organization_id: UUID
    role: str
    scopes: tuple[str, ...] | None
    """What an API key may be used for; None for a session."""


@dataclass(frozen=True, slots=True)
class Ended:
    """There is such a credential, but it cannot be used; `reason` is one word for it."""

    reason: str
    user_id: UUID
    organization_id: UUID


# Expired, revoked, deactivated and removed are told apart for the audit log only; the answer is one and the same.
_KEY = text(
    """
    select c.api_key_id as credential_id, c.user_id, c.organization_id, member.role, c.scopes,
        case
            when c.revoked_at is not null then 'revoked'
            when c.expires_at <= now() then 'expired'
            when person.deactivated_at is not null then 'deactivated'
            when member.role is null then 'removed'
        end as ended,
        coalesce(c.last_used_at < now() - interval '1 minute', true) as is_to_note
    from identity.api_keys as c
    join identity.users as person on person.user_id = c.user_id
    left join identity.memberships as member
        on member.organization_id = c.organization_id and member.user_id = c.user_id
    where c.key_hash = :hash
    """
)
_SESSION = text(
    """
    select c.session_id as credential_id, c.user_id, c.organization_id, member.role, cast(null as text[]) as scopes,
        case
            when c.revoked_at is not null then 'revoked'
            when c.expires_at <= now() then 'expired'
            when c.last_seen_at < now() - make_interval(secs => :idle_seconds) then 'idle'
            when person.deactivated_at is not null then 'deactivated'
            when member.role is null then 'removed'
        end as ended,
        c.last_seen_at < now() - interval '1 minute' as is_to_note
    from identity.sessions as c
    join identity.users as person on person.user_id = c.user_id
    left join identity.memberships as member
        on member.organization_id = c.organization_id and member.user_id = c.user_id
    where c.token_hash = :hash
    """
)
_NOTE_KEY = text(
    """
    update identity.api_keys set last_used_at = now()
    where api_key_id = :credential_id and coalesce(last_used_at < now() - interval '1 minute', true)
    """
)
_NOTE_SESSION = text(
    """
    update identity.sessions set last_seen_at = now()
    where session_id = :credential_id and last_seen_at < now() - interval '1 minute'
    """
)


def holder_of_key(engine: Engine, key_hash: bytes) -> Holder | Ended | None:
    """Whose API key this is; None when there is no such key. Notes the use, once a minute."""
    return _look(engine, _KEY, _NOTE_KEY, {"hash": key_hash})


def holder_of_session(engine: Engine, token_hash: bytes, *, idle_seconds: float) -> Holder | Ended | None:
    """Whose session this is; None when there is no such session. Notes that it was seen, once a minute."""
    return _look(engine, _SESSION, _NOTE_SESSION, {"hash": token_hash, "idle_seconds": idle_seconds})


def _look(engine: Engine, look: Any, note: Any, asked: dict[str, Any]) -> Holder | Ended | None:
    # Each statement is its own transaction: no round trips for BEGIN and COMMIT, and no lock is kept.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        row = connection.execute(look, asked).one_or_none()
        if row is None:
            return None
        if row.ended is not None:
            return Ended(row.ended, row.user_id, row.organization_id)
        if row.is_to_note:
            _note(connection, note, row.credential_id)
    scopes = None if row.scopes is None else tuple(row.scopes)
    return Holder(row.credential_id, row.user_id, row.organization_id, row.role, scopes)


def _note(connection: Connection, note: Any, credential_id: UUID) -> None:
    connection.execute(note, {"credential_id": credential_id})
