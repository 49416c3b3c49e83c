"""Scores, with what they are made of."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import priorities as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import priorities as step


@mailbox_asset(
    keys.PRIORITIES_MESSAGES,
    tables.messages,
    owner=Owner.RANKING,
    version=step.version(),
    deps=[keys.SIGNALS_MESSAGES, keys.CLASSIFICATIONS_MESSAGES, keys.ENTITIES_TASKS],
)
def messages(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run_messages(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.messages, result)
