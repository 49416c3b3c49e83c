"""GET /v1/people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.people import queries
from rl_emails_api.people.schemas import People, Person
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["people"], dependencies=[needs("mail:read")])

_KEY: TypeAdapter[tuple[float, UUID]] = TypeAdapter(tuple[float, UUID])


@router.get("/v1/people", summary="People, the strongest relationship first")
def get_people(
    *,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    with_roles: Annotated[bool, Query(description="Also addresses of functions, lists and robots.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> People:
    """The people the owner exchanges mail with."""
    after = decode_cursor(cursor, "strength", _KEY)
    rows = queries.listed(transaction, mailbox.mailbox_id, after, limit + 1, with_roles=with_roles)
    items = [Person(**row) for row in rows[:limit]]
    next_cursor = encode_cursor("strength", (items[-1].strength, items[-1].person_id)) if len(rows) > limit else None
    return People(items=items, next_cursor=next_cursor)
