"""Which messages of a mailbox are about a person, and how many rows go with them.

Three kinds, in the order in which they are erased: messages of others that repeat a line which the person wrote; those
whose text, headers or bytes hold the person's address; those from or to them. The last are what the first are found by,
so they go last: an erasure that is interrupted finds the rest again.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, func, select, text

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import entities, mailboxes
from rl_emails_assets.privacy.naming import Needle, named_in, parameters_of

SHORTEST_LINE = 24
"""Letters and digits of a line that is taken for the person's own words when another message repeats it."""

_ADDRESSED = text(
    "select distinct message_id from mail.participants where mailbox_id = :mailbox_id and address = :address"
)
_MAIL_COLUMNS = (
    ("from_address", "text"),
    ("from_name", "text"),
    ("reply_to", "jsonb"),
    ("to", "jsonb"),
    ("cc", "jsonb"),
    ("bcc", "jsonb"),
    ("subject", "text"),
    ("text", "text"),
    ("headers", "jsonb"),
    ("attachments", "jsonb"),
    ("calendar", "jsonb"),
    ("reference_ids", "ARRAY"),
    ("rfc822_message_id", "text"),
)
_WRITTEN = text(
    """
    select m.message_id, m.thread_id, m.new_text from mail.messages m
    where m.mailbox_id = :mailbox_id and m.from_address = :address
    """
)
_BESIDE = text(
    "select message_id, text from mail.messages where thread_id = any(:threads) and not message_id = any(:known)"
)
_NOT_COUNTED = frozenset({"entities.task_progress"})
"""Its `message_id` is a step of the task, not what the row is about."""


@dataclass(frozen=True, slots=True)
class About:
    """The messages that are about a person."""

    quoting: list[uuid.UUID]
    naming: list[uuid.UUID]
    addressed: list[uuid.UUID]

    @property
    def in_order(self) -> list[uuid.UUID]:
        """All of them, in the order of erasing."""
        return [*self.quoting, *self.naming, *self.addressed]


def is_owner(connection: Connection, mailbox_id: uuid.UUID, address: str) -> bool:
    """Whether the mailbox's owner writes from this address."""
    columns = mailboxes.aliases.c
    query = select(columns.address).where(columns.mailbox_id == mailbox_id, columns.address == address)
    return connection.execute(query).one_or_none() is not None


def messages_about(connection: Connection, mailbox_id: uuid.UUID, address: str) -> About:
    """Find them. Reads the bytes of every message of the mailbox once."""
    parameters = {"mailbox_id": mailbox_id, "address": address}
    addressed = list(connection.execute(_ADDRESSED, parameters).scalars())
    known = set(addressed)
    naming = [each for each in _naming(connection, mailbox_id, address) if each not in known]
    known.update(naming)
    return About(_quoting(connection, mailbox_id, address, known), naming, addressed)


def count_rows(connection: Connection, mailbox_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> dict[str, int]:
    """How many rows of which table are about these messages."""
    found: dict[str, int] = {}
    for table in metadata.sorted_tables:
        if {"mailbox_id", "message_id"} <= set(table.c.keys()) and table.fullname not in _NOT_COUNTED:
            query = select(func.count()).where(
                table.c.mailbox_id == mailbox_id, table.c.message_id == func.any(list(ids))
            )
            found[table.fullname] = connection.execute(query).scalar_one()
    tasks = select(entities.tasks.c.task_id).where(entities.tasks.c.message_id == func.any(list(ids)))
    for name in ("entities.task_progress", "app.task_states"):
        table = metadata.tables[name]
        found[name] = connection.execute(select(func.count()).where(table.c.task_id.in_(tasks))).scalar_one()
    return {name: number for name, number in found.items() if number}


def _naming(connection: Connection, mailbox_id: uuid.UUID, address: str) -> list[uuid.UUID]:
    query = sql.SQL(
        "select message_id from mail.messages where mailbox_id = %(mailbox_id)s and {} "
        "union select message_id from raw.messages where mailbox_id = %(mailbox_id)s and {}"
    ).format(named_in(_MAIL_COLUMNS), named_in([("rfc822", "bytea")]))
    parameters = {"mailbox_id": mailbox_id, **parameters_of(Needle(address))}
    return [row[0] for row in driver_connection(connection).execute(query, parameters).fetchall()]


def _quoting(
    connection: Connection, mailbox_id: uuid.UUID, address: str, known: Iterable[uuid.UUID]
) -> list[uuid.UUID]:
    written = connection.execute(_WRITTEN, {"mailbox_id": mailbox_id, "address": address}).all()
    lines = {line for row in written for line in _lines(row.new_text)}
    if not lines:
        return []
    parameters = {"threads": list({row.thread_id for row in written}), "known": list(known)}
    beside = connection.execution_options(yield_per=200).execute(_BESIDE, parameters)
    return [row.message_id for row in beside if not lines.isdisjoint(_lines(row.text))]


def _lines(content: str) -> set[str]:
    """The lines as they are compared: letters and digits only, as a quotation may be marked and wrapped anew."""
    bare = (re.sub(r"[\W_]+", "", line).casefold() for line in content.splitlines())
    return {line for line in bare if len(line) >= SHORTEST_LINE}
