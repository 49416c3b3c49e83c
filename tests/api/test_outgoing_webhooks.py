"""Webhooks that go out: told of what their owner may see, signed, tried again, given up, never sent inside."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from mails import seed_id
from seed import seed_other
from sqlalchemy import text

from rl_emails_api.outgoing_webhooks import deliverer as delivering
from rl_emails_api.outgoing_webhooks import endpoints
from rl_emails_api.outgoing_webhooks.deliverer import Deliverer, delay_seconds
from rl_emails_api.outgoing_webhooks.sending import RefusedUrlError, Sender
from rl_emails_api.outgoing_webhooks.signing import signature
from rl_emails_assets.settings import Settings

QUOTE = str(seed_id("quote"))


class Receiver(BaseHTTPRequestHandler):
    """A program that takes webhooks: it answers what it is told to, and keeps what came."""

    def do_POST(self):
        """Take one."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers.items()), body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def receiver():
    """A receiver on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.came, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook?x=1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def tls():
    """Made once: reading every authority takes a while."""
    made = ssl.create_default_context()
    return lambda: made


@pytest.fixture
def server(serve, mailbox_id, home, monkeypatch):
    """An API that may send inside, and does so only when a test has it done."""
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 3600)
    return serve(webhooks_to_private_addresses=True, home=home)


class Works:
    """The deliverer of another process, step by step."""

    def __init__(self, server, tls, **more):
        sender = Sender(ssl_context=tls, allows_private=True, **more)
        self._deliverer = Deliverer(lambda: server.engine, server.app.state.settings, sender)
        self._engine = server.engine

    def look(self):
        """Make deliveries."""
        self.settle()
        asyncio.run(self._deliverer.look(0))

    def send(self):
        """Send what is due, as if any delay had passed."""
        with self._engine.begin() as connection:
            connection.execute(text("update app.webhook_deliveries set next_at = now() where state = 'waiting'"))
        return asyncio.run(self._deliverer.send_due())

    def settle(self):
        """Until nothing older than the newest change runs."""
        deadline = time.monotonic() + 10
        query = text(
            "select coalesce(max(transaction_id), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
            "from app.changes"
        )
        while time.monotonic() < deadline:
            with self._engine.connect() as connection:
                if connection.execute(query).scalar_one():
                    return
        raise AssertionError("a transaction has been open for 10 seconds")


@pytest.fixture
def works(server, tls):
    """The deliverer."""
    return Works(server, tls)


def make(client, receiver, events=("message.changed", "message.removed")):
    """A webhook, with its secret."""
    body = {"url": receiver.url, "events": list(events), "description": "Tickets"}
    answer = client.post("/v1/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def act(client, action="done", name="quote"):
    """Something happens."""
    body = {"action": action, "message_ids": [str(seed_id(name))]}
    client.post("/v1/messages/actions", json=body).raise_for_status()


def only(client, made):
    """Its only delivery."""
    (found,) = client.get(f"/v1/webhooks/{made['webhook_id']}/deliveries").raise_for_status().json()["items"]
    return found


def test_what_changed_is_sent_signed_and_without_mail(client, receiver, works):
    """A program that is not told; one that cannot tell us from a stranger; mail in a stranger's log."""
    made = make(client, receiver)
    act(client)
    works.look()
    assert works.send() == 1
    ((headers, body),) = receiver.came
    assert json.loads(body)["data"]["items"] == [
        {
            "kind": "message", "id": QUOTE, "mailbox_id": str(seed_id("ada@example.org")), "change": "changed",
            "thread_id": str(seed_id("thread pier")),
        }
    ]  # fmt: skip
    assert json.loads(body)["type"] == "changes"
    # As the specification says it, and not as our code does.
    key = base64.b64decode(made["secret"].split("_", 1)[1])
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}".encode()
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    delivery = only(client, made)
    assert (delivery["state"], delivery["status"], delivery["attempts"]) == ("delivered", 204, 1)
    assert delivery["delivery_id"] == headers["webhook-id"]
    assert client.get(f"/v1/webhooks/{made['webhook_id']}").json()["delivered_at"]
    works.look()
    assert works.send() == 0


def test_the_signature_is_the_specifications():
    """A signature that no library but ours verifies: the example of the specification's own libraries."""
    secret, name, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(secret, name, at, b'{"test": 2432232314}') == expected


