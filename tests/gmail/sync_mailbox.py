"""A connected Gmail mailbox whose raw step is run, and its tables in the words of the stand-in."""

import multiprocessing
import os
import signal
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, text

from rl_emails_assets.connections.credentials import Grant, TokenSource
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db import bulk
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import raw
from rl_emails_assets.providers.gmail.answers import Outcome
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.providers.gmail.pacing import Pacing
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import raw_gmail, raw_messages
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.sync_queue import queue
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User


def impatient_client(step: StepContext) -> GmailClient:
    """The client that a sync makes, but for its pauses: tests do not wait."""
    tokens = TokenSource(step.engine, step.settings, step.mailbox_id)
    pacing = Pacing(first_pause_seconds=0, sleep=lambda _: None)
    return GmailClient(step.settings, tokens, QuotaBucket(step.engine, step.settings, step.mailbox_id), pacing=pacing)


@dataclass
class Box:
    """One mailbox and what a test does with it."""

    engine: Engine
    settings: Settings
    gmail: Gmail
    user: User
    mailbox_id: uuid.UUID
    run_count: int = field(default=0)

    def step(self, **settings: Any) -> StepContext:
        """What a run's steps get; a new run."""
        self.run_count += 1
        return StepContext(
            self.engine, self.mailbox_id, f"run-{self.run_count}", self.settings.model_copy(update=settings)
        )

    def sync(self, kind: str = "partial", **settings: Any) -> StepResult:
        """One run's raw step for a request of this kind, and the request's end."""
        with self.engine.begin() as connection:
            queue.enqueue(connection, self.mailbox_id, asked_by="button", kind=kind)
        step = self.step(**settings)
        result = raw_messages.run(step)
        with step.last_commit():
            return result

    def settle(self, kind: str = "partial", *, most_runs: int = 30, **settings: Any) -> None:
        """Runs until nothing is left to do."""
        self.sync(kind, **settings)
        for _ in range(most_runs):
            if self.is_settled():
                return
            self.make_due()
            self.sync(**settings)
        raise AssertionError(f"Not settled after {most_runs} runs: {self.backlog()}, {self.position()}")

    def is_settled(self) -> bool:
        """Whether no listing is under way and nothing waits."""
        position = self.position()
        return not self.backlog() and position["history_id"] is not None and position["listing"] is None

    def make_due(self) -> None:
        """Time passes for what waits after a failure."""
        self.execute("update raw.backlog set tried_at = now() - interval '1 day'")

    def forget(self) -> None:
        """The mailbox as if it had just been connected."""
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.schema not in {"identity", "mailboxes", "app", "sync_queue"}:
                    connection.execute(table.delete())

    def stored(self) -> set[str]:
        """Provider ids of the stored messages."""
        return set(self.column("select provider_message_id from raw.messages"))

    def backlog(self) -> dict[str, str]:
        """What waits, and who found it."""
        rows = self.rows("select provider_message_id, found_by from raw.backlog")
        return {row["provider_message_id"]: row["found_by"] for row in rows}

    def gaps(self) -> dict[str, str]:
        """What could not be stored, and why."""
        rows = self.rows("select provider_message_id, reason from raw.gaps")
        return {row["provider_message_id"]: row["reason"] for row in rows}

    def labels(self) -> dict[str, set[str]]:
        """The stored messages' own labels."""
        rows = self.rows(
            "select m.provider_message_id, array_remove(array_agg(l.label), null) as labels from raw.messages m "
            "left join raw.labels l on l.message_id = m.message_id and not l.is_shared group by 1"
        )
        return {row["provider_message_id"]: set(row["labels"]) for row in rows}

    def true_labels(self) -> dict[str, set[str]]:
        """The same at the provider, with the owner's labels by name."""
        names = self.user.labels
        return {key: {names.get(label, label) for label in self.user.labels_of(key)} for key in self.user.ids()}

    def position(self) -> dict[str, Any]:
        """The cursor."""
        found: dict[str, Any] = self.rows("select position from raw.cursors where source = 'gmail'")[0]["position"]
        return found

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), parameters).mappings()]

    def column(self, query: str) -> list[Any]:
        """The first column of a query."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query)).scalars())

    def execute(self, statement: str, **parameters: Any) -> None:
        """One statement, committed."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)


