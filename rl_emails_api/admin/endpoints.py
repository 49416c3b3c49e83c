"""GET /v1/admin/status and POST /v1/mailboxes/{mailbox_id}/sync."""

from collections import defaultdict
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from rl_emails_api.admin import queries
from rl_emails_api.admin.schemas import Gap, MailboxStatus, Queue, QueueState, Request, Run, Status
from rl_emails_api.mailboxes import queries as mailboxes
from rl_emails_api.mailboxes.schemas import SyncRequest
from rl_emails_api.problems import not_found
from rl_emails_api.run_links import Links
from rl_emails_api.transactions import Transaction
from rl_emails_assets.sync_queue import queue

SHOWN_GAPS = 20
"""Gaps of one mailbox in an answer; `rl-emails status --json` has all."""

router = APIRouter(tags=["admin"])


@router.get("/v1/admin/status", summary="Freshness, gaps, queue and runs")
def get_status(transaction: Transaction, links: Links) -> Status:
    """Every mailbox with its counts and gaps, the queue by state, and the latest runs with links to the Dagster UI."""
    gaps: defaultdict[UUID, list[Gap]] = defaultdict(list)
    for row in queries.gaps(transaction, most=SHOWN_GAPS):
        gaps[row["mailbox_id"]].append(Gap(**{name: row[name] for name in Gap.model_fields}))
    pending = {row["mailbox_id"]: row for row in queries.pending(transaction)}
    states = queue.summary(transaction)
    waiting = [state.oldest_at for state in states if state.state == "todo"]
    return Status(
        version=version("rl-emails"),
        dagster_url=links.dagster_url,
        mailboxes=[_mailbox(dict(row), pending, gaps) for row in queries.mailboxes(transaction)],
        queue=Queue(
            states=[
                QueueState(state=state.state, request_count=state.request_count, oldest_at=state.oldest_at)
                for state in states
            ],
            oldest_waiting_at=min(waiting, default=None),
            requests=[Request(**links.onto(dict(row))) for row in queries.requests(transaction)],
        ),
        runs=[Run(**links.onto(dict(row))) for row in queries.runs(transaction)],
    )


@router.post(
    "/v1/mailboxes/{mailbox_id}/sync", status_code=HTTPStatus.ACCEPTED, summary="Ask for a full sync of a mailbox"
)
def post_sync(transaction: Transaction, mailbox_id: UUID) -> SyncRequest:
    """Puts a request in the queue; when one waits already, it is that one. A run takes it within seconds."""
    if mailboxes.by_id(transaction, mailbox_id) is None:
        raise not_found("mailbox")
    request_id = queue.enqueue(transaction, mailbox_id, asked_by="button", kind="full")
    return SyncRequest(request_id=request_id, mailbox_id=mailbox_id, kind="full", state="todo")


def _mailbox(row: dict[str, Any], pending: dict[UUID, Any], gaps: dict[UUID, list[Gap]]) -> MailboxStatus:
    waiting = pending.get(row["mailbox_id"], {})
    return MailboxStatus(
        **row,
        pending_count=waiting.get("pending_count", 0),
        oldest_pending_at=waiting.get("oldest_pending_at"),
        gaps=gaps.get(row["mailbox_id"], []),
    )