def test_only_the_events_that_were_asked_for(client, server, receiver, works):
    """A program woken for everything."""
    made = make(client, receiver, ["message.removed"])
    act(client)
    works.look()
    assert works.send() == 0
    with server.engine.begin() as connection:
        connection.execute(text("delete from raw.messages where message_id = :id"), {"id": QUOTE})
    works.look()
    works.send()
    assert [item["change"] for item in json.loads(receiver.came[0][1])["data"]["items"]] == ["removed"]
    assert only(client, made)["state"] == "delivered"


def test_another_ones_mailbox_is_not_told(client, server, receiver, works):
    """A colleague's mail, counted from outside."""
    other, stranger = seed_other(server.engine), uuid.uuid4()
    with server.engine.begin() as connection:
        values = {"s": stranger, "id": other}
        connection.execute(text("insert into identity.users (user_id, issuer, subject) values (:s, 'x', 'x')"), values)
        connection.execute(text("update mailboxes.connections set owner_user_id = :s where mailbox_id = :id"), values)
    make(client, receiver)
    with server.engine.begin() as connection:
        connection.execute(text("update priorities.messages set score = 0.5 where mailbox_id = :id"), {"id": other})
    works.look()
    assert works.send() == 0


def test_what_fails_is_tried_again_under_the_same_id_and_then_given_up(client, receiver, works, monkeypatch):
    """A delivery lost to a restart of the receiver; one that is tried for ever; one that cannot be sent again."""
    monkeypatch.setattr(delivering, "ATTEMPTS", 3)
    made = make(client, receiver)
    act(client)
    works.look()
    receiver.answers += [(500, {}), (302, {"Location": "http://127.0.0.1:1/"}), (404, {})]
    for attempt in (1, 2, 3):
        works.send()
        assert (only(client, made)["attempts"], len(receiver.came)) == (attempt, attempt)
    delivery = only(client, made)
    assert (delivery["state"], delivery["status"], delivery["next_at"]) == ("dead", 404, None)
    assert "404" in delivery["error"]
    assert client.get(f"/v1/webhooks/{made['webhook_id']}").json()["failing_since"]
    assert works.send() == 0
    path = f"/v1/webhooks/{made['webhook_id']}/deliveries/{delivery['delivery_id']}/redrive"
    again = client.post(path).raise_for_status().json()
    assert (again["state"], again["attempts"]) == ("waiting", 0)
    assert client.post(path).status_code == 404
    works.send()
    assert {headers["webhook-id"] for headers, _ in receiver.came} == {delivery["delivery_id"]}
    assert only(client, made)["state"] == "delivered"
    assert client.get(f"/v1/webhooks/{made['webhook_id']}").json()["failing_since"] is None


def test_a_delivery_that_failed_waits(client, server, receiver, works):
    """A receiver in trouble that is asked again at once, by everybody."""
    make(client, receiver)
    act(client)
    works.look()
    receiver.answers += [(503, {"Retry-After": "3000"}), (429, {})]
    works.send()
    with server.engine.connect() as connection:
        at = connection.execute(text("select next_at - now() from app.webhook_deliveries")).scalar_one()
    assert timedelta(seconds=2900) < at <= timedelta(seconds=3010)


@given(attempts=st.integers(1, 40), chance=st.floats(0, 1, exclude_max=True))
def test_delays_grow_and_are_bounded(attempts, chance):
    """All of a receiver's deliveries coming back in the same second, or next year."""
    found = delay_seconds(attempts, lambda: chance)
    assert 0 <= found <= min(delivering.FIRST_DELAY_SECONDS * 3 ** (attempts - 1), delivering.LONGEST_DELAY_SECONDS)
    assert delay_seconds(attempts, lambda: 0.5) <= delay_seconds(attempts + 1, lambda: 0.5)


def test_tried_for_about_a_day():
    """A weekend's receiver given up on after a minute, or one that is gone tried for weeks."""
    total = sum(delay_seconds(attempts, lambda: 0.5) for attempts in range(1, delivering.ATTEMPTS))
    assert 18 * 3600 < total < 30 * 3600


