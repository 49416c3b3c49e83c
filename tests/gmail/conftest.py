"""The Gmail stand-in as a fixture: a real HTTP server in a thread of the test process."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import mailboxes_watches, raw_gmail
from tests.gmail.emulator import emulator as emulator
from tests.gmail.mailbox_clients import Opener, opening
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import serving
from tests.gmail.standin.users import User
from tests.gmail.sync_mailbox import Box, connect, impatient_client

OWNER = "owner@example.org"


@pytest.fixture
def gmail() -> Iterator[Gmail]:
    """A stand-in whose quota does not get in the way; `gmail.quota.units_per_minute = 6_000` makes it real."""
    made = Gmail()
    made.quota.units_per_minute = 1_000_000
    with serving(made):
        yield made


@pytest.fixture
def owner(gmail: Gmail) -> User:
    """An account with an empty mailbox."""
    return gmail.add_user(OWNER)


@pytest.fixture
def open_client(engine: Engine, settings: Settings, gmail: Gmail, owner: User) -> Iterator[Opener]:
    """Opens clients of the owner's mailbox that never sleep: `open_client(is_interactive=..., gmail_batch_size=1)`."""
    with opening(engine, settings, gmail, owner) as opened:
        yield opened


@pytest.fixture
def box(engine: Engine, settings: Settings, gmail: Gmail, owner: User, monkeypatch: pytest.MonkeyPatch) -> Box:
    """The account's mailbox, connected and not yet synced; its client does not pause."""
    monkeypatch.setattr(raw_gmail, "client_of", impatient_client)
    monkeypatch.setattr(mailboxes_watches, "client_of", impatient_client)
    return connect(engine, settings, gmail, owner)
