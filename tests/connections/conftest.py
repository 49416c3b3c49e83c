"""A stand-in for Google with a user, settings that point at it, a browser that consents, and mailboxes full of rows."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import CheckConstraint, Connection, Engine, Table, func, insert, select, text, update

from rl_emails_assets.connections import google_oauth
from rl_emails_assets.connections.credentials import Grant, store_grant
from rl_emails_assets.connections.google_endpoints import GMAIL_READONLY
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import embeddings, mailboxes, raw
from rl_emails_assets.db.tables.identity import LOCAL_USER
from rl_emails_assets.settings import Settings
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import serving
from tests.gmail.standin.users import User

ADDRESS = "ada@example.org"
OTHER = "grace@example.net"
REDIRECT = "http://127.0.0.1:8025/oauth/google/callback"
SESSION = b"a browser's session"


@pytest.fixture
def gmail() -> Iterator[Gmail]:
    """The stand-in, listening."""
    with serving(Gmail()) as made:
        yield made


@pytest.fixture
def ada(gmail: Gmail) -> User:
    """An account at the stand-in."""
    return gmail.add_user(ADDRESS)


@pytest.fixture
def live(settings: Settings, gmail: Gmail) -> Settings:
    """Settings on the test's own database and home that point at the stand-in."""
    return settings.model_copy(update=gmail.settings_overrides())


@dataclass(frozen=True)
class SignIn:
    """Signs in at the stand-in as a browser does."""

    engine: Engine
    settings: Settings

    def begin(self, *, session: bytes = SESSION, login_hint: str = "") -> str:
        """The address to open."""
        with self.engine.begin() as connection:
            return google_oauth.begin(
                connection, self.settings, session=session, redirect_uri=REDIRECT, login_hint=login_hint
            )

    def consent(self, url: str) -> dict[str, str]:
        """Open it; what Google's page sends the browser back with."""
        answer = httpx.get(url)
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(REDIRECT)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def finish(self, back: dict[str, str], *, session: bytes = SESSION) -> google_oauth.Connected:
        """Come back with it."""
        return google_oauth.finish(
            self.engine,
            self.settings,
            session=session,
            state=back.get("state", ""),
            code=back.get("code"),
            error=back.get("error"),
        )

    def __call__(self, *, login_hint: str = "") -> google_oauth.Connected:
        """All of it."""
        return self.finish(self.consent(self.begin(login_hint=login_hint)))


@pytest.fixture
def sign_in(engine: Engine, live: Settings) -> SignIn:
    """Signs in; its parts can be called one by one."""
    return SignIn(engine, live)


@pytest.fixture
def connected(engine: Engine, live: Settings, ada: User) -> uuid.UUID:
    """Ada's mailbox, connected with a grant of the stand-in; its access token has expired."""
    return connect(engine, live, ada)


def connect(engine: Engine, settings: Settings, user: User) -> uuid.UUID:
    """A mailbox of the user, with an access token that is not known any more."""
    grant = Grant("ya29.expired", user.grant(), datetime.now(UTC) - timedelta(hours=1), (GMAIL_READONLY,))
    with engine.begin() as connection:
        return connect_gmail(connection, Sealer.of(settings), user.address, grant)


def expire(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """The stored access token has expired."""
    with engine.begin() as connection:
        connection.execute(
            update(mailboxes.credentials)
            .where(mailboxes.credentials.c.mailbox_id == mailbox_id)
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )


def store(engine: Engine, settings: Settings, mailbox_id: uuid.UUID, grant: Grant) -> None:
    """Put a grant in the place of the one before."""
    with engine.begin() as connection:
        store_grant(connection, Sealer.of(settings), mailbox_id, grant)


def one(engine: Engine, query: str, **parameters: Any) -> Any:
    """The only row of a query."""
    with engine.connect() as connection:
        return connection.execute(text(query), parameters).one()


BESIDE = {"privacy.receipts", "app.changes"}
"""What tells of a mailbox's end outlives it; what tells of every change is written by triggers."""


def rows_of(engine: Engine, mailbox_id: uuid.UUID) -> dict[str, int]:
    """How many rows of the mailbox each table holds, tables without any included."""
    with engine.connect() as connection:
        return {
            table.fullname: connection.execute(
                select(func.count()).select_from(table).where(table.c.mailbox_id == mailbox_id)
            ).scalar_one()
            for table in metadata.sorted_tables
            if "mailbox_id" in table.c and table.fullname not in BESIDE
        }


@pytest.fixture
def fill(engine: Engine) -> Callable[..., None]:
    """Puts rows of a mailbox that is there into every table that has such rows: `fill(mailbox_id, messages=3)`."""

    def filled(mailbox_id: uuid.UUID, *, messages: int = 3) -> None:
        with engine.begin() as connection:
            message_ids = [uuid.uuid4() for _ in range(messages)]
            for table in metadata.sorted_tables:
                if "mailbox_id" not in table.c or table.fullname in BESIDE | {"mailboxes.connections"}:
                    continue
                is_there = connection.execute(
                    select(table.c.mailbox_id).where(table.c.mailbox_id == mailbox_id).limit(1)
                ).first()
                if is_there is None:
                    for number, message_id in enumerate(message_ids):
                        _put(connection, table, mailbox_id, message_id, number)

    return filled


_FILLERS: dict[type, Callable[[], Any]] = {
    bytes: lambda: uuid.uuid4().bytes,
    str: lambda: uuid.uuid4().hex,
    int: lambda: 0,
    float: lambda: 0.5,
    bool: lambda: False,
    list: list,
    dict: dict,
    datetime: lambda: datetime.now(UTC),
    uuid.UUID: uuid.uuid4,
}


_ONE_A_MAILBOX = {"sync_queue.requests", "app.notices", "models.trainings", "classifications.spending"}


def _put(connection: Connection, table: Table, mailbox_id: uuid.UUID, message_id: uuid.UUID, number: int) -> None:
    names = {column.name for column in table.columns}
    is_single = [column.name for column in table.primary_key] == ["mailbox_id"]
    if number and (is_single or table.fullname in _ONE_A_MAILBOX):
        return
    checks = " ".join(str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint))
    # The first of the words that a check allows.
    values: dict[str, Any] = dict(reversed(re.findall(r"\b(\w+) in \('(\w+)'", checks)))
    values["mailbox_id"] = mailbox_id
    if "message_id" in names:
        values["message_id"] = message_id
    if "model_id" in names:
        values["model_id"] = message_id
    if "user_id" in names:
        values["user_id"] = LOCAL_USER
    for column in table.columns:
        is_given = column.name in values or column.server_default or column.computed or column.identity
        if not is_given and not column.nullable:
            if column.type.__class__.__name__ == "HALFVEC":
                values[column.name] = [0.1] * embeddings.DIMENSIONS
            else:
                values[column.name] = _filler(column.type.python_type)
    if table is raw.messages:
        values["rfc822"] = b"Subject: hello\r\n\r\nhello"
    connection.execute(insert(table).values(**values))


def _filler(kind: type) -> Any:
    for known, make in _FILLERS.items():
        if issubclass(kind, known):
            return make()
    # What is left are dates, numbers, and JSON, which may be any object.
    return kind(1970, 1, 1) if kind.__name__ == "date" else {} if kind is object else kind()
