"""raw.messages, raw.labels and raw.gaps of a mailbox of files: what its sources hold, byte for byte.

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

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import func

from rl_emails_assets.db.tables import mailboxes, raw
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.source import FileProvider
from rl_emails_assets.providers.provider import Position, RawItem, UnreadableItem
from rl_emails_assets.steps.context import Progress, StepContext, StepResult
from rl_emails_assets.steps.raw_store import store_gap, store_items

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


def run(step: StepContext, name: str) -> StepResult:
    """Read every source of the mailbox to its end; the caller holds the mailbox's lock for the step `name`.

    Raises SourceError when a source as a whole cannot be read.
    """
    result = StepResult(counts={"imported": 0, "duplicates": 0, "gaps": 0})
    with step.engine.connect() as connection:
        query = select(mailboxes.connections.c.sources).where(mailboxes.connections.c.mailbox_id == step.mailbox_id)
        sources: list[dict[str, str]] = connection.execute(query).scalar_one()
    for source in sources:
        done = _read(step, source["path"], name)
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


def _read(step: StepContext, source: str, name: str) -> _Pass:
    provider = FileProvider(Path(source), Limits(max_item_bytes=step.settings.message_max_bytes))
    total = provider.estimate().bytes_total
    with step.commit() as connection:
        this, resume = _begin(connection, step.mailbox_id, source)
    step.report(Progress(name, this.position.bytes_done, total, "bytes"))
    for batch in _batches(provider.items(resume), step.settings.batch_size):
        with step.commit() as connection:
            _store(connection, step, this, batch)
            _save(connection, step.mailbox_id, this, is_complete=False)
        step.report(Progress(name, this.position.bytes_done, total, "bytes"))
    with step.commit() as connection:
        connection.execute(
            delete(raw.gaps).where(
                raw.gaps.c.mailbox_id == step.mailbox_id,
                raw.gaps.c.source == source,
                raw.gaps.c.last_seen_at < this.started_at,
            )
        )
        _save(connection, step.mailbox_id, this, is_complete=True)
    step.report(Progress(name, total, total, "bytes"))
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
    new = store_items(connection, step.mailbox_id, step.run_id, batch.items)
    for item in batch.unreadable:
        store_gap(connection, step.mailbox_id, this.source, item.provider_message_id, item.reason)
    this.position = batch.position
    this.imported += new
    this.duplicates += len(batch.items) - new
    this.gaps += len(batch.unreadable)
