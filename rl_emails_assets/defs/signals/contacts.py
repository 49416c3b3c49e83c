"""The owner's history with each address."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import signals as tables
from rl_emails_assets.defs.mailbox_asset import Owner, Turn, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import signals as step


@mailbox_asset(
    keys.SIGNALS_CONTACTS,
    tables.contacts,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_CONTACTS, keys.MAIL_MESSAGES],
    turn=Turn.AFTER_THE_INBOX,
)
def contacts(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run_contacts(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.contacts, result)
