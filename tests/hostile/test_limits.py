"""Requests that are too large, too slow, too deep or too many are refused, cheaply, and say when to come again."""

import asyncio
import json
import socket
import threading
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import Body, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rl_emails_api import problems
from rl_emails_api.identity.principal import LOCAL, Principal
from rl_emails_api.limits import buckets, inner
from rl_emails_api.limits.buckets import Buckets
from rl_emails_api.limits.edge import MOST_HEADERS, MOST_TARGET_BYTES, EdgeLimits, counted_address
from rl_emails_api.limits.inner import MOST_BODY_BYTES, MOST_JSON_DEPTH, is_too_deep
from rl_emails_assets.settings import Settings


class KnowsEverybody:
    """Stands for Security: a credential is the id of who has it, and `local` is the local token."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        """Put the principal into the scope, or answer 401."""
        given = dict(scope.get("headers", ())).get(b"authorization", b"").decode("latin-1")
        if given == "local":
            scope.setdefault("state", {})["principal"] = LOCAL
        elif given.startswith("key "):
            key = UUID(given[4:])
            scope.setdefault("state", {})["principal"] = Principal(
                uuid4(), uuid4(), "member", frozenset(), "api_key", key
            )
        elif given.startswith("person "):
            scope.setdefault("state", {})["principal"] = Principal(
                UUID(given[7:]), uuid4(), "member", frozenset(), "session"
            )
        elif scope["type"] == "http" and scope["path"] != "/open":
            await Response(status_code=401)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def limited(**settings) -> FastAPI:
    """An application behind the limits, as create_app puts them."""
    app = FastAPI()
    problems.install(app)

    @app.post("/echo")
    async def echo(body: Annotated[Any, Body()]) -> int:
        return len(body)

    @app.post("/raw")
    @app.get("/raw")
    async def raw(request: Request) -> str:
        return str(len(await request.body()))

    @app.get("/open")
    async def opened() -> str:
        return "open"

    given = Settings(**settings)
    app.add_middleware(inner.InnerLimits, settings=given, body_seconds=0.3)
    app.add_exception_handler(inner.BodyRefusedError, inner._on_refused)
    app.add_middleware(KnowsEverybody)
    app.add_middleware(EdgeLimits, settings=given)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts="127.0.0.1")
    return app


@contextmanager
def running(app: FastAPI):
    """A client of `app` on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, proxy_headers=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
        client.headers["Authorization"] = "local"
        yield client
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="module")
def client():
    """A client of an application that nothing here exhausts."""
    with running(limited()) as made:
        yield made


def check(answer: httpx.Response, status: int, code: str) -> dict:
    """The answer is this problem, with the headers that every answer has."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    for name, value in problems.SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["type"] == f"urn:rl-emails:problem:{code}"
    return body


@pytest.mark.parametrize("path", ["/echo", "/raw"])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_large_body_is_refused(client, path, is_told):
    """A gigabyte that is read into memory before anybody asks what it is."""
    body = b"[" + b" " * MOST_BODY_BYTES + b"]"
    content = body if is_told else iter([body[:1000], body[1000:]])
    problem = check(
        client.post(path, content=content, headers={"Content-Type": "application/json"}), 413, "body-too-large"
    )
    assert str(MOST_BODY_BYTES) in problem["detail"]


def test_a_body_up_to_the_limit_passes(client):
    """A limit that is one too small."""
    assert client.post("/raw", content=b"x" * MOST_BODY_BYTES).json() == str(MOST_BODY_BYTES)
    assert client.post("/raw", content=iter([b"x"] * 10)).json() == "10"
    assert client.get("/raw").json() == "0"


@pytest.mark.parametrize("told", [b"99999999999999999999", b"9" * 5000, b"1048577"])
def test_a_length_that_is_told_is_believed_before_a_byte_is_read(client, told):
    """Waiting for a body that will be refused anyway; or a number of thousands of digits, converted."""
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(
            b"POST /raw HTTP/1.1\r\nHost: a\r\nAuthorization: local\r\nContent-Length: " + told + b"\r\n\r\n"
        )
        # Where the number does not fit, the server's own parser refuses it first.
        assert connection.recv(65536).split()[1] in (b"413", b"400")


def test_a_body_that_drips_is_refused(client):
    """A slow loris: a body of one byte a minute holds a request open for ever."""
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nAuthorization: local\r\nContent-Length: 9\r\n\r\nx")
        got = connection.recv(65536)
    assert got.split()[1] == b"408"
    assert b"body-too-slow" in got


def test_a_client_that_leaves_harms_nobody(client):
    """An exception in the log for every tab that is closed while it sends."""
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nAuthorization: local\r\nContent-Length: 9\r\n\r\nx")
    assert client.get("/raw").status_code == 200


def test_an_answer_may_take_longer_than_a_body():
    """A stream of events, which waits for its client to leave, ended by the time limit of the body it never had."""

    async def application(scope, receive, send):
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def scene() -> list:
        sent, left = [], asyncio.Event()
        messages = [{"type": "http.request", "body": b""}]

        async def receive():
            if messages:
                return messages.pop()
            asyncio.get_running_loop().call_later(0.05, left.set)
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message["status"])

        limits = inner.InnerLimits(application, Settings(), body_seconds=0.01)
        await limits({"type": "http", "headers": [], "path": "/"}, receive, send)
        return sent

    assert asyncio.run(scene()) == [200]


@pytest.mark.parametrize("signs", [b"[" * 33, b'{"a":' * 33, b'{"a":[' * 17, b"[" * 100_000, b'[{"a":"]]]]"},' * 33])
def test_json_that_is_too_deep_is_refused(client, signs):
    """A parser's recursion as a 500."""
    answer = client.post("/echo", content=signs, headers={"Content-Type": "application/problem+JSON"})
    if signs.startswith(b'[{"a":"]'):
        assert answer.status_code == 422
    check(answer, 422, "body-too-deep")


