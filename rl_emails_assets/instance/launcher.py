"""Dagster's default launcher, which can also tell whether a run's process still lives.

Without that a run whose process died together with its code server (or an import that was killed) stays "started" for
ever and holds one of the few slots of the run queue. Dagster's run monitoring asks; what it hears to be dead it fails.
"""

import json
import os
import socket
from pathlib import Path

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from rl_emails_assets.instance.interrupted_runs import GRPC_TAG

PROCESS_TAG = "rl_emails/process"
"""What a command that runs a job in its own process notes on the run: which process of which machine."""
ANSWER_TIMEOUT_SECONDS = 10


def this_process() -> str:
    """This process's mark for PROCESS_TAG; no later process has the same."""
    return process_mark(os.getpid()) or ""


def process_mark(pid: int) -> str | None:
    """The mark of a living process of this machine: host, boot, pid and start time; None when there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else f"{socket.gethostname()} {boot} {pid} {fields[19]}"


def is_gone(mark: str) -> bool:
    """Whether the process with this mark has ended. One of another machine cannot be seen, and counts as alive."""
    host, _, rest = mark.partition(" ")
    pid = rest.split(" ")[1] if rest.count(" ") == 2 else ""
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return process_mark(int(pid)) != mark


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches as the default one does, and answers run monitoring."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING also where nothing is known; FAILED only for a process that is certainly gone."""
        mark = run.tags.get(PROCESS_TAG)
        if mark is not None:
            if is_gone(mark):
                return CheckRunHealthResult(WorkerStatus.FAILED, "The command that ran it was killed.")
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if GRPC_TAG in run.tags:
            return self._of_code_server(run)
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    @staticmethod
    def _of_code_server(run: DagsterRun) -> CheckRunHealthResult:
        server = json.loads(run.tags[GRPC_TAG])
        host, port = server.get("host", ""), server.get("port")
        try:
            with socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_SECONDS):
                pass
        except ConnectionRefusedError:
            return CheckRunHealthResult(WorkerStatus.FAILED, "Its code server is gone, and its process with it.")
        except OSError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Its code server cannot be asked.")
        client = DagsterGrpcClient(host=host, port=port, use_ssl=bool(server.get("use_ssl", False)))
        request = CanCancelExecutionRequest(run_id=run.run_id)
        answer = deserialize_value(
            client.can_cancel_execution(request, timeout=ANSWER_TIMEOUT_SECONDS), CanCancelExecutionResult
        )
        if answer.can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "Its code server knows of no process that runs it.")
