"""raw.messages, raw.labels and raw.gaps: what the mailbox's sources hold, byte for byte, before anything reads it.

Rows, gaps and the position commit together, so a position never passes an item that is neither stored nor a gap
(promise 1). An interrupted pass continues where it stopped; a finished one is read again from its start, because files
may have been added anywhere, and what is stored already counts as a duplicate.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import mailboxes, raw
from rl_emails_assets.db.tables.base import ID_NAMESPACE
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.source import FileProvider
from rl_emails_assets.providers.provider import Position, RawItem, UnreadableItem
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.sync_queue import queue

VERSION = "1"
NAME = "raw.messages"
BATCH_MAX_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class _Pass:
    """One reading of one source, from its start to its end, over as many runs as that takes."""

    source: str
    started_at: datetime
    position: Position
    imported: int = 0
    duplicates: int = 0
    gaps: int = 0


@dataclass(slots=True)
class _Batch:
    items: list[RawItem] = field(default_factory=list)
    unreadable: list[UnreadableItem] = field(default_factory=list)
    bytes_held: int = 0

    def add(self, item: RawItem | UnreadableItem) -> None:
        if isinstance(item, RawItem):
            self.items.append(item)
            self.bytes_held += len(item.rfc822)
        else:
            self.unreadable.append(item)

    def is_full(self, most_items: int) -> bool:
        return len(self.items) + len(self.unreadable) >= most_items or self.bytes_held >= BATCH_MAX_BYTES

    @property
    def position(self) -> Position:
        last = [held[-1].position for held in (self.items, self.unreadable) if held]
        return max(last, key=lambda position: position.items_done)


def message_id_of(mailbox_id: uuid.UUID, provider_message_id: str) -> uuid.UUID:
    """The id under which a mailbox's message is stored: the same whenever and however it is imported."""
    return uuid.uuid5(ID_NAMESPACE, f"{mailbox_id}/{provider_message_id}")


def run(step: StepContext) -> StepResult:
    """Claim the mailbox's sync request, if one waits, and read every source of the mailbox to its end.

    Raises SourceError when a source as a whole cannot be read.
    """
    result = StepResult(counts={"imported": 0, "duplicates": 0, "gaps": 0})
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            queue.bury_poison(connection)
            queue.claim(connection, step.mailbox_id, step.run_id)
            query = select(mailboxes.connections.c.sources).where(mailboxes.connections.c.mailbox_id == step.mailbox_id)
            sources: list[dict[str, str]] = connection.execute(query).scalar_one()
        for source in sources:
            done = _read(step, source["path"])
            result.counts["imported"] += done.imported
            result.counts["duplicates"] += done.duplicates
            result.counts["gaps"] += done.gaps
        with step.commit() as connection:
            connection.execute(
                update(mailboxes.connections)
                .where(mailboxes.connections.c.mailbox_id == step.mailbox_id)
                .values(synced_at=func.now())
            )
    result.row_count = result.counts["imported"]
    return result


def _read(step: StepContext, source: str) -> _Pass:
    provider = FileProvider(Path(source), Limits(max_item_bytes=step.settings.message_max_bytes))
    total = provider.estimate().bytes_total
    with step.commit() as connection:
        this, resume = _begin(connection, step.mailbox_id, source)
    step.report(Progress(NAME, this.position.bytes_done, total, "bytes"))
    for batch in _batches(provider.items(resume), step.settings.batch_size):
        with step.commit() as connection:
            _store(connection, step, this, batch)
            _save(connection, step.mailbox_id, this, is_complete=False)
        step.report(Progress(NAME, this.position.bytes_done, total, "bytes"))
    with step.commit() as connection:
        connection.execute(
            delete(raw.gaps).where(
                raw.gaps.c.mailbox_id == step.mailbox_id,
                raw.gaps.c.source == source,
                raw.gaps.c.last_seen_at < this.started_at,
            )
        )
        _save(connection, step.mailbox_id, this, is_complete=True)
    step.report(Progress(NAME, total, total, "bytes"))
    return this


def _batches(items: Iterator[RawItem | UnreadableItem], most_items: int) -> Iterator[_Batch]:
    batch = _Batch()
    for item in items:
        batch.add(item)
        if batch.is_full(most_items):
            yield batch
            batch = _Batch()
    if batch.items or batch.unreadable:
        yield batch


