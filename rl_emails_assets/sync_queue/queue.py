"""The queue of sync requests: enqueue, peek, claim, heartbeat, finish; dead letters are in dead_letters.py.

Every function runs in the caller's transaction, so that a claim ends in the same transaction as its last write.
A claim is a lease that belongs to one run; a run that lost it changes nothing here. The statements are in queries.sql.

From `kill -9` of a run to the next claim at most 60 s pass: the lease lapses within LEASE_SECONDS (30) of the last
heartbeat, the sensor wakes for it at once or at its next tick (5 s, Dagster's loop), and a run starts and claims (under
1 s with a worker, 5 to 12 s with Dagster's own launcher).
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.sync_queue.statements import CHANNEL as CHANNEL
from rl_emails_assets.sync_queue.statements import execute
from rl_emails_assets.sync_queue.statements import statements as statements

LEASE_SECONDS = 30
"""How long a claim holds without a heartbeat."""
HEARTBEAT_SECONDS = 8
"""How often a run moves its lease; three may be missed."""
MOST_ATTEMPTS = 8
"""With the delays below, a provider that is down for a few minutes makes no dead letter."""
MOST_SILENT_DEATHS = 3
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 900.0
LEARNING = "learning"
"""Asks when what serves a mailbox has changed: everything is decided again, and no source is read."""
PEOPLE = ("button", "connect", "import")
"""Who asks in person; only they cut short the wait after a failure."""


@dataclass(frozen=True, slots=True)
class Due:
    """A request that a run could claim now."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    kind: str
    asked_by: str
    attempts: int
    since: datetime
    """Since when it could be claimed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that this run holds."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    kind: str
    asked_by: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Live:
    """A request that waits (todo) or runs (doing)."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    address: str
    kind: str
    asked_by: str
    state: str
    attempts: int
    run_id: str | None
    error: str | None
    created_at: datetime
    run_after: datetime
    leased_until: datetime | None


@dataclass(frozen=True, slots=True)
class StateSummary:
    """How many requests are in one state, and since when the oldest."""

    state: str
    request_count: int
    oldest_at: datetime


def enqueue(
    connection: Connection, mailbox_id: uuid.UUID, *, asked_by: str, kind: str = "partial", delay_seconds: float = 0
) -> uuid.UUID | None:
    """Ask for a sync of the mailbox (or its end: kind disconnect); joins a request that waits already.

    Returns the waiting request's id; None when the mailbox is not connected, where only a disconnect is taken.
    """
    return enqueue_many(connection, [mailbox_id], asked_by=asked_by, kind=kind, delay_seconds=delay_seconds).get(
        mailbox_id
    )


def enqueue_many(
    connection: Connection,
    mailbox_ids: Sequence[uuid.UUID],
    *,
    asked_by: str,
    kind: str = "partial",
    delay_seconds: float = 0,
) -> dict[uuid.UUID, uuid.UUID]:
    """The same for many mailboxes in one statement. Returns the waiting request of each one that took it."""
    parameters = {
        "mailbox_ids": list(mailbox_ids),
        "kind": kind,
        "asked_by": asked_by,
        "delay_seconds": float(delay_seconds),
        "people": list(PEOPLE),
    }
    return {row["mailbox_id"]: row["request_id"] for row in execute(connection, "enqueue", parameters)}


def due(connection: Connection, *, most: int = 100) -> list[Due]:
    """Requests a run could claim now, one a mailbox, the longest waiting first. Only looks."""
    return [Due(**row) for row in execute(connection, "due", {"most": most})]


def next_due_at(connection: Connection) -> datetime | None:
    """When the next request becomes claimable without a notification: its time comes or a lease lapses. Only looks."""
    at: datetime | None = execute(connection, "next_due_at")[0]["at"]
    return at


def claim(connection: Connection, mailbox_id: uuid.UUID, run_id: str, *, is_disconnect: bool = False) -> Claim | None:
    """Take the mailbox's request for this run; None when there is none or another run holds it.

    A run that syncs is never given a request to disconnect, and the other way round.
    """
    claims = claim_all(connection, [mailbox_id], run_id, is_disconnect=is_disconnect)
    return claims[0] if claims else None


def claim_all(
    connection: Connection, mailbox_ids: Sequence[uuid.UUID], run_id: str, *, is_disconnect: bool = False
) -> list[Claim]:
    """Take the requests of several mailboxes for this run in one statement: those that it can have."""
    parameters = {
        "mailbox_ids": list(mailbox_ids),
        "run_id": run_id,
        "lease_seconds": LEASE_SECONDS,
        "is_disconnect": is_disconnect,
    }
    return [Claim(**row) for row in execute(connection, "claim", parameters)]


