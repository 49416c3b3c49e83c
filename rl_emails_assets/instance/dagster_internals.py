"""Everything that this package uses of Dagster and that Dagster does not promise to keep.

One place, so that an upgrade is looked at here; tests/instance/test_dagster_internals.py fails when a name has moved or
takes other arguments. Each entry says what it is for and why nothing public does it.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import dagster as dg
import dagster._core.execution.plan.instance_concurrency_context as pool_waiting
import dagster._core.storage.local_compute_log_manager as local_logs
import dagster._daemon.sensor as sensor_daemon

# Executes a run that exists, in this process, as `dagster api execute_run` does in a process of its own: events, logs,
# hooks and interrupts included. Public functions only create new runs. dagster-celery imports the same one.
from dagster._cli.api import _execute_run_command_body

# What a run prints is kept in files for the UI. Dagster also starts four processes a run that copy the files back to
# its output (50 ms of processor time); a slot writes the files only. No setting leaves out the copies alone.
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._utils import ensure_file

# The interrupts of a run are Dagster's to raise while it executes, and to keep while it does not.
from dagster._utils.interrupts import capture_interrupts, pop_captured_interrupt

__all__ = [
    "capture_interrupts",
    "execute_run",
    "keep_output_in_files",
    "pop_captured_interrupt",
    "preload",
    "set_pool_limits",
    "set_sensor_loop_seconds",
    "wait_for_pools_asleep",
]

POOL_POLL_SECONDS = 0.5
"""How often a step that waits for its pool asks for a place."""


def execute_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Execute the run to its end. What happens is in its event log; nothing is raised for a run that fails."""
    _execute_run_command_body(run_id, instance, lambda _event: None, set_exit_code_on_failure=False)


def preload(module: str) -> None:
    """Import the definitions and build all that Dagster builds of them on first use. Raises what importing raises."""
    definitions = importlib.import_module(module).defs
    definitions.get_repository_def().load_all_definitions()


def keep_output_in_files() -> None:
    """Let runs of this process write what they print to the files that the UI shows, and nowhere else."""
    if not hasattr(local_logs, "mirror_stream_to_file"):
        raise AttributeError("This release of Dagster captures the output of runs in another way.")
    local_logs.mirror_stream_to_file = _to_file


@contextmanager
def _to_file(stream: IO[str], path: str) -> Iterator[tuple[None, None]]:
    ensure_file(path)
    with redirect_to_file(stream, path):
        yield None, None


def set_pool_limits(instance: dg.DagsterInstance, limits: Mapping[str, int]) -> None:
    """How many steps of each pool run at a time, in all runs. What the UI and `dagster instance concurrency` call."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    known = {pool.name: pool.limit for pool in storage.get_pool_limits()}
    for name, limit in limits.items():
        if known.get(name) != limit:
            storage.set_concurrency_slots(name, limit)


def wait_for_pools_asleep() -> None:
    """Let a step that waits for its pool sleep between its questions.

    Dagster 1.13's in-process executor sleeps `min(0, ...)` seconds there, which is a loop that takes a whole core, and
    asks first after 1 s and at last every 15 s.
    """
    context = pool_waiting.InstanceConcurrencyContext
    if not hasattr(context, "interval_to_next_pending_claim_check"):
        raise AttributeError("This release of Dagster waits for pools in another way.")
    if not hasattr(pool_waiting, "_calculate_timeout_interval"):
        raise AttributeError("This release of Dagster asks for places in pools in another way.")
    context.interval_to_next_pending_claim_check = lambda _context: POOL_POLL_SECONDS / 2  # type: ignore[method-assign, assignment]
    pool_waiting._calculate_timeout_interval = _one_poll  # noqa: SLF001


def _one_poll(sleep_interval: float | None, pending_claim_count: int) -> float:  # noqa: ARG001 - Dagster's
    return POOL_POLL_SECONDS


def set_sensor_loop_seconds(seconds: float) -> None:
    """How often the sensor daemon of this process looks for sensors that are due; 5 s unless told, by no setting."""
    if not hasattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME"):
        raise AttributeError("This release of Dagster has no dagster._daemon.sensor.MIN_INTERVAL_LOOP_TIME.")
    sensor_daemon.MIN_INTERVAL_LOOP_TIME = seconds  # type: ignore[assignment]
