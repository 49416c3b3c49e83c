"""Sealing every stored grant again with the key that now comes first, in today's form, while everything runs.

The job `sealing` does it by itself when there is something to do; `rl-emails keys rotate` does it at once.
"""

import time
import uuid
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import ColumnElement, Connection, Engine, func, select, text, update
from sqlalchemy.exc import OperationalError

from rl_emails_assets.connections.credentials import place_of
from rl_emails_assets.connections.sealing import VERSION, Sealer
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import SealError
from rl_emails_assets.settings import Settings

PATIENCE_SECONDS = 60.0
"""How long rows that others hold are waited for; a refresh holds its row for 10 s at most."""

_columns = mailboxes.credentials.c


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What sealing again did."""

    key_id: str
    """The key that all but the named ones are sealed with now."""
    rewrapped_count: int
    busy: list[uuid.UUID]
    """Mailboxes whose row was in use all the time; do it again."""
    unreadable: dict[uuid.UUID, str]
    """Mailboxes whose grant could not be opened, and why."""


def rewrap(engine: Engine, settings: Settings, *, patience_seconds: float | None = None) -> Rewrapped:
    """Seal with the first key, bound as today, what another key or an older release sealed: one row, one short
    transaction, passing over rows in use."""
    sealer = Sealer.of(settings)
    until = time.monotonic() + (PATIENCE_SECONDS if patience_seconds is None else patience_seconds)
    rewrapped: set[uuid.UUID] = set()
    unreadable: dict[uuid.UUID, str] = {}
    patience = 0.0
    while True:
        waiting = [mailbox_id for mailbox_id in _waiting(engine, sealer) if mailbox_id not in unreadable]
        for mailbox_id in waiting:
            try:
                if _rewrap_one(engine, sealer, mailbox_id, patience):
                    rewrapped.add(mailbox_id)
            except SealError as error:
                unreadable[mailbox_id] = str(error)
        busy = [mailbox_id for mailbox_id in waiting if mailbox_id not in rewrapped and mailbox_id not in unreadable]
        # Rows that nobody holds come first; what is left is waited for, in the lock's own queue.
        patience = until - time.monotonic()
        if not waiting or (busy and patience <= 0):
            return Rewrapped(sealer.key_id, len(rewrapped), busy, unreadable)


def counts(engine: Engine, settings: Settings) -> dict[str, int]:
    """How many grants each key has sealed: of every key there is, the first first, and of those that are missing."""
    found = dict.fromkeys(Sealer.of(settings).key_ids, 0)
    query = select(_columns.key_id, func.count()).group_by(_columns.key_id).order_by(_columns.key_id)
    with engine.connect() as connection:
        for row in connection.execute(query):
            found[row[0]] = row[1]
    return found


def outdated_count(connection: Connection) -> int:
    """How many grants an older release sealed, not bound to their organization; the job `sealing` brings it to 0."""
    query = select(func.count()).select_from(mailboxes.credentials).where(_is_older_form())
    return connection.execute(query).scalar_one()


def has_work(connection: Connection, settings: Settings) -> bool:
    """Whether a grant is to be sealed again. Only looks, and makes no key where nothing is sealed yet."""
    if connection.execute(select(_columns.mailbox_id).limit(1)).first() is None:
        return False
    query = select(_columns.mailbox_id).where(_is_outdated(Sealer.of(settings))).limit(1)
    return connection.execute(query).first() is not None


def _is_older_form() -> ColumnElement[bool]:
    return func.substring(_columns.sealed, 1, 1) != VERSION


def _is_outdated(sealer: Sealer) -> ColumnElement[bool]:
    return (_columns.key_id != sealer.key_id) | _is_older_form()


def _waiting(engine: Engine, sealer: Sealer) -> list[uuid.UUID]:
    query = select(_columns.mailbox_id).where(_is_outdated(sealer)).order_by(_columns.mailbox_id)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def _rewrap_one(engine: Engine, sealer: Sealer, mailbox_id: uuid.UUID, patience_seconds: float) -> bool:
    """Returns False when somebody else holds the row for that long, or has sealed it meanwhile."""
    is_this = _columns.mailbox_id == mailbox_id
    query = (
        select(_columns.sealed, mailboxes.connections.c.organization_id)
        .join_from(mailboxes.credentials, mailboxes.connections)
        .where(is_this, _is_outdated(sealer))
        .with_for_update(of=mailboxes.credentials)
    )
    with engine.begin() as connection:
        connection.execute(text(f"set local lock_timeout = {max(int(patience_seconds * 1000), 1)}"))
        try:
            row = connection.execute(query).one_or_none()
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                return False
            raise
        if row is None:
            return False
        place = place_of(mailbox_id, row.organization_id)
        plain = sealer.open(row.sealed, bound_to=place)
        connection.execute(
            update(mailboxes.credentials)
            .where(is_this)
            .values(
                sealed=sealer.seal(plain, bound_to=place),
                key_id=sealer.key_id,
                updated_at=func.now(),
            )
        )
        return True
