"""A run's claim on its mailbox while it works: kept alive by a thread, and noticed when it is lost.

A run that lost its claim (it stood still for longer than its lease, or a person cancelled it) must write nothing more:
another run may be writing the same tables. A run that nobody queued holds no claim, and cannot lose one.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.queue import Claim


class Lease:
    """What one run knows of its claim on one mailbox; all its steps share it."""

    def __init__(self) -> None:
        self._is_held = False
        self._is_lost = False

    def claim(
        self, connection: Connection, mailbox_id: uuid.UUID, run_id: str, *, is_disconnect: bool = False
    ) -> Claim | None:
        """Take the mailbox's sync request, if there is one to take; what it was, for the step that acts on its kind."""
        queue.bury_poison(connection)
        claim = queue.claim(connection, mailbox_id, run_id, is_disconnect=is_disconnect)
        self._is_held = self._is_held or claim is not None
        return claim

    def renew(self, connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> None:
        """Extend the lease in the open transaction; from then until its commit nobody can take it over.

        Raises LeaseLostError when this run held the claim and does so no more.
        """
        if queue.heartbeat(connection, mailbox_id, run_id):
            self._is_held = True
        elif self._is_held:
            self._is_lost = True
        self._require(mailbox_id, run_id)

    def succeed(self, connection: Connection, mailbox_id: uuid.UUID, run_id: str) -> None:
        """End the claim as done, in the transaction of the run's last write. Raises LeaseLostError as `renew` does."""
        if not queue.succeed(connection, mailbox_id, run_id) and self._is_held:
            self._is_lost = True
        self._require(mailbox_id, run_id)
        self._is_held = False

    def _require(self, mailbox_id: uuid.UUID, run_id: str) -> None:
        if self._is_lost:
            raise LeaseLostError(
                f"Run {run_id} lost its claim on mailbox {mailbox_id}: it was cancelled, or stood still for longer "
                "than its lease and another run took over. It writes nothing more; what it committed stays."
            )

    @contextmanager
    def kept_alive(
        self,
        engine: Engine,
        mailbox_id: uuid.UUID,
        run_id: str,
        *,
        every_seconds: float = queue.HEARTBEAT_SECONDS,
    ) -> Iterator[None]:
        """Heartbeat from a thread while the block runs; a short run never does, and opens no connection for it."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(every_seconds):
                try:
                    with engine.begin() as connection:
                        if not queue.heartbeat(connection, mailbox_id, run_id) and self._is_held:
                            # The next commit finds the same, and says so.
                            return
                except (SQLAlchemyError, psycopg.Error):
                    # A thread has nobody to tell. The next beat tries again; should all fail, the next commit does too.
                    continue

        thread = threading.Thread(target=beat, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=every_seconds)
