"""POST /v1/messages/actions."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from rl_emails_api.identity.principal import needs
from rl_emails_api.message_actions import queries
from rl_emails_api.message_actions.schemas import ActionOutcome, MessageActions
from rl_emails_api.problems import FieldError, ProblemError
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["messages"])

_EXAMPLES = {
    "done": {
        "summary": "Out of the inbox",
        "value": {"action": "done", "message_ids": ["6f1de0b8-6ddc-5a5e-9b8f-0f2b8d6f0a11"]},
    },
    "snooze": {
        "summary": "Back on Monday",
        "value": {
            "action": "snooze",
            "message_ids": ["6f1de0b8-6ddc-5a5e-9b8f-0f2b8d6f0a11"],
            "until": "2030-01-07T08:00:00+01:00",
        },
    },
}


@router.post("/v1/messages/actions", summary="Do one thing with many messages", dependencies=[needs("mail:write")])
def post_actions(
    transaction: Transaction, asked: Annotated[MessageActions, Body(openapi_examples=_EXAMPLES)]
) -> ActionOutcome:
    """All of them or none: one transaction. The messages may be of several mailboxes. It is kept here only; the
    provider's mail stays as it is. New mail in a conversation is a message of its own, and open."""
    if asked.until is not None and asked.until <= datetime.now(UTC):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "A message cannot be snoozed until a time that has passed. Send a later `until`.",
            errors=[FieldError(location=["body", "until"], message="is in the past")],
        )
    ids = list(dict.fromkeys(asked.message_ids))
    known = queries.known(transaction, ids)
    changed = queries.act(transaction, asked.action, known, asked.until)
    return ActionOutcome(
        changed=[each for each in ids if each in changed],
        unchanged=[each for each in ids if each in known - changed],
        not_found=[each for each in ids if each not in known],
    )
