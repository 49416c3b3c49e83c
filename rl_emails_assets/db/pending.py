"""Which rows a step has still to compute, and which later rows a written row makes out of date."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, and_, exists, func, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement

from rl_emails_assets.db.tables import classifications, embeddings, entities, mail, priorities, raw, signals

READERS: dict[Table, tuple[Table, ...]] = {
    raw.messages: (mail.messages,),
    mail.messages: (signals.messages, embeddings.messages, classifications.messages, entities.messages),
    classifications.opinions: (classifications.messages,),
    signals.messages: (classifications.messages, priorities.messages),
    classifications.messages: (entities.messages, priorities.messages),
    entities.messages: (priorities.messages,),
}
"""For each table of messages, the tables whose rows are computed from its row of the same message."""


def mark_stale(connection: Connection, written: Table, message_ids: Sequence[uuid.UUID]) -> None:
    """Say that the rows computed from these messages' rows in `written` are out of date."""
    for reader in READERS.get(written, ()):
        connection.execute(
            update(reader)
            .where(reader.c.message_id == func.any(list(message_ids)), reader.c.is_stale.is_(False))
            .values(is_stale=True)
        )


def mark_range_stale(
    connection: Connection, table: Table, mailbox_id: uuid.UUID, since: datetime | None, until: datetime | None
) -> int:
    """Make the rows of a mailbox's messages received in [since, until) pending again. Returns how many."""
    message = mail.messages.alias("received")
    received = [message.c.message_id == table.c.message_id]
    if since is not None:
        received.append(message.c.received_at >= since)
    if until is not None:
        received.append(message.c.received_at < until)
    return connection.execute(
        update(table).where(table.c.mailbox_id == mailbox_id, exists().where(and_(*received))).values(is_stale=True)
    ).rowcount


def pending_message_ids(connection: Connection, table: Table, version: str, mailbox_id: uuid.UUID) -> list[uuid.UUID]:
    """Messages whose row in `table` is missing, stale or of another version, in the order they were received.

    Folder copies of a message are left out. For `mail.messages` itself: stored messages, in the order they were stored.
    """
    is_done = exists(literal_column("1")).where(
        table.c.message_id == (raw.messages if table is mail.messages else mail.messages).c.message_id,
        table.c.version == version,
        table.c.is_stale.is_(False),
    )
    if table is mail.messages:
        query = (
            select(raw.messages.c.message_id)
            .where(raw.messages.c.mailbox_id == mailbox_id, ~is_done)
            .order_by(raw.messages.c.seq)
        )
    else:
        query = (
            select(mail.messages.c.message_id)
            .where(_is_own(mailbox_id), ~is_done)
            .order_by(mail.messages.c.received_at, mail.messages.c.message_id)
        )
    return list(connection.execute(query).scalars())


def _is_own(mailbox_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(mail.messages.c.mailbox_id == mailbox_id, mail.messages.c.duplicate_of.is_(None))


def batches(ids: Sequence[uuid.UUID], size: int) -> Iterator[list[uuid.UUID]]:
    """Consecutive slices of at most `size`."""
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def is_current(
    connection: Connection, table: Table, version: str, mailbox_id: uuid.UUID, inputs: Sequence[Table]
) -> bool:
    """Whether a table that is always computed as a whole was written by this version after all its inputs were.

    A removed input leaves no newer time behind; who removes one marks the table's rows stale.
    """
    written = connection.execute(
        select(
            func.min(table.c.computed_at), func.bool_and(and_(table.c.version == version, table.c.is_stale.is_(False)))
        ).where(table.c.mailbox_id == mailbox_id)
    ).one()
    if written[0] is None or not written[1]:
        return False
    newest = [
        connection.execute(select(func.max(item.c.computed_at)).where(item.c.mailbox_id == mailbox_id)).scalar_one()
        for item in inputs
    ]
    return all(at is None or at <= written[0] for at in newest)
