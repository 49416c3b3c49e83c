"""When a mailbox learns: the job, the sensor that waits for corrections, and the schedule for what became of mail.

A run of `learn` is short and claims nothing: it reads what is stored, and what it promotes asks for a sync. Its ticks
only look, because they are repeated and previewed in the UI.
"""

from collections.abc import Sequence

import dagster as dg
from sqlalchemy import Connection

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.defs.automation.learning_checks import GATES, PARTITION_TAG
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.defs.product_database import NOT_MIGRATED, migrated_database
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep.learning import DueMailbox, mailboxes_with_news, mailboxes_with_outcomes

MOST_RUNS = 20
"""Runs that one tick of the sensor asks for."""
MOST_DAILY_RUNS = 500
MOST_TRIES = 3
"""Runs that the sensor gives the same evidence; what breaks all of them waits for the schedule, or for new evidence."""
EVIDENCE_TAG = "rl_emails/evidence"

LEARN = dg.define_asset_job(
    "learn",
    selection=dg.AssetSelection.groups("models").without_checks() | dg.AssetSelection.checks(*GATES),
    description=(
        "Learns from what a mailbox's owner did and said: settles outcomes, makes candidates, compares them with what "
        "serves, and lets those that pass serve. A failed check is a candidate that was refused; its reason is there."
    ),
)


def requests_for(instance: dg.DagsterInstance, due: Sequence[DueMailbox], most: int = MOST_RUNS) -> list[dg.RunRequest]:
    """One run a mailbox, where none is on its way and the same evidence has not failed too often.

    The run key names the evidence and the try: Dagster never forgets a key, so a fixed one would start one run and no
    other.
    """
    if not due:
        return []
    filters = dg.RunsFilter(job_name="learn", tags={PARTITION_TAG: [str(item.mailbox_id) for item in due]})
    busy: set[str] = set()
    tries: dict[tuple[str, str], int] = {}
    for record in instance.get_run_records(filters):
        tags = record.dagster_run.tags
        if not record.dagster_run.is_finished:
            busy.add(tags[PARTITION_TAG])
        key = tags[PARTITION_TAG], tags.get(EVIDENCE_TAG, "")
        tries[key] = tries.get(key, 0) + 1
    asked: list[dg.RunRequest] = []
    for item in due:
        mailbox = str(item.mailbox_id)
        tried = tries.get((mailbox, item.evidence), 0)
        if mailbox in busy or tried >= MOST_TRIES:
            continue
        run_key = f"{mailbox}:{item.evidence}:{tried}"
        asked.append(dg.RunRequest(run_key=run_key, partition_key=mailbox, tags={EVIDENCE_TAG: item.evidence}))
    return asked[:most]


def _partitions(requests: Sequence[dg.RunRequest]) -> list[dg.AddDynamicPartitionsRequest]:
    return [MAILBOXES.build_add_request([str(request.partition_key) for request in requests])]


@dg.sensor(
    name="corrections",
    job=LEARN,
    minimum_interval_seconds=2,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Starts a `learn` run for each mailbox whose owner corrected something that no training has seen, a moment "
        "after the last word, or whose new model was made and not promoted because its run was killed."
    ),
)
def corrections(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Ask for the runs."""
    with migrated_database(Settings()) as url:
        if url is None:
            return dg.SkipReason(NOT_MIGRATED)
        engine = make_engine(url, "learning", pool_size=1)
        try:
            with engine.connect() as connection:
                requests = requests_for(context.instance, _news(connection))
        finally:
            engine.dispose()
    if not requests:
        return dg.SkipReason("Nobody has corrected anything that is not learned, or a run is on its way.")
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=_partitions(requests))


def _news(connection: Connection) -> list[DueMailbox]:
    # More than are asked for: those that a run is on its way for, or that failed too often, must not hide the others.
    return mailboxes_with_news(connection, most=10 * MOST_RUNS)


@dg.schedule(
    name="learning",
    job=LEARN,
    cron_schedule="37 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "What became of a message is known two weeks after it came, without anybody doing anything. Every night starts "
        "a `learn` run for each mailbox with messages that settled since its last training."
    ),
)
def learning(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for the runs."""
    with migrated_database(Settings()) as url:
        if url is None:
            return dg.SkipReason(NOT_MIGRATED)
        engine = make_engine(url, "learning", pool_size=1)
        try:
            with engine.connect() as connection:
                found = mailboxes_with_outcomes(connection, most=MOST_DAILY_RUNS)
        finally:
            engine.dispose()
    # Only mailboxes that Dagster has seen: a schedule cannot add partitions, and a synced mailbox has been.
    known = set(context.instance.get_dynamic_partitions(MAILBOXES.name or ""))
    night = context.scheduled_execution_time.date().isoformat()
    requests = [
        dg.RunRequest(run_key=f"{mailbox_id}:{night}", partition_key=str(mailbox_id), tags={EVIDENCE_TAG: night})
        for mailbox_id in found
        if str(mailbox_id) in known
    ]
    return requests or dg.SkipReason("No message has settled since its mailbox's last training.")
