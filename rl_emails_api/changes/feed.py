"""Reading app.changes: what changed since a cursor, in the mailboxes that the transaction may see.

A row is told once every transaction that began before its own has ended (the horizon): then nothing with a smaller
number can appear any more, in whatever order transactions commit. Whether the object is there or removed is looked up
when it is told, so an object has one answer however often it changed.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import Connection, text

from rl_emails_api.changes.cursors import FeedCursor, Place
from rl_emails_api.problems import ProblemError
from rl_emails_assets.db.change_feed import Kind


@dataclass(frozen=True, slots=True)
class Now:
    """How far the feed can be read, and by whom."""

    database: int
    """Names this database and the history it is on: of a copy or a promoted standby, numbers mean something else."""
    at: datetime
    horizon: int
    """Every transaction with a smaller number has ended."""
    next_transaction_id: int
    mailboxes: frozenset[UUID]

    def cursor(self) -> FeedCursor:
        """The place after everything that can be read now."""
        return FeedCursor(self.database, int(self.at.timestamp()), Place(self.horizon), self.mailboxes)


@dataclass(frozen=True, slots=True)
class Change:
    """An object that is to be read again, or forgotten."""

    kind: Kind
    object_id: UUID
    mailbox_id: UUID
    is_removed: bool
    thread_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what changed, and where to go on."""

    changes: list[Change]
    cursor: FeedCursor
    has_more: bool


_NOW = text(
    """
    select
        (select system_identifier from pg_control_system()) as system,
        (select timeline_id from pg_control_checkpoint()) as timeline,
        (select oid::bigint from pg_database where datname = current_database()) as database,
        statement_timestamp() as at,
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next_transaction_id,
        identity.visible_mailboxes() as mailboxes
    """
)

# One mailbox at a time, so that each page is read from the index in its order, however many mailboxes there are.
_ROWS = text(
    """
    select told.*, message.thread_id,
        case told.kind
            when 'message' then message.message_id is null
            when 'thread' then not exists (select from mail.threads where thread_id = told.object_id)
            when 'task' then not exists (select from entities.tasks where task_id = told.object_id)
            when 'project' then not exists (select from entities.projects where project_id = told.object_id)
            else not exists (select from mailboxes.connections where mailbox_id = told.object_id)
        end as is_removed
    from (
        select change.*
        from unnest(cast(:mailboxes as uuid[])) as seen (mailbox_id)
        cross join lateral (
            select logged.transaction_id, logged.object_id, logged.kind, logged.mailbox_id
            from app.changes as logged
            where
                logged.mailbox_id = seen.mailbox_id
                and (logged.transaction_id, logged.object_id, logged.kind)
                    > (cast(:transaction_id as bigint), cast(:object_id as uuid), cast(:kind as text))
                and logged.transaction_id < :horizon
                and not exists (
                    select from app.changes as newer
                    where
                        newer.mailbox_id = logged.mailbox_id
                        and newer.kind = logged.kind
                        and newer.object_id = logged.object_id
                        and newer.transaction_id > logged.transaction_id
                        and newer.transaction_id < :horizon
                )
            order by logged.transaction_id, logged.object_id, logged.kind
            limit :most
        ) as change
        order by change.transaction_id, change.object_id, change.kind
        limit :most
    ) as told
    left join mail.messages as message on told.kind = 'message' and message.message_id = told.object_id
    order by told.transaction_id, told.object_id, told.kind
    """
)

_HAS_ANY = text(
    """
    select exists (
        select from unnest(cast(:mailboxes as uuid[])) as seen (mailbox_id)
        where exists (
            select from app.changes as logged
            where
                logged.mailbox_id = seen.mailbox_id
                and (logged.transaction_id, logged.object_id, logged.kind)
                    > (cast(:transaction_id as bigint), cast(:object_id as uuid), cast(:kind as text))
                and logged.transaction_id < :horizon
        )
    )
    """
)


def read_now(connection: Connection) -> Now:
    """How far the feed can be read in this moment."""
    row = connection.execute(_NOW).one()
    name = zlib.crc32(f"{row.system} {row.timeline} {row.database}".encode())
    return Now(name, row.at, row.horizon, row.next_transaction_id, frozenset(row.mailboxes))


def check(cursor: FeedCursor, now: Now, keep_days: float) -> None:
    """Raises a 410 problem when the feed has forgotten what came after the cursor, or never was on this database."""
    is_old = now.at.timestamp() - cursor.made_at > keep_days * 86400
    if is_old or cursor.database != now.database or cursor.place.transaction_id > now.next_transaction_id:
        raise ProblemError(
            HTTPStatus.GONE,
            "cursor-expired",
            f"This cursor is older than {keep_days:g} days, or of another database. "
            "Ask without one for where to begin, then load everything again.",
        )


def read_page(connection: Connection, cursor: FeedCursor, now: Now, most: int) -> Page:
    """At most `most` changes after `cursor`, and the mailboxes that came into sight or went out of it besides."""
    lost, found = cursor.mailboxes - now.mailboxes, now.mailboxes - cursor.mailboxes
    changes = [Change("mailbox", each, each, is_removed=True) for each in sorted(lost)]
    changes += [Change("mailbox", each, each, is_removed=False) for each in sorted(found)]
    rows = connection.execute(_ROWS, {**_bounds(cursor, now), "most": most + 1}).all()
    changes += [
        Change(row.kind, row.object_id, row.mailbox_id, row.is_removed, row.thread_id)
        for row in rows[:most]
        if not (row.kind == "mailbox" and row.object_id in found)
    ]
    if len(rows) <= most:
        return Page(changes, now.cursor(), has_more=False)
    last = rows[most - 1]
    place = Place(last.transaction_id, last.object_id, last.kind)
    # What is not told yet is as old as the cursor that was sent.
    return Page(changes, FeedCursor(now.database, cursor.made_at, place, now.mailboxes), has_more=True)


def has_changes(connection: Connection, cursor: FeedCursor, now: Now) -> bool:
    """Whether there is anything to tell after `cursor`."""
    if cursor.mailboxes != now.mailboxes:
        return True
    return bool(connection.execute(_HAS_ANY, _bounds(cursor, now)).scalar_one())


def _bounds(cursor: FeedCursor, now: Now) -> dict[str, object]:
    return {
        "mailboxes": list(now.mailboxes),
        "transaction_id": cursor.place.transaction_id,
        "object_id": cursor.place.object_id,
        "kind": cursor.place.kind,
        "horizon": now.horizon,
    }
