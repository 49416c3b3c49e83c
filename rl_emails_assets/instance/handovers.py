"""How a run gets from the launcher to a worker: offers in a table, taken by one, with NOTIFY to be quick about it.

An offer is a row without a worker. A worker takes it by writing its id, the launcher withdraws it by deleting it; both
are one statement on one row, so that exactly one of them has the run. The statements are in handovers.sql. Of packages
only psycopg is needed here: the worker's parent process imports little.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import psycopg
from psycopg.rows import dict_row

from rl_emails_assets.db.tables.sync_queue import ALIVE_SECONDS
from rl_emails_assets.instance.process_marks import host_of, is_gone

CHANNEL = "rl_emails_handovers"
"""Told of offers and of wishes to cancel; workers listen."""
TAKEN_CHANNEL = "rl_emails_handovers_taken"
"""Told the id of a run that was taken; launchers that wait listen."""
DEAD_SECONDS = 30.0
"""A worker that was silent for longer is taken for dead, and its runs are reported as failed."""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Offer:
    """A run that a worker took."""

    run_id: str
    code_server_id: str | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the living workers could do now."""

    workers: int
    ready: int
    """Slots that would take a run."""
    offered: int
    """Runs that nobody took yet."""
    taken: int
    """Runs that are at workers, also at dead ones."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The worker that a run is at."""

    host: str
    is_dead: bool
    why: str
    """Why it counts as dead; empty while it does not."""


def connect(url: str, name: str) -> Connection:
    """A connection for this module's functions, named after `name` in pg_stat_activity. Raises psycopg.Error."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=10,
        application_name=f"rl-emails {name}",
        # A half-open socket would be waited on for ever; the server's end of it is noticed within half a minute.
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        options="-c timezone=UTC -c statement_timeout=10000",
    )


def listen_for_taking(connection: Connection) -> None:
    """Hear from now on which runs are taken."""
    connection.execute(f"listen {TAKEN_CHANNEL}".encode())


def listen_for_offers(connection: Connection) -> None:
    """Hear from now on of offers and of wishes to cancel."""
    connection.execute(f"listen {CHANNEL}".encode())


def stop_listening(connection: Connection) -> None:
    """Hear nothing more: what is told to a connection that nobody reads piles up."""
    connection.execute(b"unlisten *")
    for _ in connection.notifies(timeout=0):
        pass


# -- the launcher's side -------------------------------------------------------------------------------------------


def offer(connection: Connection, run_id: str, code_server_id: str | None) -> bool:
    """Offer the run if a living worker has a slot for it. Returns whether it stands on offer now, or did already."""
    rows = _execute(
        connection,
        "offer",
        run_id=run_id,
        code_server_id=code_server_id,
        ready=sum(_ready_slots(connection)),
        channel=CHANNEL,
    )
    return bool(rows) or bool(_execute(connection, "known", run_id=run_id))


def wait_until_taken(connection: Connection, run_id: str, seconds: float) -> bool:
    """Wait for a worker to take the run; the connection listens to TAKEN_CHANNEL since before the offer."""
    return any(notice.payload == run_id for notice in connection.notifies(timeout=seconds))


def withdraw(connection: Connection, run_id: str) -> bool:
    """Take the offer back. Returns False when it was taken: then the run is the worker's."""
    return bool(_execute(connection, "withdraw", run_id=run_id))


def ask_to_cancel(connection: Connection, run_id: str) -> bool:
    """Tell the worker that has the run to interrupt it. Returns False when no worker has it."""
    return bool(_execute(connection, "ask_to_cancel", run_id=run_id, channel=CHANNEL))


def holder(connection: Connection, run_id: str) -> Holder | None:
    """The worker that has the run; None when none has."""
    rows = _execute(connection, "holder", run_id=run_id, dead_seconds=DEAD_SECONDS)
    if not rows:
        return None
    row = rows[0]
    host = row["host"] or ""
    if row["is_silent"]:
        why = f"Its worker{f' on {host}' if host else ''} gives no sign of life any more."
        return Holder(host, is_dead=True, why=why)
    if is_gone(f"{host} {row['worker_process']}"):
        return Holder(host, is_dead=True, why="Its worker was killed.")
    return Holder(host, is_dead=False, why="")


def capacity(connection: Connection) -> Capacity:
    """What the living workers could do now."""
    ready = _ready_slots(connection)
    return Capacity(workers=len(ready), ready=sum(ready), **_execute(connection, "on_the_way")[0])


