"""Messages that were erased and must not come back with the next full sync: remembered by a hash, per mailbox."""

import hashlib
import uuid
from collections.abc import Collection

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.db.tables import privacy

PROVIDER_HASH_SQL = "sha256(convert_to(cast(:mailbox_id as text) || '/' || {column}, 'UTF8'))"
"""The same hash in SQL, of the provider's id in `column` and the parameter `mailbox_id`."""


def provider_hash(mailbox_id: uuid.UUID, provider_message_id: str) -> bytes:
    """What is remembered of an erased message; without the provider's own list it leads back to nothing."""
    return hashlib.sha256(f"{mailbox_id}/{provider_message_id}".encode()).digest()


def suppress(connection: Connection, mailbox_id: uuid.UUID, provider_message_ids: Collection[str]) -> None:
    """Never store these messages of the mailbox again."""
    rows = [
        {"mailbox_id": mailbox_id, "provider_hash": provider_hash(mailbox_id, each)} for each in provider_message_ids
    ]
    if rows:
        connection.execute(insert(privacy.suppressed).on_conflict_do_nothing(), rows)


def suppressed_among(connection: Connection, mailbox_id: uuid.UUID, provider_message_ids: Collection[str]) -> set[str]:
    """Those of the provider's ids that are not to be stored."""
    hashes = {provider_hash(mailbox_id, each): each for each in provider_message_ids}
    columns = privacy.suppressed.c
    query = select(columns.provider_hash).where(
        columns.mailbox_id == mailbox_id, columns.provider_hash == func.any(list(hashes))
    )
    return {hashes[found] for found in connection.execute(query).scalars()}
