"""The run queue, with a short cut: while a worker has a free slot, a run is launched by whoever submits it.

Stock Dagster queues every run and lets the daemon look into the queue once a second. A run that is launched here is
never queued (its status goes from "not started" to "starting"), so the daemon cannot launch it as well. Everything
else is Dagster's QueuedRunCoordinator, and with another launcher than ours all of it is.
"""

from dagster import DagsterRun, DagsterRunStatus
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import RunQueueConfig
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES, RunsFilter

from rl_emails_assets.instance.handovers import Capacity
from rl_emails_assets.instance.launcher import WorkerRunLauncher


class WorkerRunCoordinator(QueuedRunCoordinator):
    """Queues runs, except where a worker would take one at once."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Launch the run if a worker would take it now and no other run waits, else queue it."""
        run = context.dagster_run
        if run.status is DagsterRunStatus.NOT_STARTED and self._would_start_at_once():
            return self._instance.launch_run(run.run_id, context.workspace)
        return super().submit_run(context)

    def get_run_queue_config(self) -> RunQueueConfig:
        """Dagster's limits; `max_concurrent_runs` is for the time without workers.

        With workers, a run is taken out of the queue when one of their slots is free. Runs elsewhere (an import, one
        that the default launcher started) take no slot, and what waits is not launched in a process of its own because
        all slots are busy or being warmed.
        """
        config = super().get_run_queue_config()
        capacity = self._capacity()
        if capacity is None or not capacity.workers:
            return config
        elsewhere = max(self._count(ACTIVE_RUN_STATUSES) - capacity.offered - capacity.taken, 0)
        return config._replace(max_concurrent_runs=capacity.ready + capacity.taken + elsewhere)

    def _would_start_at_once(self) -> bool:
        # Limits by tag are counted by the daemon only; whoever sets some wants them kept.
        if self._tag_concurrency_limits or self._max_concurrent_runs == 0:
            return False
        capacity = self._capacity()
        if capacity is None or capacity.ready <= capacity.offered:
            return False
        return self._count([DagsterRunStatus.QUEUED]) == 0

    def _capacity(self) -> Capacity | None:
        launcher = self._instance.run_launcher
        return launcher.capacity() if isinstance(launcher, WorkerRunLauncher) else None

    def _count(self, statuses: list[DagsterRunStatus]) -> int:
        return self._instance.get_runs_count(RunsFilter(statuses=statuses))
