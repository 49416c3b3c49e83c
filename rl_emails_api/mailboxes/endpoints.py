"""GET /v1/mailboxes, which the page polls, and what an owner does about a notice."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from sqlalchemy import Connection, RowMapping

from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes import queries
from rl_emails_api.mailboxes.freshness import Freshness, Standing, freshness
from rl_emails_api.mailboxes.schemas import Mailboxes, MailboxItem, Notice, Owner
from rl_emails_api.problems import not_found
from rl_emails_api.transactions import Transaction
from rl_emails_assets.settings import Settings

router = APIRouter(tags=["mailboxes"])


@router.get(
    "/v1/mailboxes",
    summary="The connected mailboxes",
    response_model=Mailboxes,
    responses={
        HTTPStatus.NOT_MODIFIED: {"description": "Nothing of it has changed since the answer with this ETag."},
        HTTPStatus.OK: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}}},
    },
    dependencies=[needs("mail:read")],
)
def get_mailboxes(
    request: Request,
    transaction: Transaction,
    if_none_match: Annotated[str | None, Header(description="The ETag of an earlier answer.", max_length=200)] = None,
) -> Response:
    """Every mailbox, and how fresh it is. The parameter `mailbox` of other requests takes an address or id from here.

    Cheap to poll: send the answer's ETag as If-None-Match, and it is 304 while nothing has changed.
    """
    settings: Settings = request.app.state.settings
    notices = open_notices(transaction)
    rows = queries.standings(transaction, only_visible=True)
    owners = queries.owners(transaction, {row["owner_user_id"] for row in rows} - {None})
    listing = Mailboxes(
        items=[_item(transaction, row, notices, owners, settings) for row in rows],
        can_connect_gmail=bool(settings.google_client_id),
    )
    body = listing.model_dump_json().encode()
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-store"}
    if if_none_match == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.post(
    "/v1/mailboxes/{mailbox_id}/notices/{notice_id}/dismiss",
    summary="Dismiss a notice",
    dependencies=[needs("mail:write")],
)
def post_dismiss(transaction: Transaction, mailbox_id: UUID, notice_id: UUID) -> Notice:
    """Ends the notice. When what it tells goes on, another one is raised later."""
    row = queries.dismiss(transaction, mailbox_id, notice_id)
    if row is None:
        raise not_found("notice")
    return Notice(**{name: row[name] for name in Notice.model_fields})


def open_notices(connection: Connection) -> Mapping[UUID, list[Notice]]:
    """The open notices by mailbox."""
    found: defaultdict[UUID, list[Notice]] = defaultdict(list)
    for row in queries.notices(connection):
        found[row["mailbox_id"]].append(Notice(**{name: row[name] for name in Notice.model_fields}))
    return found


def freshness_of(row: RowMapping, settings: Settings) -> Freshness:
    """The freshness of a row of `queries.standings`, by the database's clock."""
    standing = Standing(**{name: row[name] for name in Standing.__slots__})
    return freshness(standing, now=row["asked_at"], behind_seconds=settings.behind_seconds)


def _item(
    connection: Connection,
    row: RowMapping,
    notices: Mapping[UUID, list[Notice]],
    owners: Mapping[UUID, str],
    settings: Settings,
) -> MailboxItem:
    mailbox_id, owner = row["mailbox_id"], row["owner_user_id"]
    computed: dict[str, Any] = {
        "freshness": freshness_of(row, settings),
        "owner": None if owner is None else Owner(user_id=owner, display_name=owners.get(owner, "")),
        "notices": notices.get(mailbox_id, []),
        "newest_at": queries.newest_at(connection, mailbox_id),
    }
    return MailboxItem(**{name: row[name] for name in MailboxItem.model_fields if name not in computed}, **computed)
