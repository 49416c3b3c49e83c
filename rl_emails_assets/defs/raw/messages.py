"""The mail as its provider has it: bytes, labels and gaps, written by one transaction and so by one step."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db.tables import raw
from rl_emails_assets.defs.mailbox_asset import MAILBOXES, Owner, materialized, spec_of
from rl_emails_assets.defs.warehouse import Backfill, Warehouse
from rl_emails_assets.steps import raw_messages

TABLES = {keys.RAW_MESSAGES: raw.messages, keys.RAW_LABELS: raw.labels, keys.RAW_GAPS: raw.gaps}


def _spec(key: keys.AssetKeyPath) -> dg.AssetSpec:
    deps = [keys.MAILBOXES_CONNECTIONS]
    return dg.AssetSpec(**spec_of(key, TABLES[key], owner=Owner.INGESTION, version=raw_messages.VERSION, deps=deps))


@dg.multi_asset(name="raw", specs=[_spec(key) for key in TABLES], partitions_def=MAILBOXES, pool="gmail")
def raw_mail(
    context: dg.AssetExecutionContext, warehouse: Warehouse, backfill: Backfill
) -> Iterator[dg.MaterializeResult[Any]]:
    """Reads what the mailbox's provider has and the tables do not."""
    result = raw_messages.run(warehouse.step(context, backfill))
    for key, table in TABLES.items():
        yield materialized(context, warehouse, table, result, asset_key=dg.AssetKey(key))
