"""Sealing every stored grant again with the key that now comes first, while everything runs."""

import time
import uuid
from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import OperationalError

from rl_emails_assets.connections.credentials import bound_to
from rl_emails_assets.connections.sealing import Sealer
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
    """Seal with the first key what another one sealed: one row, one short transaction, passing over rows in use."""
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


def _waiting(engine: Engine, sealer: Sealer) -> list[uuid.UUID]:
    query = select(_columns.mailbox_id).where(_columns.key_id != sealer.key_id).order_by(_columns.mailbox_id)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def _rewrap_one(engine: Engine, sealer: Sealer, mailbox_id: uuid.UUID, patience_seconds: float) -> bool:
    """Returns False when somebody else holds the row for that long, or has sealed it meanwhile."""
    is_this = _columns.mailbox_id == mailbox_id
    query = select(_columns.sealed).where(is_this, _columns.key_id != sealer.key_id).with_for_update()
    with engine.begin() as connection:
        connection.execute(text(f"set local lock_timeout = {max(int(patience_seconds * 1000), 1)}"))
        try:
            sealed = connection.execute(query).scalar_one_or_none()
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                return False
            raise
        if sealed is None:
            return False
        plain = sealer.open(sealed, bound_to=bound_to(mailbox_id))
        connection.execute(
            update(mailboxes.credentials)
            .where(is_this)
            .values(
                sealed=sealer.seal(plain, bound_to=bound_to(mailbox_id)),
                key_id=sealer.key_id,
                updated_at=func.now(),
            )
        )
        return True
