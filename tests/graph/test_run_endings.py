"""Runs that end in no step: killed, not started, cancelled. Their claims return, with a reason."""

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation.run_sensors import cancelled_runs, failed_runs
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.dead_letters import dead_letters
from tests.queue.conftest import MakeMailbox
from tests.queue.conftest import make_mailbox as make_mailbox


def _run(instance: dg.DagsterInstance, tags: dict[str, str] | None = None) -> dg.DagsterRun:
    return instance.create_run_for_job(defs.resolve_job_def("redrive_dead_letters"), tags=tags)


def _tick(sensor: dg.RunStatusSensorDefinition, instance: dg.DagsterInstance, run: dg.DagsterRun, how: str) -> str:
    report = instance.report_run_failed if how == "failed" else instance.report_run_canceled
    event = report(run, "The worker's process is gone.")
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_instance=instance, dagster_run=ended, dagster_event=event
    )
    result = sensor(context)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def test_the_claim_of_a_killed_run_returns_with_its_reason_and_counts_as_a_death(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """Its lease would lapse in the end; but nobody would ever learn why the run failed."""
    mailbox_id = make_mailbox("a")
    for death in range(queue.MOST_SILENT_DEATHS):
        run = _run(instance)
        with engine.begin() as connection:
            queue.enqueue(connection, mailbox_id, asked_by="button")
            connection.execute(text("update sync_queue.requests set run_after = now()"))
            assert queue.claim(connection, mailbox_id, run.run_id) is not None
        assert "1 claim(s) were returned" in _tick(failed_runs, instance, run, "failed")
        with engine.connect() as connection:
            assert queue.held_runs(connection) == []
            assert len(queue.live(connection)) == (death + 1 < queue.MOST_SILENT_DEATHS)
    with engine.connect() as connection:
        (letter,) = dead_letters(connection)
    assert letter.deaths == queue.MOST_SILENT_DEATHS
    assert "The worker's process is gone." in (letter.error or "")


def test_a_run_that_failed_before_its_claim_puts_its_request_off(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A code location that cannot start runs would be asked for one every few seconds."""
    mailbox_id = make_mailbox("a")
    with engine.begin() as connection:
        request_id = queue.enqueue(connection, mailbox_id, asked_by="webhook")
    run = _run(instance, {"rl_emails/request": str(request_id), "rl_emails/attempts": "0"})
    assert "before its claim" in _tick(failed_runs, instance, run, "failed")
    with engine.connect() as connection:
        (waiting,) = queue.live(connection)
    assert (waiting.attempts, waiting.state) == (1, "todo")
    assert run.run_id in (waiting.error or "")


def test_a_failed_run_that_nobody_queued_changes_no_request(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A backfill that fails must not end the sync that waits for the same mailbox."""
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    assert "0 claim(s)" in _tick(failed_runs, instance, _run(instance), "failed")
    assert "0 request(s)" in _tick(cancelled_runs, instance, _run(instance), "cancelled")
    with engine.connect() as connection:
        assert [item.attempts for item in queue.live(connection)] == [0]


@pytest.mark.parametrize("is_claimed", [True, False])
def test_a_run_that_a_person_cancelled_ends_its_request_at_once(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox, is_claimed: bool
) -> None:
    """The claim would be held for its lease and then be run again, against the person's will."""
    mailbox_id = make_mailbox("a")
    with engine.begin() as connection:
        request_id = queue.enqueue(connection, mailbox_id, asked_by="webhook")
    run = _run(instance, {"rl_emails/request": str(request_id), "rl_emails/attempts": "0"})
    if is_claimed:
        with engine.begin() as connection:
            queue.claim(connection, mailbox_id, run.run_id)
    assert "1 request(s) ended" in _tick(cancelled_runs, instance, run, "cancelled")
    with engine.connect() as connection:
        assert queue.live(connection) == []
        state = connection.execute(text("select state from sync_queue.ended_requests")).scalar_one()
    assert state == "cancelled"


def test_a_database_that_is_not_migrated_has_no_requests(instance: dg.DagsterInstance, engine: Engine) -> None:
    """At the first start the sensors run before anything is there."""
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))
    assert "not migrated" in _tick(failed_runs, instance, _run(instance), "failed")
