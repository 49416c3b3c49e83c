"""The schedules: what has to happen when nobody asks. All run from the start and can be switched off in the UI.

A tick only looks: where there is nothing to do it says so, and no run is started in vain.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from sqlalchemy import Connection

from rl_emails_assets.connections import key_rotation
from rl_emails_assets.db import receipts
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.defs.automation import upkeep_jobs as jobs
from rl_emails_assets.defs.automation.erasures import ERASURES
from rl_emails_assets.defs.automation.jobs import CHECKS
from rl_emails_assets.defs.automation.run_pruning import has_old_runs
from rl_emails_assets.defs.product_database import NOT_MIGRATED, migrated_database
from rl_emails_assets.identity_sync import reconcile
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import pruning, stale, syncs, watches

Peek = Callable[[Connection, Settings], object]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """A schedule: its job, its times (UTC), why it is and why so often, and the question its tick asks."""

    job: dg.JobDefinition
    cron: str
    why: str
    peek: Peek
    """Something true where there is work. Only looks."""
    looks_at_runs: bool = False
    """Whether old runs of Dagster are work as well."""


UPKEEPS = [
    Upkeep(
        jobs.WATCH_RENEWAL,
        "7 * * * *",
        "Gmail stops pushing, without a word, seven days after a watch was last renewed; it recommends to renew daily. "
        "Every hour renews what is older than a day or has less than two days left, so that a renewal that fails is "
        "tried some fifty times before mail would come late.",
        watches.watches_to_renew,
    ),
    Upkeep(
        jobs.FULL_SYNC,
        "17 * * * *",
        "Push and history can lose a change without anybody noticing; comparing a mailbox with its whole listing finds "
        "it. Every hour asks for those mailboxes whose last one is older than RL_EMAILS_FULL_SYNC_DAYS and whose hour "
        "of the day it is, so that they do not all come at once.",
        syncs.mailboxes_to_sync_fully,
    ),
    Upkeep(
        jobs.POLL,
        "* * * * *",
        "Push is a hint that may be dropped, and some mailboxes have none. Every minute asks for a partial sync of "
        "those not synced for RL_EMAILS_POLL_SECONDS (without a live watch) or RL_EMAILS_PUSH_POLL_SECONDS (with one), "
        "and leaves those that wait or run, so a failing provider is not asked more often than the queue allows.",
        syncs.mailboxes_to_poll,
    ),
    Upkeep(
        jobs.STALE_CONNECTIONS,
        "*/5 * * * *",
        "An inbox that no longer hears of its mail looks like one that gets none. Every five minutes, so that an owner "
        "knows within a quarter of an hour of a watch that lapsed, an inbox that is behind RL_EMAILS_BEHIND_SECONDS or "
        "a sync that was given up; once, and it is taken back when it is over.",
        stale.stale_connections,
    ),
    Upkeep(
        ERASURES,
        "* * * * *",
        "Who asks to be erased is not kept waiting, and an erasure that was interrupted holds somebody's address until "
        "it is finished. Every minute takes up those that nobody is at.",
        lambda connection, _settings: receipts.due_orders(connection, most=1),
    ),
    Upkeep(
        jobs.SEALING,
        "37 * * * *",
        "A key that was changed, or a release that binds tokens tighter, protects only what is encrypted again. Every "
        "hour, where there is something to do: it is a matter of seconds, and `rl-emails keys rotate` does it at once.",
        key_rotation.has_work,
    ),
    Upkeep(
        jobs.PRUNING,
        "23 3 * * *",
        "Dagster keeps runs and events for ever, about 200 KB a sync, and the queue's history grows with every push. "
        "Every night deletes what is older than RL_EMAILS_KEEP_RUNS_DAYS, RL_EMAILS_KEEP_FAILED_RUNS_DAYS and "
        "RL_EMAILS_KEEP_REQUESTS_DAYS say; of each mailbox the latest run that succeeded stays.",
        pruning.has_old_rows,
        looks_at_runs=True,
    ),
    Upkeep(
        jobs.MAINTENANCE,
        "41 4 * * 0",
        "Rows of the queue live for seconds, and indexes over such rows grow although autovacuum runs. Once a week, in "
        "the night to Sunday's morning, is enough for them; it waits for no lock longer than five seconds.",
        lambda _connection, _settings: True,
    ),
    Upkeep(
        jobs.IDENTITY_SYNC,
        "29 * * * *",
        "Clerk's webhooks come late, twice or never, and one that never came leaves somebody in who was put out. Every "
        "hour compares all people and memberships with Clerk's lists, where RL_EMAILS_CLERK_SECRET_KEY is set.",
        reconcile.is_configured,
    ),
]


def _schedule(upkeep: Upkeep) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=upkeep.job.name,
        job=upkeep.job,
        cron_schedule=upkeep.cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=upkeep.why,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        settings = Settings()
        with migrated_database(settings) as url:
            if url is None:
                return dg.SkipReason(NOT_MIGRATED)
            engine = make_engine(url, "schedule", pool_size=1)
            try:
                with engine.connect() as connection:
                    has_work = bool(upkeep.peek(connection, settings))
            finally:
                engine.dispose()
        if has_work or (upkeep.looks_at_runs and has_old_runs(context.instance, settings)):
            return dg.RunRequest()
        return dg.SkipReason("There is nothing to do.")

    return tick


STANDING_CHECKS = dg.ScheduleDefinition(
    name="checks",
    job=CHECKS,
    cron_schedule="11,41 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "A broken mailbox must show in the asset graph although it makes no run. Each check looks at all mailboxes, so "
        "twice an hour is as often as a large deployment should pay for."
    ),
)

SCHEDULES = [*(_schedule(upkeep) for upkeep in UPKEEPS), STANDING_CHECKS]
