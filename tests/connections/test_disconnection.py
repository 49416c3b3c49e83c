"""Disconnecting: what is ended at Google, what is erased here, and what must be left alone."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from rl_emails_assets.connections import disconnection, google_endpoints, lifecycle
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.errors import NotFoundError, ProviderUnavailableError, SignInError
from rl_emails_assets.settings import Settings
from tests.connections.conftest import ADDRESS, BESIDE, OTHER, connect, one, rows_of
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User

Fill = Callable[..., None]


class KilledError(BaseException):
    """Stands for kill -9: nothing in between can answer it."""


@pytest.fixture
def grace(engine: Engine, live: Settings, gmail: Gmail, fill: Fill) -> uuid.UUID:
    """Another mailbox, full of rows, that has to stay as it is."""
    mailbox_id = connect(engine, live, gmail.add_user(OTHER))
    fill(mailbox_id)
    return mailbox_id


def test_every_table_of_a_mailbox_ends_with_it() -> None:
    """A new table whose rows outlive the mailbox, or that a disconnection cannot empty."""
    for table in metadata.sorted_tables:
        if "mailbox_id" in table.c and table.fullname not in BESIDE | {"mailboxes.connections"}:
            (key,) = table.c.mailbox_id.foreign_keys
            assert key.target_fullname == "mailboxes.connections.mailbox_id", table.fullname
            assert key.ondelete == "CASCADE", table.fullname
    without = {
        table.fullname
        for table in metadata.sorted_tables
        if "mailbox_id" not in table.c and "organization_id" not in table.c and table.schema != "identity"
    }
    assert without == {
        "mailboxes.oauth_states",
        "sync_queue.handovers",
        "sync_queue.push_counts",
        "sync_queue.pushes",
        "sync_queue.upkeep_runs",
        "sync_queue.workers",
    }, "a table without a mailbox must hold nothing that came from one"


def test_a_disconnection_ends_and_erases_everything_and_says_so(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail, fill: Fill, grace: uuid.UUID
) -> None:
    """Mail that stays after its owner had it erased, a grant that lives on, or a receipt that says otherwise."""
    fill(connected, messages=4)
    before, others = rows_of(engine, connected), rows_of(engine, grace)
    assert all(before.values()), [name for name, count in before.items() if not count]
    told: dict[str, int] = {}

    def count(table: str, rows: int) -> None:
        told[table] = told.get(table, 0) + rows

    receipt = lifecycle.disconnect(engine, live, connected, on_erased=count)
    assert (receipt.mailbox_id, receipt.address, receipt.provider) == (connected, ADDRESS, "gmail")
    assert (receipt.watch, receipt.grant) == ("stopped", "revoked")
    changes = receipt.rows.pop("app.changes", 0), told.pop("app.changes", 0)
    assert changes[0] == changes[1]
    assert receipt.rows == before == told
    assert set(rows_of(engine, connected).values()) == {0}
    assert rows_of(engine, grace) == others
    assert gmail.oauth.live_grants(ada) == []
    assert gmail.oauth.live_grants(gmail.users[OTHER]) != []
    assert gmail.calls.count("stop", status=204, address=ADDRESS) == 1
    assert receipt.as_json()["rows"] == before


@pytest.mark.parametrize(
    "stage",
    ["begun", "stop", "stopped", "revoke", "revoked", "raw.messages", "mailboxes.credentials", "requests", "end"],
)
def test_a_kill_at_any_point_and_again(
    connected: uuid.UUID,
    engine: Engine,
    live: Settings,
    ada: User,
    gmail: Gmail,
    fill: Fill,
    grace: uuid.UUID,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    """Half an erasure that nothing finishes: rows that stay, or a grant that nobody can revoke any more."""
    fill(connected)
    with engine.begin() as connection:
        lifecycle.ask_to_disconnect(connection, connected, asked_by="button")
    before, others = rows_of(engine, connected), rows_of(engine, grace)

    def killed(*_: object, **__: object) -> Any:
        raise KilledError

    def done_then_killed(act: Callable[..., int]) -> Callable[..., int]:
        def run(*arguments: Any) -> int:
            act(*arguments)
            raise KilledError

        return run

    def killed_at(table: str, _: int) -> None:
        if table == stage:
            raise KilledError

    with monkeypatch.context() as patched:
        if stage == "begun":
            patched.setattr(disconnection, "_told", killed)
        elif stage in {"stop", "revoke"}:
            name = {"stop": "stop_watch", "revoke": "revoke"}[stage]
            patched.setattr(google_endpoints, name, killed)
        elif stage in {"stopped", "revoked"}:
            name = {"stopped": "stop_watch", "revoked": "revoke"}[stage]
            patched.setattr(google_endpoints, name, done_then_killed(getattr(google_endpoints, name)))
        elif stage == "requests":
            patched.setattr(disconnection, "_delete_rest", killed)
        elif stage == "end":
            stage = "mailboxes.connections"
        with pytest.raises(KilledError):
            lifecycle.disconnect(engine, live, connected, on_erased=killed_at)
    left = rows_of(engine, connected)
    if stage != "mailboxes.connections":
        assert one(engine, "select state from mailboxes.connections where mailbox_id = :id", id=connected)[0] == (
            "disconnecting"
        )
        assert left["sync_queue.requests"] == 1, "the request is what repeats it"
    receipt = lifecycle.disconnect(engine, live, connected)
    # The feed of changes tells of what is erased until it is erased itself.
    left.pop("app.changes", None)
    receipt.rows.pop("app.changes", None)
    assert receipt.rows == {table: count for table, count in left.items() if count}
    assert set(rows_of(engine, connected).values()) == {0}
    assert gmail.oauth.live_grants(ada) == []
    assert rows_of(engine, grace) == others
    assert all(count <= before[table] for table, count in left.items())


def test_a_second_disconnection_finds_nothing(connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """An error for what is done already."""
    lifecycle.disconnect(engine, live, connected)
    receipt = lifecycle.disconnect(engine, live, connected)
    assert (receipt.address, receipt.rows) == ("", {})


def test_a_grant_that_is_gone_does_not_keep_the_mail(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail
) -> None:
    """Mail that cannot be erased because its owner took the access back first."""
    ada.revoke()
    receipt = lifecycle.disconnect(engine, live, connected)
    assert (receipt.watch, receipt.grant) == ("Google had ended it already", "Google had ended it already")
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_mailbox_that_needs_its_owner_can_be_disconnected(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User
) -> None:
    """The same, when we know already."""
    with engine.begin() as connection:
        lifecycle.need_reconnect(connection, connected, "It is gone")
        lifecycle.ask_to_disconnect(connection, connected, asked_by="button")
    assert one(engine, "select kind, asked_by from sync_queue.requests") == ("disconnect", "button")
    assert one(engine, "select count(*) from app.notices where ended_at is null")[0] == 0
    ada.revoke()
    lifecycle.disconnect(engine, live, connected)
    assert set(rows_of(engine, connected).values()) == {0}


@pytest.mark.parametrize("method", ["token", "stop", "revoke"])
@pytest.mark.parametrize("effects", [{"status": 503}, {"reset": True}])
def test_an_outage_keeps_the_tokens_until_it_is_over(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail, method: str, effects: dict[str, Any]
) -> None:
    """Tokens erased and never revoked: whoever copied them reads on."""
    gmail.faults.next(method, **effects)
    before = rows_of(engine, connected)
    with pytest.raises(ProviderUnavailableError):
        lifecycle.disconnect(engine, live, connected)
    assert rows_of(engine, connected) == before
    assert lifecycle.disconnect(engine, live, connected).grant == "revoked"
    assert gmail.oauth.live_grants(ada) == []


def test_an_owner_may_erase_although_google_is_away(
    connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail
) -> None:
    """Mail that cannot be erased where Google is blocked."""
    gmail.faults.next("token", reset=True)
    gmail.faults.next("revoke", reset=True)
    receipt = lifecycle.disconnect(engine, live, connected, even_if_unreachable=True)
    assert "myaccount.google.com/permissions" in receipt.watch
    assert "myaccount.google.com/permissions" in receipt.grant
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_rejected_token_does_not_keep_the_watch(
    connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail
) -> None:
    """A watch that goes on pushing for a week because a token had just lapsed."""
    gmail.faults.next("stop", status=401)
    receipt = lifecycle.disconnect(engine, live, connected)
    assert receipt.watch == "stopped"
    assert gmail.calls.count("stop") == 2


def test_what_google_says_otherwise_is_told(connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail) -> None:
    """A receipt that claims what did not happen."""
    gmail.faults.next("stop", status=403)
    gmail.faults.next("revoke", status=403)
    receipt = lifecycle.disconnect(engine, live, connected)
    assert "403" in receipt.watch
    assert "403" in receipt.grant
    assert "myaccount.google.com" in receipt.grant
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_lost_key_does_not_keep_the_mail(connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """Mail that cannot be erased because a key is gone."""
    with engine.begin() as connection:
        connection.execute(text("update mailboxes.credentials set sealed = '\\x00'"))
    receipt = lifecycle.disconnect(engine, live, connected)
    assert "myaccount.google.com/permissions" in receipt.grant
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_mailbox_without_a_grant_is_erased(connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """The same after a restored backup without the credentials."""
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.credentials"))
    assert lifecycle.disconnect(engine, live, connected).grant == "there was none"
    assert set(rows_of(engine, connected).values()) == {0}


def test_imported_mail_can_be_erased_too(engine: Engine, settings: Settings, fill: Fill) -> None:
    """Google asked about a mailbox that is none of its."""
    with engine.begin() as connection:
        mailbox = connect_files(connection, ADDRESS, {"path": "/mail", "kind": "folder"}, aliases=())
    fill(mailbox.mailbox_id)
    receipt = lifecycle.disconnect(engine, settings, mailbox.mailbox_id)
    assert (receipt.provider, receipt.watch, receipt.grant) == ("files", "there was none", "there was none")
    assert set(rows_of(engine, mailbox.mailbox_id).values()) == {0}


def test_more_rows_than_a_batch_are_erased(
    connected: uuid.UUID, engine: Engine, live: Settings, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows after the first batch; or one transaction of minutes."""
    fill(connected, messages=7)
    monkeypatch.setattr(disconnection, "BATCH_ROWS", 3)
    parts: list[int] = []
    receipt = lifecycle.disconnect(
        engine, live, connected, on_erased=lambda table, rows: parts.append(rows) if table == "mail.messages" else None
    )
    assert parts == [3, 3, 1]
    assert receipt.rows["mail.messages"] == 7
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_run_that_writes_meanwhile_leaves_nothing(
    connected: uuid.UUID, engine: Engine, live: Settings, fill: Fill
) -> None:
    """Rows added after their table was emptied."""

    def write(table: str, _: int) -> None:
        if table == "raw.messages":
            with engine.begin() as connection:
                connection.execute(
                    text(
                        "insert into raw.listings (mailbox_id, provider_message_id) values (:id, 'late') "
                        "on conflict do nothing"
                    ),
                    {"id": connected},
                )

    fill(connected)
    lifecycle.disconnect(engine, live, connected, on_erased=write)
    assert set(rows_of(engine, connected).values()) == {0}


