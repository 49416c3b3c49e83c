"""The stand-in as a whole: its users, clock, faults, limits and endpoints."""

import base64
import random
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.gmail.standin.api import GmailApi
from tests.gmail.standin.batch import answer_batch
from tests.gmail.standin.calls import Call, CallLog
from tests.gmail.standin.clock import Clock
from tests.gmail.standin.faults import Faults
from tests.gmail.standin.oauth import OAuth
from tests.gmail.standin.pushes import PubSub
from tests.gmail.standin.quota import Quota
from tests.gmail.standin.replies import ApiError, Request, Response, json_response
from tests.gmail.standin.signing import SigningKey
from tests.gmail.standin.users import User

BEYOND_DOUBLES = 2**53


class Gmail:
    """Gmail, Google's OAuth and a Pub/Sub topic. Listens once `server.serve` was given it."""

    def __init__(self, *, seed: int = 1) -> None:
        self.lock = threading.RLock()
        self.rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self.clock = Clock()
        self.url = ""
        """Where it listens, as http://127.0.0.1:port; set by the server."""
        self.key = SigningKey("google")
        """Signs from now on."""
        self.published_keys = [self.key]
        """What the certificates' endpoint lists."""
        self.other_key = SigningKey("other")
        self.users: dict[str, User] = {}
        self.faults = Faults(self.rng, self.lock)
        self.quota = Quota(self.rng)
        self.calls = CallLog()
        self.oauth = OAuth(self)
        self.pubsub = PubSub(self)
        self.api = GmailApi(self)
        self.project = "standin-project"
        self.history_days = 8.0
        """How old a history id may be; Gmail promises about a week, and rarely keeps a few hours."""
        self.latency_seconds = 0.0
        """Every call of the API takes this much longer."""
        self.shuffle_parts = True
        """Whether parts of a batch come back in any order."""
        self.pages_shift = False
        """Whether page tokens count from the newest message, so that mail which arrives moves every later page."""
        self.oversized_bytes = 60 * 1024 * 1024
        """Size of a raw that was broken as `oversized`."""
        self._stopping = threading.Event()

    # For tests

    def add_user(self, address: str) -> User:
        """A new account with an empty mailbox."""
        with self.lock:
            if address in self.users:
                raise ValueError(f"There is a user {address} already.")
            self.users[address] = User(self, address)
            return self.users[address]

    def ids(self, address: str) -> set[str]:
        """Ids of all messages of a user: the truth to compare stored ids with."""
        return self.users[address].ids()

    def advance(self, **by: float) -> None:
        """Jumps the clock: `advance(days=8)`."""
        self.clock.advance(**by)

    def rotate_key(self) -> None:
        """Signs with a new key, listed beside the one before: who keeps a copy of the list meets an unknown key id."""
        with self.lock:
            self.key = SigningKey(f"google {len(self.published_keys)} {self.key.key_id}")
            self.published_keys = [self.key, *self.published_keys[:1]]

    @property
    def topic(self) -> str:
        """The topic that Gmail may publish to."""
        return f"projects/{self.project}/topics/gmail"

    @property
    def subscription(self) -> str:
        """The push subscription of the topic."""
        return f"projects/{self.project}/subscriptions/gmail-push"

    def settings_overrides(self) -> dict[str, Any]:
        """Settings that point rl-emails at the stand-in, by field name."""
        return {
            "google_client_id": self.oauth.client_id,
            "google_client_secret": self.oauth.client_secret,
            "google_auth_url": f"{self.url}/o/oauth2/v2/auth",
            "google_token_url": f"{self.url}/token",
            "google_revoke_url": f"{self.url}/revoke",
            "google_certs_url": f"{self.url}/oauth2/v3/certs",
            "google_issuer": "https://accounts.google.com",
            "gmail_api_url": self.url,
            "gmail_batch_url": f"{self.url}/batch/gmail/v1",
            "gmail_topic": self.topic,
            "gmail_push_audience": self.pubsub.audience,
            "gmail_push_service_account": self.pubsub.service_account,
            "gmail_quota_units_per_minute": self.quota.units_per_minute,
        }

    def environment(self) -> dict[str, str]:
        """The same as environment variables, for a process."""
        return {f"RL_EMAILS_{name.upper()}": str(value) for name, value in self.settings_overrides().items()}

    # For its parts

    def first_history_id(self) -> int:
        """Where a mailbox's history begins: past what a double holds exactly, as numbers of old mailboxes may be."""
        return BEYOND_DOUBLES + self.rng.randint(1, 10**12)

    def unix_time(self) -> int:
        """Seconds since 1970 by the real clock: who verifies a token does not know the stand-in's."""
        return int(time.time())

    def pause(self, seconds: float) -> None:
        """Sleeps, unless the stand-in is being closed."""
        if seconds:
            self._stopping.wait(seconds)

    def close(self) -> None:
        """Ends what hangs and what delivers."""
        self._stopping.set()
        self.pubsub.close()

    def answer(self, request: Request) -> Response:
        """The response to any request that is not for the control API."""
        path = request.path
        if path.startswith("/batch"):
            return answer_batch(self, request)
        if path in {"/o/oauth2/v2/auth", "/o/oauth2/auth"}:
            return self._counted("authorize", "", "", lambda: self.oauth.authorize(request))
        if path in {"/token", "/oauth2/v4/token"} and request.verb == "POST":
            form = {**_basic(request), **dict(parse_qsl(request.body.decode()))}
            refreshed = form.get("refresh_token", "")
            return self._counted("token", form.get("grant_type", ""), refreshed, lambda: self.oauth.token(form))
        if path in {"/revoke", "/o/oauth2/revoke"}:
            form = {**dict(parse_qsl(request.query)), **dict(parse_qsl(request.body.decode()))}
            token = form.get("token", "")
            return self._counted("revoke", "", token, lambda: self.oauth.revoke(token))
        if path == "/oauth2/v3/certs":
            certs = {"keys": [key.jwk() for key in self.published_keys]}
            headers = {"Cache-Control": "public, max-age=19800, must-revalidate"}
            return self._counted("certs", "", "", lambda: json_response(certs, 200, headers))
        if path == "/.well-known/openid-configuration":
            return json_response({"issuer": "https://accounts.google.com", "jwks_uri": f"{self.url}/oauth2/v3/certs"})
        return self.api.answer(request)

    def _counted(self, name: str, argument: str, token: str, act: Callable[[], Response]) -> Response:
        """Runs an endpoint that is not the API's, under its faults, and notes the call; `token` tells whose it is."""
        with self.lock:
            user = self.oauth.owner_of(token)
            address = user.address if user is not None else ""
            fault = self.faults.pick(name, address or None)
        status = 0
        try:
            if fault is not None:
                fault.strike(self.pause, user.revoke if user is not None else lambda: None)
            response = act()
            if fault is not None:
                response = fault.spoil(response)
            status = response.status
        except ApiError as error:
            response = error.response()
            status = error.status
        finally:
            with self.lock:
                self.calls.add(Call(name, address, status, 0, False, argument))
        return response


def _basic(request: Request) -> dict[str, str]:
    """The client's id and secret, where they come in a header instead of the form."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    client_id, _, secret = base64.b64decode(value).decode().partition(":")
    return {"client_id": unquote(client_id), "client_secret": unquote(secret)}
