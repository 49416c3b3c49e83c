"""SQL of the status page: what is in the tables of mail. It reads whole tables; see figures.py for how often."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, text

# Counts per mailbox come from the tables themselves, so they cannot disagree with what is served.
# A count of a mailbox is a walk of an index.
_COUNTS = text(
    """
    select
        connection.mailbox_id,
        (select count(*) from raw.messages where mailbox_id = connection.mailbox_id) as stored_count,
        (select count(*) from mail.messages where mailbox_id = connection.mailbox_id) as parsed_count,
        (
            select count(*) from mail.messages where mailbox_id = connection.mailbox_id and duplicate_of is not null
        ) as duplicate_count,
        (select count(*) from embeddings.messages where mailbox_id = connection.mailbox_id) as embedded_count,
        (select count(*) from classifications.messages where mailbox_id = connection.mailbox_id) as classified_count,
        (select count(*) from priorities.messages where mailbox_id = connection.mailbox_id) as ranked_count
    from mailboxes.connections as connection
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


_COSTS = text(
    """
    select mailbox_id, day, cost_usd, question_count
    from classifications.spending
    where cost_usd > 0 or question_count > 0
    order by day desc, mailbox_id
    """
)

_OPINIONS = text(
    "select mailbox_id, state, count(*) as row_count from classifications.opinions group by mailbox_id, state "
    "order by mailbox_id, state"
)


def counts(connection: Connection) -> Sequence[RowMapping]:
    """How many messages of each mailbox have reached each step."""
    return connection.execute(_COUNTS).mappings().all()


def pending(connection: Connection) -> Sequence[RowMapping]:
    """What is stored and not ranked yet, per mailbox that has some."""
    return connection.execute(_OLDEST_PENDING).mappings().all()


def runs(connection: Connection) -> Sequence[RowMapping]:
    """The latest 20 runs that wrote rows still served."""
    return connection.execute(_RUNS).mappings().all()


def costs(connection: Connection) -> Sequence[RowMapping]:
    """What questions to language models have cost, by mailbox and day (UTC), the latest day first."""
    return connection.execute(_COSTS).mappings().all()


def opinions(connection: Connection) -> Sequence[RowMapping]:
    """How many questions to language models have come to what, by mailbox."""
    return connection.execute(_OPINIONS).mappings().all()
