"""What every step gets, and what it reports.

A step brings one table of one mailbox up to date: it finds the rows that lack a result at its current version, computes
them in batches, and commits each batch with the marks that tell later steps what to do again. Killed at any point and
run again it ends with the same rows (promise 2). A step holds its mailbox's lock, so two runs never write one table of
one mailbox at a time. Plain Python: the assets in defs/ call these functions, and so may anything else.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.lease import Lease
from rl_emails_assets.sync_queue.queue import Claim


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a backfill computes again: those received in [since, until), whether or not they look up to date.

    Without `force` it limits nothing: pending rows are always computed.
    """

    since: datetime | None = None
    until: datetime | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` in `unit` ("messages", "bytes" ...) of the step named `step`."""

    step: str
    done: int
    total: int
    unit: str = "messages"


def _ignore(_: Progress) -> None:
    """The default for a step that nobody watches."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """One run's work on one mailbox."""

    engine: Engine
    mailbox_id: uuid.UUID
    run_id: str
    settings: Settings
    scope: Scope = Scope()
    report: Callable[[Progress], None] = _ignore
    lease: Lease = field(default_factory=Lease)
    """The run's claim; the steps of one run share it."""

    def claim(self, connection: Connection) -> Claim | None:
        """Take the mailbox's sync request for this run; None when there is none, or another run holds it."""
        return self.lease.claim(connection, self.mailbox_id, self.run_id)

    @contextmanager
    def commit(self) -> Iterator[Connection]:
        """A transaction for one batch; it also tells the queue that this run is alive.

        Raises LeaseLostError, and writes nothing, when the run lost its claim.
        """
        with self.engine.begin() as connection:
            yield connection
            self.lease.renew(connection, self.mailbox_id, self.run_id)

    @contextmanager
    def last_commit(self) -> Iterator[Connection]:
        """The transaction of the run's last write, which also ends its claim as done.

        Raises LeaseLostError, and writes nothing, when the run lost its claim.
        """
        with self.engine.begin() as connection:
            yield connection
            self.lease.succeed(connection, self.mailbox_id, self.run_id)

    @contextmanager
    def alone(self, step: str) -> Iterator[None]:
        """Hold this mailbox's lock for a step; a second run waits here, then finds nothing left to do."""
        with self.engine.connect() as connection:
            parameters = {"mailbox": str(self.mailbox_id), "step": step}
            connection.execute(text("select pg_advisory_lock(hashtext(:mailbox), hashtext(:step))"), parameters)
            connection.commit()
            try:
                yield
            finally:
                connection.rollback()
                connection.execute(text("select pg_advisory_unlock(hashtext(:mailbox), hashtext(:step))"), parameters)
                connection.commit()


@dataclass(slots=True)
class StepResult:
    """What a step did: rows written, and anything else worth a number, by name."""

    row_count: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cost_usd: float = 0.0

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.row_count / self.seconds if self.seconds > 0 else 0.0


@contextmanager
def timed(result: StepResult) -> Iterator[StepResult]:
    """Measure a step's wall time into its result."""
    started = time.perf_counter()
    try:
        yield result
    finally:
        result.seconds = time.perf_counter() - started
