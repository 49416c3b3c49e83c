"""The audit log: what was done, by whom, to what. Rows are added and read, never changed.

The log outlives what it is about, an erased person included, so it holds ids and words of ours only. A text is kept
when it is one short word (`admin`, `mail:read`, an id): a sentence has spaces, an address an @, and a secret of 256
bits more characters. Anything else is recorded as `LEFT_OUT`, so that no name that somebody chose makes an action fail.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.db.tables.identity import audit_events

LEFT_OUT = "(left out)"
"""Stands for a text that is not one short word."""
MAX_WORD = 40
"""Characters; 256 random bits take 43 in base64."""
MAX_ITEMS = 20
"""Of a list, and names in the details."""

_ACTION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORD = re.compile(rf"[A-Za-z0-9_.:/+-]{{0,{MAX_WORD}}}")
_CLIENT = re.compile(r"[0-9A-Fa-f.:]{0,45}")


def record(
    connection: Connection,
    action: str,
    *,
    target: uuid.UUID | str = "",
    details: Mapping[str, Any] = {},
    organization_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
    credential: str = "system",
    client: str = "",
    request_id: str = "",
    event_id: uuid.UUID | None = None,
) -> None:
    """Add an event in the caller's transaction: it is there exactly when what it tells of is.

    `target` is an id. `details` holds numbers, truths, times, ids, short words, or lists of those. With `event_id` a
    second event of the same id is not added. Raises ValueError or TypeError for what no caller should try: an action
    that is not `noun.verb`, a detail of another type.
    """
    if not _ACTION.fullmatch(action):
        raise ValueError(f"The audit action {action!r} is not two words as in session.created.")
    statement = insert(audit_events).values(
        audit_event_id=event_id or uuid.uuid4(),
        organization_id=organization_id,
        user_id=user_id,
        credential=credential,
        action=action,
        target=_word(str(target)),
        details=_details(details),
        client=client if _CLIENT.fullmatch(client) else LEFT_OUT,
        request_id=_word(request_id),
    )
    connection.execute(statement if event_id is None else statement.on_conflict_do_nothing())


def event_id_of(*parts: object) -> uuid.UUID:
    """An event's id out of what makes it one and the same, as the hour in which a page was looked at."""
    return uuid.uuid5(ID_NAMESPACE, "audit/" + "/".join(str(part) for part in parts))


def events(
    connection: Connection,
    *,
    organization_id: uuid.UUID,
    action: str | None = None,
    user_id: uuid.UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, uuid.UUID] | None = None,
    limit: int,
) -> list[Row[Any]]:
    """Events of an organization, the latest first. `action` is one action or, ending in a dot, a noun's (`session.`).

    `since` is included and `until` is not; `after` is the place of the last event of the page before.
    """
    columns = audit_events.c
    query = select(audit_events).where(columns.organization_id == organization_id)
    if action is not None and action.endswith("."):
        query = query.where(columns.action.startswith(action, autoescape=True))
    elif action is not None:
        query = query.where(columns.action == action)
    if user_id is not None:
        query = query.where(columns.user_id == user_id)
    if since is not None:
        query = query.where(columns.created_at >= since)
    if until is not None:
        query = query.where(columns.created_at < until)
    if after is not None:
        at, event_id = after
        query = query.where(
            (columns.created_at < at) | ((columns.created_at == at) & (columns.audit_event_id < event_id))
        ).where(columns.created_at <= at)
    query = query.order_by(columns.created_at.desc(), columns.audit_event_id.desc()).limit(limit)
    return list(connection.execute(query))


def _details(details: Mapping[str, Any]) -> dict[str, Any]:
    if len(details) > MAX_ITEMS:
        raise ValueError(f"An audit event has at most {MAX_ITEMS} details.")
    for name in details:
        if not _NAME.fullmatch(name):
            raise ValueError(f"The audit detail {name!r} is not named by a short word.")
    return {name: _value(name, value) for name, value in details.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_single(name, item) for item in list(items)[:MAX_ITEMS]]
    return _single(name, value)


def _single(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return _word(value)
    raise TypeError(f"The audit detail {name!r} is a {type(value).__name__}, which the log does not hold.")


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else LEFT_OUT