@pytest.mark.parametrize("how", ["gone", "hopeless"])
def test_what_will_never_work_is_disabled_and_told(client, server, receiver, works, how):
    """Years of requests to a program that was switched off; an owner who believes that it works."""
    made = make(client, receiver)
    act(client)
    works.look()
    receiver.answers += [(410 if how == "gone" else 500, {})]
    if how == "hopeless":
        with server.engine.begin() as connection:
            connection.execute(text("update app.webhooks set failing_since = now() - interval '4 days'"))
    works.send()
    found = client.get(f"/v1/webhooks/{made['webhook_id']}").json()
    assert found["is_enabled"] is False
    assert found["disabled_reason"]
    assert only(client, made)["state"] == ("dead" if how == "gone" else "waiting")
    with server.engine.connect() as connection:
        kinds = connection.execute(text("select kind from app.notices where ended_at is null")).scalars().all()
    assert kinds == ["webhook_disabled"]
    act(client, "star")
    works.look()
    assert works.send() == 0
    enabled = client.patch(f"/v1/webhooks/{made['webhook_id']}", json={"is_enabled": True}).json()
    assert (enabled["is_enabled"], enabled["disabled_reason"], enabled["failing_since"]) == (True, "", None)
    works.look()
    # What happened meanwhile.
    assert works.send() >= 1


def test_one_who_left_is_sent_nothing(client, server, receiver, works):
    """A former member's program that goes on listening."""
    make(client, receiver)
    act(client)
    with server.engine.begin() as connection:
        connection.execute(text("update identity.users set deactivated_at = now()"))
    works.look()
    assert works.send() == 0
    with server.engine.connect() as connection:
        assert connection.execute(text("select disabled_reason from app.webhooks")).scalar_one()


def test_two_processes_send_each_delivery_once(client, server, receiver, tls):
    """Every delivery as often as there are processes."""
    make(client, receiver)
    for action in ("done", "star"):
        act(client, action)
        Works(server, tls).look()
    processes = [Works(server, tls) for _ in range(3)]
    threads = [threading.Thread(target=lambda each=each: asyncio.run(each._deliverer.send_due())) for each in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.came) == len({headers["webhook-id"] for headers, _ in receiver.came}) == 2


def test_what_a_dead_process_held_is_sent_by_another(client, server, receiver, works):
    """A delivery lost with the process that had taken it."""
    make(client, receiver)
    act(client)
    works.look()
    assert len(works._deliverer._take()) == 1
    assert asyncio.run(works._deliverer.send_due()) == 0
    assert works.send() == 1
    assert len(receiver.came) == 1


def test_what_was_forgotten_meanwhile_is_told(client, server, receiver, works):
    """A program that was disabled for longer than the feed remembers, and goes on with holes."""
    make(client, receiver)
    with server.engine.begin() as connection:
        connection.execute(text("update app.webhooks set cursor = replace(cursor, left(cursor, 8), 'AQAAAAAA')"))
    works.look()
    works.send()
    assert json.loads(receiver.came[0][1])["type"] == "changes.expired"


def test_a_webhook_that_cannot_keep_up_is_not_buried(client, server, receiver, works, monkeypatch):
    """A table that grows by every change while a receiver is down."""
    monkeypatch.setattr(delivering, "MOST_WAITING", 2)
    made = make(client, receiver)
    for action in ("done", "not_done", "done", "not_done"):
        act(client, action)
        works.look()
    items = client.get(f"/v1/webhooks/{made['webhook_id']}/deliveries").json()["items"]
    assert len(items) == 2
    works.send()
    works.look()
    works.send()
    assert len(receiver.came) == 3


