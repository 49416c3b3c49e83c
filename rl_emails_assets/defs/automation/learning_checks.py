"""The checks of what was learned: the gate that every candidate passes, and two that watch what serves."""

from uuid import UUID

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.defs.warehouse import Warehouse
from rl_emails_assets.steps import models_watch as watch
from rl_emails_assets.steps.models_verdict import verdict_on
from rl_emails_assets.steps.models_versions import Kind

PARTITION_TAG = "dagster/partition"
"""Checks have no partitions of their own; the run's is what its assets were computed for."""


@dg.asset_check(
    asset=dg.AssetKey(keys.MODELS_RANKER),
    blocking=True,
    description=(
        "The candidate that this run made predicts its owner's newest mail better than what serves and than the "
        "baselines, or does no more than carry out corrections. While it fails, models/serving stays as it is."
    ),
)
def better_than_serving(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    return _gate(context, warehouse, "ranker")


@dg.asset_check(
    asset=dg.AssetKey(keys.MODELS_CLASSIFIER),
    blocking=True,
    description=(
        "The signs that this run counted carry out corrections, get those that they had not seen no worse than before, "
        "and do not turn the mailbox over. While it fails, models/serving stays as it is."
    ),
)
def carries_out_corrections(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    return _gate(context, warehouse, "classifier")


def _gate(context: dg.AssetCheckExecutionContext, warehouse: Warehouse, kind: Kind) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        found = verdict_on(connection, UUID(context.run.tags[PARTITION_TAG]), kind, context.run.run_id)
    return dg.AssetCheckResult(
        passed=found.is_passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=found.reason,
        metadata={"reason": found.reason, "model": found.version, "evaluation": dict(found.evaluation)},
    )


@dg.asset_check(
    asset=dg.AssetKey(keys.MODELS_SERVING),
    description=(
        "Live mail is scored about as the mail a model was made on (population stability index at most "
        f"{watch.DRIFT_LIMIT})."
    ),
)
def score_shift(warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        indexes = watch.stability_indexes(connection)
    moved = [mailbox_id for mailbox_id, index in indexes.items() if index > watch.DRIFT_LIMIT]
    return dg.AssetCheckResult(
        passed=not moved,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"moved": moved[:100], "indexes": {key: indexes[key] for key in list(indexes)[:100]}},
    )


@dg.asset_check(
    asset=dg.AssetKey(keys.MODELS_SERVING),
    description=(
        "Of messages that came after a model was made, as many were acted on as their scores said (expected "
        f"calibration error at most {watch.CALIBRATION_LIMIT}, beyond its 95 % interval)."
    ),
)
def calibration(warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        found = watch.calibrations(connection)
    off = [each.mailbox_id for each in found if each.low > watch.CALIBRATION_LIMIT]
    return dg.AssetCheckResult(
        passed=not off,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "off": off[:100],
            "errors": {
                each.mailbox_id: {"error": each.error, "low": each.low, "high": each.high, "count": each.count}
                for each in found[:100]
            },
        },
    )


GATES = (better_than_serving, carries_out_corrections)
"""Asked by runs that learn; the others stand, and look at all mailboxes."""
