"""docs/reference/data.md, made from the tables: `python -m rl_emails_assets.db.reference docs/reference/data.md`."""

import sys
from pathlib import Path

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from rl_emails_assets.db.schema import TABLE_MODULES
from rl_emails_assets.db.tables.base import SCHEMAS

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

_INTRODUCTION = """\
# Data

Made by `make docs` from `rl_emails_assets/db/tables/`; do not edit it by hand. A schema is a group of the graph, or
belongs to the product (`app`, `sync_queue`). What belongs to a mailbox names it as `mailbox_id`.

Columns that many tables share:

* `version`, `is_stale`, `run_id`, `computed_at`: how a computed row came to be. A row is pending when it is missing,
  when its `version` is not the running code's, or when `is_stale` is true. See
  [pending rows](../architecture.md#pending-rows).
* `model_version`, `inputs_hash`, `cost_usd`: what makes a row the record of a decision. See
  [promise 4](../promises.md#4-one-record-of-a-decision).
"""


def page() -> str:
    """The reference of every schema, table and column, as Markdown."""
    parts = [_INTRODUCTION, _contents()]
    about = {module.__name__.rpartition(".")[2]: module.__doc__ or "" for module in TABLE_MODULES}
    for schema in SCHEMAS:
        parts.append(f"## {schema}\n\n{_first_paragraph(about[schema])}\n")
        parts += [_table(table) for table in _tables(schema)]
    return "\n".join(parts)


def _contents() -> str:
    lines = ["| schema | tables |", "|---|---|"]
    for schema in SCHEMAS:
        links = ", ".join(f"[{table.name}](#{anchor(table)})" for table in _tables(schema))
        lines.append(f"| [{schema}](#{schema}) | {links} |")
    return "\n".join(lines) + "\n"


def anchor(table: Table) -> str:
    """The table's place in the page, as GitHub and others make it from the heading."""
    return f"{table.schema}{table.name}"


def _tables(schema: str) -> list[Table]:
    # In the order of the modules and of what is in them; the metadata's own is that of who imported what first.
    written = (value for module in TABLE_MODULES for value in vars(module).values() if isinstance(value, Table))
    return [table for table in dict.fromkeys(written) if table.schema == schema]


def _table(table: Table) -> str:
    lines = [f"### {table.schema}.{table.name}", "", table.comment or "", ""]
    lines += ["| column | type | null | what it is |", "|---|---|---|---|"]
    lines += [_row(column) for column in table.columns]
    lines += ["", f"* Primary key: {_names(table.primary_key.columns)}."]
    lines += [f"* {line}" for line in sorted(map(_reference, table.foreign_keys))]
    lines += [f"* {line}" for line in sorted(filter(None, map(_constraint, table.constraints)))]
    lines += [f"* {line}" for line in sorted(map(_index, table.indexes))]
    return "\n".join(lines) + "\n"


def _row(column: Column[object]) -> str:
    kind = column.type.compile(dialect=_DIALECT).lower()
    comment = (column.comment or "").replace("|", "\\|")
    return f"| `{column.name}` | {kind} | {'yes' if column.nullable else ''} | {comment} |"


def _reference(key: ForeignKey) -> str:
    deleted = " and is deleted with it" if key.ondelete == "CASCADE" else ""
    return f"`{key.parent.name}` refers to `{key.target_fullname}`{deleted}."


def _constraint(constraint: object) -> str:
    if isinstance(constraint, CheckConstraint):
        return f"Check: `{constraint.sqltext}`."
    if isinstance(constraint, UniqueConstraint):
        return f"Unique: {_names(constraint.columns)}."
    return ""


def _index(index: Index) -> str:
    statement = " ".join(str(CreateIndex(index).compile(dialect=_DIALECT)).split())
    kind, _, what = statement.partition(" ON ")
    unique = "Unique index" if "UNIQUE" in kind else "Index"
    return f"{unique} `{index.name}`: `{what[what.index('(') :] if 'USING' not in what else what.partition(' ')[2]}`."


def _names(columns: object) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)  # type: ignore[attr-defined]


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().partition("\n\n")[0].split())


def main() -> None:
    """Write the page to the path given."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m rl_emails_assets.db.reference PATH")
    Path(sys.argv[1]).write_text(page())


if __name__ == "__main__":
    main()
