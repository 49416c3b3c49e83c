"""raw.backlog: the messages that are known to exist and not fetched yet, and in which order they are fetched.

`attempts` is committed before a message is asked for, and taken back when the attempt ends without a verdict on the
message (Gmail's rate, an outage, a run that is stopped). So a message without an `error` that has attempts left over
was in the hands of a run that died: it is tried alone from then on, and after MOST_DEATHS it is a gap.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, text
from sqlalchemy.sql import func

from rl_emails_assets.db.suppression import PROVIDER_HASH_SQL
from rl_emails_assets.db.tables import raw

MOST_DEATHS = 3
"""Runs that may die with one message in their hands before it is passed over."""
MOST_REFUSALS = 3
"""Answers without a usable message before it is a gap: one may have been damaged on its way."""
MOST_FAILURES = 15
"""Failures of Gmail to give one message, spaced as `_WAIT` says, before it is a gap: about five hours of them."""
DEADLY = "It kills the run that reads it"

# A message that failed waits for 4 s, 8 s, 16 s ... an hour, so that it neither holds up others nor is given up early.
_WAIT = "make_interval(secs => least(3600, power(2, least(attempts, 12) + 1)))"

_RANK = "case {0} when 'history' then 1 when 'recent' then 2 when 'listing' then 3 else 4 end"

_ADD = text(
    f"""
    insert into raw.backlog as known (mailbox_id, provider_message_id, provider_thread_id, found_by)
    select :mailbox_id, l.id, nullif(l.thread_id, ''), :found_by
    from unnest(cast(:ids as text[]), cast(:thread_ids as text[])) with ordinality as l(id, thread_id, place)
    where not exists (select from raw.messages s where s.mailbox_id = :mailbox_id and s.provider_message_id = l.id)
      and not exists (select from raw.gaps g where g.mailbox_id = :mailbox_id and g.provider_message_id = l.id)
      and not exists (select from privacy.suppressed e where e.mailbox_id = :mailbox_id
                      and e.provider_hash = {PROVIDER_HASH_SQL.format(column="l.id")})
    order by l.place
    on conflict (mailbox_id, provider_message_id) do update set found_by = excluded.found_by
    where {_RANK.format("excluded.found_by")} < {_RANK.format("known.found_by")}
    """  # noqa: S608 - put together of constants
)

# A gap is tried again by a full sync that began after it was made; if it was deadly, one more death is enough.
_ADD_GAPS = text(
    """
    insert into raw.backlog (mailbox_id, provider_message_id, found_by, attempts)
    select g.mailbox_id, g.provider_message_id, 'reconcile',
           case when starts_with(g.reason, :deadly) then :most_deaths - 1 else 0 end
    from raw.gaps g join raw.cursors c on c.mailbox_id = g.mailbox_id and c.source = g.source
    where g.mailbox_id = :mailbox_id and g.source = 'gmail' and g.last_seen_at < c.started_at
    on conflict do nothing
    """
)

_ADD_UNLISTED = text(
    """
    insert into raw.backlog (mailbox_id, provider_message_id, provider_thread_id, found_by)
    select s.mailbox_id, s.provider_message_id, s.provider_thread_id, 'reconcile'
    from raw.messages s
    where s.mailbox_id = :mailbox_id and s.source = 'gmail' and s.seq <= :before_seq
      and not exists (select from raw.listings l where l.mailbox_id = s.mailbox_id
                                                   and l.provider_message_id = s.provider_message_id)
    order by s.seq desc
    on conflict do nothing
    """
)

_ADD_LABELLED = text(
    """
    insert into raw.backlog (mailbox_id, provider_message_id, provider_thread_id, found_by)
    select s.mailbox_id, s.provider_message_id, s.provider_thread_id, 'reconcile'
    from raw.messages s
    where s.mailbox_id = :mailbox_id and s.source = 'gmail'
      and exists (select from raw.labels l
                  where l.message_id = s.message_id and l.label = any(:labels) and not l.is_shared)
    order by s.seq desc
    on conflict do nothing
    """
)

_ADD_MISLABELLED = text(
    """
    insert into raw.backlog (mailbox_id, provider_message_id, provider_thread_id, found_by)
    select s.mailbox_id, s.provider_message_id, s.provider_thread_id, 'reconcile'
    from raw.messages s
    where s.mailbox_id = :mailbox_id and s.source = 'gmail'
      and exists (select from raw.labels l where l.message_id = s.message_id and l.label = :label and not l.is_shared)
          <> exists (select from raw.listings i where i.mailbox_id = s.mailbox_id
                                                  and i.provider_message_id = s.provider_message_id)
    order by s.seq desc
    on conflict do nothing
    """
)

_DUE = text(
    f"""
    select provider_message_id, attempts, error, is_suspect
    from raw.backlog
    cross join lateral (select attempts > case when error is null then 0 else :most_failures - 1 end as is_suspect) s
    where mailbox_id = :mailbox_id and (error is null or tried_at is null or tried_at + {_WAIT} <= now())
    order by {_RANK.format("found_by")}, is_suspect, attempts,
             case found_by when 'history' then -ordinal else ordinal end
    limit :most
    """  # noqa: S608 - put together of constants
)

_BEGIN = text(
    """
    update raw.backlog set attempts = attempts + 1, tried_at = now()
    where mailbox_id = :mailbox_id and provider_message_id = any(:ids)
    """
)

_GIVE_BACK = text(
    """
    update raw.backlog set attempts = greatest(attempts - 1, 0)
    where mailbox_id = :mailbox_id and provider_message_id = any(:ids)
    """
)

_KEEP = text(
    """
    update raw.backlog b set error = f.error
    from unnest(cast(:ids as text[]), cast(:errors as text[])) as f(id, error)
    where b.mailbox_id = :mailbox_id and b.provider_message_id = f.id
    """
)

_NEXT_DUE = text(
    f"""
    select extract(epoch from min(case when error is null or tried_at is null then now() else tried_at + {_WAIT} end)
                              - now())::float8
    from raw.backlog where mailbox_id = :mailbox_id
    """  # noqa: S608 - put together of constants
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to be fetched now."""

    provider_message_id: str
    attempts: int
    """Before this one."""
    error: str | None
    is_suspect: bool
    """A run died with it in its hands, or it was tried too often."""

    @property
    def is_spent(self) -> bool:
        """Whether it is not worth another attempt."""
        return self.attempts >= (MOST_DEATHS if self.error is None else MOST_FAILURES)


