"""GET /v1/mailboxes."""

from fastapi import APIRouter

from rl_emails_api.mailboxes import queries
from rl_emails_api.mailboxes.schemas import Mailboxes, MailboxItem
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["mailboxes"])


@router.get("/v1/mailboxes", summary="The connected mailboxes")
def get_mailboxes(transaction: Transaction) -> Mailboxes:
    """Every mailbox; the `mailbox` parameter of other requests takes an address or an id from here."""
    return Mailboxes(
        items=[
            MailboxItem(**row, newest_at=queries.newest_at(transaction, row["mailbox_id"]))
            for row in queries.listed(transaction)
        ]
    )
