"""GET /v1/changes."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request

from rl_emails_api.changes import cursors, feed
from rl_emails_api.changes.schemas import ChangedObject, Changes
from rl_emails_api.identity.principal import needs
from rl_emails_api.transactions import Transaction
from rl_emails_assets.settings import Settings

router = APIRouter(tags=["changes"], dependencies=[needs("mail:read")])

_GONE = {"description": "The cursor is too old, or of another database: begin anew."}


@router.get("/v1/changes", summary="What changed since a cursor", responses={HTTPStatus.GONE: _GONE})
def get_changes(
    request: Request,
    transaction: Transaction,
    since: Annotated[
        str | None,
        Query(
            max_length=cursors.MAX_CHARACTERS,
            description="`next_cursor` of the last answer. Without it: nothing but the cursor of this moment.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Objects in a page.")] = 500,
) -> Changes:
    """Keeps a copy in step. Ask without `since` and keep the cursor, then load what you need; from then on ask with the
    cursor, and read again or forget what is listed. Nothing is missed, whatever is written meanwhile; an object may be
    told once more than needed. A mailbox that came into sight is one item: load what is in it."""
    settings: Settings = request.app.state.settings
    now = feed.read_now(transaction)
    if since is None:
        return Changes(items=[], next_cursor=now.cursor().encode(), has_more=False)
    cursor = cursors.decode(since)
    feed.check(cursor, now, settings.keep_changes_days)
    page = feed.read_page(transaction, cursor, now, limit)
    items = [
        ChangedObject(
            kind=each.kind,
            id=each.object_id,
            mailbox_id=each.mailbox_id,
            change="removed" if each.is_removed else "changed",
            thread_id=each.thread_id,
        )
        for each in page.changes
    ]
    return Changes(items=items, next_cursor=page.cursor.encode(), has_more=page.has_more)
