"""SQL of the status page."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, text

# Counts per mailbox come from the tables themselves, so they cannot disagree with what is served.
_MAILBOXES = text(
    """
    select
        connection.mailbox_id,
        connection.address,
        connection.display_name,
        connection.synced_at,
        connection.materialized_at,
        (select count(*) from raw.messages where mailbox_id = connection.mailbox_id) as stored_count,
        (select count(*) from mail.messages where mailbox_id = connection.mailbox_id) as parsed_count,
        (
            select count(*) from mail.messages where mailbox_id = connection.mailbox_id and duplicate_of is not null
        ) as duplicate_count,
        (select count(*) from embeddings.messages where mailbox_id = connection.mailbox_id) as embedded_count,
        (select count(*) from classifications.messages where mailbox_id = connection.mailbox_id) as classified_count,
        (select count(*) from priorities.messages where mailbox_id = connection.mailbox_id) as ranked_count,
        (select count(*) from raw.gaps where mailbox_id = connection.mailbox_id) as gap_count
    from mailboxes.connections as connection
    order by connection.created_at, connection.mailbox_id
    """
)

# Folder copies are parsed and end there; everything else that is stored is to be ranked in the end.
_OLDEST_PENDING = text(
    """
    select stored.mailbox_id, min(stored.stored_at) as oldest_pending_at, count(*) as pending_count
    from raw.messages as stored
    where not exists (
            select from priorities.messages as ranked
            where ranked.message_id = stored.message_id
                and ranked.mailbox_id = stored.mailbox_id
                and not ranked.is_stale
        )
        and not exists (
            select from mail.messages as copy
            where copy.message_id = stored.message_id
                and copy.mailbox_id = stored.mailbox_id
                and copy.duplicate_of is not null
        )
    group by stored.mailbox_id
    """
)

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

_REQUESTS = text(
    """
    select request_id, mailbox_id, kind, asked_by, state, attempts, run_id, error, created_at, finished_at
    from sync_queue.requests
    order by coalesce(finished_at, created_at) desc, request_id
    limit 20
    """
)

# Runs that nobody queued (a backfill from the Dagster UI) are seen by the rows they wrote.
_RUNS = text(
    """
    select
        mailbox_id,
        run_id,
        sum(row_count) as row_count,
        max(last_at) as last_at,
        array_agg(step order by step) as steps
    from (
        select mailbox_id, run_id, 'raw' as step, count(*) as row_count, max(stored_at) as last_at
        from raw.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'mail', count(*), max(computed_at) from mail.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'signals', count(*), max(computed_at)
        from signals.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'embeddings', count(*), max(computed_at)
        from embeddings.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'classifications', count(*), max(computed_at)
        from classifications.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'entities', count(*), max(computed_at)
        from entities.messages group by mailbox_id, run_id
        union all
        select mailbox_id, run_id, 'priorities', count(*), max(computed_at)
        from priorities.messages group by mailbox_id, run_id
    ) as written
    group by mailbox_id, run_id
    order by last_at desc, run_id
    limit 20
    """
)


def mailboxes(connection: Connection) -> Sequence[RowMapping]:
    """Every mailbox with its counts."""
    return connection.execute(_MAILBOXES).mappings().all()


def pending(connection: Connection) -> Sequence[RowMapping]:
    """What is stored and not ranked yet, per mailbox that has some."""
    return connection.execute(_OLDEST_PENDING).mappings().all()


def gaps(connection: Connection, *, most: int) -> Sequence[RowMapping]:
    """The latest gaps of each mailbox, at most so many of one."""
    return connection.execute(_GAPS, {"most": most}).mappings().all()


def requests(connection: Connection) -> Sequence[RowMapping]:
    """The latest 20 sync requests."""
    return connection.execute(_REQUESTS).mappings().all()


def runs(connection: Connection) -> Sequence[RowMapping]:
    """The latest 20 runs that wrote rows still served."""
    return connection.execute(_RUNS).mappings().all()
