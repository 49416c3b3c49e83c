"""Pub/Sub's push: what a watched mailbox publishes, delivered at least once, in no order, or not at all."""

import heapq
import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.gmail.standin.history import Change
from tests.gmail.standin.messages import base64url
from tests.gmail.standin.signing import confused, unsigned

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail
    from tests.gmail.standin.users import User

ACKNOWLEDGED = {102, 200, 201, 202, 204}
SENDERS = 4
ISSUER = "https://accounts.google.com"


@dataclass
class Push:
    """One published notification and its deliveries."""

    id: str
    address: str
    history_id: int
    published_at: datetime
    statuses: list[int] = field(default_factory=list)
    """Of each delivery; 0 where nobody answered."""
    acknowledged_at: datetime | None = None
    lost: bool = False

    @property
    def is_acknowledged(self) -> bool:
        """Whether a delivery was answered with success."""
        return self.acknowledged_at is not None


class PubSub:
    """A topic with one push subscription. Deliveries run in threads of their own."""

    def __init__(self, gmail: "Gmail") -> None:
        self.gmail = gmail
        self.endpoint: str | None = None
        """Where notifications are posted; nothing is delivered without one."""
        self.audience = "https://rl-emails.example.org/webhooks/gmail"
        self.service_account = "gmail-push@standin-project.iam.gserviceaccount.com"
        self.one_per_second = True
        """Gmail's limit per user; what exceeds it is dropped."""
        self.seconds: Callable[[], float] = time.monotonic
        """What that limit counts by: real time, because it is real servers that are pushed to."""
        self.on_watch = True
        """Whether a watch publishes at once, as Gmail's does."""
        self.ack_deadline_seconds = 10.0
        self.redelivery_seconds: tuple[float, ...] = (1, 4, 7, 15, 30, 60)
        """Before each redelivery; the last one repeats."""
        self.pushes: list[Push] = []
        self.dropped_count = 0
        self._last_at: dict[str, float] = {}
        self._numbers = itertools.count(gmail.rng.randint(10**15, 10**16))
        self._order = itertools.count()
        self._due: list[tuple[float, int, Push]] = []
        self._wake = threading.Condition()
        self._under_way = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    # What publishes

    def changed(self, user: "User", history_id: int, changes: list[Change]) -> None:
        """A mailbox changed; published if it is watched and was quiet for a second."""
        watch = user.watch
        if watch is None or watch.expires_at <= self.gmail.clock.milliseconds():
            return
        if watch.label_ids:
            touched = {label for change in changes for label in (*change.labels, *change.touched)}
            if bool(touched & set(watch.label_ids)) == watch.excludes:
                return
        now = self.seconds()
        if self.one_per_second and now - self._last_at.get(user.address, -1) < 1:
            self.dropped_count += 1
            return
        self._last_at[user.address] = now
        self.publish(user.address, history_id)

    def watched(self, user: "User", history_id: int) -> None:
        """A watch began or was renewed."""
        if self.on_watch:
            self.publish(user.address, history_id)

    def publish(self, address: str, history_id: int, *, delay_seconds: float = 0, copies: int = 1) -> Push:
        """Publishes by hand what `changed` would; `copies` are deliveries of the same id."""
        push = Push(str(next(self._numbers)), address, history_id, datetime.now(UTC))
        with self.gmail.lock:
            fault = self.gmail.faults.pick("push", address)
            self.pushes.append(push)
        if fault is not None:
            delay_seconds += fault.get("late") or 0
            copies += fault.get("duplicate") or 0
            push.lost = bool(fault.get("lose"))
        if self.endpoint is not None and not push.lost:
            for _ in range(copies):
                self._schedule(push, delay_seconds)
        return push

    def wait_until_quiet(self, timeout_seconds: float = 30) -> None:
        """Returns when every delivery due was made and acknowledged, or fails."""
        with self._wake:
            done = self._wake.wait_for(lambda: not self._due and not self._under_way, timeout_seconds)
        if not done:
            raise TimeoutError(f"Pushes are still to be delivered after {timeout_seconds} s.")

    def close(self) -> None:
        """Stops delivering; what is due is forgotten."""
        with self._wake:
            self._closed = True
            self._due.clear()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=15)

    # What is posted

    def request(self, address: str, history_id: int, *, message_id: str | None = None, **forged: Any) -> "PushRequest":
        """A signed push for a test to post itself; `forged` are arguments of `token`."""
        made = Push(message_id or str(next(self._numbers)), address, history_id, datetime.now(UTC))
        return PushRequest(self.body(made), {"Authorization": f"Bearer {self.token(**forged)}"})

    def token(self, *, key: str = "google", alg: str = "RS256", age_seconds: int = 0, **claims: Any) -> str:
        """The subscription's JWT, or one that must be refused.

        `key="other"` signs with a key that is not Google's under the id of one that is; `alg` is RS256, none or HS256
        (its secret the public key); `age_seconds=7200` is expired; `claims` replace claims (`aud`, `iss`, `email`, ...)
        or, as None, leave them out.
        """
        now = int(time.time()) - age_seconds
        content = {
            "aud": self.audience,
            "azp": "113774264463038321964",
            "email": self.service_account,
            "email_verified": True,
            "exp": now + 3600,
            "iat": now,
            "iss": ISSUER,
            "sub": "113774264463038321964",
            **claims,
        }
        content = {name: value for name, value in content.items() if value is not None}
        google = self.gmail.key
        if alg == "none":
            return unsigned(content)
        if alg == "HS256":
            return confused(content, google.public_pem(), google.key_id)
        return google.sign(content) if key == "google" else self.gmail.other_key.sign(content, key_id=google.key_id)

    def body(self, push: Push) -> bytes:
        """The envelope around what Gmail publishes."""
        # Gmail's guide shows a string; numbers are seen in the field.
        history_id = push.history_id if push.history_id % 2 else str(push.history_id)
        data = json.dumps({"emailAddress": push.address, "historyId": history_id}).encode()
        published = push.published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps(
            {
                "message": {
                    "data": base64url(data),
                    "messageId": push.id,
                    "message_id": push.id,
                    "publishTime": published,
                    "publish_time": published,
                },
                "subscription": self.gmail.subscription,
            }
        ).encode()

    # Delivery

    def _schedule(self, push: Push, delay_seconds: float) -> None:
        with self._wake:
            if self._closed:
                return
            heapq.heappush(self._due, (time.monotonic() + delay_seconds, next(self._order), push))
            if not self._threads:
                self._threads = [threading.Thread(target=self._deliver_all, daemon=True) for _ in range(SENDERS)]
                for thread in self._threads:
                    thread.start()
            self._wake.notify()

    def _deliver_all(self) -> None:
        while True:
            with self._wake:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._wake.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                push = heapq.heappop(self._due)[2]
                self._under_way += 1
            status = self._post(push)
            if status in ACKNOWLEDGED:
                push.statuses.append(status)
                push.acknowledged_at = push.acknowledged_at or datetime.now(UTC)
            else:
                waits = self.redelivery_seconds
                self._schedule(push, waits[min(len(push.statuses), len(waits) - 1)])
                push.statuses.append(status)
            with self._wake:
                self._under_way -= 1
                self._wake.notify_all()

    def _post(self, push: Push) -> int:
        """The status of the answer; 0 if there was none in time."""
        target = urlsplit(self.endpoint or "")
        make = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        connection = make(target.hostname or "", target.port, timeout=self.ack_deadline_seconds)
        path = target.path + (f"?{target.query}" if target.query else "")
        headers = {
            "Authorization": f"Bearer {self.token()}",
            "Content-Type": "application/json",
            "User-Agent": "CloudPubSub-Google",
        }
        try:
            connection.request("POST", path or "/", self.body(push), headers)
            with connection.getresponse() as response:
                response.read()
                return response.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


@dataclass(frozen=True)
class PushRequest:
    """A push as it is posted."""

    body: bytes
    headers: dict[str, str]
