"""How what a provider holds becomes rows: messages, their labels, and gaps. Every provider's step stores through here.

What was erased here and is still at the provider is passed by (db.suppression).

Each function runs in its caller's transaction, the one that moves the cursor or ends the backlog's row, so that an id
is accounted for in the same instant as it is passed (promise 1).
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.suppression import suppressed_among
from rl_emails_assets.db.tables import raw
from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.providers.provider import RawItem


def message_id_of(mailbox_id: uuid.UUID, provider_message_id: str) -> uuid.UUID:
    """The id under which a mailbox's message is stored: the same whenever and however it is imported."""
    return uuid.uuid5(ID_NAMESPACE, f"{mailbox_id}/{provider_message_id}")


def store_items(connection: Connection, mailbox_id: uuid.UUID, run_id: str, items: Sequence[RawItem]) -> int:
    """Store the messages that are not stored yet, and every item's labels. Returns how many messages were new."""
    erased = suppressed_among(connection, mailbox_id, [item.provider_message_id for item in items])
    items = [item for item in items if item.provider_message_id not in erased]
    ids = [message_id_of(mailbox_id, item.provider_message_id) for item in items]
    columns = raw.messages.c
    known = set(connection.execute(select(columns.message_id).where(columns.message_id == func.any(ids))).scalars())
    new: dict[uuid.UUID, RawItem] = {}
    for message_id, item in zip(ids, items, strict=True):
        if message_id not in known:
            new.setdefault(message_id, item)
    bulk.copy_rows(
        connection,
        raw.messages,
        [
            {
                "message_id": message_id,
                "mailbox_id": mailbox_id,
                "provider_message_id": item.provider_message_id,
                "provider_thread_id": item.provider_thread_id,
                "source": item.source,
                "provider_received_at": item.received_at,
                "size_bytes": len(item.rfc822),
                "rfc822": item.rfc822,
                "run_id": run_id,
            }
            for message_id, item in new.items()
        ],
    )
    _store_labels(connection, mailbox_id, ids, items)
    return len(new)


def store_gap(
    connection: Connection, mailbox_id: uuid.UUID, source: str, provider_message_id: str, reason: str
) -> None:
    """Say that a message is known to exist and could not be stored; each time that happens is one more attempt."""
    connection.execute(
        insert(raw.gaps)
        .values(
            mailbox_id=mailbox_id,
            provider_message_id=provider_message_id,
            source=source,
            reason=reason,
            last_seen_at=func.now(),
        )
        .on_conflict_do_update(
            index_elements=["mailbox_id", "provider_message_id"],
            set_={"reason": reason, "attempts": raw.gaps.c.attempts + 1, "last_seen_at": func.now()},
        )
    )


def _store_labels(
    connection: Connection, mailbox_id: uuid.UUID, ids: Sequence[uuid.UUID], items: Sequence[RawItem]
) -> None:
    pairs = sorted({(message_id, label) for message_id, item in zip(ids, items, strict=True) for label in item.labels})
    if not pairs:
        return
    connection.execute(
        text(
            "insert into raw.labels as known (mailbox_id, message_id, label) "
            "select :mailbox_id, l.message_id, l.label "
            "from unnest(cast(:ids as uuid[]), cast(:labels as text[])) as l(message_id, label) "
            "on conflict (message_id, label) do update set is_shared = false where known.is_shared"
        ),
        {"mailbox_id": mailbox_id, "ids": [pair[0] for pair in pairs], "labels": [pair[1] for pair in pairs]},
    )
    # A folder copy's new label is also the label of the message it copies (see steps.mail_messages).
    connection.execute(
        text(
            "insert into raw.labels (mailbox_id, message_id, label, is_shared) "
            "select l.mailbox_id, m.duplicate_of, l.label, true "
            "from raw.labels l join mail.messages m using (message_id) "
            "where l.message_id = any(:ids) and m.duplicate_of is not null on conflict do nothing"
        ),
        {"ids": list(ids)},
    )
