"""Erasures as they are asked for, and their receipts: what was removed, counted in the transaction that removes it.

An order names whom it is about, and goes when they are gone; the receipt stays, and knows them by a salted hash only.
So whoever has the address can see that a receipt is theirs, and nobody can read an address out of it.
"""

import hashlib
import hmac
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, text, update
from sqlalchemy.sql import func

from rl_emails_assets.db.tables import mailboxes, privacy, sync_queue
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION

Kind = Literal["mailbox", "person"]

SALT_BYTES = 16
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
"""About 50 ms and 16 MB a guess (RFC 7914): a list of addresses is not tried in passing."""
RETRY_SECONDS = 60.0
"""After an attempt that failed, or that nobody ended."""

KEPT = [
    {
        "what": "identity.audit_events",
        "why": "The record that this was asked for and done; it holds ids and no address.",
    },
    {
        "what": "privacy.suppressed",
        "why": "Hashes of the erased messages' ids, so that the next sync does not bring them back.",
    },
    {
        "what": "backups",
        "why": "Copies of the database made before; they end when you delete them. Restoring one means erasing again.",
    },
    {
        "what": "identity.provider_objects",
        "why": "A former member's id at the identity provider, so that a late message of it does not bring them back.",
    },
    {"what": "the provider", "why": "Mail at its provider is the owner's, and is not touched."},
]
"""What an erasure leaves, and why."""


@dataclass(frozen=True, slots=True)
class Order:
    """An erasure that is to be done."""

    receipt_id: uuid.UUID
    organization_id: uuid.UUID
    kind: str
    subject: str
    mailbox_ids: list[uuid.UUID] | None
    user_id: uuid.UUID | None


def ask(
    connection: Connection,
    kind: Kind,
    subject: str,
    *,
    organization_id: uuid.UUID = LOCAL_ORGANIZATION,
    mailbox_ids: Sequence[uuid.UUID] | None = None,
    user_id: uuid.UUID | None = None,
    asked_by: uuid.UUID | None = None,
    credential: str = "system",
) -> uuid.UUID:
    """Ask for an erasure, in the caller's transaction. Returns the receipt's id.

    For a mailbox `mailbox_ids` is that mailbox. For a person they are where to look; None is everywhere in the
    organization.
    """
    receipt_id, salt, address = uuid.uuid4(), os.urandom(SALT_BYTES), subject.strip().lower()
    connection.execute(
        insert(privacy.receipts).values(
            receipt_id=receipt_id,
            organization_id=organization_id,
            asked_by=asked_by,
            credential=credential,
            kind=kind,
            subject_salt=salt,
            subject_hash=_hash(address, salt),
            mailbox_id=mailbox_ids[0] if kind == "mailbox" and mailbox_ids else None,
            kept=KEPT,
        )
    )
    connection.execute(
        insert(privacy.orders).values(
            receipt_id=receipt_id,
            organization_id=organization_id,
            kind=kind,
            subject=address,
            mailbox_ids=None if mailbox_ids is None else list(mailbox_ids),
            user_id=user_id,
        )
    )
    return receipt_id


def ensure_for_mailbox(connection: Connection, mailbox_id: uuid.UUID) -> uuid.UUID:
    """The receipt that the end of this mailbox is written into; a new one where nobody asked for one."""
    columns = privacy.receipts.c
    query = select(columns.receipt_id).where(
        columns.mailbox_id == mailbox_id, columns.kind == "mailbox", columns.finished_at.is_(None)
    )
    found: uuid.UUID | None = connection.execute(query.order_by(columns.asked_at).limit(1)).scalar_one_or_none()
    if found is None:
        of = mailboxes.connections.c
        row = connection.execute(select(of.address, of.organization_id).where(of.mailbox_id == mailbox_id)).one()
        found = ask(connection, "mailbox", row.address, organization_id=row.organization_id, mailbox_ids=[mailbox_id])
    connection.execute(update(privacy.receipts).where(columns.receipt_id == found).values(state="running"))
    return found


def count_removed(connection: Connection, receipt_id: uuid.UUID, removed: Mapping[str, int]) -> None:
    """Add to what the receipt lists, in the transaction that removes the rows."""
    rows = {table: number for table, number in removed.items() if number}
    if rows:
        connection.execute(_ADD, {"receipt_id": receipt_id, "tables": list(rows), "numbers": list(rows.values())})


