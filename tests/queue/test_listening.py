"""Waiting for requests: woken at once, by a clock, or by a lapse; never deaf, never waiting for ever."""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from rl_emails_assets.sync_queue import listening, queue
from rl_emails_assets.sync_queue.queue import Due
from tests.queue.conftest import MakeMailbox

LONG_SECONDS = 60.0
"""A window that no test waits out: what ends before it was woken."""


def _everything(due: Sequence[Due]) -> Sequence[Due]:
    return due


def _waiting(url: str, choose: Callable[[Sequence[Due]], Sequence[Due]] = _everything) -> list[Due]:
    with listening.listening(url, window_seconds=LONG_SECONDS) as listener:
        return listener.wait(window_seconds=LONG_SECONDS, choose=choose)


def _eventually(engine: Engine, query: str) -> None:
    """Poll until the query finds a row."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with engine.connect() as connection:
            if connection.execute(text(query)).first() is not None:
                return
        time.sleep(0.02)
    raise AssertionError(f"Never found: {query}")


@contextmanager
def _asleep(engine: Engine, url: str) -> Iterator["Future[list[Due]]"]:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(_waiting, url)
        _eventually(engine, "select from pg_locks where locktype = 'advisory' and granted and objid = 7410032")
        yield future


def test_a_request_wakes_the_one_that_waits(engine: Engine, database_url: str, mailbox_id: uuid.UUID) -> None:
    """Without the notification each message would wait for the next tick: seconds instead of milliseconds."""
    with _asleep(engine, database_url) as future:
        with engine.begin() as connection:
            request_id = queue.enqueue(connection, mailbox_id, asked_by="webhook")
        assert [due.request_id for due in future.result(LONG_SECONDS / 2)] == [request_id]


def test_a_request_that_waited_behind_a_run_wakes_when_the_run_ends(
    engine: Engine, database_url: str, mailbox_id: uuid.UUID
) -> None:
    """What arrived while a run read would wait for the next poll although nothing is in its way any more."""
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="webhook")
        queue.claim(connection, mailbox_id, "run")
        waiting = queue.enqueue(connection, mailbox_id, asked_by="webhook")
    with _asleep(engine, database_url) as future:
        with engine.begin() as connection:
            assert queue.succeed(connection, mailbox_id, "run")
        assert [due.request_id for due in future.result(LONG_SECONDS / 2)] == [waiting]


@pytest.mark.parametrize("what", ["a delay that ends", "a lease that lapses"])
def test_the_clock_wakes_it_without_anybody_saying_so(
    engine: Engine, database_url: str, mailbox_id: uuid.UUID, what: str
) -> None:
    """A retry or the mailbox of a killed run would wait for somebody else's mail."""
    with engine.begin() as connection:
        request_id = queue.enqueue(connection, mailbox_id, asked_by="poll", delay_seconds=0.5 * ("delay" in what))
        if "lease" in what:
            queue.claim(connection, mailbox_id, "killed")
            connection.execute(text("update sync_queue.requests set leased_until = now() + interval '0.5 s'"))
    assert [due.request_id for due in _waiting(database_url)] == [request_id]


def test_one_listens_and_the_next_takes_its_turn_when_the_first_has_found_something(
    engine: Engine, database_url: str, make_mailbox: MakeMailbox
) -> None:
    """Sensors that all woke for one request would each ask for a run; one alone rests for seconds after its find."""
    mailboxes = [make_mailbox(name) for name in ("first", "second")]
    found: list[uuid.UUID] = []

    def unseen(due: Sequence[Due]) -> Sequence[Due]:
        """As the sensors choose: what one has found, the others of its process know of at once."""
        chosen = [item for item in due if item.mailbox_id not in found]
        found.extend(item.mailbox_id for item in chosen)
        return chosen

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(_waiting, database_url, unseen) for _ in mailboxes]
        for count, mailbox_id in enumerate(mailboxes, start=1):
            with engine.begin() as connection:
                queue.enqueue(connection, mailbox_id, asked_by="webhook")
            until = time.monotonic() + LONG_SECONDS / 2
            while sum(future.done() for future in futures) < count and time.monotonic() < until:
                time.sleep(0.02)
            assert sum(future.done() for future in futures) == count
        assert sorted(due.mailbox_id for future in futures for due in future.result()) == sorted(mailboxes)


def test_who_gets_no_turn_within_its_window_goes(engine: Engine, database_url: str, mailbox_id: uuid.UUID) -> None:
    """A tick that waited for its turn without an end would be cut by Dagster as failed."""
    with _asleep(engine, database_url) as future:
        with listening.listening(database_url, window_seconds=0.3) as listener:
            assert listener.wait(window_seconds=0.3, choose=_everything) == []
        with engine.begin() as connection:
            queue.enqueue(connection, mailbox_id, asked_by="webhook")
        assert len(future.result(LONG_SECONDS / 2)) == 1


def test_an_empty_queue_is_left_when_the_window_is_over(engine: Engine, database_url: str) -> None:
    """A tick that stayed would be cut at 60 s, and delay the daemon's stop."""
    with listening.listening(database_url, window_seconds=0.3) as listener:
        assert listener.wait(window_seconds=0.3, choose=_everything) == []
    with engine.connect() as connection:
        query = text("select count(*) from pg_locks where locktype = 'advisory' and objid = 7410032")
        assert connection.execute(query).scalar_one() == 0, "the turn ends with the tick"


class SilentProxy:
    """Passes bytes to Postgres until it is told to be silent; then the connection stays open and nothing comes."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.is_silent = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            upstream = socket.create_connection(self._target)
            self._sockets += [client, upstream]
            for source, target in ((client, upstream), (upstream, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while content := source.recv(65536):
                if not self.is_silent.is_set():
                    target.sendall(content)
        except OSError:
            return

    def close(self) -> None:
        """End everything."""
        for each in [self._server, *self._sockets]:
            each.close()


def test_a_connection_that_falls_silent_is_given_up(
    engine: Engine, database_url: str, mailbox_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half open socket gives no error and no notification: the sensor would be deaf until it is restarted."""
    monkeypatch.setattr(listening, "DEADLINE_SECONDS", 0.5)
    url = make_url(database_url)
    proxy = SilentProxy(str(url.host), int(url.port or 5432))
    through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)

    def listen_in_silence() -> None:
        with listening.listening(through, window_seconds=0.5) as listener:
            proxy.is_silent.set()
            with engine.begin() as connection:
                queue.enqueue(connection, mailbox_id, asked_by="webhook")
            listener.wait(window_seconds=0.5, choose=_everything)

    try:
        with pytest.raises((OperationalError, psycopg.OperationalError)):
            listen_in_silence()
    finally:
        proxy.close()
    assert len(_waiting(database_url)) == 1, "the next one, on a new connection, hears"


def test_its_session_does_not_outlive_it_for_long_on_the_server(connection: Connection, database_url: str) -> None:
    """A dead sensor's session would keep the turn from all others until the server's keepalive notices, hours later."""
    with listening.listening(database_url, window_seconds=1) as listener:
        shown = listener._connection.execute(text("show idle_session_timeout")).scalar_one()
    assert shown == "30s"
