"""The standing checks. Each looks at all mailboxes, so that it stays red while any one of them is broken."""

from typing import Any

import dagster as dg

from rl_emails_assets import asset_keys as keys
from rl_emails_assets.db import health
from rl_emails_assets.defs.warehouse import Warehouse

CLASS_MIX_LIMIT = 0.98
CLASS_MIX_FROM_COUNT = 200
DRIFT_LIMIT_SPREADS = 1.5
DRIFT_FROM_COUNT = 200


def _result(
    warehouse: Warehouse, query: str, *, severity: dg.AssetCheckSeverity, **parameters: object
) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        found = health.findings(connection, query, **parameters)
    return dg.AssetCheckResult(
        passed=not found,
        severity=severity,
        metadata={
            "mailboxes": len(found),
            "rows": sum(finding.row_count for finding in found),
            "by_mailbox": {finding.mailbox_id: finding.row_count for finding in found[:100]},
        },
    )


@dg.asset_check(asset=dg.AssetKey(keys.MAILBOXES_WATCHES), description="No watch has less than a day left.")
def watch_expiry(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.LAPSING_WATCHES, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset=dg.AssetKey(keys.RAW_MESSAGES),
    description="Every connected Gmail mailbox shows what it had RL_EMAILS_BEHIND_SECONDS ago.",
)
def current(warehouse: Warehouse) -> dg.AssetCheckResult:
    seconds = warehouse.settings.behind_seconds
    return _result(warehouse, health.BEHIND, severity=dg.AssetCheckSeverity.ERROR, behind_seconds=seconds)


@dg.asset_check(
    asset=dg.AssetKey(keys.RAW_MESSAGES),
    description="No new message has been known for longer than RL_EMAILS_BEHIND_SECONDS without being fetched.",
)
def backlog_age(warehouse: Warehouse) -> dg.AssetCheckResult:
    seconds = warehouse.settings.behind_seconds
    return _result(warehouse, health.OLD_BACKLOG, severity=dg.AssetCheckSeverity.ERROR, behind_seconds=seconds)


@dg.asset_check(asset=dg.AssetKey(keys.RAW_MESSAGES), description="No sync request was given up.")
def no_dead_letters(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.DEAD_LETTERS, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=dg.AssetKey(keys.RAW_GAPS), description="Every message that is known to exist is stored.")
def completeness(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.GAPS, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=dg.AssetKey(keys.RAW_MESSAGES), description="Every source was read to its end.")
def sources_read(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.UNFINISHED_SOURCES, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=dg.AssetKey(keys.MAIL_MESSAGES), description="Every stored message is parsed.")
def all_parsed(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.UNPARSED, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=dg.AssetKey(keys.MAIL_MESSAGES), description="HTML-only mail of some size yields text.")
def html_yields_text(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.EMPTY_HTML, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=dg.AssetKey(keys.EMBEDDINGS_MESSAGES), description="Every message has a vector.")
def coverage(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.WITHOUT_VECTOR, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=dg.AssetKey(keys.EMBEDDINGS_MESSAGES), description="One model and precision a mailbox.")
def one_encoder(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.MIXED_VECTORS, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(
    asset=dg.AssetKey(keys.PRIORITIES_MESSAGES), description="Every message is ranked on its present inputs."
)
def freshness(warehouse: Warehouse) -> dg.AssetCheckResult:
    return _result(warehouse, health.UNRANKED, severity=dg.AssetCheckSeverity.ERROR)


@dg.asset_check(
    asset=dg.AssetKey(keys.CLASSIFICATIONS_MESSAGES),
    description=f"No category takes over {CLASS_MIX_LIMIT:.0%} of a mailbox of some size.",
)
def class_mix(warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        rows = health.rows(connection, health.CLASS_MIX)
    mixes: dict[str, dict[str, int]] = {}
    for row in rows:
        mixes.setdefault(str(row["mailbox_id"]), {})[row["category"]] = row["row_count"]
    one_sided = [
        mailbox_id
        for mailbox_id, mix in mixes.items()
        if sum(mix.values()) >= CLASS_MIX_FROM_COUNT and max(mix.values()) / sum(mix.values()) > CLASS_MIX_LIMIT
    ]
    return dg.AssetCheckResult(
        passed=not one_sided, severity=dg.AssetCheckSeverity.WARN, metadata={"one_sided": one_sided, "mixes": mixes}
    )


@dg.asset_check(
    asset=dg.AssetKey(keys.PRIORITIES_MESSAGES),
    description="The newest fifth of a mailbox is scored about as the rest was (their means, in standard deviations).",
)
def score_drift(warehouse: Warehouse) -> dg.AssetCheckResult:
    with warehouse.engine.connect() as connection:
        rows = health.rows(connection, health.SCORE_DRIFT)
    drifts: dict[str, Any] = {
        str(row["mailbox_id"]): round((row["newest"] - row["before"]) / row["spread"], 3)
        for row in rows
        if row["row_count"] >= DRIFT_FROM_COUNT and row["spread"]
    }
    drifted = [mailbox_id for mailbox_id, drift in drifts.items() if abs(drift) > DRIFT_LIMIT_SPREADS]
    return dg.AssetCheckResult(
        passed=not drifted, severity=dg.AssetCheckSeverity.WARN, metadata={"drifted": drifted, "drifts": drifts}
    )
