"""The named statements of queries.sql, and how they are run: in the caller's transaction, on its psycopg connection."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy import Connection

from rl_emails_assets.db.bulk import driver_connection

CHANNEL = "rl_emails_sync_requests"
"""Told (NOTIFY) at the commit of whatever makes a request claimable, now or later."""


@cache
def statements() -> Mapping[str, str]:
    """The statements of queries.sql by name."""
    source = resources.files("rl_emails_assets.sync_queue").joinpath("queries.sql").read_text()
    named: dict[str, str] = {}
    for block in source.split("-- name: ")[1:]:
        name, _, body = block.partition("\n")
        named[name.strip()] = body.strip()
    return named


def execute(connection: Connection, name: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
    """Run a statement by its name; its rows by column."""
    with driver_connection(connection).cursor(row_factory=dict_row) as cursor:
        cursor.execute(statements()[name].encode(), parameters or {})
        rows = cursor.fetchall() if cursor.description else []
    for row in rows:
        row.pop("pg_notify", None)
        row.pop("case", None)
    return rows
