"""The only entry point of the code location: the flow, and how it is wired.

FLOW is the order in which the groups feed one another; every group's folder below defs/ is loaded, and nothing else.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from rl_emails_assets.defs import (
    classifications,
    embeddings,
    entities,
    mail,
    mailboxes,
    models,
    priorities,
    raw,
    signals,
)
from rl_emails_assets.defs.automation import checks, learning_checks
from rl_emails_assets.defs.automation.jobs import CHECKS, DISCONNECT, RECOMPUTE, REDRIVE, SYNC
from rl_emails_assets.defs.automation.learning import LEARN, corrections, learning
from rl_emails_assets.defs.automation.run_sensors import RUN_SENSORS
from rl_emails_assets.defs.automation.schedules import SCHEDULES
from rl_emails_assets.defs.automation.sensors import SYNC_REQUESTS
from rl_emails_assets.defs.automation.upkeep_jobs import UPKEEP_JOBS
from rl_emails_assets.defs.warehouse import Backfill, Warehouse

FLOW = (mailboxes, raw, mail, signals, embeddings, classifications, entities, priorities, models)


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The code location, with `resources` in the place of those of the same name."""
    return dg.Definitions(
        assets=[asset for group in FLOW for asset in dg.load_assets_from_package_module(group, include_specs=True)],
        asset_checks=dg.load_asset_checks_from_modules([checks, learning_checks]),
        jobs=[SYNC, RECOMPUTE, CHECKS, DISCONNECT, REDRIVE, LEARN, *UPKEEP_JOBS],
        sensors=[*SYNC_REQUESTS, *RUN_SENSORS, corrections],
        schedules=[*SCHEDULES, learning],
        resources={"warehouse": Warehouse(), "backfill": Backfill.configure_at_launch(), **(resources or {})},
        # A step process of its own costs seconds of imports; a mailbox's steps share one instead.
        executor=dg.in_process_executor,
    )


defs = build_definitions()
