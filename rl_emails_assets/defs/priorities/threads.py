"""How much each conversation matters now. The last asset of the flow: a run's claim ends with its last write."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import priorities as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import priorities as step


@mailbox_asset(
    keys.PRIORITIES_THREADS,
    tables.threads,
    owner=Owner.RANKING,
    version=step.THREADS_VERSION,
    deps=[keys.PRIORITIES_MESSAGES, keys.MAIL_THREADS],
)
def threads(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run_threads(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.threads, result)
