"""A mailbox whose grant is gone: its state, the one notice to its owner, and the end of what waits for it."""

import uuid

from sqlalchemy import Connection, func, text, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import app, mailboxes
from rl_emails_assets.sync_queue import queue

CONNECTED = "connected"
RECONNECT_NEEDED = "reconnect_needed"
DISCONNECTING = "disconnecting"


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
    queue.cancel_syncs(connection, mailbox_id, error=f"{reason}. Connecting the mailbox again asks for a sync.")


def end_notices(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """End what the mailbox's owner was told; what is still so is told again by whoever finds it."""
    table = app.notices
    connection.execute(
        update(table).where(table.c.mailbox_id == mailbox_id, table.c.ended_at.is_(None)).values(ended_at=func.now())
    )
