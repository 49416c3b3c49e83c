"""A graph with one asset that claims its mailbox's sync request and then works until it is stopped."""

import time
from uuid import UUID

import dagster as dg

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue


@dg.asset(partitions_def=MAILBOXES)
def endless(context: dg.AssetExecutionContext) -> None:
    engine = make_engine(open_databases(Settings()).product_url, "test")
    with engine.begin() as connection:
        queue.claim(connection, UUID(context.partition_key), context.run_id)
    while True:
        time.sleep(0.1)


job = dg.define_asset_job("endless_job", selection=[endless], partitions_def=MAILBOXES)


@dg.sensor(job=job, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def waiting_requests() -> dg.SensorResult:
    engine = make_engine(open_databases(Settings()).product_url, "test")
    with engine.connect() as connection:
        due = queue.due(connection)
    engine.dispose()
    partitions = [MAILBOXES.build_add_request([str(item.mailbox_id) for item in due])] if due else []
    requests = [
        dg.RunRequest(run_key=f"{item.request_id}:{item.attempts}", partition_key=str(item.mailbox_id)) for item in due
    ]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=partitions)


defs = dg.Definitions(assets=[endless], jobs=[job], sensors=[waiting_requests], executor=dg.in_process_executor)
