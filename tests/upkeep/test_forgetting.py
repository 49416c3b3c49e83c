"""Pruning and maintenance of the product's own tables."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import maintenance, pruning
from tests.queue.conftest import MakeMailbox


def _set(engine: Engine, statement: str, **parameters: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), parameters)


def _column(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.fixture
def filled(engine: Engine, settings: Settings, make_mailbox: MakeMailbox) -> uuid.UUID:
    """Of each table one row that is old and one that is not."""
    mailbox_id = make_mailbox("a")
    for name, state, days in (
        ("old", "succeeded", settings.keep_requests_days + 1),
        ("young", "succeeded", settings.keep_requests_days - 1),
        ("dead", "failed", 1000),
    ):
        _set(
            engine,
            "insert into sync_queue.ended_requests (request_id, mailbox_id, kind, asked_by, state, finished_at, error) "
            "values (gen_random_uuid(), :id, 'partial', 'poll', :state, now() - make_interval(days => :days), :name)",
            id=mailbox_id,
            state=state,
            days=int(days),
            name=name,
        )
    _set(
        engine,
        """
        insert into sync_queue.pushes (push_id, received_at)
        values ('old', now() - interval '9 days'), ('young', now() - interval '7 days');
        insert into sync_queue.push_counts (day, outcome, push_count)
        values (current_date - 100, 'known', 1), (current_date - 50, 'known', 1);
        insert into mailboxes.oauth_states (state_hash, session_hash, sealed, redirect_uri, expires_at)
        values ('old', '', '', '', now() - interval '1 s'), ('young', '', '', '', now() + interval '1 minute');
        insert into sync_queue.workers (worker_id, host, process, slots, version, heartbeat_at)
        values (gen_random_uuid(), 'old', 'p', 1, '1', now() - interval '2 days'),
               (gen_random_uuid(), 'young', 'p', 1, '1', now());
        insert into sync_queue.upkeep_runs (run_id, name, started_at)
        values ('old', 'poll', now() - interval '30 days'), ('young', 'poll', now()),
               ('latest', 'maintenance', now() - interval '30 days')
        """,
    )
    _set(
        engine,
        "insert into app.notices (notice_id, mailbox_id, kind, text, ended_at) values "
        "(gen_random_uuid(), :id, 'behind', 'old', now() - interval '100 days'), "
        "(gen_random_uuid(), :id, 'behind', 'ended', now() - interval '50 days'), "
        "(gen_random_uuid(), :id, 'behind', 'open', null)",
        id=mailbox_id,
    )
    return mailbox_id


def test_pruning_deletes_what_is_old_and_keeps_what_is_young_or_open(
    engine: Engine, settings: Settings, filled: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead letter that is pruned is a sync that is lost silently; a push forgotten too soon is taken twice."""
    monkeypatch.setattr(pruning, "BATCH_ROWS", 1)
    with engine.connect() as connection:
        assert pruning.has_old_rows(connection, settings)
    assert pruning.prune(engine, settings) == {
        "sync_queue.ended_requests": 1,
        "sync_queue.pushes": 1,
        "sync_queue.push_counts": 1,
        "mailboxes.oauth_states": 1,
        "sync_queue.upkeep_runs": 1,
        "sync_queue.workers": 1,
        "app.notices": 1,
    }
    assert _column(engine, "select error from sync_queue.ended_requests order by 1") == ["dead", "young"]
    assert _column(engine, "select push_id from sync_queue.pushes") == ["young"]
    assert len(_column(engine, "select day from sync_queue.push_counts where day > current_date - 60")) == 1
    assert _column(engine, "select run_id from sync_queue.upkeep_runs order by 1") == ["latest", "young"]
    assert _column(engine, "select host from sync_queue.workers") == ["young"]
    assert _column(engine, "select text from app.notices order by 1") == ["ended", "open"]
    assert [bytes(value) for value in _column(engine, "select state_hash from mailboxes.oauth_states")] == [b"young"]
    with engine.connect() as connection:
        assert not pruning.has_old_rows(connection, settings)
    assert pruning.prune(engine, settings) == {}


def test_only_handovers_of_some_age_are_looked_at(engine: Engine) -> None:
    """A run that is just being handed over is not known to have ended."""
    _set(
        engine,
        "insert into sync_queue.handovers (run_id, offered_at) values ('old', now() - interval '2 hours'), "
        "('young', now())",
    )
    with engine.begin() as connection:
        assert pruning.old_handovers(connection) == ["old"]
        assert pruning.forget_handovers(connection, ["old"]) == 1
    assert _column(engine, "select run_id from sync_queue.handovers") == ["young"]


def test_maintenance_rebuilds_the_queues_indexes_and_removes_what_an_interrupted_one_left(engine: Engine) -> None:
    """An index over rows that live for seconds grows without an end; a leftover one slows every write for ever."""
    _set(engine, "create index pushes_ccnew on sync_queue.pushes (received_at)")
    _set(engine, "update pg_index set indisvalid = false where indexrelid = 'sync_queue.pushes_ccnew'::regclass")
    before = _column(engine, "select 'sync_queue.uq_requests_waiting'::regclass::oid")
    counts, left = maintenance.maintain(engine)
    assert left == []
    tables = len(_column(engine, "select 1 from pg_tables where schemaname = 'sync_queue'"))
    assert (counts["leftovers"], counts["vacuumed"], counts["reindexed"]) == (1, tables, tables)
    assert _column(engine, "select 1 from pg_class where relname = 'pushes_ccnew'") == []
    assert _column(engine, "select 'sync_queue.uq_requests_waiting'::regclass::oid") != before
    assert _column(engine, "show lock_timeout") == ["0"], "the pool's connections are as they were"


def test_maintenance_waits_for_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone who comes after waits behind one who waits for a lock: a long report would stop the queue."""
    monkeypatch.setattr(maintenance, "LOCK_TIMEOUT_SECONDS", 0.1)
    with engine.begin() as connection:
        connection.execute(text("lock table sync_queue.workers in share update exclusive mode"))
        counts, left = maintenance.maintain(engine)
    assert [each.split()[0] for each in left] == ["sync_queue.workers", "sync_queue.workers"]
    assert counts["vacuumed"] > 3


def test_large_tables_are_analyzed(engine: Engine, make_mailbox: MakeMailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner that believes a table to be empty scans it whole."""
    monkeypatch.setattr(maintenance, "ANALYZE_FROM_ROWS", 0)
    make_mailbox("a")
    counts, _ = maintenance.maintain(engine)
    assert counts["analyzed"] > 10
    assert _column(engine, "select reltuples::int from pg_class where oid = 'mailboxes.connections'::regclass") == [1]
