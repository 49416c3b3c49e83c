"""The life of a connected mailbox: made or made again, in need of its owner, asked to end, ended.

connect_gmail ──▶ connected ──need_reconnect──▶ reconnect_needed ──connect_gmail──▶ connected
                      └──────────ask_to_disconnect──────────┴──▶ disconnecting ──disconnect──▶ (erased)
"""

import uuid

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.connections.credentials import Grant, store_grant
from rl_emails_assets.connections.disconnection import Receipt as Receipt
from rl_emails_assets.connections.disconnection import disconnect as disconnect
from rl_emails_assets.connections.reconnection import CONNECTED, DISCONNECTING, end_notices
from rl_emails_assets.connections.reconnection import need_reconnect as need_reconnect
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.mailbox_rows import add_aliases, mailbox_id_of
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import NotFoundError, SignInError
from rl_emails_assets.sync_queue import queue

GMAIL = "gmail"

_table = mailboxes.connections


def connect_gmail(
    connection: Connection, sealer: Sealer, address: str, grant: Grant, *, display_name: str = ""
) -> uuid.UUID:
    """Make the mailbox of `address`, or connect it again; keep the grant, end its notices and ask for a sync.

    Raises SignInError when the address belongs to imported mail, or to a mailbox that is being disconnected.
    """
    mailbox_id, address = mailbox_id_of(address), address.strip().lower()
    is_this = _table.c.mailbox_id == mailbox_id
    made = connection.execute(
        insert(_table)
        .values(
            mailbox_id=mailbox_id,
            address=address,
            provider=GMAIL,
            display_name=display_name,
            state_changed_at=func.now(),
        )
        .on_conflict_do_nothing()
        .returning(_table.c.mailbox_id)
    ).first()
    row = connection.execute(select(_table.c.provider, _table.c.state).where(is_this).with_for_update()).one()
    if row.provider != GMAIL:
        raise SignInError(
            f"{address} is a mailbox that was imported from files; Gmail's mail would be mixed with it, each message "
            f"twice. Erase the imported one first with `rl-emails disconnect {address}`, then connect it to Gmail."
        )
    if row.state == DISCONNECTING:
        raise SignInError(
            f"{address} is being disconnected. Wait until it is gone from `rl-emails status`, then connect it again."
        )
    if not made:
        values: dict[str, object] = {"state": CONNECTED, "state_reason": ""}
        if row.state != CONNECTED:
            values["state_changed_at"] = func.now()
        if display_name:
            values["display_name"] = display_name
        connection.execute(update(_table).where(is_this).values(**values))
    add_aliases(connection, mailbox_id, [address], found_by="mailbox")
    store_grant(connection, sealer, mailbox_id, grant)
    end_notices(connection, mailbox_id)
    # A mailbox that was connected before goes on from its cursor; where that has expired, a full sync follows.
    queue.enqueue(connection, mailbox_id, asked_by="connect", kind="full" if made else "partial")
    return mailbox_id


def ask_to_disconnect(connection: Connection, mailbox_id: uuid.UUID, *, asked_by: str) -> None:
    """Have a run disconnect the mailbox; from now on it is not synced any more. Asking again changes nothing.

    Raises NotFoundError when there is no such mailbox.
    """
    is_this = _table.c.mailbox_id == mailbox_id
    state = connection.execute(select(_table.c.state).where(is_this).with_for_update()).scalar_one_or_none()
    if state is None:
        raise NotFoundError("There is no such mailbox; `rl-emails status` lists those that are connected.")
    if state != DISCONNECTING:
        connection.execute(
            update(_table)
            .where(is_this)
            .values(state=DISCONNECTING, state_reason="Its owner asked for it", state_changed_at=func.now())
        )
        end_notices(connection, mailbox_id)
    queue.enqueue(connection, mailbox_id, asked_by=asked_by, kind="disconnect")
