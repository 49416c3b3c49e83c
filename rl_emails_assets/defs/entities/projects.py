"""Projects."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import entities as tables
from rl_emails_assets.defs.mailbox_asset import Owner, Turn, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import entities_projects as step


@mailbox_asset(
    keys.ENTITIES_PROJECTS,
    tables.projects,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_THREADS, keys.EMBEDDINGS_MESSAGES, keys.CLASSIFICATIONS_MESSAGES],
    turn=Turn.AFTER_THE_INBOX,
)
def projects(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.projects, result)
