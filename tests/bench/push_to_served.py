"""How long a new message takes from the webhook's answer until the API serves it with its score, on the real stack.

The stand-in for Gmail and Pub/Sub runs as a process of its own and pushes to the real webhook; `rl-emails up` runs as a
user starts it, with its worker, or without one (then Dagster's default launcher starts an interpreter for each run).
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.instance.up_file import UpStatus, read_status
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.raw_store import message_id_of
from tests.bench.generate_mailbox import OWNER_ADDRESS
from tests.bench.workplace import Workplace
from tests.gmail.standin.remote import RemoteGmail, RemoteUser, served_elsewhere

GOALS = {"with_worker": {"p50": 1.0, "p95": 2.0}, "stock_launcher": {"p95": 15.0}}
"""Seconds."""
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 180.0
GMAIL_PACE_SECONDS = 1.1
"""Gmail pushes at most once a second for a mailbox."""


def measure(place: Workplace, *, mailbox_size: int = 300, with_worker: int = 40, stock: int = 8) -> dict[str, Any]:
    """Seconds from the webhook's 204 to the row in GET /v1/inbox, with the worker and with the stock launcher."""
    found: dict[str, Any] = {"mailbox_messages": mailbox_size, "goals_seconds": GOALS}
    for name, count, slots in (("with_worker", with_worker, "1"), ("stock_launcher", stock, "0")):
        if count:
            with live_mailbox(place, mailbox_size, slots) as live:
                found[name] = summary([live.once() for _ in range(count)])
    return found


def summary(seconds: list[float]) -> dict[str, Any]:
    """Percentiles of a sample, in seconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "messages": len(seconds),
        "p50": round(cuts[49], 3),
        "p95": round(cuts[94], 3),
        "max": round(max(seconds), 3),
    }


class LiveMailbox:
    """A connected mailbox on a running stack."""

    def __init__(self, gmail: RemoteGmail, user: RemoteUser, status: UpStatus, mailbox_id: uuid.UUID) -> None:
        self.gmail = gmail
        self.user = user
        self.mailbox_id = mailbox_id
        self.token = status.links.page.partition("token=")[2]
        self.api = httpx.Client(
            base_url=status.links.api, headers={"Authorization": f"Bearer {self.token}"}, timeout=30.0
        )
        self._random = random.Random(7)  # noqa: S311 - when mail arrives
        self._count = 0

    def once(self) -> float:
        """Deliver one message at a random moment and wait for it. Seconds from the webhook's answer."""
        time.sleep(GMAIL_PACE_SECONDS + self._random.random() * 4.0)
        self._count += 1
        sent_before = len(self.gmail.pushes())
        delivered = self.user.deliver(
            subject=f"Budget question {self._count}",
            text="Hello Robin,\n\ncan you send me the final numbers by Friday noon?\n\nThanks, Ada",
            sender="Ada Quist <ada@one.example>",
            labels=("INBOX", "UNREAD"),
        )
        message_id = str(message_id_of(self.mailbox_id, delivered))
        served_at = self._served(message_id)
        pushes = [push for push in self.gmail.pushes()[sent_before:] if push["acknowledged_at"]]
        return (served_at - datetime.fromisoformat(pushes[0]["acknowledged_at"])).total_seconds()

    def _served(self, message_id: str) -> datetime:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self.api.get("/v1/inbox", params={"order": "date", "limit": 20})
            at = datetime.now(UTC)
            for item in answer.raise_for_status().json()["items"]:
                if item["message_id"] == message_id and item["priority"] is not None:
                    return at
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"The message {message_id} was not served within {PATIENCE_SECONDS:.0f} s.")

    def wait_until_current(self) -> None:
        """Wait until the first sync is over: every message ranked, nothing waiting."""
        deadline = time.monotonic() + 10 * PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = self.api.get("/v1/admin/status").raise_for_status().json()
            mailbox = next(item for item in status["mailboxes"] if item["mailbox_id"] == str(self.mailbox_id))
            if mailbox["ranked_count"] >= len(self.user.ids()) and mailbox["current_as_of"]:
                return
            time.sleep(0.5)
        raise RuntimeError("The first sync did not end.")


@contextmanager
def live_mailbox(place: Workplace, size: int, slots: str = "1") -> Iterator[LiveMailbox]:
    """A mailbox of `size` messages, connected, synced and watched, on a stack whose worker has so many slots."""
    folder = Path(tempfile.mkdtemp(prefix="live-", dir=place.folder))
    folder.chmod(0o755)
    with served_elsewhere(folder, "--user", OWNER_ADDRESS, "--units-per-minute", "100000000") as gmail:
        user = gmail.user(OWNER_ADDRESS)
        _fill(user, place.mailbox(size))
        environment = {
            **os.environ,
            **gmail.environment(),
            "RL_EMAILS_HOME": str(folder),
            "RL_EMAILS_CACHE": str(place.cache),
            "RL_EMAILS_PORT": "0",
            "RL_EMAILS_DAGSTER_PORT": "0",
            "RL_EMAILS_GMAIL_QUOTA_UNITS_PER_MINUTE": "100000000",
            "RL_EMAILS_WORKER_SLOTS": slots,
        }
        with up(folder, environment) as status:
            gmail.configure(**{"pubsub.endpoint": f"{status.links.api}/webhooks/gmail"})
            live = LiveMailbox(gmail, user, status, connect(environment, user))
            live.wait_until_current()
            yield live


def connect(environment: dict[str, str], user: RemoteUser) -> uuid.UUID:
    """Connect the stand-in's user as a finished sign-in does."""
    former = dict(os.environ)
    os.environ.update(environment)
    try:
        settings = Settings()
        databases = open_databases(settings)
        engine = make_engine(databases.product_url, "bench")
        grant = Grant("", user.grant(), datetime.now(UTC) - timedelta(hours=1), ())
        with engine.begin() as connection:
            mailbox_id = connect_gmail(connection, Sealer.of(settings), user.address, grant)
        engine.dispose()
        if databases.embedded is not None:
            databases.embedded.detach()
        return mailbox_id
    finally:
        os.environ.clear()
        os.environ.update(former)


@contextmanager
def up(home: Path, environment: dict[str, str]) -> Iterator[UpStatus]:
    """`rl-emails up` for the length of a block, ready."""
    command = [sys.executable, "-c", "from rl_emails_assets.cli import main; main()", "up"]
    with (home / "up.txt").open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := read_status(home)) is None or not status.is_ready:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"`rl-emails up` did not get ready:\n{(home / 'up.txt').read_text()}")
            time.sleep(0.1)
        yield status
    finally:
        process.terminate()
        process.wait(timeout=60)


def _fill(user: RemoteUser, mbox: Path) -> None:
    """The generated mailbox as mail that was always there, its last message a day old."""
    parts = mbox.read_bytes().split(b"\nFrom ")
    mails = [part.partition(b"\n")[2] for part in parts]
    newest = datetime.now(UTC) - timedelta(days=1)
    entries = [
        (mail, ("SENT",) if f"\nFrom: Robin Vale <{OWNER_ADDRESS}".encode() in b"\n" + mail else ("INBOX",),
         newest - timedelta(minutes=36 * (len(mails) - index)))
        for index, mail in enumerate(mails)
    ]  # fmt: skip
    for start in range(0, len(entries), 200):
        user.fill(entries[start : start + 200])
