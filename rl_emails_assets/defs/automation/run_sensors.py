"""The sensors that watch how runs end, whatever launched them, so that no claim outlives its run.

Without them a claim would return too, when its lease lapses; these make it return at once and with a reason. A step
that fails says so itself (the hook in jobs.py); here come the runs that ended in no step: cancelled, or lost with their
process.
"""

from collections.abc import Callable
from uuid import UUID

import dagster as dg
from sqlalchemy import Connection

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.defs.automation.jobs import DISCONNECT, SYNC
from rl_emails_assets.defs.automation.sensors import ATTEMPTS_TAG, REQUEST_TAG
from rl_emails_assets.defs.product_database import NOT_MIGRATED, migrated_database
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue


def _in_queue(work: Callable[[Connection], str]) -> dg.SkipReason:
    """Do the work in a transaction on the product's database; what it says is what the tick shows."""
    with migrated_database(Settings()) as url:
        if url is None:
            return dg.SkipReason(NOT_MIGRATED)
        engine = make_engine(url, "run sensor", pool_size=1)
        try:
            with engine.begin() as connection:
                return dg.SkipReason(work(connection))
        finally:
            engine.dispose()


def _asked_for(run: dg.DagsterRun) -> tuple[UUID, int] | None:
    request_id, attempts = run.tags.get(REQUEST_TAG), run.tags.get(ATTEMPTS_TAG)
    return None if request_id is None or attempts is None else (UUID(request_id), int(attempts))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.FAILURE,
    monitored_jobs=[SYNC, DISCONNECT],
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Returns the claim of a run that failed outside a step (its process was killed, it could not start), so that "
        "its request is tried again after a delay, or becomes a dead letter with the reason."
    ),
)
def failed_runs(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Return the claim, or count the try of a run that never claimed."""
    run = context.dagster_run
    reason = f"Run {run.run_id} failed: {context.dagster_event.message or 'it did not say why'}"

    def work(connection: Connection) -> str:
        held = queue.held_mailboxes(connection, run.run_id)
        for mailbox_id in held:
            queue.fail(connection, mailbox_id, run.run_id, error=reason, is_permanent=False, is_death=True)
        asked = _asked_for(run)
        if not held and asked is not None and queue.fail_unclaimed(connection, *asked, error=reason):
            return f"Run {run.run_id} failed before its claim; its request waits for another try."
        return f"Run {run.run_id} failed; {len(held)} claim(s) were returned."

    return _in_queue(work)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    monitored_jobs=[SYNC, DISCONNECT],
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Ends the request of a run that a person cancelled; nothing takes its place until the next push, poll or "
        "button."
    ),
)
def cancelled_runs(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """End the request, claimed or not."""
    run = context.dagster_run

    def work(connection: Connection) -> str:
        held = queue.cancel(connection, run.run_id)
        asked = _asked_for(run)
        waited = not held and asked is not None and queue.cancel_waiting(connection, *asked)
        return f"Run {run.run_id} was cancelled; {len(held) + waited} request(s) ended."

    return _in_queue(work)


RUN_SENSORS: list[dg.SensorDefinition] = [failed_runs, cancelled_runs]
