"""The sensors: what makes a run start by itself. A tick only looks; the run that it asks for claims."""

from collections.abc import Sequence

import dagster as dg

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import is_at_head
from rl_emails_assets.defs.automation.jobs import SYNC
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.queue import Due


def requests_for(due: Sequence[Due]) -> list[dg.RunRequest]:
    """One run a mailbox. The key names the request and the try, so that a retried tick starts no second run, while a
    request that waits again (Dagster never forgets a key) does get one."""
    return [
        dg.RunRequest(
            run_key=f"{item.request_id}:{item.attempts}",
            partition_key=str(item.mailbox_id),
            tags={"rl_emails/request": str(item.request_id)},
        )
        for item in due
    ]


@dg.sensor(job=SYNC, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def sync_requests() -> dg.SensorResult | dg.SkipReason:
    """Starts a `sync` run for each mailbox whose sync request waits, or whose last run died with it."""
    engine = make_engine(open_databases(Settings()).product_url, "sensor")
    try:
        if not is_at_head(engine):
            return dg.SkipReason("The database is not migrated yet; the first run or `rl-emails up` does it.")
        with engine.connect() as connection:
            due = queue.due(connection)
    finally:
        engine.dispose()
    if not due:
        return dg.SkipReason("No sync request waits.")
    return dg.SensorResult(
        run_requests=requests_for(due),
        dynamic_partitions_requests=[MAILBOXES.build_add_request([str(item.mailbox_id) for item in due])],
    )
