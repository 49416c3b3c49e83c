"""Dagster's storage on our Postgres, with pooled connections and an event log that asks less.

Found through our own settings, so that plain `dagster dev` needs no environment; an embedded Postgres is started when
it does not run. Stock dagster-postgres opens a connection for every event, which makes a six-asset run 1.9 to 3.6 times
as slow (docs/decisions.md); `optimize_for_webserver` is its own way to take a pool.
"""

from collections.abc import Mapping
from typing import Any

from dagster import Field
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy.engine import make_url

from rl_emails_assets.db.engine import open_databases
from rl_emails_assets.instance.event_log import RememberingEventLogStorage
from rl_emails_assets.settings import Settings

STATEMENT_TIMEOUT_MS = 30 * 60 * 1000
POOL_RECYCLE_SECONDS = 3600
POOL_MAX_OVERFLOW = 20


class PooledPostgresStorage(DagsterPostgresStorage):
    """dagster-postgres in the database that RL_EMAILS_HOME or RL_EMAILS_DAGSTER_DATABASE_URL names."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage.dispose()
        self._event_log_storage = RememberingEventLogStorage(postgres_url, should_autocreate_tables)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured in dagster.yaml but whether tables are made on first use."""
        return {"should_autocreate_tables": Field(bool, is_required=False, default_value=True)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "PooledPostgresStorage":
        """Called by Dagster with what dagster.yaml says."""
        dagster_url = open_databases(Settings()).dagster_url
        # A bare postgresql:// means psycopg 3 to SQLAlchemy 2.1; dagster-postgres speaks psycopg2 only.
        url = make_url(dagster_url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
        storage = cls(
            postgres_url=url,
            should_autocreate_tables=config_value["should_autocreate_tables"],
            inst_data=inst_data,
        )
        for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
            part.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_MAX_OVERFLOW)
        return storage
