"""The queue of sync requests: enqueue, peek, claim, heartbeat, finish.

Every function runs in the caller's transaction, so that a claim ends in the same transaction as its last write.
A claim is a lease that belongs to one run; a run that lost it changes nothing here. The statements are in queries.sql.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy import Connection

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.errors import LeaseLostError

LEASE_SECONDS = 90
"""A run heartbeats with every batch it commits; the slowest batch takes a few seconds."""
MOST_ATTEMPTS = 5
MOST_SILENT_DEATHS = 3
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Due:
    """A request that a run could claim now."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that this run holds."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    kind: str
    attempts: int


@dataclass(frozen=True, slots=True)
class StateSummary:
    """How many requests are in one state, and since when the oldest."""

    state: str
    request_count: int
    oldest_at: datetime


def enqueue(connection: Connection, mailbox_id: uuid.UUID, *, asked_by: str, kind: str = "full") -> uuid.UUID:
    """Ask for a sync of the mailbox; joins a request that waits already. Returns the waiting request's id."""
    rows = _execute(
        connection,
        "enqueue",
        {"request_id": uuid.uuid4(), "mailbox_id": mailbox_id, "kind": kind, "asked_by": asked_by},
    )
    request_id: uuid.UUID = rows[0]["request_id"]
    return request_id


def due(connection: Connection, *, most: int = 100) -> list[Due]:
    """Requests a run could claim now, one a mailbox. Only looks."""
    return [Due(**row) for row in _execute(connection, "due", {"most": most})]


def claim(connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> Claim | None:
    """Take the mailbox's request for this run; None when there is none or another run holds it."""
    parameters = {
        "mailbox_id": mailbox_id,
        "run_id": run_id,
        "lease_token": uuid.uuid4(),
        "lease_seconds": LEASE_SECONDS,
    }
    rows = _execute(connection, "claim", parameters)
    return Claim(**rows[0]) if rows else None


def heartbeat(connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> bool:
    """Extend this run's lease. Returns False when it holds none."""
    parameters = {"mailbox_id": mailbox_id, "run_id": run_id, "lease_seconds": LEASE_SECONDS}
    return bool(_execute(connection, "heartbeat", parameters))


def succeed(connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> bool:
    """End this run's claim as done. Returns False when it holds none (a run that nobody queued)."""
    return bool(_execute(connection, "succeed", {"mailbox_id": mailbox_id, "run_id": run_id}))


def fail(connection: Connection, mailbox_id: uuid.UUID, run_id: str, *, error: str, is_permanent: bool) -> None:
    """End this run's claim as failed: wait and try again, or, when that cannot help, keep it as a dead letter.

    Raises LeaseLostError when the run holds no claim.
    """
    held = _execute(connection, "held", {"mailbox_id": mailbox_id, "run_id": run_id})
    if not held:
        raise LeaseLostError(f"Run {run_id} holds no request of mailbox {mailbox_id}; its failure changes no request.")
    request_id, attempts = held[0]["request_id"], held[0]["attempts"]
    if is_permanent or attempts >= MOST_ATTEMPTS:
        _execute(connection, "bury", {"request_id": request_id, "error": error})
    else:
        _execute(
            connection, "retry", {"request_id": request_id, "error": error, "delay_seconds": delay_seconds(attempts)}
        )


def bury_poison(connection: Connection) -> list[uuid.UUID]:
    """Make dead letters of the requests whose runs keep dying silently. Returns their ids."""
    return [row["request_id"] for row in _execute(connection, "bury_poison", {"most_attempts": MOST_SILENT_DEATHS})]


def held_runs(connection: Connection) -> list[str]:
    """The runs that hold a request now."""
    return [row["run_id"] for row in _execute(connection, "held_runs", {})]


def hand_back(connection: Connection, run_ids: Sequence[str]) -> list[uuid.UUID]:
    """End the claims of runs that were stopped on purpose; their mailboxes wait again. Returns the mailboxes.

    The next run starts at once instead of when the lease has lapsed, and the stop does not count as a failed try.
    """
    rows = _execute(connection, "hand_back", {"run_ids": list(run_ids)})
    return [row["mailbox_id"] for row in rows]


def summary(connection: Connection) -> list[StateSummary]:
    """The queue by state."""
    return [StateSummary(**row) for row in _execute(connection, "summary", {})]


def delay_seconds(attempts: int) -> float:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015)."""
    ceiling = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0))
    return random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing


@cache
def statements() -> Mapping[str, str]:
    """The statements of queries.sql by name."""
    source = resources.files("rl_emails_assets.sync_queue").joinpath("queries.sql").read_text()
    named: dict[str, str] = {}
    for block in source.split("-- name: ")[1:]:
        name, _, body = block.partition("\n")
        named[name.strip()] = body.strip()
    return named


def _execute(connection: Connection, name: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
    with driver_connection(connection).cursor(row_factory=dict_row) as cursor:
        cursor.execute(statements()[name].encode(), parameters)
        return cursor.fetchall() if cursor.description else []
