"""models.behaviour: what became of each received message, once that is known.

Point in time: an outcome is settled by an action, or by the end of the time in which one would have come; before that
there is no row, for a message of this morning is not one that was ignored. Everything is derived from what is stored,
compared with the rows there are, and only what differs is written: a removal, a changed label and a later answer all
end in the rows that there would be had it always been so.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.history import whole_history
from rl_emails_assets.db.pending import batches
from rl_emails_assets.db.tables import models, raw
from rl_emails_assets.ranking.personal import CORRECTION_WEIGHT
from rl_emails_assets.signals.answers import answered
from rl_emails_assets.signals.keys import ordered
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.signals import owner_addresses

VERSION = "1"
NAME = "models.behaviour"
SILENCE_DAYS = 14.0
"""Without any sign for so long, a message was not acted on; nine in ten answers come within two days."""
REPLY_DAYS = 30.0
"""A later reply is no longer an answer to the message, as where the shared weights were learned."""
SLOW_AFTER_DAYS = 7.0
SLOW_REPLY_WEIGHT = 0.7
FILED_WEIGHT = 0.7
"""Kept, but not acted on as far as can be seen: a weaker sign that it did not matter."""
SYSTEM_LABELS = frozenset({"INBOX", "UNREAD", "SENT", "DRAFT", "TRASH", "SPAM", "STARRED", "IMPORTANT", "CHAT"})
"""What a provider puts on a message itself (IMPORTANT is its own guess); other labels are the owner's folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one received message, now."""

    received_at: datetime
    reply_hours: float | None = None
    is_starred: bool = False
    is_filed: bool = False
    is_deleted: bool = False
    is_read: bool = False
    is_done: bool = False
    correction: str | None = None
    corrected_at: datetime | None = None
    was_owner_there: bool = True
    """The owner was writing mail before it arrived and after: silence about it says something."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the owner acted on a message (0-1), how much that counts, and since when it is known."""

    acted: float
    weight: float
    settled_at: datetime


def outcome_of(facts: Facts, now: datetime) -> Outcome | None:
    """What became of the message as far as is known at `now`; None while nothing is settled.

    What the owner said comes first, then what they did, then that they did nothing.
    """
    silence_ends_at = facts.received_at + timedelta(days=SILENCE_DAYS)
    seen_at = min(now, silence_ends_at)  # a label has no time of its own
    if facts.correction is not None:
        return Outcome(float(facts.correction == "important"), CORRECTION_WEIGHT, facts.corrected_at or now)
    if facts.reply_hours is not None and facts.reply_hours <= REPLY_DAYS * 24:
        is_slow = facts.reply_hours > SLOW_AFTER_DAYS * 24
        answered_at = facts.received_at + timedelta(hours=facts.reply_hours)
        return Outcome(1.0, SLOW_REPLY_WEIGHT if is_slow else 1.0, answered_at)
    if facts.is_starred or facts.is_done:
        return Outcome(1.0, 1.0, seen_at)
    if facts.is_deleted:
        return Outcome(0.0, 1.0, seen_at)
    if facts.was_owner_there and now >= silence_ends_at:
        return Outcome(0.0, FILED_WEIGHT if facts.is_filed else 1.0, silence_ends_at)
    return None


_FACTS = text(
    """
    with said as (
        select distinct on (f.message_id) f.message_id, f.value, f.created_at
        from app.feedback f where f.mailbox_id = :mailbox_id and f.kind = 'importance'
        order by f.message_id, f.created_at desc, f.feedback_id
    ), done as (
        select distinct d.message_id from (
            select distinct on (f.task_id) f.message_id, f.value
            from app.feedback f where f.mailbox_id = :mailbox_id and f.kind = 'task_status'
            order by f.task_id, f.created_at desc, f.feedback_id
        ) d where d.value = 'done'
    ), labelled as (
        select l.message_id, bool_or(l.label = 'STARRED') as is_starred,
               bool_or(l.label in ('TRASH', 'SPAM')) as is_deleted,
               bool_or(not (l.label = any(:system) or l.label like 'CATEGORY\\_%')) and not bool_or(l.label = 'INBOX')
                   as is_filed
        from raw.labels l where l.mailbox_id = :mailbox_id group by l.message_id
    )
    select s.message_id, s.received_at, coalesce(l.is_starred, false) as is_starred,
           coalesce(l.is_deleted, false) as is_deleted, coalesce(l.is_filed, false) as is_filed,
           r.read_at is not null as is_read, d.message_id is not null as is_done,
           f.value as correction, f.created_at as corrected_at
    from signals.messages s
    join mail.messages m using (message_id)
    left join labelled l using (message_id)
    left join app.message_states r using (message_id)
    left join done d using (message_id)
    left join said f using (message_id)
    where s.mailbox_id = :mailbox_id and m.duplicate_of is null and not s.is_from_owner
    """
)


