"""GET /v1/threads/{thread_id}."""

from uuid import UUID

from fastapi import APIRouter

from rl_emails_api.collaboration import queries as collaboration
from rl_emails_api.collaboration.endpoints import note
from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.organizations.management import Asking
from rl_emails_api.problems import not_found
from rl_emails_api.threads import queries
from rl_emails_api.threads.schemas import Thread, ThreadMessage
from rl_emails_api.transactions import Transaction

MAX_NOTES = 100

router = APIRouter(tags=["threads"], dependencies=[needs("mail:read")])


@router.get("/v1/threads/{thread_id}", summary="A conversation with its messages")
def get_thread(transaction: Transaction, principal: Asking, mailbox: ChosenMailbox, thread_id: UUID) -> Thread:
    """The conversation, its messages oldest first, without folder copies, who takes care of it, and internal notes."""
    row = queries.by_id(transaction, mailbox.mailbox_id, thread_id)
    if row is None:
        raise not_found("conversation")
    messages = queries.messages(transaction, mailbox.mailbox_id, thread_id)
    notes = collaboration.latest_notes(transaction, mailbox.mailbox_id, thread_id, limit=MAX_NOTES)
    return Thread(
        **row,
        messages=[ThreadMessage.from_row(message) for message in messages],
        notes=[note(each, principal.user_id) for each in notes],
    )
