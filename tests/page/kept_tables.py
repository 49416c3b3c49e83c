"""What the tables of a test's database hold, put back after whoever changed it, within milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Kept:
    """One table, and its columns as far as values can be given to them."""

    table: sql.Composable
    columns: sql.Composable
    copy_name: str

    def copy(self, state: str) -> sql.Composable:
        """Where what it held in a state is."""
        return sql.Identifier(f"kept_{state}", self.copy_name)


class KeptTables:
    """Keeps what all tables hold under a name, and puts it back into those that have changed since.

    Whether a table has changed is told by its rows' transaction ids, which takes a millisecond for all of them.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, options="-c lock_timeout=20s -c timezone=UTC")
        found = self._connection.execute(
            "select table_schema, table_name, array_agg(column_name::text) from information_schema.columns "
            "join information_schema.tables using (table_schema, table_name) where table_type = 'BASE TABLE' "
            "and is_generated = 'NEVER' and table_schema !~ '^pg_|^information_schema$|^public$' group by 1, 2"
        ).fetchall()
        self._tables = [
            Kept(sql.Identifier(schema, name), sql.SQL(", ").join(map(sql.Identifier, columns)), f"{schema}.{name}")
            for schema, name, columns in found
        ]
        one = sql.SQL("select {}::text, count(*), sum(xmin::text::bigint) from {}")
        self._look = sql.SQL(" union all ").join(one.format(each.copy_name, each.table) for each in self._tables)
        self._standing: Mapping[str, tuple[str, object]] = {}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def keep(self, state: str) -> None:
        """Remember what every table holds now."""
        with self._connection.transaction():
            self._connection.execute(sql.SQL("create schema {}").format(sql.Identifier(f"kept_{state}")))
            for each in self._tables:
                self._connection.execute(sql.SQL("create table {} as table {}").format(each.copy(state), each.table))
        self._standing = self._stand(state)

    def put_back(self, state: str) -> None:
        """Every table holds again what it held when `state` was kept. No trigger fires: nothing is told of it."""
        now = self._stand(state)
        changed = [each for each in self._tables if self._standing[each.copy_name] != now[each.copy_name]]
        if not changed:
            return
        with self._connection.transaction():
            self._connection.execute("set local session_replication_role = replica")
            for each in changed:
                self._connection.execute(sql.SQL("delete from {}").format(each.table))
                self._connection.execute(
                    sql.SQL("insert into {} ({}) overriding system value select {} from {}").format(
                        each.table, each.columns, each.columns, each.copy(state)
                    )
                )
        self._standing = self._stand(state)

    def _stand(self, state: str) -> Mapping[str, tuple[str, object]]:
        return {name: (state, rest) for name, *rest in self._connection.execute(self._look, prepare=True).fetchall()}
