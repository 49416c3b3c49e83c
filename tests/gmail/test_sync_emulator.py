"""The sync against somebody else's Gmail: what we and our stand-in both misread would show here."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import google.oauth2.credentials
import pytest
from googleapiclient.discovery import build
from sqlalchemy import Engine, text

from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import raw_gmail, raw_messages
from rl_emails_assets.steps.context import StepContext
from tests.gmail.emulator import SEED_MESSAGES, Emulator
from tests.gmail.sync_mailbox import impatient_client


@pytest.fixture
def service(emulator: Emulator) -> Iterator[Any]:
    """The mailbox's owner at work, through google-api-python-client."""
    credentials = google.oauth2.credentials.Credentials("any")  # type: ignore[no-untyped-call]
    with build("gmail", "v1", credentials=credentials, client_options={"api_endpoint": emulator.url}) as made:
        yield made.users()


def _labels(engine: Engine) -> dict[str, set[str]]:
    query = text(
        "select m.provider_message_id, array_remove(array_agg(l.label), null) from raw.messages m "
        "left join raw.labels l using (message_id) group by 1"
    )
    with engine.connect() as connection:
        return {row[0]: set(row[1]) for row in connection.execute(query)}


def test_a_mailbox_of_the_emulator_is_synced_whole_and_then_follows_its_changes(
    emulator: Emulator, service: Any, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First sync, then an arrival, a label and a deletion, as another reading of Gmail's documentation has them."""
    monkeypatch.setattr(raw_gmail, "client_of", impatient_client)
    settings = settings.model_copy(update=emulator.settings_overrides())
    grant = Grant("any", "any", datetime.now(UTC) + timedelta(days=1), ("gmail.readonly",))
    with engine.begin() as connection:
        mailbox_id = connect_gmail(connection, Sealer.of(settings), emulator.address, grant)
    raw_messages.run(StepContext(engine, mailbox_id, "first", settings))
    stored = _labels(engine)
    assert stored.keys() == {message["id"] for message in SEED_MESSAGES}
    assert stored["seed03"] == {"INBOX", "UNREAD"}
    assert "TRASH" in stored["seed11"]

    content = base64.urlsafe_b64encode(b"From: new@example.net\r\nSubject: New\r\n\r\nNew.\r\n").decode()
    added = service.messages().insert(userId="me", body={"raw": content, "labelIds": ["INBOX"]}).execute()["id"]
    service.messages().modify(userId="me", id="seed01", body={"removeLabelIds": ["UNREAD"]}).execute()
    service.messages().delete(userId="me", id="seed02").execute()
    raw_messages.run(StepContext(engine, mailbox_id, "second", settings))
    followed = _labels(engine)
    assert followed.keys() == stored.keys() - {"seed02"} | {added}
    assert followed["seed01"] == {"INBOX"}
    assert followed[added] == {"INBOX"}
    with engine.connect() as connection:
        row = connection.execute(text("select is_complete, position->>'history_id' as at from raw.cursors")).one()
        left = connection.execute(text("select count(*) from raw.backlog")).scalar_one()
    assert (row.is_complete, left) == (True, 0)
    assert len(row.at) > 19
