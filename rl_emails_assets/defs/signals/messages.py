"""Point-in-time features of messages."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import signals as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import signals as step


@mailbox_asset(
    keys.SIGNALS_MESSAGES,
    tables.messages,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES, keys.MAIL_THREADS],
)
def messages(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run_messages(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.messages, result)
