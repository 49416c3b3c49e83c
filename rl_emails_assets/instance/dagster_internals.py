"""Everything that this package uses of Dagster and that Dagster does not promise to keep.

One place, so that an upgrade is looked at here; tests/instance/test_dagster_internals.py fails when a name has moved or
takes other arguments. Each entry says what it is for and why nothing public does it.
"""

import importlib

import dagster as dg
import dagster._daemon.sensor as sensor_daemon

# Executes a run that exists, in this process, as `dagster api execute_run` does in a process of its own: events, logs,
# hooks and interrupts included. Public functions only create new runs. dagster-celery imports the same one.
from dagster._cli.api import _execute_run_command_body

# The interrupts of a run are Dagster's to raise while it executes, and to keep while it does not.
from dagster._utils.interrupts import capture_interrupts, pop_captured_interrupt

__all__ = ["capture_interrupts", "execute_run", "pop_captured_interrupt", "preload", "set_sensor_loop_seconds"]


def execute_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Execute the run to its end. What happens is in its event log; nothing is raised for a run that fails."""
    _execute_run_command_body(run_id, instance, lambda _event: None, set_exit_code_on_failure=False)


def preload(module: str) -> None:
    """Import the definitions and build all that Dagster builds of them on first use. Raises what importing raises."""
    definitions = importlib.import_module(module).defs
    definitions.get_repository_def().load_all_definitions()


def set_sensor_loop_seconds(seconds: float) -> None:
    """How often the sensor daemon of this process looks for sensors that are due; 5 s unless told, by no setting."""
    if not hasattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME"):
        raise AttributeError("This release of Dagster has no dagster._daemon.sensor.MIN_INTERVAL_LOOP_TIME.")
    sensor_daemon.MIN_INTERVAL_LOOP_TIME = seconds  # type: ignore[assignment]
