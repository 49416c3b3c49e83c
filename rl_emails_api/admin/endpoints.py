"""GET /v1/admin/status, dead letters, and POST /v1/mailboxes/{mailbox_id}/sync."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as HttpRequest

from rl_emails_api.admin.schemas import DeadLetters, Status
from rl_emails_api.admin.status import as_dead_letter, read_status
from rl_emails_api.audit.log import viewed
from rl_emails_api.identity.principal import needs, principal_of
from rl_emails_api.mailboxes import queries as mailboxes
from rl_emails_api.mailboxes.schemas import SyncRequest
from rl_emails_api.problems import ProblemError, not_found
from rl_emails_api.run_links import Links
from rl_emails_api.transactions import FiguresTransaction, Transaction
from rl_emails_assets.errors import ReconnectNeededError
from rl_emails_assets.sync_queue import dead_letters, queue

router = APIRouter(tags=["admin"])

_CONFLICT: dict[int | str, dict[str, Any]] = {
    HTTPStatus.CONFLICT: {"description": "The mailbox is not connected; its owner has to connect it again first."}
}


@router.get(
    "/v1/admin/status",
    summary="Freshness, watches, gaps, queue, schedules, workers and runs",
    dependencies=[needs("admin:read"), viewed("status.viewed")],
)
def get_status(request: HttpRequest, transaction: FiguresTransaction, links: Links) -> Status:
    """Everything an administrator looks at: each mailbox, the queue by state, dead letters, pushes, the last run of
    each schedule, workers, costs, and the latest runs with links to the Dagster UI.
    """
    return read_status(
        transaction,
        request.app.state.settings,
        request.app.state.figures,
        links,
        organization_id=principal_of(request).organization_id,
    )


@router.get(
    "/v1/admin/dead-letters",
    summary="Sync requests that were given up",
    dependencies=[needs("admin:read"), viewed("dead_letters.viewed")],
)
def get_dead_letters(transaction: Transaction, links: Links) -> DeadLetters:
    """Every open dead letter with its reason and what to do; one a mailbox and kind, the latest first."""
    return DeadLetters(items=[as_dead_letter(letter, links) for letter in dead_letters.dead_letters(transaction)])


@router.post(
    "/v1/admin/dead-letters/{request_id}/redrive",
    status_code=HTTPStatus.ACCEPTED,
    summary="Try a dead letter again",
    responses=_CONFLICT,
    dependencies=[needs("admin:write")],
)
def post_redrive(transaction: Transaction, request_id: UUID) -> SyncRequest:
    """Puts a new request in its place, or joins the one that waits. A run takes it within seconds."""
    found = [letter for letter in dead_letters.dead_letters(transaction) if letter.request_id == request_id]
    try:
        waiting = dead_letters.redrive(transaction, request_id)
    except ReconnectNeededError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "reconnect-needed", str(error)) from error
    return SyncRequest(request_id=waiting, mailbox_id=found[0].mailbox_id, kind=found[0].kind, state="todo")


@router.post(
    "/v1/mailboxes/{mailbox_id}/sync",
    status_code=HTTPStatus.ACCEPTED,
    summary="Ask for a full sync of a mailbox",
    responses=_CONFLICT,
    dependencies=[needs("mailboxes:write")],
)
def post_sync(transaction: Transaction, mailbox_id: UUID) -> SyncRequest:
    """Puts a request in the queue; when one waits already, it is that one. A run takes it within seconds."""
    if mailboxes.by_id(transaction, mailbox_id) is None:
        raise not_found("mailbox")
    request_id = queue.enqueue(transaction, mailbox_id, asked_by="button", kind="full")
    if request_id is None:
        detail = "The mailbox is not connected, so it cannot be synced. Connect it again first."
        raise ProblemError(HTTPStatus.CONFLICT, "reconnect-needed", detail)
    return SyncRequest(request_id=request_id, mailbox_id=mailbox_id, kind="full", state="todo")
