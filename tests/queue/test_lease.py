"""A run and its claim: alive while it works, and silent once it has lost it."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, event, text

from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.lease import Lease
from rl_emails_assets.sync_queue import queue


@pytest.fixture
def step(engine: Engine, mailbox_id: uuid.UUID, settings: Settings) -> StepContext:
    """A run whose mailbox has a request waiting."""
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="poll")
    return StepContext(engine, mailbox_id, "run", settings)


def _write(step: StepContext, name: str) -> None:
    with step.commit() as connection:
        connection.execute(text("update mailboxes.connections set display_name = :name"), {"name": name})


def _written(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text("select display_name from mailboxes.connections")).scalar_one())


@contextmanager
def _beating(step: StepContext) -> Iterator[Connection]:
    """The run's lease kept alive, by a quick thread, and a connection to look from."""
    with (
        step.lease.kept_alive(step.engine, step.mailbox_id, step.run_id, every_seconds=0.05),
        step.engine.connect() as connection,
    ):
        yield connection


def _take_over(engine: Engine, mailbox_id: uuid.UUID) -> None:
    with engine.begin() as connection:
        connection.execute(text("update sync_queue.requests set leased_until = now() - interval '1 s'"))
        assert queue.claim(connection, mailbox_id, "other") is not None


def test_a_run_that_lost_its_claim_writes_nothing_more(step: StepContext, engine: Engine) -> None:
    """A run that was stopped for minutes and goes on would overwrite what its successor has made."""
    with engine.begin() as connection:
        assert step.claim(connection) is not None
    _write(step, "before")
    _take_over(engine, step.mailbox_id)
    for attempt in ("after", "and again"):
        with pytest.raises(LeaseLostError, match="another run took over"):
            _write(step, attempt)
    with pytest.raises(LeaseLostError), step.last_commit():
        pass
    assert _written(engine) == "before"


def test_another_step_of_the_run_knows_of_the_claim(step: StepContext, engine: Engine) -> None:
    """Each asset makes its own context; one that did not know would take the run for one that nobody queued."""
    with engine.begin() as connection:
        step.claim(connection)
    _take_over(engine, step.mailbox_id)
    with pytest.raises(LeaseLostError):
        _write(replace(step), "another step")
    assert _written(engine) == ""


def test_a_process_that_finds_its_runs_claim_by_its_first_commit_notices_the_loss_too(
    step: StepContext, engine: Engine
) -> None:
    """A step in a process of its own did not claim; it must learn that its run holds one."""
    with engine.begin() as connection:
        step.claim(connection)
    elsewhere = replace(step, lease=Lease())
    _write(elsewhere, "mine")
    _take_over(engine, step.mailbox_id)
    with pytest.raises(LeaseLostError):
        _write(elsewhere, "not mine")


def test_a_cancelled_run_stops_at_its_next_commit(step: StepContext, engine: Engine) -> None:
    """A person who cancels wants it to end, whatever the launcher does about its process."""
    with engine.begin() as connection:
        step.claim(connection)
        queue.cancel(connection, "run")
    with pytest.raises(LeaseLostError, match="cancelled"):
        _write(step, "after")


def test_a_run_that_nobody_queued_works(step: StepContext, engine: Engine) -> None:
    """A backfill from the Dagster UI holds no claim, also while a queued run holds the mailbox."""
    unqueued = replace(step, run_id="by hand", lease=Lease())
    _write(unqueued, "first")
    with engine.begin() as connection:
        step.claim(connection)
        assert unqueued.claim(connection) is None
    _write(unqueued, "second")
    with unqueued.last_commit():
        pass
    assert _written(engine) == "second"
    with engine.connect() as connection:
        assert queue.held_runs(connection) == ["run"], "it ends nobody else's claim"


def test_the_last_write_and_the_end_of_the_claim_are_one(step: StepContext, engine: Engine) -> None:
    """Killed between the two, the work would be done twice or the claim end without it."""
    with engine.begin() as connection:
        step.claim(connection)
    with pytest.raises(ZeroDivisionError), step.last_commit() as connection:
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert queue.held_runs(connection) == ["run"]
    with step.last_commit():
        pass
    with engine.connect() as connection:
        assert queue.held_runs(connection) == []
    _write(step, "after the end")
    assert _written(engine) == "after the end"


def test_the_lease_is_kept_while_a_step_commits_nothing(step: StepContext, engine: Engine) -> None:
    """A step that waits for a slow provider for a minute would lose its claim to a second run."""
    with engine.begin() as connection:
        step.claim(connection)
        connection.execute(text("update sync_queue.requests set leased_until = now() + interval '1 s'"))
    with _beating(step) as connection:
        _until(connection, "select from sync_queue.requests where leased_until > now() + interval '20 s'")
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_a_database_that_is_away_for_a_beat_does_not_end_the_beating(step: StepContext, engine: Engine) -> None:
    """One lost connection would silence a run that works, and its claim would lapse half a minute later."""
    with engine.begin() as connection:
        step.claim(connection)
        connection.execute(text("update sync_queue.requests set leased_until = now() + interval '5 s'"))
    with _beating(step) as connection:
        connection.execute(text("alter table sync_queue.requests rename to away"))
        connection.commit()
        failed = threading.Event()
        event.listen(engine, "rollback", lambda _: failed.set())
        assert failed.wait(30)
        connection.execute(text("alter table sync_queue.away rename to requests"))
        connection.commit()
        _until(connection, "select from sync_queue.requests where leased_until > now() + interval '20 s'")


def test_the_beating_ends_when_the_claim_is_lost(step: StepContext, engine: Engine) -> None:
    """Two runs that both kept the lease alive would each believe that it is theirs."""
    with engine.begin() as connection:
        step.claim(connection)
    _take_over(engine, step.mailbox_id)
    with step.lease.kept_alive(engine, step.mailbox_id, step.run_id, every_seconds=0.02):
        thread = next(thread for thread in threading.enumerate() if thread.name == "lease")
        thread.join(timeout=30)
        assert not thread.is_alive()
    with engine.connect() as connection:
        assert queue.held_runs(connection) == ["other"]


def test_poison_is_buried_by_whoever_claims_next(step: StepContext, engine: Engine) -> None:
    """A request that kills its runs must not be handed to a fourth one, and must not wait for a schedule to be seen."""
    with engine.begin() as connection:
        for _ in range(queue.MOST_SILENT_DEATHS):
            assert step.claim(connection) is not None
            connection.execute(text("update sync_queue.requests set leased_until = now() - interval '1 s'"))
        assert step.claim(connection) is None
        assert [item.state for item in queue.summary(connection)] == ["failed"]


def _until(connection: Connection, query: str) -> None:
    """Poll until the query finds a row."""
    until = time.monotonic() + 30
    while connection.execute(text(query)).first() is None:
        connection.rollback()
        assert time.monotonic() < until, f"never found: {query}"
        time.sleep(0.02)
    connection.rollback()
