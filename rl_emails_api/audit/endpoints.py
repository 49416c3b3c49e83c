"""GET /v1/admin/audit: who did what, for administrators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, TypeAdapter

from rl_emails_api.audit.log import viewed
from rl_emails_api.audit.schemas import AuditEvent, AuditEvents
from rl_emails_api.identity.principal import needs, principal_of
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.transactions import Transaction
from rl_emails_assets.db import audit

router = APIRouter(tags=["admin"])

_ORDER = "audit"
_KEY: TypeAdapter[tuple[datetime, UUID]] = TypeAdapter(tuple[datetime, UUID])


@router.get(
    "/v1/admin/audit",
    summary="Who did what, the latest first",
    dependencies=[needs("admin:read"), viewed("audit.viewed")],
)
def get_audit(
    request: Request,
    transaction: Transaction,
    action: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z][a-z_]{0,39}\.([a-z][a-z_]{0,39})?$",
            description="One action (`session.created`), or every action of a noun (`session.`).",
        ),
    ] = None,
    user: Annotated[UUID | None, Query(description="Only what this person did.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="From this time on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this time.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AuditEvents:
    """Sign-ins, grants, exports, erasures, changes of members and keys, and who looked at the administrators' pages.

    Looking at this is recorded as well, once an hour for each person.
    """
    rows = audit.events(
        transaction,
        organization_id=principal_of(request).organization_id,
        action=action,
        user_id=user,
        since=since,
        until=until,
        after=decode_cursor(cursor, _ORDER, _KEY),
        limit=limit + 1,
    )
    items = [AuditEvent.model_validate(row._mapping) for row in rows[:limit]]  # noqa: SLF001 - SQLAlchemy's public name
    more = len(rows) > limit
    return AuditEvents(
        items=items,
        next_cursor=encode_cursor(_ORDER, (items[-1].created_at, items[-1].audit_event_id)) if more else None,
    )