@pytest.mark.parametrize(
    "url",
    [
        "http://program.example.org/", "ftp://program.example.org/", "https://", "nonsense", "https://a:b@example.org/",
        "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://0/",
        "https://[::ffff:10.0.0.1]/", "https://example.org/#x", "",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(tls, url):
    """A webhook into the operator's own network, which answers those who are inside."""
    with pytest.raises(RefusedUrlError):
        Sender(ssl_context=tls).check(url)


def test_a_refused_address_is_a_problem_that_names_it(serve, mailbox_id, home):
    """A webhook that is taken and never works."""
    with serve(home=home).client() as client:
        answer = client.post("/v1/webhooks", json={"url": "http://10.0.0.1/", "events": ["task.changed"]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["location"] == ["body", "url"]


@pytest.mark.parametrize(
    ("addresses", "said"), [(["10.0.0.1"], "public"), (["8.8.8.8", "127.0.0.1"], "public"), ([], "name")]
)
def test_a_name_that_leads_inside_is_refused_when_something_is_sent(tls, addresses, said):
    """A name that was public when the webhook was made, and is bound to an address inside now."""

    async def resolve(host, port):
        return addresses

    outcome = asyncio.run(Sender(ssl_context=tls, resolve=resolve).send("https://a.example/", "whsec_AAAA", "d", b"{}"))
    assert outcome.status is None
    assert said in outcome.error


def test_a_receiver_that_is_not_there_or_silent(tls):
    """An attempt that takes for ever, or ends in a crash."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        sender = Sender(ssl_context=tls, allows_private=True, total_seconds=0.2)
        outcome = asyncio.run(sender.send(f"http://127.0.0.1:{port}/", "whsec_AAAA", "d", b"{}"))
        assert "within" in outcome.error
    outcome = asyncio.run(sender.send(f"http://127.0.0.1:{port}/", "whsec_AAAA", "d", b"{}"))
    assert "reached" in outcome.error


def test_retry_after_is_a_number_or_a_date(tls):
    """A date read as nothing, or as years."""
    sender = Sender(ssl_context=tls, clock=lambda: 1_700_000_000.0)
    at = format_datetime(datetime.fromtimestamp(1_700_000_090, UTC), usegmt=True)
    assert sender._seconds(at.encode()) == 90
    assert sender._seconds(b"7") == 7
    assert sender._seconds(b"soon") is None


def test_the_life_of_a_webhook(client, server, receiver, monkeypatch):
    """A secret shown twice, or kept in the clear; a webhook that cannot be changed or taken away."""
    made = make(client, receiver)
    path = f"/v1/webhooks/{made['webhook_id']}"
    shown = client.get(path).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert client.get("/v1/webhooks").json()["items"] == [shown]
    with server.engine.connect() as connection:
        row = str(connection.execute(text("select * from app.webhooks")).one())
    assert made["secret"] not in row
    changed = client.patch(path, json={"description": "Other", "events": ["task.changed"], "url": receiver.url + "2"})
    assert (changed.json()["description"], changed.json()["events"]) == ("Other", ["task.changed"])
    assert changed.json()["url"].endswith("2")
    assert client.patch(path, json={"is_enabled": False}).json()["is_enabled"] is False
    monkeypatch.setattr(endpoints, "MOST_WEBHOOKS", 1)
    body = {"url": receiver.url, "events": ["task.changed"]}
    assert client.post("/v1/webhooks", json=body).status_code == 409
    assert client.delete(path).status_code == 204
    for answer in (
        client.get(path),
        client.delete(path),
        client.patch(path, json={}),
        client.get(f"{path}/deliveries"),
    ):
        assert answer.status_code == 404


def test_a_new_key_seals_the_secret_anew_and_a_lost_one_is_told(client, server, receiver, works, monkeypatch, home):
    """A secret that is lost when an old key is taken away; deliveries signed with nothing."""

    def keys(*given):
        settings = Settings(secret_keys=",".join(base64.b64encode(each).decode() for each in given), home=home)
        works._deliverer._settings = server.app.state.settings = settings

    old, new = AESGCM.generate_key(256), AESGCM.generate_key(256)
    keys(old)
    made = make(client, receiver)
    keys(new, old)
    act(client)
    works.look()
    keys(new)
    works.send()
    assert only(client, made)["state"] == "delivered"
    keys(old)
    act(client, "star")
    works.look()
    works.send()
    items = client.get(f"/v1/webhooks/{made['webhook_id']}/deliveries").json()["items"]
    assert "key is gone" in items[0]["error"]


def test_the_api_process_delivers_by_itself(serve, mailbox_id, home, receiver, monkeypatch):
    """A deliverer that nothing starts."""
    monkeypatch.setattr(delivering, "LOOK_SECONDS", 0.05)
    with serve(webhooks_to_private_addresses=True, home=home).client() as client:
        make(client, receiver)
        act(client)
        deadline = time.monotonic() + 20
        while not receiver.came and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(receiver.came) == 1
