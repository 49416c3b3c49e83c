"""POST /webhooks/gmail: who may push, what a push does, and what it never does."""

import base64
import datetime as dt
import hmac
import json
import time

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from mails import seed_id
from push_signing import AUDIENCE, SERVICE_ACCOUNT, SigningKey, key_server, push_body
from serving import TOKEN
from sqlalchemy import create_engine, insert, select, update

from rl_emails_api.identity import signing_keys
from rl_emails_assets.db.tables import mailboxes, raw, sync_queue

ADDRESS = "ada@gmail.example"
MAILBOX = seed_id(ADDRESS)
KEY = SigningKey("key-1")
OTHER = SigningKey("key-2")


@pytest.fixture(scope="module")
def keys():
    """Google's keys, published."""
    with key_server() as server:
        yield server


@pytest.fixture
def connected(engine):
    """A Gmail mailbox with a live watch."""
    with engine.begin() as connection:
        connection.execute(insert(mailboxes.connections).values(mailbox_id=MAILBOX, address=ADDRESS, provider="gmail"))
        connection.execute(insert(mailboxes.watches).values(mailbox_id=MAILBOX, topic="projects/p/topics/t"))
    return engine


@pytest.fixture
def hook(serve, connected, keys):
    """A client of a server that takes pushes, with no token of its own."""
    keys.keys, keys.status, keys.body, keys.asked = [KEY.public_jwk], 200, None, 0
    keys.cache_control = "public, max-age=3600"
    running = serve(
        gmail_push_audience=AUDIENCE,
        gmail_push_service_account=SERVICE_ACCOUNT,
        google_certs_url=keys.url,
        public_url="https://mail.example.org",
    )
    with httpx.Client(base_url=running.url, timeout=30) as client:
        client.server = running
        yield client


def push(client, token=None, body=None, **headers):
    """Send a push; a genuine one unless told."""
    token = KEY.sign() if token is None else token
    content = body if isinstance(body, bytes) else json.dumps(body or push_body(ADDRESS, 4711)).encode()
    return client.post("/webhooks/gmail", content=content, headers={"Authorization": f"Bearer {token}", **headers})


def waiting(engine):
    """(kind, asked_by) of what waits in the queue."""
    with engine.connect() as connection:
        table = sync_queue.requests
        return [tuple(row) for row in connection.execute(select(table.c.kind, table.c.asked_by))]


def counted(engine):
    """Pushes by outcome, as the database has counted them."""
    with engine.connect() as connection:
        table = sync_queue.push_counts
        return {row.outcome: row.push_count for row in connection.execute(select(table))}


def answered(client):
    """Requests by outcome, as the process has counted them."""
    with client.server.client() as reader:
        lines = reader.get("/metrics").text.splitlines()
    name = "rl_emails_webhook_requests_total{outcome="
    found = (line.removeprefix(name).split("} ") for line in lines if line.startswith(name))
    return {outcome.strip('"'): float(count) for outcome, count in found if float(count)}


def test_a_push_becomes_a_request_and_nothing_is_said(hook, connected):
    """Mail that waits for the next poll, or a redelivery because the answer was not a plain 204."""
    answer = push(hook)
    assert (answer.status_code, answer.content) == (204, b"")
    assert waiting(connected) == [("partial", "webhook")]
    with connected.connect() as connection:
        watch = connection.execute(select(mailboxes.watches)).one()
    assert watch.push_count == 1
    assert watch.last_push_at is not None
    assert answered(hook) == {"queued": 1}


def test_repetitions_and_reordering_change_nothing(hook, connected):
    """A replayed push that starts a sync again; two requests for one mailbox."""
    for history_id, push_id in ((20, "a"), (20, "a"), (10, "b"), (30, "c"), (20, "a")):
        assert push(hook, body=push_body(ADDRESS, history_id, push_id)).status_code == 204
    assert waiting(connected) == [("partial", "webhook")]
    assert counted(connected) == {"queued": 1, "duplicate": 2, "joined": 2}


