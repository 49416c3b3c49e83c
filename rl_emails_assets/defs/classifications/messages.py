"""Verdicts."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import classifications as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import classifications_messages as step


@mailbox_asset(
    keys.CLASSIFICATIONS_MESSAGES,
    tables.messages,
    owner=Owner.UNDERSTANDING,
    version=step.version(),
    deps=[keys.MAIL_MESSAGES, keys.SIGNALS_MESSAGES, keys.CLASSIFICATIONS_OPINIONS],
)
def messages(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.messages, result)
