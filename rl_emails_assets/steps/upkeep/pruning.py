"""Forgetting: rows of the queue and of sign-ins that nobody will look at again, a few thousand at a time.

Dagster's own runs and events are pruned in defs/automation/run_pruning.py.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from rl_emails_assets.settings import Settings

BATCH_ROWS = 5000
"""Rows that one transaction deletes, so that nobody waits long behind it."""
KEEP_PUSHES_DAYS = 8
"""Pub/Sub repeats a push for seven days at most (its retention, by default)."""
KEEP_COUNTS_DAYS = 90
KEEP_NOTICES_DAYS = 90
KEEP_WORKERS_DAYS = 1
COMPACT_CHANGES_DAYS = 1
KEEP_DELIVERIES_DAYS = 14


@dataclass(frozen=True, slots=True)
class _Old:
    """Which rows of a table are old; `days` is bound to how long they are kept."""

    table: str
    days: float
    condition: str


def _old(settings: Settings) -> list[_Old]:
    return [
        # Dead letters stay until they are redriven or a later request does their work.
        _Old(
            "sync_queue.ended_requests",
            settings.keep_requests_days,
            "state <> 'failed' and finished_at < now() - make_interval(secs => :days * 86400)",
        ),
        _Old("sync_queue.pushes", KEEP_PUSHES_DAYS, "received_at < now() - make_interval(secs => :days * 86400)"),
        _Old(
            "sync_queue.push_counts",
            KEEP_COUNTS_DAYS,
            "day < (now() at time zone 'UTC')::date - make_interval(secs => :days * 86400)",
        ),
        _Old("mailboxes.oauth_states", 0, "expires_at < now() - make_interval(secs => :days * 86400)"),
        # Of each schedule the latest run stays, however long ago.
        _Old(
            "sync_queue.upkeep_runs",
            settings.keep_runs_days,
            "started_at < now() - make_interval(secs => :days * 86400) and exists (select from "
            "sync_queue.upkeep_runs l where l.name = upkeep_runs.name and l.started_at > upkeep_runs.started_at)",
        ),
        _Old("sync_queue.workers", KEEP_WORKERS_DAYS, "heartbeat_at < now() - make_interval(secs => :days * 86400)"),
        # A day more than cursors live, because a row bears the time at which its transaction began.
        _Old(
            "app.changes",
            settings.keep_changes_days + 1,
            # What a restored database knows of transactions that are still to come is of another server.
            "(changed_at < now() - make_interval(secs => :days * 86400) "
            "or transaction_id > pg_snapshot_xmax(pg_current_snapshot())::text::bigint)",
        ),
        # Of what changed often the last row is enough.
        _Old(
            "app.changes",
            COMPACT_CHANGES_DAYS,
            "changed_at < now() - make_interval(secs => :days * 86400) and exists (select from app.changes as newer "
            "where newer.mailbox_id = changes.mailbox_id and newer.kind = changes.kind "
            "and newer.object_id = changes.object_id and newer.transaction_id > changes.transaction_id "
            "and newer.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)",
        ),
        _Old("app.idempotency_keys", 0, "expires_at < now() - make_interval(secs => :days * 86400)"),
        _Old(
            "app.webhook_deliveries",
            KEEP_DELIVERIES_DAYS,
            "ended_at < now() - make_interval(secs => :days * 86400)",
        ),
        _Old("app.notices", KEEP_NOTICES_DAYS, "ended_at < now() - make_interval(secs => :days * 86400)"),
    ]


def has_old_rows(connection: Connection, settings: Settings) -> bool:
    """Whether there is anything to prune. Only looks."""
    for old in _old(settings):
        query = text(f"select exists (select from {old.table} where {old.condition})")  # noqa: S608 - ours
        if connection.execute(query, {"days": old.days}).scalar_one():
            return True
    return False


def prune(engine: Engine, settings: Settings) -> dict[str, int]:
    """Delete what is old. Returns how many rows of which table."""
    counts: Counter[str] = Counter()
    for old in _old(settings):
        counts[old.table] += _delete(engine, old)
    return {table: count for table, count in counts.items() if count}


def _delete(engine: Engine, old: _Old) -> int:
    statement = text(
        f"delete from {old.table} where ctid = any(array("  # noqa: S608 - names and conditions are ours
        f"select ctid from {old.table} where {old.condition} limit :most))"
    )
    total = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(statement, {"days": old.days, "most": BATCH_ROWS}).rowcount
        total += count
        if count < BATCH_ROWS:
            return total


def old_handovers(connection: Connection) -> list[str]:
    """Runs that were handed to a worker more than an hour ago and whose handover is still there."""
    query = text("select run_id from sync_queue.handovers where offered_at < now() - interval '1 hour'")
    return list(connection.execute(query).scalars())


def forget_handovers(connection: Connection, run_ids: list[str]) -> int:
    """Delete the handovers of runs that have ended."""
    statement = text("delete from sync_queue.handovers where run_id = any(:run_ids)")
    return connection.execute(statement, {"run_ids": run_ids}).rowcount
