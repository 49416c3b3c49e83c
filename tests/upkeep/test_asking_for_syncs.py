"""Syncs that nobody asked for: the poll and the full sync."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import syncs
from rl_emails_assets.sync_queue import queue
from tests.queue.conftest import MakeMailbox


def _set(engine: Engine, statement: str, **parameters: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), parameters)


def _synced(engine: Engine, mailbox_id: uuid.UUID, seconds_ago: float) -> None:
    _set(
        engine,
        "update mailboxes.connections set synced_at = now() - make_interval(secs => :ago) where mailbox_id = :id",
        ago=seconds_ago,
        id=mailbox_id,
    )


def _watch(engine: Engine, mailbox_id: uuid.UUID, seconds_left: float) -> None:
    _set(
        engine,
        "insert into mailboxes.watches (mailbox_id, topic, expires_at) "
        "values (:id, 't', now() + make_interval(secs => :seconds_left))",
        id=mailbox_id,
        seconds_left=seconds_left,
    )


def _to_poll(engine: Engine, settings: Settings) -> set[uuid.UUID]:
    with engine.connect() as connection:
        return set(syncs.mailboxes_to_poll(connection, settings))


def test_a_mailbox_is_polled_when_it_was_quiet_for_as_long_as_its_watch_allows(
    engine: Engine, settings: Settings, make_mailbox: MakeMailbox
) -> None:
    """A lapsed watch must not leave a mailbox at the long interval; a live one need not be asked each minute."""
    never, short, watched, lapsed, quiet = (make_mailbox(name) for name in ("n", "s", "w", "l", "q"))
    _synced(engine, short, settings.poll_seconds / 2)
    for mailbox_id, seconds_left in ((watched, 1000), (lapsed, -1), (quiet, 1000)):
        _watch(engine, mailbox_id, seconds_left)
        _synced(engine, mailbox_id, settings.poll_seconds * 2)
    _synced(engine, quiet, settings.push_poll_seconds * 2)
    assert _to_poll(engine, settings) == {never, lapsed, quiet}


def test_a_mailbox_that_waits_or_runs_or_is_not_gmails_or_not_connected_is_not_polled(
    engine: Engine, settings: Settings, make_mailbox: MakeMailbox
) -> None:
    """A poll that joined every retry would hide how long it waits; files have nobody to ask."""
    due, waits, runs = (make_mailbox(name) for name in ("due", "waits", "runs"))
    make_mailbox("files", provider="files")
    make_mailbox("gone", state="reconnect_needed")
    with engine.begin() as connection:
        queue.enqueue(connection, waits, asked_by="webhook", delay_seconds=100)
        queue.enqueue(connection, runs, asked_by="webhook")
        queue.claim(connection, runs, "run")
        before = [(item.mailbox_id, item.run_after) for item in queue.live(connection)]
    with engine.begin() as connection:
        assert syncs.poll(connection, settings) == {"mailboxes": 1}
        after = {item.mailbox_id: (item.run_after, item.asked_by) for item in queue.live(connection)}
    assert after[due][1] == "poll"
    assert [(mailbox_id, after[mailbox_id][0]) for mailbox_id, _ in before] == before
    with engine.begin() as connection:
        assert syncs.poll(connection, settings) == {"mailboxes": 0}, "asked again, it waits already"


@pytest.mark.parametrize(
    ("is_permanent", "deaths", "minutes_ago", "is_polled"),
    [(False, 0, 60, True), (False, 0, 1, False), (True, 0, 60, False), (False, 3, 60, False)],
)
def test_a_mailbox_that_was_given_up_is_polled_again_only_where_that_can_help(
    engine: Engine,
    settings: Settings,
    make_mailbox: MakeMailbox,
    is_permanent: bool,
    deaths: int,
    minutes_ago: int,
    is_polled: bool,
) -> None:
    """An outage that ended must not need a person; a permanent error must not be retried here either."""
    mailbox_id = make_mailbox("dead")
    _set(
        engine,
        "insert into sync_queue.ended_requests (request_id, mailbox_id, kind, asked_by, state, is_permanent, deaths, "
        "finished_at) values (gen_random_uuid(), :id, 'partial', 'poll', 'failed', :is_permanent, :deaths, "
        "now() - make_interval(mins => :ago))",
        id=mailbox_id,
        is_permanent=is_permanent,
        deaths=deaths,
        ago=minutes_ago,
    )
    assert _to_poll(engine, settings) == ({mailbox_id} if is_polled else set())


def _full(engine: Engine, settings: Settings) -> set[uuid.UUID]:
    with engine.connect() as connection:
        return set(syncs.mailboxes_to_sync_fully(connection, settings))


def _began(engine: Engine, days_ago: float, position: str = '{"history_id": "1", "listing": null}') -> None:
    _set(
        engine,
        "update raw.cursors set started_at = now() - make_interval(secs => :days * 86400), "
        "position = cast(:position as jsonb)",
        days=days_ago,
        position=position,
    )


def test_full_syncs_are_spread_over_the_day_and_none_is_left_out(
    engine: Engine, settings: Settings, make_mailbox: MakeMailbox
) -> None:
    """All of a deployment's full syncs at once would eat the quota of the project that all its mailboxes share."""
    made = {make_mailbox(f"m{number}", history_id="1") for number in range(40)}
    _began(engine, settings.full_sync_days - 0.1)
    assert _full(engine, settings) == set()
    _began(engine, settings.full_sync_days + 0.5)
    this_hour = _full(engine, settings)
    assert len(this_hour) < len(made) / 2
    with engine.connect() as connection:
        hours = connection.execute(
            text(
                "select mailbox_id, abs(hashtext(mailbox_id::text)::bigint) % 24 as hour, "
                "extract(hour from now() at time zone 'UTC') as now from mailboxes.connections"
            )
        ).all()
    assert this_hour == {row.mailbox_id for row in hours if row.hour == row.now}
    assert len({row.hour for row in hours}) > 12
    _began(engine, settings.full_sync_days + 1.1)
    assert _full(engine, settings) == made, "a day late, it waits for no hour"


def test_a_full_sync_that_goes_on_or_waits_is_not_asked_for_again(
    engine: Engine, settings: Settings, make_mailbox: MakeMailbox
) -> None:
    """Begun anew every hour, the listing of a large mailbox would never end."""
    mailbox_id = make_mailbox("large", history_id="1")
    make_mailbox("never listed")
    _began(engine, 100, '{"history_id": "1", "listing": {"phase": "everything"}}')
    assert _full(engine, settings) == set()
    _began(engine, 100)
    with engine.begin() as connection:
        assert syncs.sync_fully(connection, settings) == {"mailboxes": 1}
        assert [(item.mailbox_id, item.kind, item.asked_by) for item in queue.live(connection)] == [
            (mailbox_id, "full", "schedule")
        ]
        assert syncs.mailboxes_to_sync_fully(connection, settings) == []