def connect(engine: Engine, settings: Settings, gmail: Gmail, user: User) -> Box:
    """A mailbox that was just connected; its first sync is asked for."""
    settings = settings.model_copy(update=gmail.settings_overrides())
    refresh = user.grant()
    grant = Grant(user.access_token(), refresh, datetime.now(UTC) + timedelta(hours=1), (GMAIL_SCOPE,))
    with engine.begin() as connection:
        mailbox_id = connect_gmail(connection, Sealer.of(settings), user.address, grant)
    return Box(engine, settings, gmail, user, mailbox_id)


GMAIL_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"


def old_mail(count: int, *, days: float = 90, label: str = "INBOX") -> list[tuple[bytes, tuple[str, ...], datetime]]:
    """Mail for `User.fill`, one an hour, the newest `days` ago."""
    newest = datetime.now(UTC) - timedelta(days=days)
    return [
        (
            f"From: ada@one.example\r\nMessage-ID: <{label}{days}.{number}@one.example>\r\n"
            f"Subject: {number}\r\n\r\nMessage {number}.\r\n".encode(),
            (label,),
            newest - timedelta(hours=number),
        )
        for number in range(count)
    ]


class Interrupted(BaseException):
    """A run that ends without a chance to do anything more."""


@contextmanager
def interrupted_at_commit(number: int) -> Iterator[None]:
    """The run's `number`th commit does not happen, nor anything after it."""
    commits = 0
    original = StepContext.commit

    @contextmanager
    def dying(step: StepContext) -> Iterator[Any]:
        nonlocal commits
        commits += 1
        is_fatal = commits == number
        with original(step) as connection:
            yield connection
            if is_fatal:
                raise Interrupted

    StepContext.commit = dying  # type: ignore[method-assign]
    try:
        yield
    finally:
        StepContext.commit = original  # type: ignore[method-assign]


def killed(box: Box, *, at_commit: int = 0, before: bool = True, by: str = "", message: str = "") -> bool:
    """A run's raw step in a process of its own that is killed: just before or after its `at_commit`th commit, or by
    what `by` names (a function below) when it meets `message`. Returns False when the run ended without that."""
    step = box.step()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.gmail.sync_mailbox"])
    arguments = (step.settings, step.mailbox_id, step.run_id, at_commit, before, by, message)
    process = context.Process(target=_run_and_die, args=arguments, daemon=True)
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        raise AssertionError("The run neither ended nor died within a minute.")
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


def _run_and_die(
    settings: Settings, mailbox_id: uuid.UUID, run_id: str, at_commit: int, before: bool, by: str, message: str
) -> None:
    commits = 0
    original = StepContext.commit

    @contextmanager
    def deadly(step: StepContext) -> Iterator[Any]:
        nonlocal commits
        commits += 1
        with original(step) as connection:
            yield connection
            if commits == at_commit and before:
                _die()
        if commits == at_commit and not before:
            _die()

    StepContext.commit = deadly  # type: ignore[method-assign]
    raw_gmail.client_of = impatient_client
    if by:
        globals()[by](message)
    engine = make_engine(str(settings.database_url), "killed")
    raw_messages.run(StepContext(engine, mailbox_id, run_id, settings))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fetching(message: str) -> None:
    """From now on this process dies when it asks for the message."""
    get_raw = GmailClient.get_raw

    def deadly(client: GmailClient, ids: Sequence[str]) -> list[Outcome]:
        if message in ids:
            _die()
        return get_raw(client, ids)

    GmailClient.get_raw = deadly  # type: ignore[method-assign]


def storing(message: str) -> None:
    """From now on this process dies when it stores the message."""
    copy_rows = bulk.copy_rows

    def deadly(connection: Connection, table: Table, rows: Sequence[Any]) -> int:
        if table is raw.messages and any(row["provider_message_id"] == message for row in rows):
            _die()
        return copy_rows(connection, table, rows)

    bulk.copy_rows = deadly
