"""dagster-postgres' event log, without the questions whose answers do not change.

For every event of an asset it asks the database whether a table or a column of its own exists, and for every step,
many times, whether the run's partition does: about 240 statements in a run of fifteen assets, a third of what Dagster
itself takes of it (docs/decisions/0002-pooled-dagster-storage.md). Only yes is remembered: a no may become a yes.
"""

import time
from typing import Any

from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy import Connection

PARTITION_MEMORY_SECONDS = 60.0
"""A partition may be deleted elsewhere (its mailbox was disconnected): a run of it finds no rows, and harms nothing."""


class RememberingEventLogStorage(PostgresEventLogStorage):
    """Remembers which tables and columns Dagster's schema has, and for a minute which partitions there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._partitions: dict[tuple[str, str], float] = {}

    def has_table(self, table_name: str) -> bool:
        """Whether Dagster's schema has the table."""
        if table_name in self._tables:
            return True
        is_there = super().has_table(table_name)
        if is_there:
            self._tables.add(table_name)
        return is_there

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name in self._columns:
            return True
        is_there = super()._has_asset_key_col_on_connection(conn, column_name)
        if is_there:
            self._columns.add(column_name)
        return is_there

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether the partition was added and not deleted since."""
        key, now = (partitions_def_name, partition_key), time.monotonic()
        if now < self._partitions.get(key, 0.0):
            return True
        is_there = super().has_dynamic_partition(partitions_def_name, partition_key)
        if is_there:
            self._partitions[key] = now + PARTITION_MEMORY_SECONDS
        return is_there

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete the partition, and forget it."""
        self._partitions.pop((partitions_def_name, partition_key), None)
        super().delete_dynamic_partition(partitions_def_name, partition_key)
