"""Readiness is observed: a probe says yes only to the server that it means, and never raises."""

import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus

import psycopg
import pytest

from rl_emails_assets.instance import probes
from tests.instance.answers import Answer


@pytest.fixture
def answer() -> Iterator[Answer]:
    """A web server that says what the test puts into it."""
    made = Answer()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_only_the_right_answer_is_ready(answer: Answer) -> None:
    """Another program on the port, or a server that cannot reach its database, must not count as ready."""
    assert probes.http_ok("127.0.0.1", answer.server_port, "/readyz")
    assert probes.http_ok("0.0.0.0", answer.server_port, "/readyz"), "asked through loopback"  # noqa: S104
    assert not probes.is_dagster_ui(answer.server_port)
    answer.body = b'{"dagster_webserver_version": "1"}'
    assert probes.is_dagster_ui(answer.server_port)
    answer.status = HTTPStatus.SERVICE_UNAVAILABLE
    assert not probes.http_ok("127.0.0.1", answer.server_port, "/readyz")
    assert not probes.is_dagster_ui(answer.server_port)


def test_something_else_on_the_port_is_no_code_server(answer: Answer) -> None:
    """What listens may be another program that took the port."""
    assert probes.accepts(answer.server_port)
    assert not probes.serves_grpc(answer.server_port)


def test_silence_is_not_ready() -> None:
    """Before a server listens, the probes must say so at once."""
    port = probes.free_port(0)
    assert not probes.accepts(port)
    assert not probes.serves_grpc(port)
    assert not probes.http_ok("127.0.0.1", port, "/")


def test_the_wanted_port_is_taken_when_it_is_free_and_the_next_one_otherwise() -> None:
    """A second program on 8025 must not keep the page from opening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not probes.is_free(port)
        assert probes.free_port(port) > port
        assert probes.free_port(port, most=1) not in {0, port}, "none of those tried was free"
    assert probes.free_port(port) == port
    assert probes.free_port(port, avoid=frozenset({port})) != port
    assert probes.free_port(0, "::1") > 0


class Heartbeats:
    """Dagster's table of heartbeats, in a database of the test's own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def execute(self, query: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query)


def test_a_heartbeat_counts_only_when_it_is_of_this_daemon(database_url: str) -> None:
    """The row of the daemon that was killed is still there, and must not make its successor ready."""
    table = Heartbeats(database_url)
    assert probes.last_heartbeat(database_url) is None, "Dagster has not made its tables yet"
    assert not probes.has_heartbeat_since(database_url, 0.0)
    table.execute("create table daemon_heartbeats (daemon_type text, timestamp timestamp)")
    assert probes.last_heartbeat(database_url) is None
    table.execute("insert into daemon_heartbeats values ('SENSOR', '2026-11-01 00:00:00')")
    at = probes.last_heartbeat(database_url)
    assert at == 1793491200.0
    assert probes.has_heartbeat_since(database_url, at)
    assert not probes.has_heartbeat_since(database_url, at + 1)
    assert not probes.has_heartbeat_since("postgresql://nobody@127.0.0.1:1/none", 0.0), "a database that is away"
