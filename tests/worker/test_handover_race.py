"""The launcher that withdraws and the workers that take meet at one row: exactly one of them has the run."""

import threading
import uuid
from collections.abc import Callable

import dagster as dg
import psycopg

from rl_emails_assets.instance import handovers, launcher
from tests.worker.worker_process import Runs, WorkerProcess, eventually

ROUNDS = 150

Product = psycopg.Connection[tuple[object, ...]]


def register(product: Product, url: str) -> list[tuple[uuid.UUID, handovers.Connection]]:
    """Two workers by the record, with a connection each."""
    workers = []
    for _ in range(2):
        worker_id, connection = uuid.uuid4(), handovers.connect(url, "test")
        handovers.register(connection, worker_id, "elsewhere boot 1 1", slots=1, version="0")
        assert handovers.beat(connection, worker_id, ready=1, busy=0, run_count=0, is_stopping=None)
        workers.append((worker_id, connection))
    return workers


def test_of_all_who_reach_for_an_offer_exactly_one_gets_it(database_url: str) -> None:
    """Two executions of one run would write twice; none would lose it."""
    won = {"launcher": 0, "workers": 0}
    with psycopg.connect(database_url, autocommit=True) as product:
        workers = register(product, database_url)
        with handovers.connect(database_url, "test") as launching:
            for number in range(ROUNDS):
                run_id = f"run-{number}"
                assert handovers.offer(launching, run_id, None)
                barrier = threading.Barrier(3)
                outcomes: dict[str, bool] = {}

                def reach(name: str, get: Callable[[], object], start: threading.Barrier = barrier) -> None:
                    start.wait()
                    outcomes[name] = bool(get())  # noqa: B023 - joined before the next round

                threads = [
                    threading.Thread(target=reach, args=("launcher", lambda r=run_id: handovers.withdraw(launching, r)))
                ] + [
                    threading.Thread(
                        target=reach, args=(str(worker_id), lambda w=worker_id, c=connection: handovers.take(c, w))
                    )
                    for worker_id, connection in workers
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert sum(outcomes.values()) == 1, outcomes
                won["launcher" if outcomes["launcher"] else "workers"] += 1
                for worker_id, connection in workers:
                    handovers.ended(connection, worker_id, [run_id], ready=1, busy=0, run_count=0)
                assert product.execute("select count(*) from sync_queue.handovers").fetchone() == (0,)
        for _, connection in workers:
            connection.close()
    assert min(won.values()) > 0, f"the race was one: {won}"


def test_no_more_is_offered_than_there_are_slots(database_url: str) -> None:
    """What nobody can take would only wait to be withdrawn."""
    with psycopg.connect(database_url, autocommit=True) as product:
        workers = register(product, database_url)
        with handovers.connect(database_url, "test") as launching:
            assert [handovers.offer(launching, f"run-{number}", None) for number in range(3)] == [True, True, False]
            assert handovers.offer(launching, "run-0", None), "what stands on offer already is not offered again"
            assert handovers.capacity(launching) == handovers.Capacity(workers=2, ready=2, offered=2, taken=0)
        for _, connection in workers:
            connection.close()


def test_an_offer_that_is_withdrawn_at_the_last_moment_is_executed_once(
    runs: Runs, start_worker: Callable[..., WorkerProcess], monkeypatch: object
) -> None:
    """With real launchers and a real worker: whatever the moment of the withdrawal, one process executes the run."""
    start_worker(slots=2)
    patience = [0.0, 0.001, 0.002, 0.004, 0.0, 0.001, 0.002, 0.003]
    for seconds in patience:
        launcher.TAKE_SECONDS = seconds
        try:
            run_id = runs.give()
        finally:
            launcher.TAKE_SECONDS = 2.0
        assert runs.wait(run_id) is dg.DagsterRunStatus.SUCCESS
        eventually(lambda: runs.free_slots() == 2, "both slots are free")
        assert len(runs.executed_by(run_id)) == 1