# Counts add up: an erasure that was interrupted goes on with what is left.
_ADD = text(
    """
    update privacy.receipts r set removed = r.removed || (
        select jsonb_object_agg(n.name, n.more + coalesce((r.removed->>n.name)::bigint, 0))
        from unnest(cast(:tables as text[]), cast(:numbers as bigint[])) as n(name, more))
    where r.receipt_id = :receipt_id
    """
)


def note(connection: Connection, receipt_id: uuid.UUID, **values: Any) -> None:
    """Write columns of a receipt."""
    connection.execute(update(privacy.receipts).where(privacy.receipts.c.receipt_id == receipt_id).values(**values))


def finish(connection: Connection, receipt_id: uuid.UUID, left: Mapping[str, int]) -> None:
    """End an erasure: the order, which names whom it was about, goes, and the receipt says what still does."""
    connection.execute(delete(privacy.orders).where(privacy.orders.c.receipt_id == receipt_id))
    note(
        connection,
        receipt_id,
        state="incomplete" if left else "done",
        left=dict(left),
        error=None,
        finished_at=func.clock_timestamp(),
    )


def due_orders(connection: Connection, *, most: int = 20) -> list[Order]:
    """Erasures that nobody is at, the longest waiting first. Only looks."""
    columns = privacy.orders.c
    is_due = columns.tried_at.is_(None) | (
        columns.tried_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, RETRY_SECONDS)
    )
    # A run of its own ends the mailbox first; what is left to do comes after it.
    request = sync_queue.requests.c
    is_ending = select(request.request_id).where(
        request.mailbox_id == func.any(columns.mailbox_ids), request.kind == "disconnect", columns.kind == "mailbox"
    )
    query = (
        select(privacy.orders)
        .where(is_due, ~is_ending.exists())
        .order_by(columns.asked_at, columns.receipt_id)
        .limit(most)
    )
    return [_order(row) for row in connection.execute(query)]


def order_of(connection: Connection, receipt_id: uuid.UUID) -> Order | None:
    """The order that the receipt is filled by; None when it is finished."""
    query = select(privacy.orders).where(privacy.orders.c.receipt_id == receipt_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _order(row)


def begin(connection: Connection, receipt_id: uuid.UUID) -> None:
    """Say that somebody is at it."""
    connection.execute(
        update(privacy.orders).where(privacy.orders.c.receipt_id == receipt_id).values(tried_at=func.clock_timestamp())
    )
    note(connection, receipt_id, state="running")


def receipt(connection: Connection, receipt_id: uuid.UUID) -> Row[Any] | None:
    """One receipt."""
    query = select(privacy.receipts).where(privacy.receipts.c.receipt_id == receipt_id)
    return connection.execute(query).one_or_none()


def receipts(
    connection: Connection,
    *,
    organization_id: uuid.UUID,
    asked_by: uuid.UUID | None = None,
    after: tuple[datetime, uuid.UUID] | None = None,
    limit: int,
) -> list[Row[Any]]:
    """Receipts of an organization, or of those only that one person asked for, the latest first."""
    columns = privacy.receipts.c
    query = select(privacy.receipts).where(columns.organization_id == organization_id)
    if asked_by is not None:
        query = query.where(columns.asked_by == asked_by)
    if after is not None:
        at, receipt_id = after
        query = query.where(
            (columns.asked_at < at) | ((columns.asked_at == at) & (columns.receipt_id > receipt_id))
        ).where(columns.asked_at <= at)
    return list(connection.execute(query.order_by(columns.asked_at.desc(), columns.receipt_id).limit(limit)))


def is_about(row: Row[Any], address: str) -> bool:
    """Whether the receipt is about this address."""
    return hmac.compare_digest(_hash(address.strip().lower(), row.subject_salt), row.subject_hash)


def _hash(address: str, salt: bytes) -> bytes:
    return hashlib.scrypt(address.encode(), salt=salt, **_SCRYPT)


def _order(row: Row[Any]) -> Order:
    return Order(row.receipt_id, row.organization_id, row.kind, row.subject, row.mailbox_ids, row.user_id)
