"""What Dagster does not promise to keep is still there; when not, instance/dagster_internals.py is to be looked at."""

import inspect
from importlib.metadata import entry_points

import dagster as dg
import dagster._core.execution.plan.instance_concurrency_context as pool_waiting
import dagster._core.storage.local_compute_log_manager as local_logs
import dagster._daemon.sensor as sensor_daemon
import pytest
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.run_coordinator import QueuedRunCoordinator

from rl_emails_assets.instance import daemon, dagster_internals


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_what_executes_a_run_takes_what_it_took() -> None:
    """Runs would fail one and all, and only on workers."""
    assert parameters(dagster_internals._execute_run_command_body) == [
        "run_id",
        "instance",
        "write_stream_fn",
        "set_exit_code_on_failure",
    ]


def test_what_our_classes_override_is_still_called_so() -> None:
    """An override that nobody calls any more fails silently."""
    assert parameters(DefaultRunLauncher.launch_run) == ["self", "context"]
    assert parameters(DefaultRunLauncher.terminate) == ["self", "run_id"]
    assert parameters(DefaultRunLauncher.check_run_worker_health) == ["self", "run"]
    assert isinstance(DefaultRunLauncher.supports_check_run_worker_health, property)
    assert parameters(QueuedRunCoordinator.submit_run) == ["self", "context"]
    assert parameters(QueuedRunCoordinator.get_run_queue_config) == ["self"]
    assert parameters(dg.DagsterInstance.launch_run) == ["self", "run_id", "workspace"]
    assert parameters(dg.DagsterInstance.report_run_failed)[:3] == ["self", "dagster_run", "message"]
    assert parameters(dg.DagsterInstance.report_run_canceling)[:2] == ["self", "run"]
    assert parameters(dg.DagsterInstance.report_run_canceled)[:3] == ["self", "dagster_run", "message"]


def test_the_sensor_loop_of_the_daemon_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it mail waits up to 5 s for a look, which nothing would tell."""
    monkeypatch.setattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME", sensor_daemon.MIN_INTERVAL_LOOP_TIME)
    assert "MIN_INTERVAL_LOOP_TIME" in inspect.getsource(sensor_daemon.execute_sensor_iteration_loop)
    called: list[bool] = []
    monkeypatch.setattr(daemon.pkgutil, "resolve_name", lambda _name: lambda: called.append(True))
    daemon.main()
    assert called == [True]
    assert sensor_daemon.MIN_INTERVAL_LOOP_TIME == daemon.SENSOR_LOOP_SECONDS
    monkeypatch.delattr(sensor_daemon, "MIN_INTERVAL_LOOP_TIME")
    with pytest.raises(AttributeError, match="MIN_INTERVAL_LOOP_TIME"):
        daemon.main()
    assert [script.value for script in entry_points(group="console_scripts", name="dagster-daemon")]


def test_the_output_of_runs_is_captured_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise four processes a run come back unseen, or the UI shows no output."""
    source = inspect.getsource(local_logs.LocalComputeLogManager.capture_logs)
    assert source.count("mirror_stream_to_file(sys.std") == 2
    monkeypatch.delattr(local_logs, "mirror_stream_to_file")
    with pytest.raises(AttributeError, match="captures the output"):
        dagster_internals.keep_output_in_files()


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (pool_waiting.InstanceConcurrencyContext, "interval_to_next_pending_claim_check"),
        (pool_waiting, "_calculate_timeout_interval"),
    ],
)
def test_waiting_for_a_pool_is_done_where_it_was(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> None:
    """Otherwise a run that waits takes a core."""
    source = inspect.getsource(pool_waiting.InstanceConcurrencyContext.claim)
    assert "_calculate_timeout_interval(" in source
    monkeypatch.delattr(where, name)
    with pytest.raises(AttributeError, match="in another way"):
        dagster_internals.wait_for_pools_asleep()
