"""GET /v1/search."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.schemas import Plain
from rl_emails_api.search import queries
from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_api.search.schemas import Found, SearchResult
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["search"], dependencies=[needs("mail:read")])


@router.get("/v1/search", summary="Search by words and by meaning")
def get_search(
    *,
    request: Request,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    q: Annotated[
        Plain,
        Query(
            min_length=1,
            max_length=500,
            description='Words; "a phrase"; or; -without.',
            examples=["budget -draft"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50, description="Matches at most.")] = 20,
    typing: Annotated[bool, Query(description="The last word may be unfinished.")] = False,
) -> SearchResult:
    """Full text and vectors, fused by reciprocal rank; sent mail too, but no folder copies, trash and spam.

    Without an encoder the search is by words only, and the answer says so.
    """
    encoder: QueryEncoder = request.app.state.query_encoder
    vector = encoder.vector(q)
    rows = queries.found(transaction, mailbox.mailbox_id, q.strip(), vector=vector, limit=limit, is_typing=typing)
    return SearchResult(
        query=q,
        items=[Found.from_row(row) for row in rows],
        is_by_meaning=vector is not None,
        why_not="" if vector is not None else encoder.why_not,
    )
