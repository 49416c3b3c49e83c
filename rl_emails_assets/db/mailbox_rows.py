"""Making and finding mailboxes."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A connected mailbox, as commands name it."""

    mailbox_id: uuid.UUID
    address: str


def mailbox_id_of(address: str) -> uuid.UUID:
    """The id of the mailbox of an address: the same on every machine, so that the same mail has the same ids."""
    return uuid.uuid5(ID_NAMESPACE, address.strip().lower())


def connect_files(
    connection: Connection, address: str, source: dict[str, str], *, aliases: Iterable[str], display_name: str = ""
) -> Mailbox:
    """Make the mailbox of `address` unless it is there, and add a source and aliases to it."""
    mailbox = Mailbox(mailbox_id_of(address), address.strip().lower())
    columns = mailboxes.connections.c
    connection.execute(
        insert(mailboxes.connections)
        .values(mailbox_id=mailbox.mailbox_id, address=mailbox.address, provider="files", display_name=display_name)
        .on_conflict_do_nothing()
    )
    known: list[dict[str, Any]] = connection.execute(
        select(columns.sources).where(columns.mailbox_id == mailbox.mailbox_id).with_for_update()
    ).scalar_one()
    if source not in known:
        connection.execute(
            update(mailboxes.connections)
            .where(columns.mailbox_id == mailbox.mailbox_id)
            .values(sources=[*known, source])
        )
    add_aliases(connection, mailbox.mailbox_id, [mailbox.address], found_by="mailbox")
    add_aliases(connection, mailbox.mailbox_id, aliases, found_by="option")
    return mailbox


def add_aliases(connection: Connection, mailbox_id: uuid.UUID, addresses: Iterable[str], *, found_by: str) -> int:
    """Add addresses that are the owner's. Returns how many were new; then every signal of the mailbox is stale, because
    who wrote what has changed."""
    rows = [
        {"mailbox_id": mailbox_id, "address": address.strip().lower(), "found_by": found_by}
        for address in sorted(set(addresses))
    ]
    if not rows:
        return 0
    statement = insert(mailboxes.aliases).values(rows).on_conflict_do_nothing().returning(mailboxes.aliases.c.address)
    new = len(connection.execute(statement).scalars().all())
    if new:
        connection.execute(
            text("update signals.messages set is_stale = true where mailbox_id = :mailbox_id"),
            {"mailbox_id": mailbox_id},
        )
        connection.execute(
            text("delete from signals.contacts where mailbox_id = :mailbox_id"), {"mailbox_id": mailbox_id}
        )
    return new


def find_mailbox(connection: Connection, name: str | None) -> Mailbox:
    """The mailbox that `name` (an address or an id) names; the only one there is when nothing is said.

    Raises NotFoundError, naming what there is.
    """
    columns = mailboxes.connections.c
    query = select(columns.mailbox_id, columns.address).order_by(columns.address)
    everything = [Mailbox(row.mailbox_id, row.address) for row in connection.execute(query)]
    if name is None and len(everything) == 1:
        return everything[0]
    for mailbox in everything:
        if name is not None and name.strip().lower() in {mailbox.address, str(mailbox.mailbox_id)}:
            return mailbox
    there = ", ".join(mailbox.address for mailbox in everything) or "none yet; `rl-emails import` makes one"
    wanted = f"No mailbox is called {name!r}"
    if name is None:
        wanted = "Several mailboxes are connected; name one with --mailbox" if everything else "No mailbox is connected"
    raise NotFoundError(f"{wanted}. Connected: {there}.")