def test_what_is_known_already_asks_for_nothing(hook, connected):
    """A sync for every echo of our own reading."""
    with connected.begin() as connection:
        connection.execute(
            insert(raw.cursors).values(
                mailbox_id=MAILBOX,
                source="gmail",
                position={"history_id": "5000"},
                started_at=dt.datetime.now(dt.UTC),
            )
        )
    assert push(hook).status_code == 204
    assert waiting(connected) == []
    assert answered(hook) == {"known": 1}


@pytest.mark.parametrize("history_id", [4711, "4711", "184467440737095516151"])
def test_a_history_id_is_a_number_or_its_digits(hook, connected, history_id):
    """A push dropped because of how its number is written."""
    assert push(hook, body=push_body(ADDRESS, history_id)).status_code == 204
    assert counted(connected) == {"queued": 1}


def test_both_alphabets_of_base64_are_read(hook, connected):
    """A push dropped because Gmail's page and Pub/Sub's differ on its encoding."""
    for number, address in enumerate((ADDRESS, f"{ADDRESS}?>?>?>")):
        body = push_body(address, 1, str(number), is_url_safe=True)
        body["message"]["data"] = body["message"]["data"].rstrip("=")
        assert push(hook, body=body).status_code == 204
    assert counted(connected) == {"queued": 1, "unknown": 1}


def test_an_unknown_account_is_acknowledged(hook, connected):
    """A redelivery for seven days, or an answer that tells whose mail is here."""
    answers = [push(hook, body=push_body(address, 1, address)) for address in (ADDRESS, "nobody@gmail.example")]
    assert answers[0].content == answers[1].content == b""
    assert {answer.status_code for answer in answers} == {204}
    assert counted(connected) == {"queued": 1, "unknown": 1}


@pytest.mark.parametrize("state", ["reconnect_needed", "disconnecting"])
def test_a_mailbox_that_is_not_connected_is_not_synced(hook, connected, state):
    """A queue full of requests that can only fail."""
    with connected.begin() as connection:
        connection.execute(update(mailboxes.connections).values(state=state))
    assert push(hook).status_code == 204
    assert waiting(connected) == []


def _data(value):
    return {"message": {"data": base64.b64encode(json.dumps(value).encode()).decode(), "messageId": "1"}}


GARBAGE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b"[" * 60_000,
    b"1" * 5_000,
    b'{"message": null}',
    b'{"message": {}}',
    b'{"message": {"data": "!!!", "messageId": "1"}}',
    b'{"message": {"data": 5, "messageId": "1"}}',
    b'{"message": {"data": "\xc3\xa9", "messageId": "1"}}',
    json.dumps({"message": {**push_body(ADDRESS, 1)["message"], "messageId": "x" * 200}}).encode(),
    json.dumps({"message": {"data": push_body(ADDRESS, 1)["message"]["data"]}}).encode(),
    *(
        json.dumps(_data(value)).encode()
        for value in (
            None,
            [],
            {"emailAddress": ADDRESS},
            {"historyId": 1},
            {"emailAddress": 7, "historyId": 1},
            {"emailAddress": "a\x00@b.example", "historyId": 1},
            {"emailAddress": "\ud800@b.example", "historyId": 1},
            {"emailAddress": "no address", "historyId": 1},
            {"emailAddress": "a" * 400 + "@b.example", "historyId": 1},
            {"emailAddress": ADDRESS, "historyId": -1},
            {"emailAddress": ADDRESS, "historyId": 1.5},
            {"emailAddress": ADDRESS, "historyId": "٣"},
            {"emailAddress": ADDRESS, "historyId": "9" * 31},
            {"emailAddress": ADDRESS, "historyId": True},
        )
    ),
]


def test_garbage_is_acknowledged_and_counted(hook, connected):
    """A crash, or a redelivery storm, for a body that will never be readable."""
    for body in GARBAGE:
        answer = push(hook, body=body or b" ")
        assert (answer.status_code, answer.content) == (204, b""), body[:80]
    assert counted(connected) == {"garbage": len(GARBAGE)}
    assert waiting(connected) == []


def _unsigned() -> str:
    made = KEY.sign().split(".")
    header = base64.urlsafe_b64encode(b'{"alg": "none", "kid": "key-1"}').rstrip(b"=").decode()
    return f"{header}.{made[1]}."


