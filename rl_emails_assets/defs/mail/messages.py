"""Messages, parsed and placed in their conversations."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import mail as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import mail_messages as step


@mailbox_asset(
    keys.MAIL_MESSAGES,
    tables.messages,
    owner=Owner.INGESTION,
    version=step.VERSION,
    deps=[keys.RAW_MESSAGES, keys.RAW_LABELS],
)
def messages(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.messages, result)
