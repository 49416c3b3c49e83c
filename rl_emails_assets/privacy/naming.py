"""Which rows name somebody: every column that can hold text, of every table there is, found by asking the database.

The tables are taken from its catalogue and not from a list, so that one that is added later is looked into as well.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, text

from rl_emails_assets.db.bulk import driver_connection

_COLUMNS = text(
    """
    select c.table_schema, c.table_name, c.column_name, c.data_type, c.udt_name
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where t.table_type = 'BASE TABLE' and c.table_schema not in ('pg_catalog', 'information_schema')
    order by c.table_schema, c.table_name, c.ordinal_position
    """
)
_TEXT_TYPES = frozenset({"text", "character varying", "character", "json", "jsonb", "xml", "tsvector", "bytea"})
_TEXT_ARRAYS = frozenset({"_text", "_varchar", "_bpchar", "_json", "_jsonb", "_bytea"})


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table, the columns of it that can hold text, and all of its columns."""

    schema: str
    name: str
    text_columns: tuple[tuple[str, str], ...]
    """(column, type)."""
    columns: frozenset[str]

    @property
    def fullname(self) -> str:
        """schema.name"""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Needle:
    """What is looked for, without regard to case: an address, an id, a word."""

    text: str

    @property
    def pattern(self) -> str:
        """As a regular expression that does not find the address inside a longer one."""
        return rf"(?<![a-z0-9._%+\-]){re.escape(self.text.lower())}(?![a-z0-9\-]|\.[a-z0-9])"


def text_tables(connection: Connection) -> list[TextTable]:
    """Every table of the database that has a column for text."""
    found: dict[tuple[str, str], tuple[list[tuple[str, str]], set[str]]] = {}
    for row in connection.execute(_COLUMNS):
        holding, every = found.setdefault((row.table_schema, row.table_name), ([], set()))
        every.add(row.column_name)
        if row.data_type in _TEXT_TYPES or row.udt_name in _TEXT_ARRAYS:
            holding.append((row.column_name, row.data_type))
    return [
        TextTable(schema, name, tuple(holding), frozenset(every))
        for (schema, name), (holding, every) in found.items()
        if holding
    ]


def named_in(columns: Iterable[tuple[str, str]]) -> sql.Composable:
    """A condition with the parameters `needle` and `pattern`: one of the columns, given as (name, type), names it."""
    return sql.SQL("({})").format(sql.SQL(" or ").join([_names(name, kind) for name, kind in columns]))


def parameters_of(needle: Needle) -> dict[str, str]:
    """The parameters of `named_in`."""
    return {"needle": needle.text.lower(), "pattern": needle.pattern}


def count_naming(
    connection: Connection,
    tables: Sequence[TextTable],
    needles: Sequence[Needle],
    *,
    mailbox_ids: Sequence[uuid.UUID] | None = None,
    organization_id: uuid.UUID | None = None,
) -> dict[str, int]:
    """How many rows of which table name one of the needles, where any do.

    With `mailbox_ids` and `organization_id`, only rows of these mailboxes and, where a table knows no mailbox, of that
    organization; tables that know neither are left out.
    """
    found: dict[str, int] = {}
    driver = driver_connection(connection)
    for table in tables:
        condition, parameters = _scope(table, mailbox_ids, organization_id)
        if condition is None:
            continue
        for needle in needles:
            query = sql.SQL("select count(*) from {} where {} and {}").format(
                sql.Identifier(table.schema, table.name), condition, named_in(table.text_columns)
            )
            row = driver.execute(query, {**parameters, **parameters_of(needle)}).fetchone()
            if row is not None and row[0]:
                found[table.fullname] = found.get(table.fullname, 0) + int(row[0])
    return found


def delete_naming(
    connection: Connection,
    table: TextTable,
    needle: Needle,
    *,
    mailbox_ids: Sequence[uuid.UUID],
    organization_id: uuid.UUID,
) -> int:
    """Delete the rows of a table, in the same bounds, that name the needle. Returns how many."""
    condition, parameters = _scope(table, mailbox_ids, organization_id)
    if condition is None:
        return 0
    statement = sql.SQL("delete from {} where {} and {}").format(
        sql.Identifier(table.schema, table.name), condition, named_in(table.text_columns)
    )
    return driver_connection(connection).execute(statement, {**parameters, **parameters_of(needle)}).rowcount


def _scope(
    table: TextTable, mailbox_ids: Sequence[uuid.UUID] | None, organization_id: uuid.UUID | None
) -> tuple[sql.Composable | None, dict[str, object]]:
    if mailbox_ids is None:
        return sql.SQL("true"), {}
    if "mailbox_id" in table.columns:
        return sql.SQL("mailbox_id = any(%(mailbox_ids)s)"), {"mailbox_ids": list(mailbox_ids)}
    if "organization_id" in table.columns:
        return sql.SQL("organization_id = %(organization_id)s"), {"organization_id": organization_id}
    return None, {}


def _names(column: str, kind: str) -> sql.Composable:
    # Bytes that are no ASCII become \nnn; an address has none.
    as_text = "lower(encode({}, 'escape'))" if kind == "bytea" else "lower(cast({} as text))"
    return sql.SQL(f"case when strpos({as_text}, %(needle)s) > 0 then {as_text} ~ %(pattern)s else false end").format(
        *[sql.Identifier(column)] * 2
    )
