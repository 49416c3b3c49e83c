"""What a slot does before its first run, so that the run need not wait for it."""

import os
import sys
from dataclasses import dataclass

import dagster as dg

from rl_emails_assets.db.engine import Databases, open_databases
from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.instance import dagster_internals
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.settings import Settings

ENCODING_STEP = "rl_emails_assets.steps.embeddings_messages"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a slot keeps open."""

    settings: Settings
    databases: Databases
    instance: dg.DagsterInstance


def open_instance() -> Opened:
    """Dagster's instance on its storage, and the databases. Raises what opening them raises."""
    settings = Settings()
    if not os.environ.get("DAGSTER_HOME"):
        dagster_home(settings.home)
    databases = open_databases(settings)
    return Opened(settings, databases, dg.DagsterInstance.get())


def warm_up(definitions: str, settings: Settings) -> None:
    """Import the definitions and load what they would load in their first run."""
    dagster_internals.preload(definitions)
    step = sys.modules.get(ENCODING_STEP)
    if step is not None:
        try:
            step.encoder_of(settings).encode(["warm"])
        except ModelFileError as error:
            print(f"The encoder is not loaded yet: {error}", file=sys.stderr)
