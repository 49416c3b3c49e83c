"""What the ranker is told of stored messages: the one place that reads it, for scoring and for learning alike.

A model that learned from other inputs than it is served with would be measured on one thing and do another.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.words import subject_words, text_words
from rl_emails_assets.signals.keys import domain_key

_COLUMNS = """
    select s.*, c.category, c.needs, c.urgency, c.confidence,
           (select count(*) from entities.tasks t where t.message_id = s.message_id and t.owner = 'me'
               and t.kind <> 'question')
               as task_count_me,
           -- From the message's arrival, never from now: a score does not change by itself. The next one to come,
           -- else the one that passed last: old dates that a text mentions are no deadlines.
           (select h.hours
            from jsonb_array_elements(e.deadlines) d
            cross join lateral (
                select (extract(epoch from (d->>'at')::timestamptz - s.received_at) / 3600)::float8 as hours
            ) h
            order by h.hours < 0, abs(h.hours)
            limit 1) as nearest_deadline_hours,
           m.from_address, m.subject, m.new_text, m.headers->>'list-id' as list_header
    from signals.messages s
    join mail.messages m using (message_id)
    join classifications.messages c using (message_id)
    join entities.messages e using (message_id)
"""

_OF_IDS = text(f"{_COLUMNS} where s.message_id = any(:ids)")
_NEWEST = text(
    f"{_COLUMNS} where s.mailbox_id = :mailbox_id and m.duplicate_of is null and not s.is_from_owner "
    "order by s.received_at desc, s.message_id desc limit :most"
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A stored message as the ranker is told of it."""

    message_id: uuid.UUID
    received_at: datetime
    message: RankInput


def of_ids(connection: Connection, ids: Sequence[uuid.UUID]) -> Iterator[Ranked]:
    """These messages, those that are classified and looked through already."""
    return _ranked(connection.execute(_OF_IDS, {"ids": list(ids)}).mappings())


def newest(connection: Connection, mailbox_id: uuid.UUID, most: int) -> list[Ranked]:
    """The newest `most` received messages of a mailbox, the oldest of them first."""
    rows = connection.execute(_NEWEST, {"mailbox_id": mailbox_id, "most": most}).mappings()
    return list(_ranked(rows))[::-1]


def list_address(header: str | None) -> str:
    """The identifier of a List-Id header (RFC 2919), lower case; "" without one."""
    said = (header or "").strip().lower()
    inner = said[said.rfind("<") + 1 :] if "<" in said else said
    return inner.partition(">")[0].strip()[:200]


def _ranked(rows: Iterable[RowMapping]) -> Iterator[Ranked]:
    for row in rows:
        values: dict[str, Any] = {
            **row,
            "sender": row["from_address"],
            "domain": domain_key(row["from_address"]),
            "list_id": list_address(row["list_header"]),
            "subject_words": subject_words(row["subject"]),
            "text_words": text_words(row["new_text"]),
        }
        yield Ranked(row["message_id"], row["received_at"], RankInput.from_row(values))
