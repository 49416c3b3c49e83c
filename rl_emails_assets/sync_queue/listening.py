"""Waiting until a sync request can be claimed: woken by a notification, by the clock, or by a lease that lapses.

Only looks: nothing is locked that a claim needs, and no row is changed. A connection that has gone silent (half open:
the server's end vanished) ends in an error within DEADLINE_SECONDS after the window, never in waiting for ever.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.queue import Due

DEADLINE_SECONDS = 10.0
"""How much longer than its window a wait may take before its connection is given up."""
LOOK_AGAIN_SECONDS = 2.0
"""How soon to look again while something is due that the caller does not want (its run is on its way)."""
_TURN_LOCK = 7_410_032
_KEEPALIVE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    # Milliseconds that sent data may stay unacknowledged.
    "tcp_user_timeout": "8000",
}


class Listener:
    """One waiting: a connection of its own that listens from the start, so that nothing is missed between two looks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = driver_connection(connection)
        # Ours is gone by then, or half open: its turn must not be held by a session without a client.
        self._driver.execute("set idle_session_timeout = '30s'")

    def wait(
        self, *, window_seconds: float, choose: Callable[[Sequence[Due]], Sequence[Due]], most: int = 500
    ) -> list[Due]:
        """Wait at most so long for requests that are due and that `choose` picks; an empty list when there are none.

        One process at a time listens; another one waits for its turn within its window, so that while the first
        rests after its find, the second looks.
        """
        until = time.monotonic() + window_seconds
        if not self._turn(until):
            return []
        self._driver.execute(f"listen {queue.CHANNEL}".encode())
        while True:
            due = queue.due(self._connection, most=most)
            chosen = list(choose(due)) if due else []
            left = until - time.monotonic()
            if chosen or left <= 0:
                return chosen
            self._sleep(min(left, LOOK_AGAIN_SECONDS if due else self._seconds_to_next_due()))

    def _turn(self, until: float) -> bool:
        milliseconds = max(int((until - time.monotonic()) * 1000), 1)
        self._driver.execute(f"set lock_timeout = {milliseconds}".encode())
        try:
            self._driver.execute("select pg_advisory_lock(%s)", [_TURN_LOCK])
        except psycopg.errors.LockNotAvailable:
            return False
        self._driver.execute("set lock_timeout = 0")
        return True

    def _seconds_to_next_due(self) -> float:
        at = queue.next_due_at(self._connection)
        # A little later than it says: the clocks of two machines differ, and being early finds nothing.
        return float("inf") if at is None else max((at - datetime.now(UTC)).total_seconds() + 0.05, 0.1)

    def _sleep(self, seconds: float) -> None:
        for _ in self._driver.notifies(timeout=seconds, stop_after=1):
            pass


@contextmanager
def listening(database_url: str, *, window_seconds: float) -> Iterator[Listener]:
    """A listener on a connection that detects the death of its other end.

    Raises sqlalchemy's or psycopg's OperationalError when the database cannot be reached or falls silent.
    """
    url = make_url(database_url).update_query_dict(_KEEPALIVE).render_as_string(hide_password=False)
    engine = make_engine(url, "sensor", pool_size=1)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            with _given_up_after(driver_connection(connection), window_seconds + DEADLINE_SECONDS):
                yield Listener(connection)
            # Its turn and its LISTEN end with the session; it does not go back to a pool.
            connection.invalidate()
    finally:
        engine.dispose()


@contextmanager
def _given_up_after(driver: "psycopg.Connection[object]", seconds: float) -> Iterator[None]:
    """Cut the connection when the block takes longer: what waits on it then gets an error."""
    duplicate = socket.socket(fileno=os.dup(driver.fileno()))
    timer = threading.Timer(seconds, duplicate.shutdown, [socket.SHUT_RDWR])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        duplicate.close()
