"""Pools bound what is done at a time in all runs of all workers, and waiting for a place costs nothing."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from tests.worker.worker_process import Runs, WorkerProcess, eventually

TICKS_A_SECOND = 100


def processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_run_waits_asleep_for_its_place_in_a_pool(
    runs: Runs, start_worker: Callable[..., WorkerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More calls to Gmail than it allows are refused; and a run that only waits must not take a core for it."""
    monkeypatch.setenv("RL_EMAILS_GMAIL_CONCURRENCY", "1")
    worker = start_worker(slots=2)
    first = runs.give("pooled")
    busy = runs.wait_executing(first)
    second = runs.give("pooled")
    (idle,) = set(worker.slot_pids()) - {busy}
    eventually(lambda: "blocked by" in runs.said(second) or "CONCURRENCY" in runs.said(second), "it waits")
    before = processor_ticks(idle)
    # Time that the machine has given to the other slot is time that has passed, however busy the machine is.
    passed = processor_ticks(busy)
    eventually(lambda: processor_ticks(busy) - passed >= 0.05 * TICKS_A_SECOND, "some time has passed")
    assert processor_ticks(idle) - before < 0.5 * TICKS_A_SECOND
    assert runs.executed_by(second) == []
    runs.finish(first)
    runs.finish(second)
    for run_id in (first, second):
        assert runs.wait(run_id) is dg.DagsterRunStatus.SUCCESS
    pools = {pool.name: pool.limit for pool in runs.instance.event_log_storage.get_pool_limits()}
    assert pools == {"gmail": 1, "models": 2}