def _hmac_with_the_public_key() -> str:
    public = KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = base64.urlsafe_b64encode(b'{"alg": "HS256", "kid": "key-1"}').rstrip(b"=").decode()
    signed = f"{header}.{KEY.sign().split('.')[1]}"
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), "sha256")).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def _altered() -> str:
    header, _, signature = KEY.sign().split(".")
    claims = OTHER.sign(email="somebody@example.org").split(".")[1]
    return f"{header}.{claims}.{signature}"


def _bomb() -> str:
    nested = base64.urlsafe_b64encode(b"[" * 9_000).rstrip(b"=").decode()
    return f"{nested}.{nested}.AAAA"


FORGED = {
    "no token": lambda: "abc",
    "half a token": lambda: KEY.sign()[:-40],
    "three dots": lambda: "...",
    "another key under this name": lambda: SigningKey("key-1").sign(),
    "a key nobody has": OTHER.sign,
    "no key named": lambda: KEY.sign(headers={"kid": None}),
    "not signed": _unsigned,
    "signed with the public key": _hmac_with_the_public_key,
    "another algorithm": lambda: KEY.sign(algorithm="RS512"),
    "other claims under a good signature": _altered,
    "a nest of brackets": _bomb,
    "for somebody else": lambda: KEY.sign(aud="https://other.example/webhooks/gmail"),
    "for us among others": lambda: KEY.sign(aud=[AUDIENCE, "https://other.example"]),
    "for nobody": lambda: KEY.sign(aud=None),
    "from another issuer": lambda: KEY.sign(iss="https://accounts.google.com.evil.example"),
    "from no issuer": lambda: KEY.sign(iss=None),
    "another service account": lambda: KEY.sign(email="other@example.iam.gserviceaccount.com"),
    "an account beside ASCII": lambda: KEY.sign(email="push\u00e9@example.iam.gserviceaccount.com"),
    "an account that is no text": lambda: KEY.sign(email=[SERVICE_ACCOUNT]),
    "no service account": lambda: KEY.sign(email=None),
    "not verified": lambda: KEY.sign(email_verified=False),
    "verified by a word": lambda: KEY.sign(email_verified="true"),
    "nothing of verified": lambda: KEY.sign(email_verified=None),
    "run out": lambda: KEY.sign(exp=int(time.time()) - 120),
    "never running out": lambda: KEY.sign(exp=None),
    "running out at no number": lambda: KEY.sign(exp="soon"),
    "without a time": lambda: KEY.sign(iat=None),
    "from the future": lambda: KEY.sign(iat=int(time.time()) + 600),
    "not yet good": lambda: KEY.sign(nbf=int(time.time()) + 600),
}


def test_a_forged_token_is_refused_and_learns_nothing(hook, connected):
    """Anybody who knows the address making us sync, or learning who has a mailbox here."""
    told = set()
    for name, made in FORGED.items():
        for address in (ADDRESS, "nobody@gmail.example"):
            answer = push(hook, token=made(), body=push_body(address, 1))
            assert answer.status_code == 401, name
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
            told.add(answer.text)
    assert len(told) == 1
    assert ADDRESS not in told.pop()
    assert waiting(connected) == []
    assert counted(connected) == {}
    assert answered(hook) == {"refused": 2 * len(FORGED)}


@pytest.mark.parametrize("header", ["", "Bearer", "Basic {}", "{}", f"Bearer {TOKEN}"])
def test_only_a_bearer_token_of_googles_is_one(hook, connected, header):
    """Our own access token, or another scheme, that opens the webhook."""
    answer = push(hook, Authorization=header.format(KEY.sign()))
    assert answer.status_code == 401
    assert waiting(connected) == []


