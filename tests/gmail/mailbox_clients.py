"""Clients of the Gmail stand-in, with tokens of its own and without waiting."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, insert, select, update

from rl_emails_assets.db.mailbox_rows import mailbox_id_of
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.providers.gmail.pacing import Pacing
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.settings import Settings
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User


@dataclass
class FreshTokens:
    """Access tokens of one grant, a new one whenever one was rejected."""

    user: User
    rejected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._refresh_token = self.user.grant()
        self.current = self._next()

    def access_token(self, *, rejected: str | None = None) -> str:
        """The current token, or the next one."""
        if rejected is not None:
            self.rejected.append(rejected)
            self.current = self._next()
        return self.current

    def _next(self) -> str:
        with self.user.gmail.lock:
            return str(self.user.gmail.oauth.refresh(self._refresh_token)["access_token"])


def add_mailbox(engine: Engine, address: str) -> uuid.UUID:
    """A connected Gmail mailbox."""
    mailbox_id = mailbox_id_of(address)
    with engine.begin() as connection:
        connection.execute(
            insert(mailboxes.connections).values(mailbox_id=mailbox_id, address=address, provider="gmail")
        )
    return mailbox_id


def quota_row(engine: Engine, mailbox_id: uuid.UUID) -> dict[str, Any]:
    """The mailbox's bucket."""
    with engine.connect() as connection:
        table = mailboxes.quotas
        return dict(connection.execute(select(table).where(table.c.mailbox_id == mailbox_id)).mappings().one())


def put_quota(engine: Engine, mailbox_id: uuid.UUID, **values: Any) -> None:
    """Change the mailbox's bucket."""
    with engine.begin() as connection:
        table = mailboxes.quotas
        connection.execute(update(table).where(table.c.mailbox_id == mailbox_id).values(**values))


@dataclass
class Opened:
    """A client and what it works with."""

    client: GmailClient
    quota: QuotaBucket
    tokens: Any
    naps: list[float]
    """The seconds it would have slept."""

    @property
    def row(self) -> dict[str, Any]:
        """The mailbox's bucket."""
        return quota_row(self.quota.engine, self.quota.mailbox_id)


Opener = Callable[..., Opened]


@contextmanager
def opening(engine: Engine, settings: Settings, gmail: Gmail, owner: User) -> Iterator[Opener]:
    """Opens clients of the owner's mailbox: `open_client(tokens, is_interactive=..., gmail_batch_size=...)`."""
    mailbox_id = add_mailbox(engine, owner.address)
    opened: list[Opened] = []

    def open_client(tokens: Any = None, *, is_interactive: bool = False, **changes: Any) -> Opened:
        changed = Settings(**{**settings.model_dump(), **gmail.settings_overrides(), **changes})
        quota = QuotaBucket(engine, changed, mailbox_id, is_interactive)
        tokens = tokens or FreshTokens(owner)
        naps: list[float] = []
        client = GmailClient(changed, tokens, quota, pacing=Pacing(first_pause_seconds=1.0, sleep=naps.append))
        opened.append(Opened(client, quota, tokens, naps))
        return opened[-1]

    yield open_client
    for each in opened:
        each.client.close()
