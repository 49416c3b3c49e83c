"""A real Dagster instance in Postgres."""

import os
from collections.abc import Iterator

import dagster as dg
import pytest

from rl_emails_assets.defs import product_database
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.settings import Settings


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the resources of a run find their settings in."""
    monkeypatch.setenv("RL_EMAILS_HOME", str(settings.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(settings.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("RL_EMAILS_BATCH_SIZE", str(settings.batch_size))
    product_database.forget_database(settings)
    return settings


@pytest.fixture
def instance(environment: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the test's home."""
    before = os.environ.get("DAGSTER_HOME")
    dagster_home(environment.home)
    with dg.DagsterInstance.get() as opened:
        yield opened
    if before is None:
        os.environ.pop("DAGSTER_HOME", None)
    else:
        os.environ["DAGSTER_HOME"] = before
