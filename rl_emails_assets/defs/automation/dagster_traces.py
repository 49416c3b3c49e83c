"""What Dagster knows of somebody, and its removal: runs, their events and tags, ticks, compute logs."""

import re
import uuid
from collections.abc import Sequence

import dagster as dg
from psycopg import sql
from sqlalchemy import Connection, Engine

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.receipts import Order
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.errors import TransientError
from rl_emails_assets.privacy.naming import Needle, TextTable, named_in, parameters_of, text_tables
from rl_emails_assets.settings import Settings

PARTITION_TAG = "dagster/partition"
DELETED = frozenset({"job_ticks", "bulk_actions", "backfill_tags", "asset_event_tags", "dynamic_partitions"})
"""Tables whose rows nobody misses once what they tell of is gone."""
REFILLED = {"asset_keys": ("last_materialization", "cached_status_data")}
"""Columns that Dagster fills again by itself."""
MASKED = {"instigators": ("instigator_body",), "jobs": ("job_body",), "kvs": ("value",)}
"""Columns that hold more than the subject: its place in them is filled with zeros, as in an id."""


class DagsterTraces:
    """Forgets a subject in Dagster's own database; an instance of `privacy.erasure.ForgetElsewhere`."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        self._instance = instance
        self._settings = settings
        self._is_busy = False

    def __call__(self, order: Order, needles: Sequence[str]) -> dict[str, int]:
        """Remove what names the subject. Raises TransientError while a run goes on that does."""
        self._is_busy = False
        url = open_databases(self._settings).dagster_url
        engine = make_engine(url, "erasure", pool_size=1)
        try:
            removed = {"dagster.runs": self._forget_runs(engine, order, needles)}
            with engine.begin() as connection:
                for table in text_tables(connection):
                    name = f"dagster.{table.name}"
                    number = sum(_forget_rows(connection, table, Needle(needle)) for needle in needles)
                    removed[name] = removed.get(name, 0) + number
        finally:
            engine.dispose()
        if order.kind == "mailbox":
            for mailbox_id in order.mailbox_ids or []:
                self._forget_partition(mailbox_id)
        if self._is_busy:
            raise TransientError("A run goes on that names the subject of this erasure; it is finished afterwards.")
        return removed

    def _forget_runs(self, engine: Engine, order: Order, needles: Sequence[str]) -> int:
        ids: set[str] = set()
        for mailbox_id in (order.mailbox_ids or []) if order.kind == "mailbox" else []:
            ids.update(self._instance.get_run_ids(dg.RunsFilter(tags={PARTITION_TAG: str(mailbox_id)})))
        with engine.connect() as connection:
            for table in text_tables(connection):
                if "run_id" in table.columns:
                    for needle in needles:
                        ids.update(_runs_naming(connection, table, Needle(needle)))
        forgotten = 0
        for run_id in sorted(ids):
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                self._instance.delete_run(run_id)
                self._instance.compute_log_manager.delete_logs(prefix=[run_id])
                forgotten += 1
            else:
                self._is_busy = True
        return forgotten

    def _forget_partition(self, mailbox_id: uuid.UUID) -> None:
        name = MAILBOXES.name or ""
        if self._instance.has_dynamic_partition(name, str(mailbox_id)):
            self._instance.delete_dynamic_partition(name, str(mailbox_id))


def _runs_naming(connection: Connection, table: TextTable, needle: Needle) -> list[str]:
    query = sql.SQL("select distinct run_id from {} where run_id is not null and {}").format(
        _name(table), named_in(table.text_columns)
    )
    return [row[0] for row in driver_connection(connection).execute(query, parameters_of(needle)).fetchall()]


def _forget_rows(connection: Connection, table: TextTable, needle: Needle) -> int:
    driver = driver_connection(connection)
    parameters = parameters_of(needle)
    if table.name in DELETED:
        statement = sql.SQL("delete from {} where {}").format(_name(table), named_in(table.text_columns))
        return driver.execute(statement, parameters).rowcount
    for column in REFILLED.get(table.name, ()):
        statement = sql.SQL("update {} set {} = null where {}").format(
            _name(table), sql.Identifier(column), named_in([(column, "text")])
        )
        driver.execute(statement, parameters)
    for column in MASKED.get(table.name, ()):
        statement = sql.SQL("update {} set {} = regexp_replace({}, %(pattern)s, %(mask)s, 'gi') where {}").format(
            _name(table), *[sql.Identifier(column)] * 2, named_in([(column, "text")])
        )
        driver.execute(statement, {**parameters, "mask": re.sub(r"[^-]", "0", needle.text)})
    return 0


def _name(table: TextTable) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)
