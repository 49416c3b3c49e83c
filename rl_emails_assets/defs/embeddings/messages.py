"""Vectors."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import embeddings as tables
from rl_emails_assets.defs.mailbox_asset import Owner, Turn, mailbox_asset, materialized
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import embeddings_messages as step


@mailbox_asset(
    keys.EMBEDDINGS_MESSAGES,
    tables.messages,
    owner=Owner.UNDERSTANDING,
    version=step.VERSION,
    deps=[keys.MAIL_MESSAGES],
    turn=Turn.AFTER_THE_INBOX,
    pool="models",
)
def messages(context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill) -> dg.MaterializeResult[Any]:
    result = step.run(warehouse.step(context, backfill))
    return materialized(context, warehouse, tables.messages, result)
