"""The figures that cost a walk of whole tables, made for the status page and the metrics alike.

On a small mailbox they are made for every request. From `MANY_MESSAGES` on they are kept for `KEPT_SECONDS`, so that
pages that refresh by themselves and scrapes cost the same however many there are.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from rl_emails_api.admin import queries

KEPT_SECONDS = 30.0
MANY_MESSAGES = 20_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows of the queries of the same names."""

    counted_at: datetime
    counts: Sequence[RowMapping]
    pending: Sequence[RowMapping]
    runs: Sequence[RowMapping]
    costs: Sequence[RowMapping]
    opinions: Sequence[RowMapping]


class FigureKeeper:
    """Makes the figures, one request at a time, and keeps them while they may be kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._making = threading.Lock()
        self._kept: Figures | None = None
        self._kept_until = 0.0

    def figures(self, connection: Connection) -> Figures:
        """The figures, at most `KEPT_SECONDS` old."""
        with self._making:
            if self._kept is None or self._clock() >= self._kept_until:
                self._kept = _make(connection)
                stored: Any = sum(row["stored_count"] for row in self._kept.counts)
                self._kept_until = self._clock() + (KEPT_SECONDS if stored >= MANY_MESSAGES else 0)
            return self._kept


def _make(connection: Connection) -> Figures:
    return Figures(
        datetime.now(UTC),
        queries.counts(connection),
        queries.pending(connection),
        queries.runs(connection),
        queries.costs(connection),
        queries.opinions(connection),
    )