def _ready_slots(connection: Connection) -> list[int]:
    """Of each living worker. One of this machine that was killed a moment ago is none, whatever it wrote last."""
    rows = _execute(connection, "living", alive_seconds=ALIVE_SECONDS)
    return [row["ready"] for row in rows if not is_gone(f"{row['host']} {row['process']}")]


# -- the worker's side ---------------------------------------------------------------------------------------------


def register(connection: Connection, worker_id: uuid.UUID, mark: str, *, slots: int, version: str) -> None:
    """Put the worker on record. `mark` is its process's."""
    host = host_of(mark)
    process = mark.partition(" ")[2]
    _execute(connection, "register", worker_id=worker_id, host=host, process=process, slots=slots, version=version)


def beat(
    connection: Connection, worker_id: uuid.UUID, *, ready: int, busy: int, run_count: int, is_stopping: str | None
) -> bool:
    """Say that the worker lives. Returns False when it is on record no more: others took it for dead."""
    rows = _execute(
        connection, "beat", worker_id=worker_id, ready=ready, busy=busy, run_count=run_count, is_stopping=is_stopping
    )
    return bool(rows)


def unregister(connection: Connection, worker_id: uuid.UUID) -> None:
    """Take the worker off the record, unless it leaves runs behind that somebody has to report."""
    _execute(connection, "unregister", worker_id=worker_id)


def take(connection: Connection, worker_id: uuid.UUID) -> Offer | None:
    """Take the oldest offer; None when there is none that another worker is not just taking."""
    rows = _execute(connection, "take", worker_id=worker_id, taken_channel=TAKEN_CHANNEL)
    return Offer(rows[0]["run_id"], rows[0]["code_server_id"]) if rows else None


def executing(connection: Connection, worker_id: uuid.UUID, run_id: str, mark: str) -> None:
    """Note which process executes the run."""
    _execute(connection, "executing", worker_id=worker_id, run_id=run_id, process=mark)


def ended(
    connection: Connection, worker_id: uuid.UUID, run_ids: Sequence[str], *, ready: int, busy: int, run_count: int
) -> None:
    """Forget runs that have ended, and say what the worker can do now."""
    _execute(
        connection,
        "ended",
        worker_id=worker_id,
        run_ids=list(run_ids),
        ready=ready,
        busy=busy,
        run_count=run_count,
    )


def offer_again(connection: Connection, worker_id: uuid.UUID, run_ids: Sequence[str]) -> list[str]:
    """Give runs that were taken and not begun to whoever takes them next. Returns those that were still ours."""
    rows = _execute(connection, "offer_again", worker_id=worker_id, run_ids=list(run_ids), channel=CHANNEL)
    return [row["run_id"] for row in rows]


def held(connection: Connection, worker_id: uuid.UUID) -> list[Offer]:
    """Every run that is this worker's by the record."""
    return [Offer(row["run_id"], row["code_server_id"]) for row in _execute(connection, "held", worker_id=worker_id)]


def cancelled(connection: Connection, worker_id: uuid.UUID) -> list[str]:
    """Those of the worker's runs that somebody wants to be cancelled."""
    return [row["run_id"] for row in _execute(connection, "cancelled", worker_id=worker_id)]


def adopt_from_dead(connection: Connection, worker_id: uuid.UUID) -> list[str]:
    """Take over the runs of workers that died, to report them. Returns their ids."""
    adopted: list[str] = []
    for other in _execute(connection, "others", worker_id=worker_id, dead_seconds=DEAD_SECONDS):
        if other["is_silent"] or is_gone(f"{other['host']} {other['process']}"):
            rows = _execute(connection, "adopt", worker_id=worker_id, dead_id=other["worker_id"])
            adopted += [row["run_id"] for row in rows]
    return adopted


@cache
def statements() -> Mapping[str, str]:
    """The statements of handovers.sql by name."""
    source = resources.files("rl_emails_assets.instance").joinpath("handovers.sql").read_text()
    named: dict[str, str] = {}
    for block in source.split("-- name: ")[1:]:
        name, _, body = block.partition("\n")
        named[name.strip()] = body.strip()
    return named


def _execute(connection: Connection, name: str, **parameters: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statements()[name].encode(), parameters)
        return cursor.fetchall() if cursor.description else []
