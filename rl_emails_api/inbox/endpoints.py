"""GET /v1/inbox."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from rl_emails_api.identity.principal import needs
from rl_emails_api.inbox import queries
from rl_emails_api.inbox.schemas import Inbox, InboxItem, Order
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.organizations.management import Asking
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.schemas import Category, Needs, When
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["inbox"], dependencies=[needs("mail:read")])

_PRIORITY_KEY: TypeAdapter[tuple[float, When, UUID]] = TypeAdapter(tuple[float, When, UUID])
_DATE_KEY: TypeAdapter[tuple[When, UUID]] = TypeAdapter(tuple[When, UUID])


@router.get("/v1/inbox", summary="Received mail in order of importance")
def get_inbox(
    *,
    transaction: Transaction,
    principal: Asking,
    mailbox: ChosenMailbox,
    state: Annotated[
        queries.State,
        Query(description="open: neither done nor snoozed. done, snoozed: only those. all: whatever was done with it."),
    ] = "open",
    unread: Annotated[bool | None, Query(description="Only unread (true) or only read (false) mail.")] = None,
    category: Annotated[list[Category] | None, Query(description="Only these categories; may be repeated.")] = None,
    needs: Annotated[list[Needs] | None, Query(description="Only what needs this; may be repeated.")] = None,
    assigned: Annotated[
        Literal["me", "nobody"] | UUID | None,
        Query(description="Only what is assigned to: me, nobody, or the member with this id."),
    ] = None,
    since: Annotated[When | None, Query(description="Received at or after, with a time zone.")] = None,
    until: Annotated[When | None, Query(description="Received before, with a time zone.")] = None,
    order: Annotated[Order, Query(description="priority: highest score first. date: newest first.")] = "priority",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Inbox:
    """Mail that others sent and that is not a draft, spam, trash or a folder copy.

    By priority: strictly by the recorded score, then the newer, then the id. A message that is stored and not ranked
    yet is counted in `pending_count`, and `order=date` shows it.
    """
    filters = queries.Filters(
        state=state,
        unread=unread,
        categories=tuple(category or ()),
        needs=tuple(needs or ()),
        assigned=principal.user_id if assigned == "me" else assigned,
        since=since,
        until=until,
    )
    key: tuple[Any, ...]
    if order == "priority":
        after = decode_cursor(cursor, order, _PRIORITY_KEY)
        rows = queries.by_priority(transaction, mailbox.mailbox_id, filters, after, limit + 1)
        key = ("priority", "received_at", "message_id")
    else:
        rows = queries.by_date(
            transaction, mailbox.mailbox_id, filters, decode_cursor(cursor, order, _DATE_KEY), limit + 1
        )
        key = ("received_at", "message_id")
    page = rows[:limit]
    more = len(rows) > limit
    return Inbox(
        items=[InboxItem.from_row(row) for row in page],
        next_cursor=encode_cursor(order, tuple(page[-1][name] for name in key)) if more else None,
        pending_count=queries.pending_count(transaction, mailbox.mailbox_id) if cursor is None else None,
    )
