"""The end of a mailbox: its watch is stopped, its grant revoked, and every row of it erased.

What is erased is counted in the privacy receipt of the mailbox (db.receipts), in the transactions that erase it. The
receipt is not ended here: what Dagster and the logs know of the mailbox goes afterwards (privacy.erasure).

The order makes it safe to repeat after a kill at any point: what is at the provider goes first, while the tokens are
still there; the row of the connection goes last, and until then the mailbox stays in the state `disconnecting`.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection, Engine, Table, delete, func, select, text, update
from sqlalchemy.exc import OperationalError

from rl_emails_assets.connections import google_endpoints
from rl_emails_assets.connections.credentials import TokenSource, read_grant
from rl_emails_assets.connections.reconnection import DISCONNECTING
from rl_emails_assets.db import receipts
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import mailboxes, privacy, sync_queue
from rl_emails_assets.errors import ProviderUnavailableError, ReconnectNeededError, SealError, SettingsError
from rl_emails_assets.settings import Settings

BATCH_ROWS = 5000
"""Rows that one transaction deletes: at most 0.7 s of `raw.messages`, the dearest table, measured on two busy cores."""
DEADLOCK = "40P01"
DEADLOCK_TRIES = 5
PERMISSIONS = "https://myaccount.google.com/permissions"
"""Where people see and end what they granted."""
NONE = "there was none"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a disconnection did."""

    mailbox_id: uuid.UUID
    address: str
    """'' when the mailbox was not there any more."""
    provider: str
    watch: str
    """What became of the watch, for a person."""
    grant: str
    """What became of the grant, for a person."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows that this call removed, by table; those of an interrupted one are not counted again."""
    receipt_id: uuid.UUID | None = None
    """The privacy receipt, which counts those of an interrupted one as well; None when the mailbox was not there."""

    def as_json(self) -> dict[str, Any]:
        """The receipt for scripts."""
        return asdict(self)


def disconnect(
    engine: Engine,
    settings: Settings,
    mailbox_id: uuid.UUID,
    *,
    even_if_unreachable: bool = False,
    on_erased: Callable[[str, int], None] | None = None,
) -> Receipt:
    """Stop the watch, revoke the grant and erase the mailbox. Safe to repeat; a mailbox that is gone is no error.

    `on_erased` is told the table and the number of rows after every transaction that removed some, to say how far it is
    or to keep a lease. Raises ProviderUnavailableError when Google cannot be reached, with nothing erased: without the
    tokens the grant could not be revoked any more. `even_if_unreachable` erases all the same.
    """
    with engine.begin() as connection:
        columns = mailboxes.connections.c
        is_this = columns.mailbox_id == mailbox_id
        row = connection.execute(
            select(columns.address, columns.provider, columns.state).where(is_this).with_for_update()
        ).one_or_none()
        if row is None:
            return Receipt(mailbox_id, "", "", NONE, NONE)
        if row.state != DISCONNECTING:
            connection.execute(
                update(mailboxes.connections)
                .where(is_this)
                .values(state=DISCONNECTING, state_reason="It is being disconnected", state_changed_at=func.now())
            )
        receipt_id = receipts.ensure_for_mailbox(connection, mailbox_id)
    watch = grant = NONE
    if row.provider == "gmail":
        watch = _told(lambda: _stop_watch(engine, settings, mailbox_id), even_if_unreachable=even_if_unreachable)
        grant = _told(lambda: _revoke(engine, settings, mailbox_id), even_if_unreachable=even_if_unreachable)
    with engine.begin() as connection:
        receipts.note(connection, receipt_id, outcome={"watch": watch, "grant": grant})
    rows = _erase(engine, mailbox_id, receipt_id, on_erased or (lambda _table, _count: None))
    return Receipt(mailbox_id, row.address, row.provider, watch, grant, rows, receipt_id)