def test_json_that_is_deep_enough_passes(client):
    """Brackets in a text taken for nesting."""
    for body in (
        b"[" * MOST_JSON_DEPTH + b"]" * MOST_JSON_DEPTH,
        b"[" + b'"[[[\\"[[",' * 50 + b"1]",
        b"[" + b"[]," * 99 + b"1]",
    ):
        assert client.post("/echo", content=body, headers={"Content-Type": "application/json"}).status_code == 200


@given(
    st.recursive(st.none() | st.text('[]{}"\\a', max_size=5), lambda each: st.lists(each, max_size=3), max_leaves=80)
)
def test_depth_is_what_the_parser_would_reach(value):
    """A depth counted otherwise than it is parsed."""

    def depth(each):
        return 1 + max(map(depth, each), default=0) if isinstance(each, list) else 0

    padded = [value, *[[]] * (MOST_JSON_DEPTH + 1)]
    assert is_too_deep(json.dumps(padded).encode()) == (depth(padded) > MOST_JSON_DEPTH)


def test_a_long_address_and_many_headers_are_refused(client):
    """Megabytes of address or headers that every layer copies."""
    check(client.get("/raw?" + "x" * MOST_TARGET_BYTES), 414, "address-too-long")
    check(client.get("/" + "x" * MOST_TARGET_BYTES), 414, "address-too-long")
    check(client.get("/raw", headers={f"x-{n}": "1" for n in range(MOST_HEADERS)}), 431, "headers-too-large")
    check(client.get("/raw", headers={"x": "1" * 40_000}), 431, "headers-too-large")
    assert client.get("/raw?" + "x" * (MOST_TARGET_BYTES - 10)).status_code == 200


