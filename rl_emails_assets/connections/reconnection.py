"""A mailbox whose grant is gone: its state, the one notice to its owner, and the end of what waits for it."""

import uuid

from sqlalchemy import Connection, func, text, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import app, mailboxes

CONNECTED = "connected"
RECONNECT_NEEDED = "reconnect_needed"
DISCONNECTING = "disconnecting"

# Without this, the request would be claimed, fail, and be a dead letter that no redriving can help.
_CANCEL_WAITING = text(
    """
    with ended as (
        delete from sync_queue.requests
        where mailbox_id = :mailbox_id and state = 'todo' and kind <> 'disconnect'
        returning request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, created_at
    )
    insert into sync_queue.ended_requests
        (request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, created_at, state, error)
    select request_id, mailbox_id, kind, asked_by, attempts, deaths, run_id, created_at, 'cancelled', :error from ended
    """
)


def need_reconnect(connection: Connection, mailbox_id: uuid.UUID, reason: str) -> None:
    """Stop trying until the owner connects the mailbox again, and tell them once.

    The waiting request ends; a running one fails by itself. `reason` is for a person and ends without a full stop.
    A mailbox that is being disconnected, or was in this state before, is left as it is.
    """
    columns = mailboxes.connections.c
    changed = connection.execute(
        update(mailboxes.connections)
        .where(columns.mailbox_id == mailbox_id, columns.state == CONNECTED)
        .values(state=RECONNECT_NEEDED, state_reason=reason, state_changed_at=func.now())
        .returning(columns.address)
    ).scalar_one_or_none()
    if changed is None:
        return
    connection.execute(
        insert(app.notices)
        .values(
            notice_id=uuid.uuid4(),
            mailbox_id=mailbox_id,
            kind=RECONNECT_NEEDED,
            text=f"New mail of {changed} is no longer read: {reason}. Connect it again on the page, "
            f"or with `rl-emails connect gmail --login-hint {changed}`.",
        )
        .on_conflict_do_nothing(
            index_elements=[app.notices.c.mailbox_id, app.notices.c.kind], index_where=text("ended_at is null")
        )
    )
    connection.execute(
        _CANCEL_WAITING,
        {"mailbox_id": mailbox_id, "error": f"{reason}. Connecting the mailbox again asks for a sync."},
    )


def end_notices(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """End what the mailbox's owner was told; what is still so is told again by whoever finds it."""
    table = app.notices
    connection.execute(
        update(table).where(table.c.mailbox_id == mailbox_id, table.c.ended_at.is_(None)).values(ended_at=func.now())
    )
