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
from uuid import UUID

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
    """Makes the figures of each reader, one request at a time, and keeps them while they may be kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._making = threading.Lock()
        self._kept: dict[UUID | None, tuple[float, Figures]] = {}

    def figures(self, connection: Connection, organization_id: UUID | None) -> Figures:
        """The figures of the organization whose administrator `connection` reads for, at most `KEPT_SECONDS` old.

        None is the whole installation, and `connection` the tables' owner's.
        """
        with self._making:
            now = self._clock()
            self._kept = {key: kept for key, kept in self._kept.items() if now < kept[0]}
            if organization_id not in self._kept:
                made = _make(connection)
                stored: Any = sum(row["stored_count"] for row in made.counts)
                if stored < MANY_MESSAGES:
                    return made
                self._kept[organization_id] = (now + KEPT_SECONDS, made)
            return self._kept[organization_id][1]


def _make(connection: Connection) -> Figures:
    return Figures(
        datetime.now(UTC),
        queries.counts(connection),
        queries.pending(connection),
        queries.runs(connection),
        queries.costs(connection),
        queries.opinions(connection),
    )