def mailbox_tables() -> list[Table]:
    """Every table that holds rows of a mailbox, each before those that it refers to; the connection itself is not among
    them, and what tells of its end is not either."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if "mailbox_id" in table.c and table not in (mailboxes.connections, privacy.receipts)
    ]


def _told(ask: Callable[[], str], *, even_if_unreachable: bool) -> str:
    try:
        return ask()
    except ReconnectNeededError:
        return "Google had ended it already"
    except (SealError, SettingsError) as error:
        return f"could not be ended from here; remove our access at {PERMISSIONS}. {error}"
    except ProviderUnavailableError as error:
        if not even_if_unreachable:
            raise
        return f"could not be ended, as Google could not be reached; remove our access at {PERMISSIONS}. {error}"


def _stop_watch(engine: Engine, settings: Settings, mailbox_id: uuid.UUID) -> str:
    tokens = TokenSource(engine, settings, mailbox_id)
    token = tokens.access_token()
    status = google_endpoints.stop_watch(settings, token)
    if status == httpx.codes.UNAUTHORIZED:
        status = google_endpoints.stop_watch(settings, tokens.access_token(rejected=token))
    if httpx.codes.is_success(status):
        return "stopped"
    return f"Google answered {status}; without renewal it ends within seven days"


def _revoke(engine: Engine, settings: Settings, mailbox_id: uuid.UUID) -> str:
    with engine.connect() as connection:
        grant = read_grant(connection, settings, mailbox_id)
    if grant is None:
        return NONE
    status = google_endpoints.revoke(settings, grant.refresh_token)
    if httpx.codes.is_success(status):
        return "revoked"
    if status == httpx.codes.BAD_REQUEST:
        return "Google had ended it already"
    return f"Google answered {status}; remove our access at {PERMISSIONS}"


def _erase(
    engine: Engine, mailbox_id: uuid.UUID, receipt_id: uuid.UUID, on_erased: Callable[[str, int], None]
) -> dict[str, int]:
    rows: dict[str, int] = {}

    def count(table: Table, removed: int) -> None:
        if removed:
            rows[table.fullname] = rows.get(table.fullname, 0) + removed
            on_erased(table.fullname, removed)

    for table in mailbox_tables():
        # The request is what repeats this after a kill, so it goes last.
        removed = BATCH_ROWS if table is not sync_queue.requests else 0
        while removed == BATCH_ROWS:
            removed = _retried(engine, partial(_delete_some, table, mailbox_id, receipt_id))
            count(table, removed)
    for table, removed in _retried(engine, partial(_delete_rest, mailbox_id, receipt_id)):
        count(table, removed)
    return rows


def _delete_some(table: Table, mailbox_id: uuid.UUID, receipt_id: uuid.UUID, connection: Connection) -> int:
    name = f"{table.schema}.{table.name}"
    statement = text(
        f"delete from {name} where ctid = any(array("  # noqa: S608 - the name is one of our tables
        f"select ctid from {name} where mailbox_id = :mailbox_id limit :most))"
    )
    removed = connection.execute(statement, {"mailbox_id": mailbox_id, "most": BATCH_ROWS}).rowcount
    receipts.count_removed(connection, receipt_id, {table.fullname: removed})
    return removed


def _delete_rest(mailbox_id: uuid.UUID, receipt_id: uuid.UUID, connection: Connection) -> list[tuple[Table, int]]:
    """What a run wrote meanwhile, the request and the connection, in one transaction.

    The lock on the connection's row keeps rows of the mailbox from being added: their foreign key needs it.
    """
    table = mailboxes.connections
    connection.execute(select(table.c.mailbox_id).where(table.c.mailbox_id == mailbox_id).with_for_update())
    removed = [
        (each, connection.execute(delete(each).where(each.c.mailbox_id == mailbox_id)).rowcount)
        for each in [*mailbox_tables(), table]
    ]
    receipts.count_removed(connection, receipt_id, {each.fullname: number for each, number in removed})
    return removed


def _retried(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do the work in a transaction of its own; a run that writes to the mailbox may deadlock with it."""
    tries_left = DEADLOCK_TRIES
    while True:
        tries_left -= 1
        try:
            with engine.begin() as connection:
                return work(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != DEADLOCK or not tries_left:
                raise
