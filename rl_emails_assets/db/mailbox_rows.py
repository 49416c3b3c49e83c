"""Making and finding mailboxes."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import identity, mailboxes
from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER
from rl_emails_assets.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose a mailbox becomes."""

    organization_id: uuid.UUID
    user_id: uuid.UUID


LOCAL_TENANT = Tenant(LOCAL_ORGANIZATION, LOCAL_USER)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A connected mailbox, as commands name it."""

    mailbox_id: uuid.UUID
    address: str


def mailbox_id_of(address: str, organization_id: uuid.UUID = LOCAL_ORGANIZATION) -> uuid.UUID:
    """The id of the mailbox of an address: the same on every machine, so that the same mail has the same ids.

    Two organizations may hold the same address; each has a mailbox of its own, with ids of its own.
    """
    name = address.strip().lower()
    return uuid.uuid5(ID_NAMESPACE, name if organization_id == LOCAL_ORGANIZATION else f"{organization_id}/{name}")


def ensure_mailbox(
    connection: Connection, address: str, tenant: Tenant = LOCAL_TENANT, **values: Any
) -> tuple[Mailbox, bool]:
    """The mailbox of an address in the tenant's organization, and whether it was made here, with `values` in its row.

    Its row is locked. A new one is personal: the tenant's person's own.
    """
    columns = mailboxes.connections.c
    address = address.strip().lower()
    query = select(columns.mailbox_id).where(
        columns.organization_id == tenant.organization_id, columns.address == address
    )
    # By chance its id may be that of a mailbox that came from another organization.
    for new_id in (mailbox_id_of(address, tenant.organization_id), uuid.uuid4()):
        made = connection.execute(
            insert(mailboxes.connections)
            .values(
                mailbox_id=new_id,
                address=address,
                organization_id=tenant.organization_id,
                owner_user_id=tenant.user_id,
                **values,
            )
            .on_conflict_do_nothing()
            .returning(columns.mailbox_id)
        ).first()
        found = connection.execute(query.with_for_update()).scalar_one_or_none()
        if found is not None:
            break
    assert found is not None  # noqa: S101 - a random id is free
    return Mailbox(found, address), made is not None


def connect_files(
    connection: Connection,
    address: str,
    source: dict[str, str],
    *,
    aliases: Iterable[str],
    display_name: str = "",
    tenant: Tenant = LOCAL_TENANT,
) -> Mailbox:
    """Make the mailbox of `address` in the tenant's organization unless it is there, and add a source and aliases."""
    mailbox, _ = ensure_mailbox(connection, address, tenant, provider="files", display_name=display_name)
    columns = mailboxes.connections.c
    known: list[dict[str, Any]] = connection.execute(
        select(columns.sources).where(columns.mailbox_id == mailbox.mailbox_id)
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
    """The mailbox that `name` (an address or an id) names, in whatever organization; the only one there is when nothing
    is said.

    Raises NotFoundError, naming what there is, and when several organizations have a mailbox of this address.
    """
    columns, organization = mailboxes.connections.c, identity.organizations.c
    query = (
        select(columns.mailbox_id, columns.address, organization.name)
        .join_from(
            mailboxes.connections,
            identity.organizations,
            organization.organization_id == columns.organization_id,
        )
        .order_by(columns.address, columns.mailbox_id)
    )
    rows = connection.execute(query).all()
    everything = [Mailbox(row.mailbox_id, row.address) for row in rows]
    if name is None and len(everything) == 1:
        return everything[0]
    wanted = "" if name is None else name.strip().lower()
    found = [mailbox for mailbox in everything if wanted in {mailbox.address, str(mailbox.mailbox_id)}]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{row.mailbox_id} ({row.name})" for row in rows if row.address == wanted)
        raise NotFoundError(f"Several organizations have a mailbox {wanted}; name one by its id: {ids}.")
    there = ", ".join(mailbox.address for mailbox in everything) or "none yet; `rl-emails import` makes one"
    told = f"No mailbox is called {name!r}"
    if name is None:
        told = "Several mailboxes are connected; name one with --mailbox" if everything else "No mailbox is connected"
    raise NotFoundError(f"{told}. Connected: {there}.")
