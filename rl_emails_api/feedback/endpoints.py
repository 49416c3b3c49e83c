"""POST /v1/messages/{message_id}/feedback."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from rl_emails_api.feedback import queries
from rl_emails_api.feedback.schemas import Correction, Feedback
from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.problems import not_found
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["feedback"], dependencies=[needs("mail:write")])

_EXAMPLES = {
    "importance": {"summary": "It matters", "value": {"kind": "importance", "value": "important"}},
    "category": {"summary": "It is a receipt", "value": {"kind": "category", "value": "receipt"}},
}


@router.post("/v1/messages/{message_id}/feedback", status_code=HTTPStatus.CREATED, summary="Correct a decision")
def post_feedback(
    transaction: Transaction,
    mailbox: ChosenMailbox,
    message_id: UUID,
    correction: Annotated[Correction, Body(openapi_examples=_EXAMPLES)],
) -> Feedback:
    """Stores the correction with what the record said. The record itself is not changed."""
    if not queries.message_exists(transaction, mailbox.mailbox_id, message_id):
        raise not_found("message")
    if correction.kind == "importance":
        was = queries.priority_record(transaction, mailbox.mailbox_id, message_id)
    else:
        was = queries.verdict_record(transaction, mailbox.mailbox_id, message_id)
    feedback_id, created_at = queries.add(
        transaction, mailbox.mailbox_id, message_id, kind=correction.kind, value=correction.value, was=was
    )
    return Feedback(
        feedback_id=feedback_id,
        message_id=message_id,
        kind=correction.kind,
        value=correction.value,
        was=was,
        created_at=created_at,
    )
