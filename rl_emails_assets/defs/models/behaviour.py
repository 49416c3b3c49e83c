"""What became of each message."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import models as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import models_behaviour as step


@mailbox_asset(
    keys.MODELS_BEHAVIOUR,
    tables.behaviour,
    owner=Owner.RANKING,
    version=step.VERSION,
    deps=[keys.RAW_LABELS, keys.SIGNALS_MESSAGES],
)
def behaviour(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.behaviour, result)