def test_clocks_may_be_a_little_apart(hook, connected):
    """Pushes lost because Google's clock and ours differ by seconds, or because of how it writes its name."""
    now = int(time.time())
    for number, claims in enumerate(
        ({"exp": now - 30}, {"iat": now + 30}, {"iss": "accounts.google.com"}, {"iat": now - 3500})
    ):
        assert push(hook, KEY.sign(**claims), push_body(ADDRESS, 1, str(number))).status_code == 204


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_large_body_is_not_read(hook, connected, is_chunked):
    """Memory filled by one request, with or without a length that was told."""
    large = b"x" * (64 * 1024 + 1)
    answer = hook.post(
        "/webhooks/gmail",
        content=iter([large[:40_000], large[40_000:]]) if is_chunked else large,
        headers={"Authorization": f"Bearer {KEY.sign()}"},
    )
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:rl-emails:problem:push-too-large"
    assert answered(hook) == {"too_large": 1}


def test_the_body_of_a_forged_push_is_not_read(hook):
    """Work for whoever sends much: a token that is wrong is refused whatever comes after it."""
    answer = hook.post("/webhooks/gmail", content=b"x" * 100_000, headers={"Authorization": "Bearer forged"})
    assert answer.status_code == 401


def test_the_largest_body_that_is_allowed_is_read(hook, connected):
    """A limit that is off by one."""
    body = json.dumps(push_body(ADDRESS, 1)).encode()
    assert push(hook, body=body + b" " * (64 * 1024 - len(body))).status_code == 204
    assert counted(connected) == {"queued": 1}


def test_without_settings_pushes_are_refused_by_name(serve, mailbox_id):
    """A push endpoint that takes anything because nothing was set."""
    running = serve(gmail_push_audience=AUDIENCE)
    with httpx.Client(base_url=running.url, timeout=30) as client:
        answer = push(client)
        client.server = running
        assert answered(client) == {"unconfigured": 1}
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:rl-emails:problem:push-not-configured"
    for name in ("RL_EMAILS_GMAIL_PUSH_AUDIENCE", "RL_EMAILS_GMAIL_PUSH_SERVICE_ACCOUNT"):
        assert name in answer.json()["detail"]


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (200, b"<html>"), (200, b'{"keys": []}'), (200, b"[]"), (200, b'{"keys": [{}]}')]
)
def test_without_googles_keys_the_push_is_to_come_again(hook, connected, keys, monkeypatch, status, body):
    """A push that is dropped, or taken on trust, because the keys cannot be fetched."""
    monkeypatch.setattr(signing_keys, "RETRY_SECONDS", 0)
    keys.status, keys.body = status, body
    answer = push(hook)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:rl-emails:problem:push-keys-unavailable"
    assert answer.headers["retry-after"] == "5"
    assert waiting(connected) == []
    keys.status, keys.body = 200, None
    assert push(hook).status_code == 204
    assert answered(hook) == {"keys_unavailable": 1, "queued": 1}


def test_keys_are_fetched_once(hook, keys):
    """A request to Google for every push."""
    for number in range(5):
        push(hook, body=push_body(ADDRESS, 1, str(number)))
    assert keys.asked == 1


def test_a_database_that_is_away_makes_google_send_again(hook, connected):
    """A push acknowledged and lost."""
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none", connect_args={"connect_timeout": 2})
    intake = hook.server.app.state.gmail_webhook.intake
    intake._engine, present = away, intake._engine
    answer = push(hook)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:rl-emails:problem:unavailable"
    intake._engine = present
    assert push(hook).status_code == 204
    assert answered(hook) == {"failed": 1, "queued": 1}


def test_the_public_name_is_ours_and_others_are_not(hook):
    """Google's pushes refused by our own Host check; or a page under any name rebound to us."""
    assert push(hook, Host="mail.example.org").status_code == 204
    assert push(hook, Host="MAIL.example.org:443").status_code == 204
    assert push(hook, Host="evil.example").status_code == 421
    signed_in = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/v1/mailboxes", "/", "/admin", "/metrics"):
        assert hook.get(path, headers={"Host": "mail.example.org"}).status_code == 401
        assert hook.get(path, headers={"Host": "mail.example.org", **signed_in}).status_code == 200
        assert hook.get(path, headers={"Host": "evil.example", **signed_in}).status_code == 421
    assert hook.get("/webhooks/gmail", headers=signed_in).status_code == 405
