"""Running a job in this process: an ordinary Dagster run, seen in the UI, without a daemon."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from rl_emails_assets.definitions import build_definitions
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.defs.warehouse import Backfill
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.instance.launcher import PROCESS_TAG
from rl_emails_assets.instance.process_marks import this_process
from rl_emails_assets.steps.progress import Listener, watched_by


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended: its id, and for each asset what it reported."""

    run_id: str
    is_success: bool
    error: str
    metadata: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BackfillRange:
    """Which messages to compute again, as the command line says it."""

    since: datetime | None = None
    until: datetime | None = None
    force: bool = False

    def resource(self) -> Backfill:
        """The same as the jobs' `backfill` resource."""
        return Backfill(
            since=self.since.isoformat() if self.since else "",
            until=self.until.isoformat() if self.until else "",
            force=self.force,
        )


def run_job(
    home: Path,
    job_name: str,
    mailbox_id: uuid.UUID,
    listener: Listener,
    *,
    backfill: BackfillRange | None = None,
    run_id: str | None = None,
) -> RunOutcome:
    """Run `job_name` for one mailbox and wait for its end.

    A failing step does not raise: the outcome says what went wrong, and the run is in the UI. Raises KeyboardInterrupt
    when the run was interrupted, in a step or between two.
    """
    dagster_home(home)
    logging.getLogger("dagster").setLevel(logging.ERROR)
    resource = (backfill or BackfillRange()).resource()
    job = build_definitions({"backfill": resource}).resolve_job_def(job_name)
    with dg.DagsterInstance.get() as instance, watched_by(listener):
        instance.add_dynamic_partitions(MAILBOXES.name or "", [str(mailbox_id)])
        result = job.execute_in_process(
            instance=instance,
            partition_key=str(mailbox_id),
            raise_on_error=False,
            run_id=run_id,
            # Run monitoring fails the run when this process is killed.
            tags={PROCESS_TAG: this_process()},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    if any(_is_interruption(event) for event in result.all_events):
        raise KeyboardInterrupt
    return RunOutcome(result.run_id, result.success, _error(result), _metadata(result))


def _is_interruption(event: dg.DagsterEvent) -> bool:
    if not event.is_step_failure:
        return False
    error = event.step_failure_data.error
    return error is not None and "DagsterExecutionInterruptedError" in str(error.cls_name or error.message)


def _error(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error is not None and error.cause is not None else error
            return f"{event.step_key}: {cause.message.strip() if cause is not None else 'unknown error'}"
    return ""


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for event in result.all_events:
        if event.is_step_materialization and event.asset_key is not None:
            values = event.materialization.metadata.items()
            found["/".join(event.asset_key.path)] = {name: value.value for name, value in values}
    return found
