"""One request, one transaction: opened before the endpoint, committed after it and before the answer is sent.

Who asks is told to the database with each transaction, and for it only, so that a pooler between may hand the
connection to anybody next. The database shows them what is theirs (rl_emails_assets/db/row_security.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, text

from rl_emails_api.identity.principal import Principal, principal_of
from rl_emails_assets.db.row_security import API_ROLE, FIGURES_ROLE

STATEMENT_TIMEOUT = "15s"

_BEGIN = text(
    """
    select
        set_config('statement_timeout', :timeout, true),
        set_config('rl_emails.organization_id', :organization_id, true),
        set_config('rl_emails.user_id', :user_id, true),
        set_config('role', :role, true)
    """
)
_BEGIN_SERVICE = text("select set_config('statement_timeout', :timeout, true)")


@contextmanager
def transaction_of(
    engine: Engine, principal: Principal | None, *, role: str = API_ROLE, is_readonly: bool = False
) -> Iterator[Connection]:
    """A connection in a transaction that sees what `principal` may see; without one, what the tables' owner does.

    Committed at the end; rolled back when the block raises.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(postgresql_readonly=is_readonly)  # noqa: PLW2901
        with connection.begin():
            if principal is None:
                connection.execute(_BEGIN_SERVICE, {"timeout": STATEMENT_TIMEOUT})
            else:
                connection.execute(
                    _BEGIN,
                    {
                        "timeout": STATEMENT_TIMEOUT,
                        "organization_id": str(principal.organization_id),
                        "user_id": str(principal.user_id),
                        "role": role,
                    },
                )
            yield connection


def open_transaction(request: Request) -> Iterator[Connection]:
    """As the principal, read-only for GET; rolled back when the endpoint raises. Raises a 401 problem for nobody."""
    with transaction_of(
        request.app.state.engine, principal_of(request), is_readonly=request.method in ("GET", "HEAD")
    ) as connection:
        yield connection
        claim = getattr(request.state, "idempotency", None)
        if claim is not None:
            # What the request did and that its key is used become true at once.
            claim.mark(connection)


def open_figures(request: Request) -> Iterator[Connection]:
    """As the principal, in a role that may count what the organization's mailboxes hold and read none of it."""
    with transaction_of(
        request.app.state.engine, principal_of(request), role=FIGURES_ROLE, is_readonly=True
    ) as connection:
        yield connection


def open_service_transaction(request: Request) -> Iterator[Connection]:
    """As the tables' owner: for what happens before anybody is known, such as signing in."""
    with transaction_of(request.app.state.engine, None) as connection:
        yield connection


# scope="function": the commit happens before the answer, so an answer never tells of a write that then failed.
Transaction = Annotated[Connection, Depends(open_transaction, scope="function")]
FiguresTransaction = Annotated[Connection, Depends(open_figures, scope="function")]
ServiceTransaction = Annotated[Connection, Depends(open_service_transaction, scope="function")]
