"""A mailbox's messages as they are exported: one row a message, a page at a time."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, text

from rl_emails_assets.db.mailbox_rows import Mailbox

_MESSAGES = text(
    """
    select m.message_id, r.provider_message_id, m.rfc822_message_id, m.thread_id, m.duplicate_of,
           array(select l.label from raw.labels l where l.message_id = m.message_id order by l.label) as labels,
           m.received_at, m.sent_at, m.from_name, m.from_address, m."to", m.cc, m.subject, m.snippet,
           c.category, c.needs, c.urgency, c.handler, c.confidence, p.score as priority, p.reasons,
           coalesce((select jsonb_agg(jsonb_build_object(
                         'description', t.description, 'kind', t.kind, 'deadline', t.deadline_at, 'owner', t.owner,
                         'owner_address', t.owner_address, 'evidence', t.evidence, 'confidence', t.confidence,
                         'status', coalesce(u.status, case when g.state = 'closed' then 'done' else 'open' end),
                         'waiting_on', coalesce(g.waiting_on, '')) order by t.task_id)
                     from entities.tasks t left join app.task_states u using (task_id)
                     left join entities.task_progress g using (task_id)
                     where t.message_id = m.message_id), '[]'::jsonb) as tasks
    from mail.messages m
    join raw.messages r using (message_id)
    left join classifications.messages c on c.message_id = coalesce(m.duplicate_of, m.message_id)
    left join priorities.messages p on p.message_id = coalesce(m.duplicate_of, m.message_id)
    where m.mailbox_id = :mailbox_id and (:with_copies or m.duplicate_of is null)
      and (cast(:after_at as timestamptz) is null
           or (m.received_at, m.message_id) > (cast(:after_at as timestamptz), cast(:after_id as uuid)))
      and (cast(:address as text) is null
           or exists (select from mail.participants a where a.message_id = m.message_id and a.address = :address))
    order by m.received_at, m.message_id
    limit :limit
    """
)
PAGE_ROWS = 500


def exported_messages(engine: Engine, mailbox: Mailbox, *, with_copies: bool) -> Iterator[dict[str, Any]]:
    """Each message of the mailbox, oldest first; folder copies, with the original's verdict, only when asked for."""
    after: tuple[datetime, uuid.UUID] | None = None
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        while page := messages_page(connection, mailbox, with_copies=with_copies, after=after, limit=PAGE_ROWS):
            yield from page
            after = page[-1]["received_at"], page[-1]["message_id"]


def messages_page(
    connection: Connection,
    mailbox: Mailbox,
    *,
    with_copies: bool,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    address: str | None = None,
) -> list[dict[str, Any]]:
    """The next messages after the place of one, oldest first; with `address`, those from or to it."""
    after_at, after_id = after or (None, None)
    parameters = {
        "mailbox_id": mailbox.mailbox_id,
        "with_copies": with_copies,
        "after_at": after_at,
        "after_id": after_id,
        "address": None if address is None else address.strip().lower(),
        "limit": limit,
    }
    return [_exported(mailbox, row) for row in connection.execute(_MESSAGES, parameters).mappings()]


def _exported(mailbox: Mailbox, row: RowMapping) -> dict[str, Any]:
    return {
        "mailbox": mailbox.address,
        "message_id": row["message_id"],
        "provider_message_id": row["provider_message_id"],
        "rfc822_message_id": row["rfc822_message_id"],
        "thread_id": row["thread_id"],
        "duplicate_of": row["duplicate_of"],
        "labels": row["labels"],
        "received_at": row["received_at"],
        "sent_at": row["sent_at"],
        "from": {"name": row["from_name"], "address": row["from_address"]},
        "to": row["to"],
        "cc": row["cc"],
        "subject": row["subject"],
        "snippet": row["snippet"],
        "category": row["category"],
        "needs": row["needs"],
        "urgency": row["urgency"],
        "handler": row["handler"],
        "confidence": row["confidence"],
        "priority": row["priority"],
        "reasons": row["reasons"] or [],
        "tasks": row["tasks"],
    }
