"""Runs on a worker are ordinary runs: launched, failed, cancelled and executed again like any other."""

import os
from collections.abc import Callable

import dagster as dg
import psycopg

from rl_emails_assets.instance.process_marks import process_mark
from tests.worker.worker_process import Runs, WorkerProcess, eventually

SUCCESS, FAILURE, CANCELED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def handovers(product: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    return [row[0] for row in product.execute("select run_id from sync_queue.handovers")]


def test_without_a_worker_the_default_launcher_executes(runs: Runs) -> None:
    """A worker is for speed; without one everything must go on."""
    run_id = runs.launch()
    assert runs.wait(run_id) is SUCCESS
    assert len(runs.executed_by(run_id)) == 1


def test_a_submitted_run_waits_in_the_queue_when_no_worker_would_take_it(runs: Runs) -> None:
    """The short cut is for workers: without one, the queue's limit keeps a machine from being flooded."""
    run_id = runs.submit()
    assert runs.status(run_id) is dg.DagsterRunStatus.QUEUED
    runs.instance.run_coordinator.cancel_run(run_id)


def test_a_worker_executes_and_forgets(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: psycopg.Connection[tuple[object, ...]]
) -> None:
    """A run that started a process of its own beside an idle worker would take seconds instead of a moment."""
    worker = start_worker()
    for give in (runs.give, runs.submit):
        eventually(lambda: runs.free_slots() == 1, "the slot is free")
        run_id = give()
        assert runs.wait(run_id) is SUCCESS
        assert runs.executed_by(run_id) == worker.slot_pids()
    eventually(lambda: not handovers(product), "nothing is on its way any more")

    # A failure is reported by the run itself, with the error, and the run can be executed again.
    failed = runs.give("failing")
    assert runs.wait(failed) is FAILURE
    assert "on purpose" in runs.said(failed)
    runs.mend()
    again = runs.reexecute(failed)
    assert runs.wait(again) is SUCCESS
    assert runs.executed_by(again) == worker.slot_pids()

    # The slot has gone through a failure, and is as good as before.
    assert runs.wait(runs.give()) is SUCCESS
    eventually(
        lambda: product.execute("select busy, ready, run_count from sync_queue.workers").fetchone() == (0, 1, 5),
        "the worker's record says what it did",
    )


def test_a_run_is_cancelled_from_dagsters_side(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The UI's button must end the run and leave the slot to others; a cancelled run is not a failed one."""
    worker = start_worker()
    run_id = runs.give("long")
    pid = runs.wait_executing(run_id)
    assert runs.instance.run_launcher.terminate(run_id)
    assert runs.wait(run_id) is CANCELED
    assert not runs.instance.run_launcher.terminate(run_id), "there is nothing left to interrupt"
    following = runs.give()
    assert runs.wait(following) is SUCCESS
    assert worker.slot_pids() == runs.executed_by(following) == [pid]
    eventually(lambda: not handovers(product), "nothing is on its way any more")


def test_a_run_that_was_cancelled_before_a_worker_took_it_is_not_begun(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Between an offer and its taking somebody may press the button."""
    offered, cancelling = runs.make(), runs.make()
    for run_id in (offered, cancelling):
        runs.report_starting(run_id)
        product.execute("insert into sync_queue.handovers (run_id) values (%s)", [run_id])
    assert runs.instance.run_launcher.terminate(offered)
    assert runs.status(offered) is CANCELED
    run = runs.instance.get_run_by_id(cancelling)
    assert run is not None
    runs.instance.report_run_canceling(run)
    start_worker()
    assert runs.wait(cancelling) is CANCELED
    eventually(lambda: not handovers(product), "nothing is on its way any more")
    assert runs.executed_by(offered) == runs.executed_by(cancelling) == []


def test_a_run_that_has_ended_is_left_alone(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: psycopg.Connection[tuple[object, ...]]
) -> None:
    """An offer that outlived its launcher may be of a run that was given up since."""
    run_id = runs.make()
    run = runs.instance.get_run_by_id(run_id)
    assert run is not None
    runs.instance.report_run_failed(run, "It was given up.")
    product.execute("insert into sync_queue.handovers (run_id) values (%s)", [run_id])
    start_worker()
    eventually(lambda: not handovers(product), "the offer was looked at")
    assert runs.status(run_id) is FAILURE
    assert runs.executed_by(run_id) == []


def test_two_workers_share_and_a_full_one_leaves_the_rest_to_the_queue(
    runs: Runs, start_worker: Callable[..., WorkerProcess]
) -> None:
    """With every slot busy, a run waits for one; it does not start a process of its own, nor is it overtaken."""
    workers = [start_worker(), start_worker(slots=2)]
    long = [runs.submit("long") for _ in range(3)]
    pids = {runs.wait_executing(run_id) for run_id in long}
    assert pids == {pid for worker in workers for pid in worker.slot_pids()}
    eventually(lambda: runs.free_slots() == 0, "the workers are known to be full")
    waiting = runs.submit()
    assert runs.status(waiting) is dg.DagsterRunStatus.QUEUED
    assert runs.queue_limit() == 3, "the daemon takes none out of the queue either"
    runs.finish(long[0])
    assert runs.wait(long[0]) is SUCCESS
    eventually(lambda: runs.free_slots() == 1, "a slot is free")
    assert runs.status(runs.submit()) is dg.DagsterRunStatus.QUEUED, "who waited longer comes first"
    for run_id in long[1:]:
        runs.finish(run_id)
        assert runs.wait(run_id) is SUCCESS
    for queued in runs.queued():
        runs.instance.run_coordinator.cancel_run(queued)


def test_an_import_takes_no_slot(runs: Runs, start_worker: Callable[..., WorkerProcess]) -> None:
    """A run in a command's own process counts as in progress; the slots are not to stand idle for it."""
    mark = process_mark(os.getpid())
    elsewhere = runs.make(rl_emails__process=str(mark))
    run = runs.instance.get_run_by_id(elsewhere)
    assert run is not None
    runs.report_starting(elsewhere)
    without = runs.queue_limit()
    start_worker(slots=2)
    assert runs.queue_limit() == 3
    assert without == 2, "what dagster.yaml says"
    runs.instance.report_run_failed(run)
