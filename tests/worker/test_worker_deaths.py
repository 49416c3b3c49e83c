"""kill -9 and SIGTERM at any point: no run is lost, none is executed twice, and whoever is left says what happened."""

import os
import signal
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.launcher import WorkerStatus

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.instance import handovers
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.worker.worker_process import Runs, WorkerProcess, eventually

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE

Product = psycopg.Connection[tuple[object, ...]]


def claimed_by(environment: Settings, run_id: str) -> str:
    """A mailbox whose sync request is claimed by the run. Returns its id."""
    engine = make_engine(str(environment.database_url), "test")
    with engine.begin() as connection:
        mailbox = connect_files(connection, f"{run_id}@example.org", {"path": "/x", "kind": "mbox"}, aliases=())
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="test")
        assert queue.claim(connection, mailbox.mailbox_id, run_id) is not None
    engine.dispose()
    return str(mailbox.mailbox_id)


def request_of(product: Product, mailbox_id: str) -> tuple[object, ...] | None:
    return product.execute(
        "select state, attempts from sync_queue.requests where mailbox_id = %s", [mailbox_id]
    ).fetchone()


def health(runs: Runs, run_id: str) -> WorkerStatus:
    run = runs.instance.get_run_by_id(run_id)
    assert run is not None
    return runs.instance.run_launcher.check_run_worker_health(run).status


def test_a_slot_that_is_killed_fails_its_run_and_another_takes_its_place(
    runs: Runs, start_worker: Callable[..., WorkerProcess], environment: Settings, product: Product
) -> None:
    """An interpreter that crashes takes no other run with it, and its own must not look as if it went on."""
    worker = start_worker()
    run_id = runs.give("long")
    mailbox_id = claimed_by(environment, run_id)
    pid = runs.wait_executing(run_id)
    assert health(runs, run_id) is WorkerStatus.RUNNING
    os.kill(pid, signal.SIGKILL)
    assert runs.wait(run_id) is FAILURE
    assert "was killed by SIGKILL" in runs.said(run_id)
    eventually(lambda: request_of(product, mailbox_id) == ("todo", 1), "the claim is returned")
    following = runs.give()
    assert runs.wait(following) is SUCCESS
    assert worker.slot_pids() == runs.executed_by(following) != [pid]


def test_a_worker_that_is_killed_is_found_out_by_the_next_one(
    runs: Runs, start_worker: Callable[..., WorkerProcess], environment: Settings, product: Product
) -> None:
    """Its slots end with it, and its runs are reported without waiting for a lease to lapse."""
    worker = start_worker()
    run_id = runs.give("long")
    mailbox_id = claimed_by(environment, run_id)
    pid = runs.wait_executing(run_id)
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "its slot is gone")
    assert health(runs, run_id) is WorkerStatus.FAILED, "run monitoring hears of it"
    assert runs.free_slots() == 0, "nothing is offered to it"
    start_worker()
    assert runs.wait(run_id) is FAILURE
    assert "was killed" in runs.said(run_id)
    eventually(lambda: request_of(product, mailbox_id) == ("todo", 1), "the claim is returned")
    eventually(lambda: product.execute("select count(*) from sync_queue.workers").fetchone() == (1,), "one on record")
    assert len(runs.executed_by(run_id)) == 1


def test_a_worker_of_another_machine_is_dead_when_it_is_silent(
    runs: Runs, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process cannot be seen; its heartbeat is all there is, and a short silence is none."""
    run_id = runs.make()
    runs.report_starting(run_id)
    add = (
        "insert into sync_queue.workers (worker_id, host, process, slots, ready, version, heartbeat_at) "
        "values (%s, 'elsewhere', 'boot 1 1', 1, 1, '0', now() - %s::interval)"
    )
    silent, quiet = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
    product.execute(add, [quiet, timedelta(seconds=5)])
    assert runs.free_slots() == 1
    product.execute("update sync_queue.workers set heartbeat_at = now() - interval '15 s'")
    assert runs.free_slots() == 0, "silent for too long to be offered anything"
    product.execute(
        "insert into sync_queue.handovers (run_id, worker_id, taken_at) values (%s, %s, now())", [run_id, quiet]
    )
    assert health(runs, run_id) is WorkerStatus.RUNNING, "not for long enough to be dead"
    product.execute("delete from sync_queue.workers")
    product.execute(add, [silent, timedelta(seconds=3600)])
    product.execute("update sync_queue.handovers set worker_id = %s", [silent])
    # A server that was started a moment ago excuses silence; the tests' server may be as young as that.
    monkeypatch.setattr(handovers, "DEAD_SECONDS", 0.1)
    assert health(runs, run_id) is WorkerStatus.FAILED
    me = uuid.uuid4()
    adopted = [handovers.adopt_from_dead(product, me), handovers.adopt_from_dead(product, uuid.uuid4())]
    assert adopted == [[run_id], []], "one worker reports it"
    product.execute("delete from sync_queue.handovers")
    run = runs.instance.get_run_by_id(run_id)
    assert run is not None
    runs.instance.report_run_failed(run)


@pytest.mark.parametrize("grace_seconds", [0.0, 60.0])
def test_sigterm_finishes_or_returns_what_runs(
    runs: Runs,
    start_worker: Callable[..., WorkerProcess],
    environment: Settings,
    product: Product,
    *,
    grace_seconds: float,
) -> None:
    """A deployment must neither lose a sync nor count it as failed; and nothing new is begun meanwhile."""
    worker = start_worker(slots=2, grace_seconds=grace_seconds)
    run_id = runs.give("long")
    mailbox_id = claimed_by(environment, run_id)
    runs.wait_executing(run_id)
    worker.process.send_signal(signal.SIGTERM)
    if grace_seconds:
        eventually(lambda: runs.free_slots() == 0, "it is known to stop")
        assert runs.status(runs.submit()) is dg.DagsterRunStatus.QUEUED
        runs.finish(run_id)
    assert worker.process.wait(30) == 0, worker.said()
    assert runs.wait(run_id) is (SUCCESS if grace_seconds else FAILURE)
    request = request_of(product, mailbox_id)
    assert request == (("doing", 1) if grace_seconds else ("todo", 0)), "the stop is not a failed try"
    assert product.execute("select count(*) from sync_queue.workers").fetchone() == (0,)
    assert product.execute("select count(*) from sync_queue.handovers").fetchone() == (0,)


def test_a_worker_that_was_taken_for_dead_stops_what_others_reported(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: Product
) -> None:
    """A machine that was suspended for an hour wakes up with a run that another one executes by now."""
    worker = start_worker()
    run_id = runs.give("long")
    pid = runs.wait_executing(run_id)
    # What another worker does that has found it silent.
    product.execute("delete from sync_queue.workers")
    product.execute("delete from sync_queue.handovers")
    run = runs.instance.get_run_by_id(run_id)
    assert run is not None
    runs.instance.report_run_failed(run, "Its worker is silent.")
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "its process is ended")
    following = runs.give()
    assert runs.wait(following) is SUCCESS
    assert worker.slot_pids() == runs.executed_by(following)


def test_a_worker_whose_slots_cannot_start_gives_up(environment: Settings) -> None:
    """Broken definitions must not keep runs waiting for a worker that never takes one: the default launcher is next."""
    hurry = "from rl_emails_assets.instance import processes; processes.MOST_CRASHES = 2"
    worker = WorkerProcess(environment, "no_such_definitions", before=hurry)
    assert worker.process.wait(60) == 1
    assert "No module named 'no_such_definitions'" in worker.said()


def test_a_worker_goes_on_when_its_connection_breaks(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: Product
) -> None:
    """A database that is restarted ends every connection; the run goes on, and later ones are taken."""
    worker = start_worker()
    run_id = runs.give("long")
    runs.wait_executing(run_id)
    product.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rl-emails worker'"
    )
    eventually(lambda: "does not answer" in worker.said(), "it has noticed")
    runs.finish(run_id)
    assert runs.wait(run_id) is SUCCESS
    assert runs.wait(runs.give()) is SUCCESS
    eventually(lambda: product.execute("select count(*) from sync_queue.handovers").fetchone() == (0,), "all forgotten")
