"""Mailboxes that requests can be for."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from rl_emails_assets.db.mailbox_rows import mailbox_id_of

MakeMailbox = Callable[..., uuid.UUID]


@pytest.fixture
def make_mailbox(engine: Engine) -> MakeMailbox:
    """Makes a mailbox: `make_mailbox("ada", provider="gmail", state="connected", history_id=None)`."""

    def make(
        name: str, *, provider: str = "gmail", state: str = "connected", history_id: str | None = None
    ) -> uuid.UUID:
        address = f"{name}@example.org"
        mailbox_id = mailbox_id_of(address)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "insert into mailboxes.connections (mailbox_id, address, provider, state) "
                    "values (:mailbox_id, :address, :provider, :state)"
                ),
                {"mailbox_id": mailbox_id, "address": address, "provider": provider, "state": state},
            )
            if history_id is not None:
                connection.execute(
                    text(
                        "insert into raw.cursors (mailbox_id, source, position, started_at, is_complete) "
                        "values (:mailbox_id, 'gmail', jsonb_build_object('history_id', cast(:history_id as text)), "
                        "now(), true)"
                    ),
                    {"mailbox_id": mailbox_id, "history_id": history_id},
                )
        return mailbox_id

    return make


@pytest.fixture
def mailbox_id(make_mailbox: MakeMailbox) -> uuid.UUID:
    """One connected mailbox."""
    return make_mailbox("a")


@pytest.fixture
def connection(engine: Engine, mailbox_id: uuid.UUID) -> Iterator[Connection]:
    """A transaction that sees it."""
    with engine.connect() as opened:
        yield opened