def heartbeat(connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> bool:
    """Extend this run's lease. Returns False when it holds none."""
    parameters = {"mailbox_id": mailbox_id, "run_id": run_id, "lease_seconds": LEASE_SECONDS}
    return bool(execute(connection, "heartbeat", parameters))


def succeed(connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> bool:
    """End this run's claim as done. Returns False when it holds none (a run that nobody queued)."""
    return bool(execute(connection, "succeed", {"mailbox_id": mailbox_id, "run_id": run_id}))


def fail(
    connection: Connection,
    mailbox_id: uuid.UUID,
    run_id: str,
    *,
    error: str,
    is_permanent: bool,
    retry_after_seconds: float = 0,
    is_death: bool = False,
) -> None:
    """End this run's claim as failed: wait and try again, or, when that cannot help, keep it as a dead letter.

    It waits `retry_after_seconds` at least. `is_death` says that the run ended without a word of its own, which is
    borne less often. Raises LeaseLostError when the run holds no claim.
    """
    held = execute(connection, "held", {"mailbox_id": mailbox_id, "run_id": run_id})
    if not held:
        raise LeaseLostError(f"Run {run_id} holds no request of mailbox {mailbox_id}; its failure changes no request.")
    request_id, attempts, deaths = held[0]["request_id"], held[0]["attempts"], held[0]["deaths"] + is_death
    parameters = {"request_id": request_id, "error": error, "deaths": int(is_death)}
    if is_permanent or attempts >= MOST_ATTEMPTS or (is_death and deaths >= MOST_SILENT_DEATHS):
        execute(connection, "bury", {**parameters, "is_permanent": is_permanent})
    else:
        delay = max(delay_seconds(attempts), retry_after_seconds)
        execute(connection, "retry", {**parameters, "delay_seconds": delay})


def fail_unclaimed(connection: Connection, request_id: uuid.UUID, attempts: int, *, error: str) -> bool:
    """Count a run that ended before it could claim as a failed try of the request that it was started for.

    Returns False when the request has been claimed, or has ended, since (`attempts` tells).
    """
    parameters = {"request_id": request_id, "attempts": attempts, "error": error}
    found = execute(connection, "put_off", {**parameters, "delay_seconds": delay_seconds(attempts + 1)})
    if found and found[0]["attempts"] >= MOST_ATTEMPTS:
        execute(connection, "bury", {"request_id": request_id, "error": error, "deaths": 0, "is_permanent": False})
    return bool(found)


def cancel(connection: Connection, run_id: str) -> list[uuid.UUID]:
    """End the claims of a run that a person cancelled; nothing takes their place. Returns the mailboxes."""
    return [row["mailbox_id"] for row in execute(connection, "cancel", {"run_id": run_id})]


def cancel_waiting(connection: Connection, request_id: uuid.UUID, attempts: int) -> bool:
    """End a request whose run a person cancelled before it could claim. Returns False when it has changed since."""
    return bool(execute(connection, "cancel_waiting", {"request_id": request_id, "attempts": attempts}))


def cancel_syncs(connection: Connection, mailbox_id: uuid.UUID, *, error: str) -> bool:
    """End the sync that waits for a mailbox that cannot be synced; a disconnection stays. Returns whether one did."""
    return bool(execute(connection, "cancel_syncs", {"mailbox_id": mailbox_id, "error": error}))


def bury_poison(connection: Connection) -> list[uuid.UUID]:
    """Make dead letters of the requests whose runs keep dying silently. Returns their ids."""
    return [row["request_id"] for row in execute(connection, "bury_poison", {"most_deaths": MOST_SILENT_DEATHS})]


def held_runs(connection: Connection) -> list[str]:
    """The runs that hold a request now."""
    return [row["run_id"] for row in execute(connection, "held_runs")]


def held_mailboxes(connection: Connection, run_id: str) -> list[uuid.UUID]:
    """The mailboxes whose request this run holds now."""
    return [row["mailbox_id"] for row in execute(connection, "held_mailboxes", {"run_id": run_id})]


def hand_back(connection: Connection, run_ids: Sequence[str]) -> list[uuid.UUID]:
    """End the claims of runs that were stopped on purpose; their mailboxes wait again. Returns the mailboxes.

    The next run starts at once instead of when the lease has lapsed, and the stop does not count as a failed try.
    """
    return [row["mailbox_id"] for row in execute(connection, "hand_back", {"run_ids": list(run_ids)})]


def live(connection: Connection, *, most: int = 1000) -> list[Live]:
    """What runs and what waits, the next first."""
    return [Live(**row) for row in execute(connection, "waiting_and_running", {"most": most})]


def summary(connection: Connection) -> list[StateSummary]:
    """The queue by state: todo, doing, failed. Of dead letters `oldest_at` is when the oldest died."""
    return [StateSummary(**row) for row in execute(connection, "summary")]


def delay_seconds(attempts: int) -> float:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015)."""
    ceiling = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0))
    return random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing
