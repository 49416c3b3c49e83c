"""A real, running stack with the stand-in for Gmail beside it, and stories in which its processes are killed."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import PRODUCT_DATABASE, make_engine
from rl_emails_assets.instance.processes import group_members
from rl_emails_assets.settings import Settings
from tests.chaos.stack_stories import Beat, story_of
from tests.gmail.standin.remote import RemoteGmail, RemoteUser, served_elsewhere
from tests.gmail.standin.users import GMAIL_READONLY
from tests.stack.up_process import REAL, UpProcess

DEADLINE_SECONDS = 90.0
"""From the end of a story to rest: the longest backoff of the seconds after a kill, a lease of 30 s, and a poll."""
START_SECONDS = 180.0
POLL_SECONDS = "10"
HIDDEN = "('SENT', 'DRAFT', 'TRASH', 'SPAM')"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one seed."""

    seed: int
    has_converged: bool
    story_seconds: float
    recovery_seconds: float
    """From the last thing that happened until everything was right."""
    message_count: int
    did: tuple[str, ...]
    wrong: str
    """What was still not right at the deadline."""

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        return asdict(self)


class Stack:
    """`rl-emails up` with a stand-in that pushes to its webhook."""

    def __init__(self, settings: Settings, gmail: RemoteGmail, say: Callable[[str], None]) -> None:
        self._settings = settings.model_copy(update=gmail.settings_overrides())
        self._gmail = gmail
        self._say = say
        self._up = UpProcess(settings, REAL)
        self._made: Engine | None = None

    def wait_ready(self) -> None:
        """Everything runs, and the stand-in knows where to push to."""
        deadline = time.monotonic() + START_SECONDS
        while not self._up.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"The stack was not ready within {START_SECONDS:.0f} s:\n{self._up.said()}")
            time.sleep(0.2)
        self._gmail.configure(**{"pubsub.endpoint": f"{self._up.running().links.api}/webhooks/gmail"})

    def stop(self) -> None:
        """End it all; what does not end is killed."""
        if self._made is not None:
            self._made.dispose()
        self._up.process.send_signal(signal.SIGTERM)
        try:
            self._up.process.wait(60)
        finally:
            if self._up.process.poll() is None:
                self._up.process.kill()
                self._up.process.wait()

    # One story

    def play(self, seed: int) -> Outcome:
        """A new mailbox, its story, and the rest."""
        first_mail, beats = story_of(seed)
        address = f"owner-{seed}-{uuid.uuid4().hex[:6]}@example.org"
        user = self._gmail.add_user(address)
        user.fill(_mail(number, address) for number in range(first_mail))
        mailbox_id = self._connect(user)
        begun = time.monotonic()
        did: list[str] = []
        for beat in beats:
            did.append(f"{time.monotonic() - begun:.1f} s: {self._do(beat, user)}")
            time.sleep(beat.then_seconds)
        self._gmail.clear_faults()
        rested = time.monotonic()
        wrong = "nothing was looked at"
        while time.monotonic() - rested < DEADLINE_SECONDS:
            wrong = self._wrong(user, mailbox_id)
            if not wrong:
                break
            time.sleep(0.25)
        outcome = Outcome(
            seed, not wrong, rested - begun, time.monotonic() - rested, len(user.ids()), tuple(did), wrong
        )
        self._forget(mailbox_id)
        return outcome

    def _connect(self, user: RemoteUser) -> uuid.UUID:
        # The access token is out of date: the first run refreshes it.
        grant = Grant("expired", user.grant(), datetime.now(UTC) - timedelta(hours=1), (GMAIL_READONLY,))
        with self._engine().begin() as connection:
            return connect_gmail(connection, Sealer.of(self._settings), user.address, grant)

    def _forget(self, mailbox_id: uuid.UUID) -> None:
        with self._engine().begin() as connection:
            connection.execute(text("delete from mailboxes.connections where mailbox_id = :id"), {"id": mailbox_id})

    def _do(self, beat: Beat, user: RemoteUser) -> str:
        ids = sorted(user.ids())
        if beat.what == "kill":
            return f"{beat} ({self._kill(beat.victim)})"
        if beat.what == "fault":
            method, effects = beat.fault
            self._gmail.fault(method, **effects)
        elif beat.what == "jump":
            # Ours cannot jump: it is the machine's.
            self._gmail.advance(days=8)
        elif beat.what == "deliver" or not ids:
            for number in range(1 + beat.choice % 4):
                user.deliver(subject=f"News {beat.choice}", text=f"What was said, {number}. Can you reply by Friday?")
        elif beat.what == "delete":
            user.delete(ids[beat.choice % len(ids)])
        else:
            user.relabel(ids[beat.choice % len(ids)], add=["STARRED"], remove=["UNREAD"])
        return str(beat)

    def _kill(self, victim: str) -> str:
        pids = self._pids_of(victim)
        if not pids:
            return "there was none"
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return ", ".join(map(str, pids))

    def _pids_of(self, victim: str) -> list[int]:
        """The processes to kill; none where there is none at the moment."""
        if victim == "postgres":
            pid = EmbeddedPostgres(self._settings.home, self._settings.cache_dir).pid()
            return [] if pid is None else [pid]
        status = self._up.status()
        if status is None:
            return []
        if victim in {"slot", "run"}:
            worker = status.pids.get("worker")
            slots = [] if worker is None else [pid for pid in group_members(worker) if pid != worker]
            if victim == "slot":
                return slots[:1]
            server = status.pids.get("code-server")
            # The default launcher's run workers are the code server's children.
            children = [] if server is None else [pid for pid in group_members(server) if pid != server]
            return slots + children
        pid = status.pids.get(victim)
        return [] if pid is None else [pid]

    # What is right

    def _engine(self) -> Engine:
        if self._made is None:
            url = EmbeddedPostgres(self._settings.home, self._settings.cache_dir).url(PRODUCT_DATABASE)
            self._made = make_engine(url, "chaos")
        return self._made

    def _wrong(self, user: RemoteUser, mailbox_id: uuid.UUID) -> str:
        """What is not right yet; "" when everything is."""
        truth = user.ids()
        try:
            with self._engine().connect() as connection:
                parameters = {"id": mailbox_id}
                stored = _ids(connection.execute(text(_STORED), parameters))
                gaps = _ids(connection.execute(text(_GAPS), parameters))
                waiting = connection.execute(text(_WAITING), parameters).scalar_one()
                unranked = connection.execute(text(_UNRANKED), parameters).scalar_one()
                shown = {str(each) for each in connection.execute(text(_SHOWN), parameters).scalars()}
                labels = connection.execute(text(_LABELS), parameters).all()
        except DBAPIError as error:
            return f"the database does not answer: {type(error.orig).__name__}"
        if stored | gaps != truth:
            return f"{len(truth - stored - gaps)} messages are missing, {len((stored | gaps) - truth)} are too many"
        if waiting:
            return f"{waiting} requests wait or run"
        if unranked:
            return f"{unranked} messages have no score"
        found: dict[str, set[str]] = {key: set() for key in stored}
        for row in labels:
            found[row.provider_message_id].add(row.label)
        wanted = user.labels()
        differing = [key for key in stored if found[key] != wanted.get(key)]
        if differing:
            return f"the labels of {len(differing)} messages differ"
        served = self._served(mailbox_id)
        if isinstance(served, str):
            return served
        if served != shown:
            return f"the API shows {len(served)} messages instead of {len(shown)}"
        return "" if self._up.is_ready() else "not every process is ready"

    def _served(self, mailbox_id: uuid.UUID) -> set[str] | str:
        """The ids that the API lists, page by page, or why it does not."""
        status = self._up.status()
        if status is None:
            return "the supervisor has no status"
        token = status.links.page.partition("token=")[2]
        ids: set[str] = set()
        cursor: str | None = None
        try:
            with httpx.Client(base_url=status.links.api, headers={"Authorization": f"Bearer {token}"}) as client:
                while True:
                    asked = {"mailbox": str(mailbox_id), "limit": 100, **({"cursor": cursor} if cursor else {})}
                    answer = client.get("/v1/inbox", params=asked)
                    if answer.status_code != 200:
                        return f"the API answers {answer.status_code}"
                    page = answer.json()
                    ids.update(item["message_id"] for item in page["items"])
                    cursor = page["next_cursor"]
                    if cursor is None:
                        return ids
        except httpx.HTTPError as error:
            return f"the API does not answer: {type(error).__name__}"


_STORED = "select provider_message_id from raw.messages where mailbox_id = :id"
_GAPS = "select provider_message_id from raw.gaps where mailbox_id = :id"
_WAITING = "select count(*) from sync_queue.requests where mailbox_id = :id"
_UNRANKED = """
select count(*) from raw.messages r where r.mailbox_id = :id
and not exists (select from mail.messages m where m.message_id = r.message_id and m.duplicate_of is not null)
and not exists (select from priorities.messages p where p.message_id = r.message_id and not p.is_stale)
"""
_SHOWN = f"""
select m.message_id from mail.messages m where m.mailbox_id = :id and m.duplicate_of is null
and not exists (select from raw.labels l where l.message_id = m.message_id and l.label in {HIDDEN})
and not exists (select from mailboxes.aliases a where a.mailbox_id = m.mailbox_id and a.address = m.from_address)
"""  # noqa: S608 - a constant
_LABELS = """
select m.provider_message_id, l.label from raw.messages m join raw.labels l using (message_id)
where m.mailbox_id = :id and not l.is_shared
"""


def _ids(rows: Any) -> set[str]:
    return set(rows.scalars())


def _mail(number: int, address: str) -> tuple[bytes, list[str], datetime]:
    at = datetime.now(UTC) - timedelta(days=number % 60, minutes=number)
    content = (
        f"From: Alex <alex{number % 7}@example.net>\r\nTo: {address}\r\nSubject: Plan {number % 9}\r\n"
        f"Date: {at:%a, %d %b %Y %H:%M:%S +0000}\r\nMessage-ID: <first{number}@example.net>\r\n\r\n"
        f"Please send me number {number} by Friday.\r\n"
    )
    return content.encode(), ["INBOX", "UNREAD"], at


@contextmanager
def stack_on(home: Path, cache: Path, say: Callable[[str], None]) -> Iterator[Stack]:
    """A running stack and its stand-in for the length of a block."""
    with served_elsewhere(home, "--units-per-minute", "1000000") as gmail:
        environment = {
            **gmail.environment(),
            "RL_EMAILS_POLL_SECONDS": POLL_SECONDS,
            "RL_EMAILS_PUSH_POLL_SECONDS": "60",
        }
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            stack = Stack(Settings(home=home, cache=cache, database_url=None), gmail, say)
            try:
                stack.wait_ready()
                yield stack
            finally:
                stack.stop()
        finally:
            os.environ.clear()
            os.environ.update(before)
