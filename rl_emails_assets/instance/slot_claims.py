"""What becomes of a run's claims in the sync queue when the run did not succeed; where it holds none, nothing."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from rl_emails_assets.db.engine import Databases, make_engine
from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.sync_queue import queue


class Claims:
    """The sync queue, as seen by whoever executes runs."""

    def __init__(self, databases: Databases) -> None:
        self._url = databases.product_url
        self._made: Engine | None = None

    def fail(self, run_id: str, why: str) -> None:
        """The try counts: the request waits for another one, or is given up."""
        with self._begin() as connection:
            for mailbox_id in queue.held_mailboxes(connection, run_id):
                # Another run may take a lapsed claim over just now; then there is nothing to return.
                with contextlib.suppress(LeaseLostError):
                    queue.fail(connection, mailbox_id, run_id, error=why, is_permanent=False)

    def hand_back(self, run_id: str) -> None:
        """The run was stopped on purpose: its mailbox waits again, with all tries before it."""
        with self._begin() as connection:
            queue.hand_back(connection, [run_id])

    def cancel(self, run_id: str) -> None:
        """Somebody cancelled the run: its request ends too."""
        with self._begin() as connection:
            queue.cancel(connection, run_id)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._made is None:
            self._made = make_engine(self._url, "worker", pool_size=1)
        with self._made.begin() as connection:
            yield connection
