"""What mail.threading needs to know of the conversations that are stored, and the writing of what it decides."""

import uuid
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import mail, priorities, raw, signals
from rl_emails_assets.db.thread_remarks import move_remarks
from rl_emails_assets.mail.subjects import is_forward, is_reply
from rl_emails_assets.mail.threading import Assignment, Needed, Node, SubjectEntry, ThreadState

_ENTRIES = text(
    """
    select m.subject_key, m.thread_id, r.seq, m.subject, m.from_address, m.received_at,
           array(select distinct p.address from mail.participants p
                 where p.message_id = m.message_id and p.role in ('from', 'to', 'cc')) as participants
    from mail.messages m join raw.messages r using (message_id)
    where m.mailbox_id = :mailbox_id and m.subject_key = any(:subject_keys)
      and m.received_at between :from_at and :to_at
    """
)


def load_state(connection: Connection, mailbox_id: uuid.UUID, needed: Needed) -> ThreadState:
    """The part of a mailbox's conversations that placing a batch can depend on."""
    nodes = mail.thread_nodes.c
    known = {
        row.rfc822_message_id: Node(row.thread_id, row.is_stored)
        for row in connection.execute(
            select(nodes.rfc822_message_id, nodes.thread_id, nodes.is_stored).where(
                nodes.mailbox_id == mailbox_id, nodes.rfc822_message_id == func.any(list(needed.rfc822_message_ids))
            )
        )
    }
    by_subject: dict[str, list[SubjectEntry]] = {}
    if needed.from_at is not None and needed.subject_keys:
        parameters = {
            "mailbox_id": mailbox_id,
            "subject_keys": list(needed.subject_keys),
            "from_at": needed.from_at,
            "to_at": needed.to_at,
        }
        for row in connection.execute(_ENTRIES, parameters):
            by_subject.setdefault(row.subject_key, []).append(
                SubjectEntry(
                    thread_id=row.thread_id,
                    seq=row.seq,
                    is_response=is_reply(row.subject) or is_forward(row.subject),
                    from_address=row.from_address,
                    participants=frozenset(row.participants) - {""},
                    received_at=row.received_at,
                )
            )
    by_provider: dict[str, uuid.UUID] = {}
    if needed.provider_thread_ids:
        query = (
            select(raw.messages.c.provider_thread_id, mail.messages.c.thread_id)
            .join(mail.messages, mail.messages.c.message_id == raw.messages.c.message_id)
            .where(
                raw.messages.c.mailbox_id == mailbox_id,
                raw.messages.c.provider_thread_id == func.any(list(needed.provider_thread_ids)),
            )
            .distinct()
        )
        by_provider = {row.provider_thread_id: row.thread_id for row in connection.execute(query)}
    named = {node.thread_id for node in known.values()} | set(by_provider.values())
    named |= {entry.thread_id for entries in by_subject.values() for entry in entries}
    return ThreadState(
        nodes=known, by_subject=by_subject, by_provider_thread=by_provider, first_seqs=_first_seqs(connection, named)
    )


def _first_seqs(connection: Connection, thread_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    query = (
        select(mail.messages.c.thread_id, func.min(raw.messages.c.seq))
        .join(raw.messages, raw.messages.c.message_id == mail.messages.c.message_id)
        .where(mail.messages.c.thread_id == func.any(list(thread_ids)))
        .group_by(mail.messages.c.thread_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def apply_assignment(connection: Connection, mailbox_id: uuid.UUID, assignment: Assignment) -> None:
    """Move what was stored of merged threads, then store the nodes. The batch's own messages are written elsewhere."""
    for old, new in assignment.merged.items():
        for table in (mail.messages, mail.thread_nodes, signals.messages):
            connection.execute(update(table).where(table.c.thread_id == old).values(thread_id=new))
        moved = select(mail.messages.c.message_id).where(mail.messages.c.thread_id == new)
        connection.execute(
            update(signals.messages).where(signals.messages.c.message_id.in_(moved)).values(is_stale=True)
        )
        for table in (mail.threads, priorities.threads):
            connection.execute(delete(table).where(table.c.thread_id == old))
        move_remarks(connection, old, new)
    ids = list(assignment.new_nodes)
    connection.execute(
        delete(mail.thread_nodes).where(
            mail.thread_nodes.c.mailbox_id == mailbox_id, mail.thread_nodes.c.rfc822_message_id == func.any(ids)
        )
    )
    bulk.copy_rows(
        connection,
        mail.thread_nodes,
        [
            {
                "mailbox_id": mailbox_id,
                "rfc822_message_id": rfc822_message_id,
                "thread_id": node.thread_id,
                "is_stored": node.is_stored,
            }
            for rfc822_message_id, node in assignment.new_nodes.items()
        ],
    )