def _begin(connection: Connection, mailbox_id: uuid.UUID, source: str) -> tuple[_Pass, Position | None]:
    """The pass that was interrupted, or a new one."""
    cursor = connection.execute(
        select(raw.cursors).where(raw.cursors.c.mailbox_id == mailbox_id, raw.cursors.c.source == source)
    ).one_or_none()
    if cursor is not None and not cursor.is_complete:
        position = Position.from_json(cursor.position)
        counts = (cursor.imported_count, cursor.duplicate_count, cursor.gap_count)
        return _Pass(source, cursor.started_at, position, *counts), position
    this = _Pass(source, datetime.now(UTC), Position())
    _save(connection, mailbox_id, this, is_complete=False)
    return this, None


def _save(connection: Connection, mailbox_id: uuid.UUID, this: _Pass, *, is_complete: bool) -> None:
    row: dict[str, Any] = {
        "position": this.position.as_json(),
        "started_at": this.started_at,
        "imported_count": this.imported,
        "duplicate_count": this.duplicates,
        "gap_count": this.gaps,
        "is_complete": is_complete,
        "updated_at": func.now(),
    }
    connection.execute(
        insert(raw.cursors)
        .values(mailbox_id=mailbox_id, source=this.source, **row)
        .on_conflict_do_update(index_elements=["mailbox_id", "source"], set_=row)
    )


def _store(connection: Connection, step: StepContext, this: _Pass, batch: _Batch) -> None:
    ids = [message_id_of(step.mailbox_id, item.provider_message_id) for item in batch.items]
    columns = raw.messages.c
    known = set(connection.execute(select(columns.message_id).where(columns.message_id == func.any(ids))).scalars())
    new: dict[uuid.UUID, RawItem] = {}
    for message_id, item in zip(ids, batch.items, strict=True):
        if message_id not in known:
            new.setdefault(message_id, item)
    bulk.copy_rows(
        connection,
        raw.messages,
        [
            {
                "message_id": message_id,
                "mailbox_id": step.mailbox_id,
                "provider_message_id": item.provider_message_id,
                "provider_thread_id": item.provider_thread_id,
                "source": item.source,
                "provider_received_at": item.received_at,
                "size_bytes": len(item.rfc822),
                "rfc822": item.rfc822,
                "run_id": step.run_id,
            }
            for message_id, item in new.items()
        ],
    )
    _store_labels(connection, step.mailbox_id, ids, batch.items)
    for unreadable in batch.unreadable:
        _store_gap(connection, step.mailbox_id, this.source, unreadable)
    this.position = batch.position
    this.imported += len(new)
    this.duplicates += len(batch.items) - len(new)
    this.gaps += len(batch.unreadable)


def _store_labels(connection: Connection, mailbox_id: uuid.UUID, ids: list[uuid.UUID], items: list[RawItem]) -> None:
    pairs = sorted({(message_id, label) for message_id, item in zip(ids, items, strict=True) for label in item.labels})
    if pairs:
        connection.execute(
            text(
                "insert into raw.labels (mailbox_id, message_id, label) "
                "select :mailbox_id, l.message_id, l.label "
                "from unnest(cast(:ids as uuid[]), cast(:labels as text[])) as l(message_id, label) "
                "on conflict do nothing"
            ),
            {"mailbox_id": mailbox_id, "ids": [pair[0] for pair in pairs], "labels": [pair[1] for pair in pairs]},
        )
        # A folder copy's new label is also the label of the message it copies (see steps.mail_messages).
        connection.execute(
            text(
                "insert into raw.labels (mailbox_id, message_id, label) "
                "select l.mailbox_id, m.duplicate_of, l.label "
                "from raw.labels l join mail.messages m using (message_id) "
                "where l.message_id = any(:ids) and m.duplicate_of is not null on conflict do nothing"
            ),
            {"ids": ids},
        )


def _store_gap(connection: Connection, mailbox_id: uuid.UUID, source: str, item: UnreadableItem) -> None:
    connection.execute(
        insert(raw.gaps)
        .values(
            mailbox_id=mailbox_id,
            provider_message_id=item.provider_message_id,
            source=source,
            reason=item.reason,
            last_seen_at=func.now(),
        )
        .on_conflict_do_update(
            index_elements=["mailbox_id", "provider_message_id"],
            set_={"reason": item.reason, "attempts": raw.gaps.c.attempts + 1, "last_seen_at": func.now()},
        )
    )
