"""What people attached to a conversation, its assignment and notes, when conversations merge, change name or end."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, func, select, text

from rl_emails_assets.db.tables import collaboration, mail

_TABLES = (collaboration.thread_assignments, collaboration.thread_notes)

# Where both conversations are somebody's, the one that goes on keeps its own.
_MOVE = text(
    """
    with noted as (
        update app.thread_notes set thread_id = :new where thread_id = :old
    ), assigned as (
        update app.thread_assignments set thread_id = :new
        where thread_id = :old
            and not exists (select from app.thread_assignments as other where other.thread_id = :new)
    )
    delete from app.thread_assignments
    where thread_id = :old and exists (select from app.thread_assignments as other where other.thread_id = :new)
    """
)


def move_remarks(connection: Connection, old: uuid.UUID, new: uuid.UUID) -> None:
    """The conversation `old` is part of `new` now."""
    connection.execute(_MOVE, {"old": old, "new": new})


def settle_remarks(
    connection: Connection, threads: Collection[uuid.UUID], moved: Iterable[tuple[uuid.UUID, uuid.UUID]]
) -> None:
    """After messages were removed: what was said of a conversation without messages left goes where most of them went,
    and ends when all of them are gone. `moved` are (from, to) of each message that changed its conversation."""
    remarked = [
        set(connection.execute(select(table.c.thread_id).where(table.c.thread_id == func.any(list(threads)))).scalars())
        for table in _TABLES
    ]
    about = set().union(*remarked)
    if not about:
        return
    messages = mail.messages.c
    query = select(messages.thread_id).where(messages.thread_id == func.any(list(about)))
    ways = Counter(moved)
    for old in about - set(connection.execute(query).scalars()):
        heirs = [(count, now) for (was, now), count in ways.items() if was == old]
        if heirs:
            move_remarks(connection, old, max(heirs)[1])
        for table in _TABLES:
            connection.execute(delete(table).where(table.c.thread_id == old))
