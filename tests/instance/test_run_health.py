"""A run whose process is gone is found out, and one that may be alive is left alone."""

import json
import os
import socket
import subprocess
import sys

import pytest
from dagster import DagsterRun
from dagster._core.launcher import WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionResult
from dagster._serdes import serialize_value

from rl_emails_assets.instance import launcher, probes
from rl_emails_assets.instance.interrupted_runs import GRPC_TAG
from rl_emails_assets.instance.launcher import PROCESS_TAG, WorkerRunLauncher
from rl_emails_assets.instance.process_marks import is_gone, process_mark, this_process


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away, as far as these launchers know; runs at workers: tests/worker."""
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")


def status_of(**tags: str) -> WorkerStatus:
    run = DagsterRun(job_name="sync", run_id="r", tags={name.replace("__", "/"): tag for name, tag in tags.items()})
    return WorkerRunLauncher().check_run_worker_health(run).status


def of_code_server(port: int) -> WorkerStatus:
    run = DagsterRun(job_name="sync", run_id="r", tags={GRPC_TAG: json.dumps({"host": "127.0.0.1", "port": port})})
    return WorkerRunLauncher().check_run_worker_health(run).status


def test_dagster_asks_this_launcher() -> None:
    """Run monitoring skips a launcher that does not claim to know."""
    assert WorkerRunLauncher().supports_check_run_worker_health


def test_a_killed_import_frees_its_place_in_the_run_queue() -> None:
    """Two killed imports would otherwise fill the queue for ever."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        mark = process_mark(process.pid)
        assert mark is not None
        assert status_of(**{PROCESS_TAG: mark}) is WorkerStatus.RUNNING
        process.kill()
        # Not reaped yet: a zombie does no work either.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert status_of(**{PROCESS_TAG: mark}) is WorkerStatus.FAILED
    assert is_gone(mark)


def test_a_later_process_with_the_same_pid_is_another_one() -> None:
    """Pids come back, after a restart of a container soon."""
    host, boot, pid, started = this_process().split(" ")
    assert not is_gone(this_process())
    assert is_gone(f"{host} {boot} {pid} {int(started) + 1}")
    assert is_gone(f"{host} another-boot {pid} {started}")


@pytest.mark.parametrize("mark", ["", "elsewhere boot 1 1", f"{socket.gethostname()} boot one 1", "nonsense"])
def test_what_cannot_be_known_counts_as_alive(mark: str) -> None:
    """Failing a run that works on another machine would start it twice."""
    assert status_of(**{PROCESS_TAG: mark}) is WorkerStatus.RUNNING
    assert status_of() is WorkerStatus.RUNNING


def test_a_run_of_a_code_server_that_is_gone_has_failed() -> None:
    """Its process ends with its code server."""
    assert of_code_server(probes.free_port(0)) is WorkerStatus.FAILED


def test_a_code_server_that_cannot_be_asked_is_asked_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not fail its runs."""

    def too_slow(*_arguments: object, **_named: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(launcher.socket, "create_connection", too_slow)
    assert of_code_server(1) is WorkerStatus.RUNNING


@pytest.mark.parametrize(("knows_it", "expected"), [(True, WorkerStatus.RUNNING), (False, WorkerStatus.FAILED)])
def test_a_code_server_knows_its_runs(
    monkeypatch: pytest.MonkeyPatch, *, knows_it: bool, expected: WorkerStatus
) -> None:
    """A restarted code server on the same port does not know the runs of the one before it."""
    answer = serialize_value(CanCancelExecutionResult(can_cancel=knows_it))
    monkeypatch.setattr(DagsterGrpcClient, "can_cancel_execution", lambda *_arguments, **_named: answer)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert of_code_server(server.getsockname()[1]) is expected
