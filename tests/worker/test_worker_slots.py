"""Slots are replaced: when the code was reloaded, when they have done enough; with runs going on meanwhile."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psycopg

from tests.worker.worker_process import CodeServer, Runs, WorkerProcess, eventually

SUCCESS = dg.DagsterRunStatus.SUCCESS


def change_code(folder: Path, release: str) -> None:
    """Edit the jobs, as a developer does."""
    path = folder / "quick_definitions.py"
    path.write_text(re.sub(r'RELEASE = "\w+"', f'RELEASE = "{release}"', path.read_text()))


def test_a_reloaded_code_location_reaches_the_worker(
    runs: Runs, start_worker: Callable[..., WorkerProcess], code_server: CodeServer, folder: Path
) -> None:
    """After an upgrade or an edit, runs that go on with the old code would write the old results."""
    change_code(folder, "first")
    worker = start_worker()
    first = runs.give()
    assert runs.wait(first) is SUCCESS
    assert "release first" in runs.said(first)
    (old,) = worker.slot_pids()

    change_code(folder, "second")
    code_server.stop()
    code_server.start()
    runs.reload()
    second = runs.give()
    assert runs.wait(second) is SUCCESS
    assert "release second" in runs.said(second)
    eventually(lambda: worker.slot_pids() == runs.executed_by(second) != [old], "the new slot is the only one")

    third = runs.give()
    assert runs.wait(third) is SUCCESS
    assert runs.executed_by(third) == runs.executed_by(second), "the new code is known now"


def test_code_that_changed_before_the_first_run_is_not_missed(
    runs: Runs, start_worker: Callable[..., WorkerProcess], folder: Path
) -> None:
    """Of the first code server that a worker hears of it cannot know whether it is older than its slots."""
    change_code(folder, "third")
    worker = start_worker(slots=2)
    change_code(folder, "fourth")
    run_id = runs.give()
    assert runs.wait(run_id) is SUCCESS
    assert "release fourth" in runs.said(run_id)
    assert len(runs.executed_by(run_id)) == 1
    assert "is warm" in worker.said()


def test_a_worn_slot_is_replaced_without_a_gap(
    runs: Runs, start_worker: Callable[..., WorkerProcess], product: psycopg.Connection[tuple[object, ...]]
) -> None:
    """What leaks a little with every run must not grow for months; and runs are not to wait for the new one."""
    worker = start_worker(most_runs=2)
    pids = []
    for _ in range(3):
        run_id = runs.give()
        assert runs.wait(run_id) is SUCCESS
        pids += runs.executed_by(run_id)
    assert len(set(pids)) <= 2
    assert pids[0] == pids[1]
    eventually(lambda: len(worker.slot_pids()) == 1 and worker.slot_pids() != [pids[0]], "the first one is gone")
    last = runs.give()
    assert runs.wait(last) is SUCCESS
    assert runs.executed_by(last) == worker.slot_pids()
    assert "is replaced after 2 runs" in worker.said()


def test_a_slot_that_has_grown_is_replaced(runs: Runs, start_worker: Callable[..., WorkerProcess]) -> None:
    """One enormous mailbox must not leave its memory taken."""
    worker = start_worker(most_growth_bytes=-(1 << 40))
    (first,) = worker.slot_pids()
    run_id = runs.give()
    assert runs.wait(run_id) is SUCCESS
    eventually(lambda: first not in worker.slot_pids() and len(worker.slot_pids()) == 1, "another has its place")


def test_memory_does_not_grow_with_runs(runs: Runs, start_worker: Callable[..., WorkerProcess]) -> None:
    """A worker runs for months. `WORKER_TEST_RUNS=1000` makes this the long version."""
    count = int(os.environ.get("WORKER_TEST_RUNS", "30"))
    warm_up = max(count // 4, 10)
    worker = start_worker(most_runs=count + warm_up + 1)
    (slot,) = worker.slot_pids()
    for _ in range(warm_up):
        assert runs.wait(runs.give()) is SUCCESS
    before = {pid: private_bytes(pid) for pid in (worker.pid, slot)}
    for _ in range(count):
        assert runs.wait(runs.give()) is SUCCESS
    growth = {pid: private_bytes(pid) - before[pid] for pid in before}
    print(f"{count} runs: parent {growth[worker.pid] / 1024:+.0f} KiB, slot {growth[slot] / 1024:+.0f} KiB")
    assert worker.slot_pids() == [slot]
    assert growth[worker.pid] < 2 * 1024**2
    # A run leaves a few kilobytes of caches that are bounded; 20 kB a run would be 20 MB in a slot's life.
    assert growth[slot] < 4 * 1024**2 + count * 20 * 1024


def private_bytes(pid: int) -> int:
    """Memory that is this process's alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
