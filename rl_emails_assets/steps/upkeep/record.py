"""The record of an upkeep's run: what it did, or why it failed, as the status page shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import Executable, func

from rl_emails_assets.db.tables.sync_queue import upkeep_runs

Counts = dict[str, int]
"""What an upkeep did, by name."""


class UpkeepRecord:
    """What one run of an upkeep did so far."""

    def __init__(self) -> None:
        self.counts: Counts = {}
        self.problems: list[str] = []
        """What went wrong for one mailbox or table, and did not stop the rest."""

    def add(self, counts: Counts) -> None:
        """Add to what was done."""
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number


@contextmanager
def recorded(engine: Engine, name: str, run_id: str) -> Iterator[UpkeepRecord]:
    """Keep the record of this run: begun at once, ended with the block, with the error that ended it."""
    _execute(engine, insert(upkeep_runs).values(run_id=run_id, name=name).on_conflict_do_nothing())
    record = UpkeepRecord()
    try:
        yield record
    except BaseException as error:
        record.problems.append(f"{type(error).__name__}: {error}")
        raise
    finally:
        values: dict[str, Any] = {"counts": record.counts, "error": " ".join(record.problems) or None}
        of_this = upkeep_runs.c.run_id == run_id
        _execute(engine, update(upkeep_runs).where(of_this).values(finished_at=func.now(), **values))


def _execute(engine: Engine, statement: Executable) -> None:
    with engine.begin() as connection:
        connection.execute(statement)
