"""Addresses and the names behind them."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import mail as tables
from rl_emails_assets.defs.mailbox_asset import Owner, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import summaries as step


@mailbox_asset(
    keys.MAIL_CONTACTS,
    tables.contacts,
    owner=Owner.INGESTION,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES],
)
def contacts(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run_contacts(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.contacts, result)
