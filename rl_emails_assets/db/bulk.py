"""Writing many rows at once, through COPY."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from pgvector.psycopg import register_vector
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import JSONB

Row = Mapping[str, Any]


def driver_connection(connection: Connection) -> "psycopg.Connection[Any]":
    """The psycopg connection under an SQLAlchemy one, in the same transaction."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("Bulk writes need an engine made by db.engine.make_engine (psycopg 3).")
    return driver


def copy_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Append rows. Every row names the same columns; the others take their defaults. Returns how many."""
    if not rows:
        return 0
    names = list(rows[0])
    wrap = [isinstance(table.c[name].type, JSONB) for name in names]
    driver = driver_connection(connection)
    if any(table.c[name].type.__class__.__name__ == "HALFVEC" for name in names):
        register_vector(driver)
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(*_qualified(table)), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                [
                    Jsonb(row[name]) if is_json and row[name] is not None else row[name]
                    for name, is_json in zip(names, wrap, strict=True)
                ]
            )
    return len(rows)


def delete_rows(connection: Connection, table: Table, column: str, values: Iterable[object]) -> int:
    """Delete the rows whose `column` is one of `values`. Returns how many there were."""
    wanted = list(values)
    if not wanted:
        return 0
    with driver_connection(connection).cursor() as cursor:
        cursor.execute(
            sql.SQL("delete from {} where {} = any(%s)").format(
                sql.Identifier(*_qualified(table)), sql.Identifier(column)
            ),
            [wanted],
        )
        return cursor.rowcount


def replace_rows(connection: Connection, table: Table, column: str, rows: Sequence[Row]) -> int:
    """Put rows in the place of those with the same values of `column`: delete, then COPY, in the open transaction.

    On rows that are mostly new this is about three times as fast as an upsert through a temporary table.
    """
    delete_rows(connection, table, column, {row[column] for row in rows})
    return copy_rows(connection, table, rows)


def _qualified(table: Table) -> tuple[str, ...]:
    return (table.schema, table.name) if table.schema else (table.name,)
