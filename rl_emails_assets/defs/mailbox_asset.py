"""What every asset of a mailbox shares: its partitions, its owner, its column schema, and what a run reports."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import dagster as dg
from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql

from rl_emails_assets.asset_keys import AssetKeyPath
from rl_emails_assets.defs.warehouse import Warehouse
from rl_emails_assets.steps.context import StepResult

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]

MAILBOXES = dg.DynamicPartitionsDefinition(name="mailboxes")
"""One partition a mailbox, its id; never its address, never one a message (Dagster's ceiling is about 100,000)."""


class Owner(StrEnum):
    """Who looks after an asset."""

    INGESTION = "team:ingestion"
    UNDERSTANDING = "team:understanding"
    RANKING = "team:ranking"


def spec_of(
    key: AssetKeyPath, table: Table, *, owner: Owner, version: str, deps: Sequence[AssetKeyPath] = ()
) -> dict[str, Any]:
    """The arguments, shared by `dg.asset` and `dg.AssetSpec`, that describe the table behind an asset."""
    return {
        "key": dg.AssetKey(key),
        "deps": [dg.AssetKey(dep) for dep in deps],
        "description": table.comment,
        "metadata": {
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": f"{table.schema}.{table.name}",
        },
        "owners": [owner.value],
        "kinds": {"postgres", "python"},
        "code_version": version,
        "group_name": key[0],
        "partitions_def": MAILBOXES,
    }


class Turn(StrEnum):
    """When a step has its turn, of those that could; larger is sooner (the tag is Dagster's)."""

    USUAL = "0"
    AFTER_THE_INBOX = "-1"
    """What the inbox shows does not wait for it."""
    LAST = "-2"
    """Ends the run's claim (steps/claim_end.py)."""


def mailbox_asset(
    key: AssetKeyPath,
    table: Table,
    *,
    owner: Owner,
    version: str,
    deps: Sequence[AssetKeyPath] = (),
    turn: Turn = Turn.USUAL,
    pool: str | None = None,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset that is one table, partitioned by mailbox; `pool` bounds how many runs compute it at a time."""
    spec = spec_of(key, table, owner=owner, version=version, deps=deps)
    return dg.asset(**spec, op_tags={"dagster/priority": turn.value}, pool=pool)  # type: ignore[no-any-return]


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns with their types and comments, for the UI."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.compile(dialect=_POSTGRES).lower(),
                description=column.comment or "",
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=column.primary_key),
            )
            for column in table.columns
        ]
    )


def materialized(
    context: dg.AssetExecutionContext, warehouse: Warehouse, table: Table, result: StepResult, **extra: Any
) -> dg.MaterializeResult[Any]:
    """What a run shows of an asset: rows there are, rows written, rate, time, cost, and the step's own counts."""
    with warehouse.engine.connect() as connection:
        query = select(func.count()).select_from(table).where(table.c.mailbox_id == context.partition_key)
        row_count = connection.execute(query).scalar_one()
    return dg.MaterializeResult(
        asset_key=extra.get("asset_key"),
        metadata={
            "dagster/partition_row_count": row_count,
            "rows_written": result.row_count,
            "rows_per_second": round(result.rate, 1),
            "seconds": round(result.seconds, 3),
            "cost_usd": result.cost_usd,
            **result.counts,
        },
    )
