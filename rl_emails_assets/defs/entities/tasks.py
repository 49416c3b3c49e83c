"""Tasks with the sentence that proves them."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import entities as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import entities_tasks as step


@mailbox_asset(
    keys.ENTITIES_TASKS,
    tables.tasks,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES, keys.CLASSIFICATIONS_MESSAGES],
)
def tasks(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.tasks, result)