def test_two_hosts_are_one_too_many(client):
    """A proxy that checks the first Host header and an application that believes the second."""
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(b"GET /raw HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
        assert connection.recv(65536).split()[1] == b"400"


def test_a_key_that_asks_too_much_is_told_when_to_come_again():
    """One script that takes the API away from everybody else."""
    with running(limited(rate_limit_a_minute=3)) as client:
        mine, other = f"key {uuid4()}", f"person {uuid4()}"
        for left in (2, 1, 0):
            answer = client.get("/raw", headers={"Authorization": mine})
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
            assert answer.headers["ratelimit"].startswith(f'"requests";r={left};t=')
        answer = client.get("/raw", headers={"Authorization": mine})
        check(answer, 429, "too-many-requests")
        assert 15 <= int(answer.headers["retry-after"]) <= 20
        assert answer.headers["ratelimit"].startswith('"requests";r=0;t=')
        assert client.get("/raw", headers={"Authorization": other}).status_code == 200
        # The owner of the machine is not counted.
        for _ in range(9):
            answer = client.get("/raw")
            assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


def test_an_address_that_asks_too_much_is_refused():
    """A flood of anonymous requests that is answered to its end."""
    with running(limited(rate_limit_address_a_minute=2)) as client:

        def get(address: str) -> httpx.Response:
            return client.get("/open", headers={"X-Forwarded-For": address})

        assert [get("192.0.2.1").status_code for _ in range(3)] == [200, 200, 429]
        assert get("192.0.2.2").status_code == 200
        check(get("192.0.2.1"), 429, "too-many-requests")
        # A forged entry before the one that our proxy wrote changes nothing.
        assert get("198.51.100.7, 192.0.2.1").status_code == 429
        # All of a subscriber's /64 is one address.
        assert [get(f"2001:db8::{n}").status_code for n in (1, 2, 3)] == [200, 200, 429]
        assert get("2001:db8:0:1::1").status_code == 200
        # This machine's own is not counted.
        assert {client.get("/open").status_code for _ in range(9)} == {200}


def test_wrong_credentials_have_a_bucket_of_their_own():
    """Tokens tried as fast as pages are read; or everybody of an office shut out by one expired tab's reading."""
    with running(limited(rate_limit_failed_sign_ins_a_minute=2)) as client:

        def get(credential: str | None, address: str = "192.0.2.1") -> int:
            headers = {"X-Forwarded-For": address, "Authorization": credential or ""}
            if credential is None:
                client.headers.pop("Authorization", None)
                del headers["Authorization"]
            return client.get("/raw", headers=headers).status_code

        good = f"key {uuid4()}"
        assert [get("wrong") for _ in range(3)] == [401, 401, 429]
        # Nobody learns from the answer whether this one was right.
        assert get(good) == 429
        assert get(good, "192.0.2.2") == 200
        # Who sends none has failed at nothing.
        assert [get(None, "192.0.2.3") for _ in range(4)] == [401] * 4
        assert get(good, "192.0.2.3") == 200


@pytest.mark.parametrize(
    ("client_address", "counted"),
    [
        (None, None),
        (("127.0.0.1", 1), None),
        (("127.9.9.9", 1), None),
        (("::1", 1), None),
        (("::ffff:127.0.0.1", 1), None),
        (("192.0.2.1", 1), "192.0.2.1"),
        (("::ffff:192.0.2.1", 1), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (("a stranger's words" * 1_000, 1), "unknown"),
        (("", 1), "unknown"),
    ],
)
def test_what_counts_as_one_address(client_address, counted):
    """A new bucket for each of 2**64 addresses of one line, or for whatever a header says."""
    assert counted_address({"client": client_address}) == counted


def test_a_bucket_fills_evenly():
    """A minute of silence for one request too many, or more than was promised."""
    now = [0.0]
    made = Buckets("b", 60, lambda: now[0])
    assert [made.take("k").is_allowed for _ in range(61)] == [True] * 60 + [False]
    assert made.look("k").next_in_seconds == 1
    now[0] = 0.99
    assert not made.look("k").is_allowed
    now[0] = 1.0
    assert made.look("k") == made.look("k")
    assert made.take("k").is_allowed
    assert not made.take("k").is_allowed
    now[0] = 1000.0
    assert made.take("k").left == 59
    assert made.take("k").full_in_seconds == 2


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 20))
def test_nobody_gets_more_than_a_bucket_and_its_refill(waits, a_minute):
    """A rate that rounding or the order of calls lets grow."""
    now = [0.0]
    made = Buckets("b", a_minute, lambda: now[0])
    allowed = 0
    for wait in waits:
        now[0] += wait
        standing = made.take("k")
        allowed += standing.is_allowed
        assert 0 <= standing.left <= a_minute
        assert (standing.next_in_seconds == 0) == standing.is_allowed
    assert allowed <= a_minute + now[0] * a_minute / buckets.SECONDS + 1e-6


def test_buckets_do_not_fill_the_memory(monkeypatch):
    """A flood from a million addresses that ends the process."""
    monkeypatch.setattr(buckets, "MOST_KEYS", 3)
    made = Buckets("b", 1, lambda: 0.0)
    for key in range(10):
        made.take(key)
    assert len(made._levels) == 3
    assert not made.take(9).is_allowed
    assert made.take(0).is_allowed
