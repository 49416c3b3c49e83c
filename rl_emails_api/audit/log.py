"""What endpoints write into the audit log: who asks and from where are filled in from the request."""

from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from rl_emails_api.identity.principal import Principal, principal_of
from rl_emails_api.transactions import Transaction, transaction_of
from rl_emails_assets.db import audit

MOST_REMEMBERED = 1000


class RequestAudit:
    """The audit log as one request writes to it."""

    def __init__(self, request: Request, transaction: Transaction) -> None:
        self._request = request
        self._transaction = transaction

    def record(self, action: str, *, target: UUID | str = "", details: Mapping[str, Any] = {}) -> None:
        """Add an event in the request's own transaction; see `rl_emails_assets.db.audit.record`."""
        audit.record(self._transaction, action, target=target, details=details, **who_and_where(self._request))


AuditLog = Annotated[RequestAudit, Depends(RequestAudit)]


class View:
    """A dependency that records that somebody looked at a page of administrators: once an hour for each person.

    In a transaction of its own, because a request that only reads may not write.
    """

    def __init__(self, action: str) -> None:
        self._action = action
        self._lock = Lock()
        self._recorded: dict[UUID, None] = {}

    def __call__(self, request: Request) -> None:
        """Record it, unless it was in this hour."""
        principal = principal_of(request)
        hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
        event_id = audit.event_id_of(self._action, principal.organization_id, principal.user_id, hour)
        with self._lock:
            if event_id in self._recorded:
                return
        with transaction_of(request.app.state.engine, principal) as connection:
            audit.record(connection, self._action, event_id=event_id, **who_and_where(request))
        # Spares the database what a page that asks every few seconds would repeat; other processes have their own.
        with self._lock:
            if len(self._recorded) >= MOST_REMEMBERED:
                self._recorded.clear()
            self._recorded[event_id] = None


def viewed(action: str) -> Any:
    """`dependencies=[needs("admin:read"), viewed("status.viewed")]`: after the scope, so that only a view is one."""
    return Depends(View(action))


def who_and_where(request: Request) -> dict[str, Any]:
    """The arguments of `audit.record` that a request tells: who asks, how they came in, and from where."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return {
        "organization_id": principal and principal.organization_id,
        "user_id": principal and principal.user_id,
        "credential": principal.credential if principal else "system",
        "client": request.client.host if request.client else "",
        "request_id": getattr(request.state, "request_id", ""),
    }
