"""PATCH /v1/mailboxes/{mailbox_id}: whether a mailbox is one person's or every member's."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection, RowMapping, delete, or_, select, update

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.identity.principal import needs
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.management import CHANGES, Asking, allow
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import Transaction
from rl_emails_assets.db.tables import collaboration, mailboxes

router = APIRouter(tags=["mailboxes"])

_columns = mailboxes.connections.c
_CHANGES = CHANGES | {
    HTTPStatus.CONFLICT: CHANGES[HTTPStatus.CONFLICT]
    | {"description": "Who connected it has left, so it cannot be made personal."}
}


class MailboxChange(BaseModel):
    """Whose a mailbox is to be."""

    is_shared: bool = Field(description="true: every member of the organization sees it. false: only its owner.")


class MailboxSharing(BaseModel):
    """Whose a mailbox is."""

    mailbox_id: UUID
    address: str = Field(examples=["support@example.org"])
    is_shared: bool
    owner_user_id: UUID | None = Field(description="Who connected it; null when they have left the organization.")


@router.patch(
    "/v1/mailboxes/{mailbox_id}",
    summary="Share a mailbox, or make it personal again",
    dependencies=[needs("mailboxes:write")],
    responses=_CHANGES,
)
def patch_mailbox(
    transaction: Transaction, principal: Asking, audit: AuditLog, mailbox_id: UUID, change: MailboxChange
) -> MailboxSharing:
    """Its owner may, and for a shared one an administrator too. A personal mailbox of somebody else is a 404 for an
    administrator as well: only its owner can let others read it.

    Sharing shows all its mail, tasks and notes to every member. Making it personal hides them at once from everybody
    but its owner, and conversations that were assigned to others are nobody's.
    """
    row = _visible(transaction, principal.user_id, mailbox_id)
    if row is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "mailbox-not-found", "There is no mailbox with this id. GET /v1/mailboxes lists them."
        )
    owner = row["owner_user_id"]
    allow(
        rules.refuse_sharing(
            principal.role,
            is_own=owner == principal.user_id,
            has_owner=owner is not None,
            is_shared=change.is_shared,
        )
    )
    if change.is_shared != row["is_shared"]:
        if not change.is_shared:
            _unassign_others(transaction, mailbox_id, owner)
        transaction.execute(
            update(mailboxes.connections).where(_columns.mailbox_id == mailbox_id).values(is_shared=change.is_shared)
        )
        audit.record("mailbox.shared" if change.is_shared else "mailbox.unshared", target=mailbox_id)
    return MailboxSharing(
        mailbox_id=mailbox_id, address=row["address"], is_shared=change.is_shared, owner_user_id=owner
    )


def _visible(connection: Connection, user_id: UUID, mailbox_id: UUID) -> RowMapping | None:
    """The mailbox, locked, if its mail is for this person to see: the database shows an administrator more mailboxes
    than they may read."""
    return (
        connection.execute(
            select(_columns.address, _columns.is_shared, _columns.owner_user_id)
            .where(_columns.mailbox_id == mailbox_id, or_(_columns.is_shared, _columns.owner_user_id == user_id))
            .with_for_update()
        )
        .mappings()
        .one_or_none()
    )


def _unassign_others(connection: Connection, mailbox_id: UUID, owner_user_id: UUID) -> None:
    """While the mailbox is still visible to who asks."""
    table = collaboration.thread_assignments
    connection.execute(delete(table).where(table.c.mailbox_id == mailbox_id, table.c.user_id != owner_user_id))
