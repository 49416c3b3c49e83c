"""A worker in a process that can be signalled, runs for it, and what can be seen of both."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.plan.resume_retry import ReexecutionStrategy
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.context import WorkspaceProcessContext

from rl_emails_assets.instance import probes
from rl_emails_assets.instance.coordinator import WorkerRunCoordinator
from rl_emails_assets.settings import Settings

PATIENCE_SECONDS = 60.0
WORKER = """
import sys
exec(sys.argv[2])
from rl_emails_assets.instance.worker import Worker
sys.exit(Worker(**eval(sys.argv[1])).run())
"""


def eventually(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is so; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)


class WorkerProcess:
    """One `rl-emails worker`."""

    def __init__(
        self, settings: Settings, definitions: str, *, slots: int = 1, before: str = "", **options: Any
    ) -> None:
        self.slots = slots
        self.output = settings.home / f"worker-{time.monotonic_ns()}.txt"
        arguments = {"definitions": definitions, "slots": slots, **options}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WORKER, repr(arguments), before],
                env={**os.environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.output.read_text()

    def wait_warm(self) -> "WorkerProcess":
        def is_warm() -> bool:
            assert self.process.poll() is None, self.said()
            return self.said().count("is warm") >= self.slots

        eventually(is_warm, "every slot warm")
        return self

    def slot_pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children]


class CodeServer:
    """`dagster api grpc` on a port of its own, which it keeps when it is started again."""

    def __init__(self, settings: Settings, definitions: str) -> None:
        self.settings = settings
        self.definitions = definitions
        self.port = probes.free_port(0)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "CodeServer":
        arguments = ["api", "grpc", "--module-name", self.definitions, "--port", str(self.port), "--host", "127.0.0.1"]
        with (self.settings.home / "code-server.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dagster", *arguments], stdout=output, stderr=subprocess.STDOUT
            )
        eventually(lambda: probes.serves_grpc(self.port), "the code server serves")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Runs:
    """Makes runs and watches them."""

    def __init__(self, instance: dg.DagsterInstance, process_context: WorkspaceProcessContext, folder: Path) -> None:
        self.instance = instance
        self.process_context = process_context
        self.folder = folder

    def reload(self) -> None:
        """Look at the code server anew, as the daemon and the UI do when it was restarted."""
        self.process_context.refresh_workspace()

    def make(self, job: str = "quick", **tags: str) -> str:
        """A run that was not started."""
        with self.process_context.create_request_context() as workspace:
            location = workspace.get_code_location("small")
        remote = next(iter(location.get_repositories().values())).get_full_job(job)
        run = create_run_for_test(
            self.instance,
            job_name=job,
            remote_job_origin=remote.get_remote_origin(),
            job_code_origin=remote.get_python_origin(),
            tags={name.replace("__", "/"): value for name, value in tags.items()},
        )
        return run.run_id

    def launch(self, job: str = "quick", **tags: str) -> str:
        """A run that was launched, as Dagster's daemon launches queued runs."""
        run_id = self.make(job, **tags)
        with self.process_context.create_request_context() as workspace:
            self.instance.launch_run(run_id, workspace)
        return run_id

    def submit(self, job: str = "quick", **tags: str) -> str:
        """A run that was submitted, as a sensor or the UI does."""
        run_id = self.make(job, **tags)
        with self.process_context.create_request_context() as workspace:
            self.instance.submit_run(run_id, workspace)
        return run_id

    def give(self, job: str = "quick", **tags: str) -> str:
        """A run that was launched when a worker had a slot for it."""
        eventually(lambda: self.free_slots() > 0, "a worker has a free slot")
        return self.launch(job, **tags)

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def wait(self, run_id: str) -> dg.DagsterRunStatus:
        """How it ended."""
        eventually(lambda: self.status(run_id) in FINISHED_STATUSES, f"the end of run {run_id}")
        return self.status(run_id)

    def executed_by(self, run_id: str) -> list[int]:
        """The processes that executed it, one for each time."""
        path = self.folder / f"{run_id}.marks"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def wait_executing(self, run_id: str) -> int:
        """The process that executes it."""
        eventually(lambda: self.executed_by(run_id), f"run {run_id} is executed")
        return self.executed_by(run_id)[0]

    def reexecute(self, run_id: str) -> str:
        """The same job again, as the UI's button does it."""
        parent = self.instance.get_run_by_id(run_id)
        assert parent is not None
        with self.process_context.create_request_context() as workspace:
            location = workspace.get_code_location("small")
            remote = next(iter(location.get_repositories().values())).get_full_job(parent.job_name)
            again = self.instance.create_reexecuted_run(
                request_context=workspace,
                parent_run=parent,
                code_location=location,
                remote_job=remote,
                strategy=ReexecutionStrategy.ALL_STEPS,
            )
            eventually(lambda: self.free_slots() > 0, "a worker has a free slot")
            self.instance.submit_run(again.run_id, workspace)
        return again.run_id

    def mend(self) -> None:
        """The job `failing` fails no more."""
        (self.folder / "mended").touch()

    def report_starting(self, run_id: str) -> None:
        """What Dagster notes of a run before it asks the launcher."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        event = dg.DagsterEvent(event_type_value=dg.DagsterEventType.PIPELINE_STARTING.value, job_name=run.job_name)
        self.instance.report_dagster_event(event, run_id=run_id)

    def coordinator(self) -> WorkerRunCoordinator:
        coordinator = self.instance.run_coordinator
        assert isinstance(coordinator, WorkerRunCoordinator)
        return coordinator

    def free_slots(self) -> int:
        capacity = self.coordinator()._capacity()
        return 0 if capacity is None else capacity.ready

    def queue_limit(self) -> int:
        return self.coordinator().get_run_queue_config().max_concurrent_runs

    def queued(self) -> list[str]:
        return [run.run_id for run in self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))]

    def finish(self, run_id: str) -> None:
        """Let a long run end."""
        (self.folder / f"{run_id}.finish").touch()

    def said(self, run_id: str) -> str:
        """All that its event log says."""
        return "\n".join(entry.user_message + str(entry.dagster_event) for entry in self.instance.all_logs(run_id))
