"""What a slot does before its first run, so that the run need not wait for it."""

import os
import sys
from dataclasses import dataclass

import dagster as dg

from rl_emails_assets.db.engine import Databases, make_engine, open_databases
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.instance import dagster_internals
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.settings import Settings

GMAIL_POOL, MODELS_POOL = "gmail", "models"
"""The pools of the steps that call Gmail and of those that compute with a model."""
ENCODING_STEP = "rl_emails_assets.steps.embeddings_messages"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a slot keeps open."""

    settings: Settings
    databases: Databases
    instance: dg.DagsterInstance


def open_instance() -> Opened:
    """The databases, migrated, and Dagster's instance with its pools as the settings say. Raises what these raise."""
    settings = Settings()
    if not os.environ.get("DAGSTER_HOME"):
        dagster_home(settings.home)
    databases = open_databases(settings)
    engine = make_engine(databases.product_url, "worker")
    try:
        migrate(engine)
    finally:
        engine.dispose()
    instance = dg.DagsterInstance.get()
    limits = {GMAIL_POOL: settings.gmail_concurrency, MODELS_POOL: settings.model_concurrency}
    dagster_internals.set_pool_limits(instance, limits)
    return Opened(settings, databases, instance)


def warm_up(definitions: str, settings: Settings) -> None:
    """Import the definitions and load what they would load in their first run."""
    dagster_internals.preload(definitions)
    step = sys.modules.get(ENCODING_STEP)
    if step is not None:
        try:
            step.encoder_of(settings).encode(["warm"])
        except ModelFileError as error:
            print(f"The encoder is not loaded yet: {error}", file=sys.stderr)