def run(step: StepContext) -> StepResult:
    """Bring the rows up to date with what the owner did and said."""
    result = StepResult(counts={"settled": 0, "removed": 0})
    now = datetime.now(UTC)
    with timed(result), step.alone(NAME):
        with step.engine.connect() as connection:
            wanted = {row["message_id"]: row for row in _settled(connection, step, now)}
            columns = [column for column in models.behaviour.c if column.name in _COMPARED]
            query = select(*columns).where(models.behaviour.c.mailbox_id == step.mailbox_id)
            stored = {row["message_id"]: dict(row) for row in connection.execute(query).mappings()}
        changed = [key for key, row in wanted.items() if not _is_same(row, stored.get(key))]
        gone = [key for key in stored if key not in wanted]
        result.counts["settled"], result.counts["removed"] = len(wanted), len(gone)
        for ids in batches(gone, step.settings.batch_size):
            with step.commit() as connection:
                bulk.delete_rows(connection, models.behaviour, "message_id", ids)
        for done, ids in enumerate(batches(changed, step.settings.batch_size * 4)):
            with step.commit() as connection:
                rows = [wanted[key] for key in _still_there(connection, ids)]
                result.row_count += bulk.replace_rows(connection, models.behaviour, "message_id", rows)
            done_count = min((done + 1) * step.settings.batch_size * 4, len(changed))
            step.report(Progress(NAME, done_count, len(changed)))
    return result


_COMPARED = frozenset(
    {
        "message_id", "reply_hours", "is_starred", "is_filed", "is_deleted", "is_read", "is_done", "correction",
        "corrected_at", "acted", "weight", "settled_at", "version",
    }
)  # fmt: skip


def _settled(connection: Connection, step: StepContext, now: datetime) -> Iterator[dict[str, Any]]:
    owners = owner_addresses(connection, step.mailbox_id)
    frame = ordered(whole_history(connection, step.mailbox_id), owners)
    answers = answered(frame, owners).join(frame.select("seq", "message_id"), on="seq")
    reply_hours = {uuid.UUID(row["message_id"]): row["hours"] for row in answers.iter_rows(named=True)}
    own = frame.filter("is_from_owner")["received_at"].to_list()
    first_own, last_own = (own[0], own[-1]) if own else (None, None)
    parameters = {"mailbox_id": step.mailbox_id, "system": sorted(SYSTEM_LABELS)}
    for row in connection.execute(_FACTS, parameters).mappings():
        at = row["received_at"]
        facts = Facts(
            **{name: row[name] for name in row if name != "message_id"},
            reply_hours=reply_hours.get(row["message_id"]),
            was_owner_there=first_own is not None and last_own is not None and first_own <= at <= last_own,
        )
        outcome = outcome_of(facts, now)
        if outcome is not None:
            yield {
                "message_id": row["message_id"],
                "mailbox_id": step.mailbox_id,
                "received_at": at,
                "reply_hours": facts.reply_hours,
                "is_starred": facts.is_starred,
                "is_filed": facts.is_filed,
                "is_deleted": facts.is_deleted,
                "is_read": facts.is_read,
                "is_done": facts.is_done,
                "correction": facts.correction,
                "corrected_at": facts.corrected_at,
                "acted": outcome.acted,
                "weight": outcome.weight,
                "settled_at": outcome.settled_at,
                "version": VERSION,
                "run_id": step.run_id,
            }


def _is_same(row: dict[str, Any], stored: dict[str, Any] | None) -> bool:
    """Whether the stored row says the same. What a label settled keeps the time at which it was first seen."""
    if stored is None:
        return False
    if stored["acted"] == row["acted"] and stored["settled_at"] < row["settled_at"] and row["correction"] is None:
        row["settled_at"] = stored["settled_at"]
    return all(stored[name] == row[name] for name in _COMPARED)


def _still_there(connection: Connection, ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Those that nobody removed since they were read; who wants to remove one waits for this transaction."""
    columns = raw.messages.c
    query = (
        select(columns.message_id).where(columns.message_id == func.any(ids)).with_for_update(key_share=True, read=True)
    )
    return list(connection.execute(query).scalars())
