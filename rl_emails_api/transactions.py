"""One request, one transaction: opened before the endpoint, committed after it and before the answer is sent."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, text

STATEMENT_TIMEOUT = "15s"


def open_transaction(request: Request) -> Iterator[Connection]:
    """A connection in a transaction, read-only for GET; rolled back when the endpoint raises."""
    engine: Engine = request.app.state.engine
    with engine.connect() as connection:
        connection = connection.execution_options(postgresql_readonly=request.method in ("GET", "HEAD"))  # noqa: PLW2901
        with connection.begin():
            connection.execute(
                text("select set_config('statement_timeout', :timeout, true)"), {"timeout": STATEMENT_TIMEOUT}
            )
            yield connection


# scope="function": the commit happens before the answer, so an answer never tells of a write that then failed.
Transaction = Annotated[Connection, Depends(open_transaction, scope="function")]
