"""Candidates for a person's own part of the ranker."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import models as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import models_ranker as step


@mailbox_asset(
    keys.MODELS_RANKER,
    tables.versions,
    owner=Owner.RANKING,
    version=step.VERSION,
    deps=[keys.MODELS_BEHAVIOUR, keys.SIGNALS_MESSAGES, keys.CLASSIFICATIONS_MESSAGES, keys.ENTITIES_TASKS],
)
def ranker(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.versions, result)
