"""What a language model says of the messages that the offline engine is unsure of; nothing unless one is set."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import classifications as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import classifications_opinions as step


@mailbox_asset(
    keys.CLASSIFICATIONS_OPINIONS,
    tables.opinions,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES, keys.SIGNALS_MESSAGES],
)
def opinions(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.opinions, result)
