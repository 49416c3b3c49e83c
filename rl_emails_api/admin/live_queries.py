"""SQL of the status page and of the metrics: the queue, its workers, pushes and upkeep. All of it is small."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, text

from rl_emails_assets.db.tables.sync_queue import ALIVE_SECONDS

_GAPS = text(
    """
    select mailbox_id, provider_message_id, source, reason, attempts, first_seen_at, last_seen_at
    from (
        select *, row_number() over (partition by mailbox_id order by last_seen_at desc, provider_message_id) as place
        from raw.gaps
    ) as numbered
    where place <= :most
    order by mailbox_id, place
    """
)

_QUOTAS = text(
    """
    select
        mailbox_id,
        least(:units_per_minute, units_left + extract(epoch from now() - counted_at) * :units_per_minute / 60.0)
            as units_left,
        case when day = (now() at time zone 'UTC')::date then units_today else 0 end as units_today,
        batch_size,
        throttled_at
    from mailboxes.quotas
    """
)

# The request that waits to be tried again says more about now than one that was given up last week.
_ERRORS = text(
    """
    select distinct on (mailbox_id) mailbox_id, request_id, state, attempts, error, run_id, failed_at
    from (
        select mailbox_id, request_id, state, attempts, error, run_id, now() as failed_at
        from sync_queue.requests where error is not null
        union all
        select connection.mailbox_id, dead.request_id, dead.state, dead.attempts, dead.error, dead.run_id,
            dead.finished_at
        from mailboxes.connections as connection
        cross join lateral (
            select * from sync_queue.ended_requests
            where mailbox_id = connection.mailbox_id and state = 'failed'
            order by finished_at desc limit 1
        ) as dead
    ) as failed
    order by mailbox_id, failed_at desc
    """
)

_PRESSURE = text(
    """
    select
        min(run_after) filter (where state = 'todo' and run_after <= now()) as oldest_due_at,
        count(*) filter (where state = 'doing' and leased_until < now()) as lapsed_count,
        now() as asked_at
    from sync_queue.requests
    """
)

_REQUESTS = text(
    """
    select request_id, mailbox_id, kind, asked_by, state, attempts, run_id, error, created_at, null as finished_at
    from sync_queue.requests
    union all
    select * from (
        select request_id, mailbox_id, kind, asked_by, state, attempts, run_id, error, created_at, finished_at
        from sync_queue.ended_requests order by finished_at desc limit 20
    ) as ended
    order by finished_at desc nulls first, created_at desc, request_id
    limit 20
    """
)

_WORKERS = text(
    """
    select
        worker_id, host, slots, busy, ready, run_count, version, is_stopping, started_at, heartbeat_at,
        extract(epoch from now() - heartbeat_at)::float8 as heartbeat_age_seconds,
        heartbeat_at > now() - make_interval(secs => :alive_seconds) as is_alive
    from sync_queue.workers
    order by heartbeat_at desc, worker_id
    limit 100
    """
)

_PUSHES = text(
    """
    select
        outcome,
        coalesce(sum(push_count) filter (where day = (now() at time zone 'UTC')::date), 0)::bigint as today_count,
        sum(push_count)::bigint as week_count
    from sync_queue.push_counts
    where day > (now() at time zone 'UTC')::date - 7
    group by outcome
    order by outcome
    """
)

_LAST_PUSH = text("select max(received_at) from sync_queue.pushes")

_UPKEEP = text(
    """
    select
        latest.name, latest.run_id, latest.started_at, latest.finished_at, latest.counts, latest.error,
        (
            select max(finished_at) from sync_queue.upkeep_runs where name = latest.name and error is null
        ) as succeeded_at
    from (
        select distinct on (name) * from sync_queue.upkeep_runs order by name, started_at desc, run_id
    ) as latest
    order by latest.name
    """
)


def gaps(connection: Connection, *, most: int) -> Sequence[RowMapping]:
    """The latest gaps of each mailbox, at most so many of one."""
    return connection.execute(_GAPS, {"most": most}).mappings().all()


def quotas(connection: Connection, *, units_per_minute: int) -> Sequence[RowMapping]:
    """Each mailbox's bucket at its provider, filled up to now."""
    return connection.execute(_QUOTAS, {"units_per_minute": units_per_minute}).mappings().all()


def errors(connection: Connection) -> Sequence[RowMapping]:
    """The last failure of each mailbox that had one: of a request that is to be tried again, else of a dead letter."""
    return connection.execute(_ERRORS).mappings().all()


def pressure(connection: Connection) -> RowMapping:
    """Since when the oldest request that is due waits, and how many claims have lapsed."""
    return connection.execute(_PRESSURE).mappings().one()


def requests(connection: Connection) -> Sequence[RowMapping]:
    """The latest 20 sync requests: those that wait or run, then the last to end."""
    return connection.execute(_REQUESTS).mappings().all()


def workers(connection: Connection) -> Sequence[RowMapping]:
    """Worker processes, the last alive first."""
    return connection.execute(_WORKERS, {"alive_seconds": ALIVE_SECONDS}).mappings().all()


def pushes(connection: Connection) -> Sequence[RowMapping]:
    """Verified pushes of the last seven days (UTC), by outcome."""
    return connection.execute(_PUSHES).mappings().all()


def last_push_at(connection: Connection) -> datetime | None:
    """When the last push arrived that is remembered."""
    found: datetime | None = connection.execute(_LAST_PUSH).scalar()
    return found


def upkeep(connection: Connection) -> Sequence[RowMapping]:
    """The last run of each schedule, and when one of it last succeeded."""
    return connection.execute(_UPKEEP).mappings().all()
