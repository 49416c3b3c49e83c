"""The stand-in's pushes: lossy, late and repeated as Pub/Sub's are, and signed as Google signs."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import jwt
import pytest
from googleapiclient.errors import HttpError

from tests.gmail.standin.client import google_client
from tests.gmail.standin.replies import Request, Response
from tests.gmail.standin.server import Server


@dataclass
class Receiver:
    """An endpoint that notes what it gets and answers as told."""

    statuses: list[int] = field(default_factory=list)
    """Of the next answers; 204 after them."""
    got: list[dict] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """Notes it."""
        with self.lock:
            self.got.append(json.loads(request.body))
            self.tokens.append(request.headers["authorization"].removeprefix("Bearer "))
            return Response(self.statuses.pop(0) if self.statuses else 204)

    def data(self) -> list[dict]:
        """What Gmail published."""
        return [json.loads(base64.urlsafe_b64decode(entry["message"]["data"])) for entry in self.got]


@pytest.fixture
def receiver(gmail) -> Iterator[Receiver]:
    """Where pushes go."""
    made = Receiver()
    server = Server(made.answer)
    gmail.pubsub.endpoint = f"{server.url}/webhooks/gmail"
    gmail.pubsub.redelivery_seconds = (0.01,)
    gmail.pubsub.on_watch = False
    yield made
    gmail.pubsub.close()
    server.close()


@pytest.fixture
def watched(gmail, owner):
    """The owner, watched."""
    with google_client(gmail, owner) as service:
        service.users().watch(userId="me", body={"topicName": gmail.topic}).execute()
    return owner


def test_a_change_is_pushed_and_signed(gmail, watched, receiver):
    watched.deliver()
    gmail.pubsub.wait_until_quiet()
    (told,) = receiver.data()
    assert (told["emailAddress"], int(told["historyId"])) == (watched.address, watched.history_id)
    assert receiver.got[0]["subscription"] == gmail.subscription
    assert receiver.got[0]["message"]["messageId"] == receiver.got[0]["message"]["message_id"]
    overrides = gmail.settings_overrides()
    key = jwt.PyJWKClient(overrides["google_certs_url"]).get_signing_key_from_jwt(receiver.tokens[0])
    claims = jwt.decode(
        receiver.tokens[0],
        key,
        algorithms=["RS256"],
        audience=overrides["gmail_push_audience"],
        issuer=overrides["google_issuer"],
    )
    assert (claims["email"], claims["email_verified"]) == (overrides["gmail_push_service_account"], True)
    assert claims["exp"] - claims["iat"] == 3600


def test_history_ids_are_pushed_as_numbers_and_as_digits(gmail, owner, receiver):
    for number in range(4):
        gmail.pubsub.publish(owner.address, 2**53 + number)
    gmail.pubsub.wait_until_quiet()
    assert {type(told["historyId"]) for told in receiver.data()} == {int, str}
    assert sorted(int(told["historyId"]) for told in receiver.data()) == [2**53 + number for number in range(4)]


def test_one_a_second_and_the_rest_is_dropped(gmail, watched, receiver):
    first = watched.history_id
    gmail.pubsub.seconds = lambda: 100.0
    for _ in range(5):
        watched.deliver()
    gmail.pubsub.wait_until_quiet()
    (told,) = receiver.data()
    assert first < int(told["historyId"]) < watched.history_id
    assert gmail.pubsub.dropped_count == 4
    gmail.pubsub.seconds = lambda: 101.0
    watched.deliver()
    gmail.pubsub.one_per_second = False
    watched.deliver()
    gmail.pubsub.wait_until_quiet()
    assert len(receiver.got) == 3


def test_nobody_unwatched_is_pushed_for(gmail, owner, receiver):
    owner.deliver()
    with google_client(gmail, owner) as service:
        service.users().watch(userId="me", body={"topicName": gmail.topic}).execute()
        service.users().stop(userId="me").execute()
    owner.deliver()
    assert gmail.pubsub.pushes == []
    assert receiver.got == []


def test_a_watch_lapses_in_silence(gmail, watched):
    with google_client(gmail, watched) as service:
        answer = service.users().watch(userId="me", body={"topicName": gmail.topic}).execute()
        left = int(answer["expiration"]) - gmail.clock.milliseconds()
        assert 6.99 < left / 86_400_000 <= 7
        assert int(answer["historyId"]) == watched.history_id
        published = len(gmail.pubsub.pushes)
        gmail.advance(days=7, seconds=1)
        watched.deliver()
        assert len(gmail.pubsub.pushes) == published
        service.users().watch(userId="me", body={"topicName": gmail.topic}).execute()
    assert len(gmail.pubsub.pushes) == published + 1  # A watch publishes once at its start.


def test_watches_are_refused(gmail, owner):
    with google_client(gmail, owner) as service:
        for topic, message in [
            ("gmail", "Invalid topicName"),
            (f"projects/{gmail.project}/topics/other", "Error sending test message to Cloud PubSub"),
        ]:
            with pytest.raises(HttpError, match=message):
                service.users().watch(userId="me", body={"topicName": topic}).execute()
    assert owner.watch is None


@pytest.mark.parametrize(("action", "expected"), [("include", "INBOX"), ("exclude", "SENT")])
def test_a_watch_of_labels(gmail, owner, action, expected):
    gmail.pubsub.one_per_second = gmail.pubsub.on_watch = False
    body = {"topicName": gmail.topic, "labelIds": ["INBOX"], "labelFilterBehavior": action}
    with google_client(gmail, owner) as service:
        service.users().watch(userId="me", body=body).execute()
    for label in ("INBOX", "SENT"):
        owner.deliver(labels=[label])
        assert bool(gmail.pubsub.pushes) == (label == expected)
        gmail.pubsub.pushes.clear()


def test_what_is_not_acknowledged_comes_again_with_the_same_id(gmail, owner, receiver):
    receiver.statuses = [500, 429, 302]
    push = gmail.pubsub.publish(owner.address, 5)
    gmail.pubsub.wait_until_quiet()
    assert {entry["message"]["messageId"] for entry in receiver.got} == {push.id}
    assert push.statuses == [500, 429, 302, 204]
    assert push.is_acknowledged


def test_who_does_not_answer_in_time_gets_it_again(gmail, owner, receiver):
    gmail.pubsub.ack_deadline_seconds = 0.05
    receiver.lock.acquire()
    push = gmail.pubsub.publish(owner.address, 5)
    deadline = time.monotonic() + 30
    while not push.statuses and time.monotonic() < deadline:
        time.sleep(0.01)
    receiver.lock.release()
    gmail.pubsub.ack_deadline_seconds = 10
    gmail.pubsub.wait_until_quiet()
    assert (push.statuses[0], push.statuses[-1]) == (0, 204)


def test_the_first_redeliveries_are_a_few_seconds_apart(gmail):
    assert gmail.pubsub.redelivery_seconds[:3] == (1, 4, 7)


def test_lost_doubled_and_late_pushes(gmail, owner, receiver):
    gmail.faults.next("push", lose=True)
    assert gmail.pubsub.publish(owner.address, 1).lost
    gmail.faults.next("push", duplicate=2)
    gmail.pubsub.publish(owner.address, 2)
    gmail.pubsub.wait_until_quiet()
    gmail.faults.next("push", late=0.6)
    gmail.pubsub.publish(owner.address, 3)
    gmail.pubsub.publish(owner.address, 4)
    gmail.pubsub.wait_until_quiet()
    assert [int(told["historyId"]) for told in receiver.data()] == [2, 2, 2, 4, 3]
    assert len({entry["message"]["messageId"] for entry in receiver.got}) == 3


def test_waiting_for_quiet_gives_up(gmail, owner, receiver):
    gmail.pubsub.publish(owner.address, 1, delay_seconds=60)
    with pytest.raises(TimeoutError):
        gmail.pubsub.wait_until_quiet(timeout_seconds=0.01)
    assert receiver.got == []


@pytest.mark.parametrize(
    "forged",
    [
        {"key": "other"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"aud": "https://elsewhere.example.org"},
        {"iss": "https://evil.example"},
        {"age_seconds": 7200},
        {"aud": None},
    ],
    ids=str,
)
def test_forged_tokens_are_bad_tokens(gmail, owner, forged):
    """A forgery that any verifier accepts would test nothing."""
    made = gmail.pubsub.request(owner.address, 7, **forged)
    token = made.headers["Authorization"].removeprefix("Bearer ")
    overrides = gmail.settings_overrides()
    keys = jwt.PyJWKClient(overrides["google_certs_url"])
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            audience=overrides["gmail_push_audience"],
            issuer=overrides["google_issuer"],
        )


def test_an_algorithm_taken_from_the_token_would_be_fooled(gmail):
    """The HS256 forgery is a true one: its signature is right for who uses the public key as a secret."""
    token = gmail.pubsub.token(alg="HS256")
    signed, _, signature = token.rpartition(".")
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    assert algorithm.verify(signed.encode(), gmail.key.public_pem(), base64.urlsafe_b64decode(signature + "=="))
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_a_claim_can_be_changed_and_the_rest_stays(gmail, owner):
    made = gmail.pubsub.request(owner.address, 7, message_id="m1", email="other@example.org", email_verified=False)
    token = made.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["email"], claims["email_verified"], claims["aud"]) == (
        "other@example.org",
        False,
        gmail.pubsub.audience,
    )
    assert json.loads(made.body)["message"]["messageId"] == "m1"


def test_a_rotated_key_is_listed(gmail):
    """A cached list of keys does not know it."""
    keys = jwt.PyJWKClient(gmail.settings_overrides()["google_certs_url"], cache_jwk_set=False)
    before = gmail.pubsub.token()
    gmail.rotate_key()
    after = gmail.pubsub.token()
    assert keys.get_signing_key_from_jwt(before).key_id != keys.get_signing_key_from_jwt(after).key_id
