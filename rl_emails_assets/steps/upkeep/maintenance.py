"""Keeping the database quick: what autovacuum leaves behind in tables whose rows live for seconds."""

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.db.schema import metadata

LOCK_TIMEOUT_SECONDS = 5
"""Somebody who holds a table longer is not waited for: everyone else would wait behind us."""
ANALYZE_FROM_ROWS = 10_000

_LEFTOVERS = """
    select n.nspname, c.relname
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'sync_queue' and not i.indisvalid and c.relname ~ '_ccnew[0-9]*$'
"""
_LARGE = """
    select schemaname, relname from pg_stat_user_tables
    where schemaname = any(%s) and schemaname <> 'sync_queue' and n_live_tup >= %s
    order by schemaname, relname
"""


def maintain(engine: Engine) -> tuple[dict[str, int], list[str]]:
    """Vacuum and reindex the queue's tables, and analyze the large ones, each in a transaction of its own.

    Returns what was done, and which tables were left because somebody held them.
    """
    counts = {"vacuumed": 0, "reindexed": 0, "analyzed": 0, "leftovers": 0}
    left: list[str] = []
    queue_tables = [table for table in metadata.sorted_tables if table.schema == "sync_queue"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = driver_connection(connection)
        driver.execute(f"set lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'".encode())

        def run(done: str, statement: str, schema: str, name: str) -> None:
            try:
                driver.execute(sql.SQL(statement).format(sql.Identifier(schema, name)))
                counts[done] += 1
            except psycopg.errors.LockNotAvailable:
                left.append(f"{schema}.{name} was held by somebody and not {done}; next week it is tried again.")

        # What an interrupted `reindex concurrently` leaves is never used and always kept up to date.
        for schema, name in driver.execute(_LEFTOVERS).fetchall():
            run("leftovers", "drop index concurrently {}", schema, name)
        for table in queue_tables:
            run("vacuumed", "vacuum (analyze) {}", str(table.schema), table.name)
            run("reindexed", "reindex table concurrently {}", str(table.schema), table.name)
        schemas = sorted({str(table.schema) for table in metadata.sorted_tables})
        for schema, name in driver.execute(_LARGE, [schemas, ANALYZE_FROM_ROWS]).fetchall():
            run("analyzed", "analyze {}", schema, name)
        # Its settings must not stay with a pooled connection.
        connection.invalidate()
    return counts, left