def test_a_deadlock_is_tried_again_and_other_failures_are_not(
    connected: uuid.UUID, engine: Engine, live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disconnection that gives up because a run was writing, or that hides what is wrong."""

    class DeadlockError(Exception):
        sqlstate = "40P01"

    class FullError(Exception):
        sqlstate = "53100"

    real = disconnection._delete_rest
    tries: list[int] = []

    def rest(failure: type[Exception], times: int) -> Callable[..., Any]:
        def run(mailbox_id: uuid.UUID, receipt_id: uuid.UUID, connection: Connection) -> Any:
            tries.append(1)
            if len(tries) <= times:
                raise OperationalError("delete", {}, failure())
            return real(mailbox_id, receipt_id, connection)

        return run

    monkeypatch.setattr(disconnection, "_delete_rest", rest(FullError, 99))
    with pytest.raises(OperationalError):
        lifecycle.disconnect(engine, live, connected)
    assert len(tries) == 1
    tries.clear()
    monkeypatch.setattr(disconnection, "_delete_rest", rest(DeadlockError, 99))
    with pytest.raises(OperationalError):
        lifecycle.disconnect(engine, live, connected)
    assert len(tries) == disconnection.DEADLOCK_TRIES
    tries.clear()
    monkeypatch.setattr(disconnection, "_delete_rest", rest(DeadlockError, 2))
    lifecycle.disconnect(engine, live, connected)
    assert set(rows_of(engine, connected).values()) == {0}


def test_asking_is_recorded_at_once_and_twice_is_once(connected: uuid.UUID, engine: Engine) -> None:
    """A mailbox that is synced on after its owner asked for its end."""
    for _ in range(2):
        with engine.begin() as connection:
            lifecycle.ask_to_disconnect(connection, connected, asked_by="button")
    assert one(engine, "select state from mailboxes.connections").state == "disconnecting"
    assert one(engine, "select kind, state from sync_queue.requests") == ("disconnect", "todo")
    with pytest.raises(NotFoundError), engine.begin() as connection:
        lifecycle.ask_to_disconnect(connection, uuid.uuid4(), asked_by="button")


def test_what_is_being_disconnected_cannot_be_connected(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User
) -> None:
    """A mailbox connected a moment ago and erased a moment later."""
    with engine.begin() as connection:
        lifecycle.ask_to_disconnect(connection, connected, asked_by="button")
    with pytest.raises(SignInError, match="being disconnected"):
        connect(engine, live, ada)
    lifecycle.disconnect(engine, live, connected)
    assert connect(engine, live, ada) == connected


def test_connecting_again_keeps_the_mail_and_takes_a_name(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, fill: Fill
) -> None:
    """A reconnection that begins the mailbox anew, or that asks for all of it again."""
    fill(connected)
    before = rows_of(engine, connected)
    since = one(engine, "select state_changed_at from mailboxes.connections").state_changed_at
    connect(engine, live, ada)
    assert rows_of(engine, connected) == before
    assert one(engine, "select state_changed_at from mailboxes.connections").state_changed_at == since
    with engine.begin() as connection:
        grant = disconnection.read_grant(connection, live, connected)
        assert grant is not None
        lifecycle.connect_gmail(connection, lifecycle.Sealer.of(live), ADDRESS.upper(), grant, display_name="Ada Byron")
    assert one(engine, "select display_name, address from mailboxes.connections") == ("Ada Byron", ADDRESS)
