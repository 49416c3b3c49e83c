"""Forgetting runs: Dagster keeps runs and their events for ever unless they are deleted one by one.

Of each mailbox the latest run that succeeded stays, however long ago: with it Dagster would forget that the mailbox's
assets were ever materialized.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from rl_emails_assets.defs.automation.sensors import ASKED_BY_TAG
from rl_emails_assets.settings import Settings

BATCH_RUNS = 100
MOST_RUNS = 20_000
"""Runs that one pruning deletes; the rest is left to the next."""
PARTITION_TAG = "dagster/partition"
KEEP_ROUTINE_DAYS = 1.0
"""How long runs are kept that a clock started and that succeeded: a poll a minute says nothing after a day."""
ROUTINE_JOBS = ("poll", "stale_connections")
ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune_runs(instance: dg.DagsterInstance, settings: Settings) -> dict[str, int]:
    """Delete runs that ended longer ago than the settings keep them, with their events. Returns how many."""
    now = datetime.now(UTC)
    routine = now - timedelta(days=min(KEEP_ROUTINE_DAYS, settings.keep_runs_days))
    succeeded = [dg.DagsterRunStatus.SUCCESS]
    filters = [
        *(dg.RunsFilter(job_name=name, statuses=succeeded, updated_before=routine) for name in ROUTINE_JOBS),
        dg.RunsFilter(tags={ASKED_BY_TAG: "poll"}, statuses=succeeded, updated_before=routine),
        dg.RunsFilter(statuses=succeeded, updated_before=now - timedelta(days=settings.keep_runs_days)),
        dg.RunsFilter(statuses=ENDED_BADLY, updated_before=now - timedelta(days=settings.keep_failed_runs_days)),
    ]
    deleted = 0
    for each in filters:
        for run in _runs(instance, each):
            if deleted == MOST_RUNS:
                break
            if not _is_latest_success(instance, run):
                instance.delete_run(run.run_id)
                deleted += 1
    return {"runs": deleted}


def has_old_runs(instance: dg.DagsterInstance, settings: Settings) -> bool:
    """Whether any run ended before the time that is kept. Only looks."""
    kept = datetime.now(UTC) - timedelta(days=min(KEEP_ROUTINE_DAYS, settings.keep_runs_days))
    statuses = [dg.DagsterRunStatus.SUCCESS, *ENDED_BADLY]
    return bool(instance.get_run_ids(dg.RunsFilter(statuses=statuses, updated_before=kept), limit=1))


def ended_among(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> list[str]:
    """Those of the runs that have ended, or that Dagster does not know (any more)."""
    return [run_id for run_id in run_ids if (run := instance.get_run_by_id(run_id)) is None or run.is_finished]


def _runs(instance: dg.DagsterInstance, filters: dg.RunsFilter) -> Iterator[dg.DagsterRun]:
    """The runs, the latest first, a batch at a time; what is yielded may be deleted."""
    cursor: str | None = None
    while batch := instance.get_runs(filters, cursor=cursor, limit=BATCH_RUNS):
        following = instance.get_run_ids(filters, cursor=batch[-1].run_id, limit=1)
        yield from batch
        if not following:
            return
        cursor = batch[-1].run_id if instance.has_run(batch[-1].run_id) else None


def _is_latest_success(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    partition = run.tags.get(PARTITION_TAG)
    if partition is None or run.status is not dg.DagsterRunStatus.SUCCESS:
        return False
    same = dg.RunsFilter(job_name=run.job_name, statuses=[dg.DagsterRunStatus.SUCCESS], tags={PARTITION_TAG: partition})
    return list(instance.get_run_ids(same, limit=1)) == [run.run_id]
