"""GET /v1/search, GET /v1/search/suggest."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.pagination import Cursor
from rl_emails_api.schemas import Plain
from rl_emails_api.search import searching, suggesting
from rl_emails_api.search.schemas import SearchResult, Suggestions
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["search"], dependencies=[needs("mail:read")])

MAX_QUERY = 500


@router.get("/v1/search", summary="Search by words, by meaning and by operators")
def get_search(
    *,
    request: Request,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    q: Annotated[
        Plain,
        Query(
            min_length=1,
            max_length=MAX_QUERY,
            description='Words, "a phrase", -without, OR, parentheses, and operators: from:, to:, cc:, subject:, has:, '
            "filename:, before:, after:, on:, older_than:, newer_than:, label:, in:, is:, category:, needs:, list:, "
            "larger:, smaller:.",
            examples=["from:ada budget -draft newer_than:2w"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50, description="Matches in a page.")] = 20,
    cursor: Cursor = None,
    typing: Annotated[bool, Query(description="The last word may be unfinished.")] = False,
    zone: Annotated[
        str | None,
        Query(
            max_length=64,
            description="The zone in which dates are days, by its IANA name; that of the owner's last mail by default.",
            examples=["Europe/Berlin"],
        ),
    ] = None,
) -> SearchResult:
    """Full text and vectors, fused; sent mail too, but no folder copies, and trash and spam only when asked for.

    A query is never refused: `notes` says what of it was searched as text. Without an encoder the search is by words
    only, and the answer says so. Conditions alone list what fulfils them, the newest first.
    """
    return searching.answer(
        transaction,
        mailbox.mailbox_id,
        q,
        request.app.state.query_encoder,
        limit=limit,
        cursor=cursor,
        is_typing=typing,
        zone=zone,
    )


@router.get("/v1/search/suggest", summary="Ways to go on typing a search")
def get_suggestions(
    *,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    q: Annotated[Plain, Query(max_length=MAX_QUERY, description="What was typed so far.", examples=["budget from:ad"])],
    limit: Annotated[int, Query(ge=1, le=20, description="Suggestions of a kind at most.")] = 5,
) -> Suggestions:
    """People by name or address (a mistyped name too), conversations by subject, and operators."""
    return Suggestions(items=suggesting.suggestions(transaction, mailbox.mailbox_id, q, limit))