def add(connection: Connection, mailbox_id: uuid.UUID, found: Iterable[tuple[str, str]], *, found_by: str) -> None:
    """Remember messages, as (id, thread id), that are neither stored nor gaps; the first comes first."""
    threads = dict(found)
    parameters = {"ids": list(threads), "thread_ids": list(threads.values()), "found_by": found_by}
    connection.execute(_ADD, {"mailbox_id": mailbox_id, **parameters})


def add_gaps(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Try the gaps again that are older than the full sync under way."""
    parameters = {"mailbox_id": mailbox_id, "deadly": DEADLY, "most_deaths": MOST_DEATHS}
    connection.execute(_ADD_GAPS, parameters)


def add_unlisted(connection: Connection, mailbox_id: uuid.UUID, before_seq: int) -> None:
    """Ask again for what was stored before a full sync began and is not in its listing."""
    connection.execute(_ADD_UNLISTED, {"mailbox_id": mailbox_id, "before_seq": before_seq})


def add_labelled(connection: Connection, mailbox_id: uuid.UUID, labels: Sequence[str]) -> None:
    """Ask again for what is stored with one of these labels."""
    if labels:
        connection.execute(_ADD_LABELLED, {"mailbox_id": mailbox_id, "labels": list(labels)})


def add_mislabelled(connection: Connection, mailbox_id: uuid.UUID, label: str) -> None:
    """Ask again for what is stored with this label and not in the listing of it, or the other way round."""
    connection.execute(_ADD_MISLABELLED, {"mailbox_id": mailbox_id, "label": label})


def next_batch(connection: Connection, mailbox_id: uuid.UUID, most: int) -> list[Waiting]:
    """What to fetch now, at most `most` messages: newest mail first, and a suspect alone."""
    parameters = {"mailbox_id": mailbox_id, "most": most, "most_failures": MOST_FAILURES}
    rows = connection.execute(_DUE, parameters).mappings()
    batch = [Waiting(**row) for row in rows]
    innocent = next((place for place, waiting in enumerate(batch) if waiting.is_suspect), len(batch))
    return batch[: max(innocent, 1)]


def begin(connection: Connection, mailbox_id: uuid.UUID, ids: Sequence[str]) -> None:
    """Count an attempt at each of these messages; to be committed before anything is done with them."""
    connection.execute(_BEGIN, {"mailbox_id": mailbox_id, "ids": list(ids)})


def give_back(connection: Connection, mailbox_id: uuid.UUID, ids: Sequence[str]) -> None:
    """Take the attempts back: they say nothing about these messages."""
    connection.execute(_GIVE_BACK, {"mailbox_id": mailbox_id, "ids": list(ids)})


def keep(connection: Connection, mailbox_id: uuid.UUID, errors: dict[str, str]) -> None:
    """Leave messages for a later attempt, each with the reason why this one failed."""
    if errors:
        parameters = {"ids": list(errors), "errors": list(errors.values())}
        connection.execute(_KEEP, {"mailbox_id": mailbox_id, **parameters})


def drop(connection: Connection, mailbox_id: uuid.UUID, ids: Iterable[str]) -> None:
    """Forget messages that are accounted for otherwise."""
    columns = raw.backlog.c
    connection.execute(
        delete(raw.backlog).where(columns.mailbox_id == mailbox_id, columns.provider_message_id == func.any(list(ids)))
    )


def next_due_seconds(connection: Connection, mailbox_id: uuid.UUID) -> float | None:
    """In how many seconds the next message may be fetched, below zero when that is now; None for an empty backlog."""
    seconds: float | None = connection.execute(_NEXT_DUE, {"mailbox_id": mailbox_id}).scalar_one()
    return seconds
