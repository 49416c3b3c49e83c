"""The life of a connected mailbox: made or made again, in need of its owner, asked to end, ended.

connect_gmail ──▶ connected ──need_reconnect──▶ reconnect_needed ──connect_gmail──▶ connected
                      └──────────ask_to_disconnect──────────┴──▶ disconnecting ──disconnect──▶ (erased)
"""

import uuid

from sqlalchemy import Connection, func, select, update

from rl_emails_assets.connections.credentials import Grant, store_grant
from rl_emails_assets.connections.disconnection import Receipt as Receipt
from rl_emails_assets.connections.disconnection import disconnect as disconnect
from rl_emails_assets.connections.reconnection import CONNECTED, DISCONNECTING, end_notices
from rl_emails_assets.connections.reconnection import need_reconnect as need_reconnect
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.mailbox_rows import LOCAL_TENANT, Tenant, add_aliases, ensure_mailbox
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import NotFoundError, SignInError
from rl_emails_assets.sync_queue import queue

GMAIL = "gmail"

_table = mailboxes.connections


def connect_gmail(
    connection: Connection,
    sealer: Sealer,
    address: str,
    grant: Grant,
    *,
    display_name: str = "",
    tenant: Tenant = LOCAL_TENANT,
) -> uuid.UUID:
    """Make the mailbox of `address` in the tenant's organization, or connect it again; keep the grant, end its notices
    and ask for a sync.

    Raises SignInError when the address belongs to imported mail, to another person's mailbox in the organization, or
    to one that is being disconnected.
    """
    mailbox, made = ensure_mailbox(
        connection, address, tenant, provider=GMAIL, display_name=display_name, state_changed_at=func.now()
    )
    mailbox_id, address = mailbox.mailbox_id, mailbox.address
    is_this = _table.c.mailbox_id == mailbox_id
    row = connection.execute(
        select(_table.c.provider, _table.c.state, _table.c.is_shared, _table.c.owner_user_id).where(is_this)
    ).one()
    if not row.is_shared and row.owner_user_id != tenant.user_id:
        # To hold the account is not to be shown what somebody else has made of its mail here.
        raise SignInError(
            f"{address} is the mailbox of another member of your organization, or of one who has left. Its owner can "
            "share it; an administrator can disconnect it, which erases it here, and then you can connect it."
        )
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
        if row.owner_user_id is None:
            values["owner_user_id"] = tenant.user_id
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
