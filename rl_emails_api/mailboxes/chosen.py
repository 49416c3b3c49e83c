"""The mailbox that a request names."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query

from rl_emails_api.mailboxes import queries
from rl_emails_api.mailboxes.queries import Mailbox
from rl_emails_api.problems import ProblemError
from rl_emails_api.schemas import Plain
from rl_emails_api.transactions import Transaction

_Name = Annotated[
    Plain | None,
    Query(
        description="Address or id of the mailbox; may be left out when there is only one.",
        max_length=320,
        examples=["ada@example.org"],
    ),
]


def choose_mailbox(transaction: Transaction, mailbox: _Name = None) -> Mailbox:
    """The named mailbox, or the only one."""
    found = queries.named(transaction, mailbox)
    if not found:
        what = "No mailbox is connected. Import one with `rl-emails import`."
        if mailbox is not None:
            what = "There is no mailbox with this address or id. GET /v1/mailboxes lists them."
        raise ProblemError(HTTPStatus.NOT_FOUND, "mailbox-not-found", what)
    if len(found) > 1:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "mailbox-required",
            "There is more than one mailbox. Name one with ?mailbox=; GET /v1/mailboxes lists them.",
        )
    return found[0]


ChosenMailbox = Annotated[Mailbox, Depends(choose_mailbox)]
