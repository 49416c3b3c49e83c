"""Candidates for what a mailbox's corrections of categories teach the classifier."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import models as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import models_classifier as step


@mailbox_asset(
    keys.MODELS_CLASSIFIER,
    tables.versions,
    owner=Owner.RANKING,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES, keys.CLASSIFICATIONS_MESSAGES],
)
def classifier(
    context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill
) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.versions, result)
