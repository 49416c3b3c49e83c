"""The resources every asset uses: the product's database, and which part of a mailbox a backfill computes again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import dagster as dg
from pydantic import PrivateAttr
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.defs.product_database import migrated_database
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import Scope, StepContext
from rl_emails_assets.steps.lease import Lease
from rl_emails_assets.steps.progress import reporter


class Warehouse(dg.ConfigurableResource[Any]):
    """The product's database, found through the settings when a run starts."""

    _engine: Engine = PrivateAttr()
    _settings: Settings = PrivateAttr()
    _lease: Lease = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        """Connect, migrate a database that is new, and keep the run's claim alive until it ends."""
        self._settings = Settings()
        self._lease = Lease()
        self._engine = _migrated_engine(self._settings)
        try:
            mailbox_id = None if context.run is None else context.run.tags.get("dagster/partition")
            if context.run is None or mailbox_id is None:
                yield self
                return
            with self._lease.kept_alive(self._engine, UUID(mailbox_id), context.run.run_id):
                yield self
        finally:
            self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """Connections to the product's database."""
        return self._engine

    def step(self, context: dg.AssetExecutionContext, backfill: "Backfill") -> StepContext:
        """What the step of this asset and partition gets."""
        return StepContext(
            engine=self._engine,
            mailbox_id=UUID(context.partition_key),
            run_id=context.run.run_id,
            settings=self._settings,
            scope=backfill.scope(),
            report=reporter(),
            lease=self._lease,
        )

    @property
    def settings(self) -> Settings:
        """The settings as they were when the run started."""
        return self._settings


class Backfill(dg.ConfigurableResource[Any]):
    """Which messages a run computes again. The defaults compute what is pending and nothing else."""

    since: str = ""
    """Messages received at or after this time (ISO 8601, with an offset or Z); empty for no bound."""
    until: str = ""
    """Messages received before this time; empty for no bound."""
    force: bool = False
    """Compute them again even where they are up to date."""

    def scope(self) -> Scope:
        """The range as times. Raises ValueError for a time without an offset."""
        return Scope(since=_aware(self.since), until=_aware(self.until), force=self.force)


def _migrated_engine(settings: Settings) -> Engine:
    """An engine that has connected. What a process has found once it trusts until it is not there any more."""
    try:
        with migrated_database(settings) as url:
            if url is not None:
                return _connected(url)
    except OperationalError:
        # It has moved, or was away for a moment: found anew below, which says why if it cannot be.
        pass
    engine = _connected(open_databases(settings).product_url)
    migrate(engine)
    return engine


def _connected(url: str) -> Engine:
    engine = make_engine(url, "run")
    try:
        engine.connect().close()
    except BaseException:
        engine.dispose()
        raise
    return engine


def _aware(text: str) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"The backfill bound {text!r} has no time zone. Write it as 2026-11-01T00:00:00+00:00.")
    return at
