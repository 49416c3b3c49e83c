"""Which models serve a mailbox. Not reached by a run whose candidate was refused: the check on it is blocking."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import models as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import models_serving as step


@mailbox_asset(
    keys.MODELS_SERVING,
    tables.versions,
    owner=Owner.RANKING,
    version=step.VERSION,
    deps=[keys.MODELS_RANKER, keys.MODELS_CLASSIFIER],
)
def serving(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.versions, result)
