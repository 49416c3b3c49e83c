"""The mailboxes' watches, renewed before they lapse."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import mailboxes as tables
from rl_emails_assets.defs.mailbox_asset import Owner, Turn, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import mailboxes_watches as step


@mailbox_asset(
    keys.MAILBOXES_WATCHES,
    tables.watches,
    owner=Owner.INGESTION,
    version=step.VERSION,
    deps=[keys.MAILBOXES_CONNECTIONS],
    turn=Turn.AFTER_THE_INBOX,
    pool="gmail",
)
def watches(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.watches, result)
