"""Which conversations there would be if some messages had never been stored.

Placing is incremental: a message's place follows from those that were stored before it. So what can depend on the
removed messages is placed again, in the order of storing, by the rules of `mail.threading`; the rest is not read twice.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, text
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import mail
from rl_emails_assets.mail.subjects import GENERIC_SUBJECTS
from rl_emails_assets.mail.threading import Arrival, Node, ThreadState, assign, candidates

_STORED = text(
    """
    select m.message_id, r.seq, m.rfc822_message_id, m.in_reply_to, m.reference_ids, m.subject, m.subject_key,
           m.from_address, m.received_at, r.provider_thread_id, m.thread_id
    from mail.messages m join raw.messages r using (message_id)
    where m.mailbox_id = :mailbox_id
    """
)

_RECIPIENTS = text(
    """
    select p.message_id, array_agg(distinct p.address) as addresses
    from mail.participants p
    where p.message_id = any(:ids) and p.role in ('to', 'cc') and p.address <> ''
    group by p.message_id
    """
)

_MOVE = text(
    """
    update mail.messages m set thread_id = v.thread_id
    from unnest(cast(:ids as uuid[]), cast(:thread_ids as uuid[])) as v (message_id, thread_id)
    where m.message_id = v.message_id
    """
)


@dataclass(frozen=True, slots=True)
class Replay:
    """Where the messages that are left belong. Nothing of it is written yet."""

    moved: dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]] = field(default_factory=dict)
    """The conversation that a message was in, and the one it is in now; only those that differ."""
    nodes: dict[str, Node] = field(default_factory=dict)
    """The nodes that are left of those that were looked at."""
    named_ids: frozenset[str] = frozenset()
    """Every id whose node was looked at."""


def replay_without(connection: Connection, mailbox_id: uuid.UUID, removed: Collection[uuid.UUID]) -> Replay:
    """Place again what could have been placed otherwise without the removed messages. Reads only.

    Cost: one reading of the mailbox's headers, then linear in what hangs together with the removed messages.
    """
    stored = {row.message_id: row for row in connection.execute(_STORED, {"mailbox_id": mailbox_id})}
    start = [message_id for message_id in removed if message_id in stored]
    if not start:
        return Replay()
    touched = _hanging_together(stored, start)
    named: set[str] = set()
    for message_id in touched:
        named.update(_ids_of(stored[message_id]))
    gone = set(start)
    left = sorted((stored[message_id] for message_id in touched if message_id not in gone), key=lambda row: row.seq)
    recipients = {
        row.message_id: frozenset(row.addresses)
        for row in connection.execute(_RECIPIENTS, {"ids": [row.message_id for row in left]})
    }
    assignment = assign((_arrival(row, recipients.get(row.message_id, frozenset())) for row in left), ThreadState())
    return Replay(
        moved={
            row.message_id: (row.thread_id, assignment.thread_of[row.message_id])
            for row in left
            if row.thread_id != assignment.thread_of[row.message_id]
        },
        nodes=assignment.new_nodes,
        named_ids=frozenset(named),
    )


def apply_replay(connection: Connection, mailbox_id: uuid.UUID, replay: Replay) -> None:
    """Write the places and the nodes. Summaries and signals of what moved are the caller's."""
    if replay.moved:
        threads = [now for _, now in replay.moved.values()]
        connection.execute(_MOVE, {"ids": list(replay.moved), "thread_ids": threads})
    nodes = mail.thread_nodes
    connection.execute(
        delete(nodes).where(
            nodes.c.mailbox_id == mailbox_id, nodes.c.rfc822_message_id == func.any(list(replay.named_ids))
        )
    )
    bulk.copy_rows(
        connection,
        nodes,
        [
            {
                "mailbox_id": mailbox_id,
                "rfc822_message_id": rfc822_message_id,
                "thread_id": node.thread_id,
                "is_stored": node.is_stored,
            }
            for rfc822_message_id, node in replay.nodes.items()
        ],
    )


def _hanging_together(stored: dict[uuid.UUID, Any], start: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The messages whose places can depend on those of `start`, over any number of others, with `start` itself."""
    # Where the provider says for every message which conversation it is in, subjects decide nothing.
    with_subjects = any(row.provider_thread_id is None for row in stored.values())
    keys_of = {message_id: _keys(row, with_subjects=with_subjects) for message_id, row in stored.items()}
    holders: dict[tuple[str, object], list[uuid.UUID]] = defaultdict(list)
    for message_id, keys in keys_of.items():
        for key in keys:
            holders[key].append(message_id)
    found = set(start)
    waiting = list(found)
    while waiting:
        for key in keys_of[waiting.pop()]:
            for message_id in holders.pop(key, ()):
                if message_id not in found:
                    found.add(message_id)
                    waiting.append(message_id)
    return found


def _keys(row: Any, *, with_subjects: bool) -> list[tuple[str, object]]:
    # What the provider holds together is in one conversation, and so has one key.
    keys: list[tuple[str, object]] = [("thread", row.thread_id)]
    keys += [("id", ref) for ref in _ids_of(row)]
    if with_subjects and row.subject_key not in GENERIC_SUBJECTS:
        keys.append(("subject", row.subject_key))
    return keys


def _ids_of(row: Any) -> list[str]:
    own = [row.rfc822_message_id] if row.rfc822_message_id else []
    return own + candidates(_arrival(row, frozenset()))


def _arrival(row: Any, recipients: frozenset[str]) -> Arrival:
    return Arrival(
        message_id=row.message_id,
        seq=row.seq,
        rfc822_message_id=row.rfc822_message_id,
        in_reply_to=row.in_reply_to,
        references=tuple(row.reference_ids),
        subject=row.subject,
        from_address=row.from_address,
        recipients=recipients,
        received_at=row.received_at,
        provider_thread_id=row.provider_thread_id,
    )
