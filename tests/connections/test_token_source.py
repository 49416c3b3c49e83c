"""Access tokens: one refresh for all that need one, and what happens when Google says no."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from rl_emails_assets.connections import credentials, google_endpoints, lifecycle
from rl_emails_assets.connections.credentials import Grant, TokenSource, read_grant
from rl_emails_assets.connections.google_endpoints import GMAIL_READONLY, GoogleRefusalError, Tokens
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import ProviderUnavailableError, ReconnectNeededError, SealError, SettingsError
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.connections.conftest import ADDRESS, OTHER, connect, expire, one, store
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User


def _refreshes(gmail: Gmail) -> int:
    return sum(call.argument == "refresh_token" for call in gmail.calls.of("token"))


def test_a_lapsed_token_is_refreshed_once_by_many(
    connected: uuid.UUID, live: Settings, gmail: Gmail, ada: User, database_url: str
) -> None:
    """Each thread, step and worker asking Google for a token of its own: Google drops the oldest after a while."""
    engine = make_engine(database_url, "test", pool_size=8)
    barrier = threading.Barrier(8)
    tokens: list[str] = []
    shared = TokenSource(engine, live, connected)

    def need(number: int) -> None:
        # Half of them share a source, as the threads of one run do; the others are runs of their own.
        source = shared if number % 2 else TokenSource(engine, live, connected)
        barrier.wait()
        tokens.append(source.access_token())

    threads = [threading.Thread(target=need, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert len(tokens) == 8
    assert len(set(tokens)) == 1
    assert _refreshes(gmail) == 1
    assert gmail.oauth.whose(tokens[0]) is not None


def test_a_valid_token_is_kept(connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail) -> None:
    """A refresh for every call."""
    source = TokenSource(engine, live, connected)
    first = source.access_token()
    assert source.access_token() == first
    assert TokenSource(engine, live, connected).access_token() == first
    assert _refreshes(gmail) == 1
    with engine.connect() as connection:
        grant = read_grant(connection, live, connected)
    assert grant is not None
    assert grant.access_token == first
    assert grant.expires_at - datetime.now(UTC) > timedelta(minutes=50)


def test_a_token_about_to_lapse_is_refreshed_before(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail
) -> None:
    """A token that lapses on its way to Gmail."""
    grant = Grant("ya29.soon", ada.grant(), datetime.now(UTC) + timedelta(seconds=55), (GMAIL_READONLY,))
    store(engine, live, connected, grant)
    assert TokenSource(engine, live, connected).access_token() != "ya29.soon"
    later = Grant("ya29.later", ada.grant(), datetime.now(UTC) + timedelta(seconds=90), (GMAIL_READONLY,))
    store(engine, live, connected, later)
    assert TokenSource(engine, live, connected).access_token() == "ya29.later"


def test_a_rejected_token_is_replaced_once(connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail) -> None:
    """A token that Gmail answers 401 to, used until its hour is over; or a refresh by each that heard the 401."""
    mine, theirs = TokenSource(engine, live, connected), TokenSource(engine, live, connected)
    rejected = mine.access_token()
    assert theirs.access_token() == rejected
    gmail.oauth.forget_access_tokens()
    fresh = mine.access_token(rejected=rejected)
    assert fresh != rejected
    assert theirs.access_token(rejected=rejected) == fresh
    assert mine.access_token(rejected=rejected) == fresh
    assert _refreshes(gmail) == 2


def test_a_rotated_refresh_token_is_kept_and_a_missing_one_is_not(
    connected: uuid.UUID, engine: Engine, live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next refresh with a token that is no more, or with none."""
    asked: list[str] = []

    def refresh(settings: Settings, refresh_token: str, scopes: tuple[str, ...]) -> Tokens:
        asked.append(refresh_token)
        new = "1//rotated" if len(asked) == 1 else None
        return Tokens(f"ya29.{len(asked)}", new, datetime.now(UTC) + timedelta(hours=1), scopes)

    with engine.connect() as connection:
        before = read_grant(connection, live, connected)
    assert before is not None
    monkeypatch.setattr(google_endpoints, "refresh", refresh)
    for _ in range(3):
        expire(engine, connected)
        TokenSource(engine, live, connected).access_token()
    assert asked == [before.refresh_token, "1//rotated", "1//rotated"]


def test_google_answers_without_a_new_refresh_token(connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """Google's answer to a refresh has none; the one before must stay."""
    with engine.connect() as connection:
        before = read_grant(connection, live, connected)
    TokenSource(engine, live, connected).access_token()
    with engine.connect() as connection:
        after = read_grant(connection, live, connected)
    assert before is not None
    assert after is not None
    assert after.refresh_token == before.refresh_token
    assert after.access_token != before.access_token


def test_a_revoked_grant_stops_everything_and_is_told_once(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail
) -> None:
    """Retrying for ever with a token that is dead, a notice an hour, or none."""
    ada.revoke()
    for _ in range(3):
        with pytest.raises(ReconnectNeededError):
            TokenSource(engine, live, connected).access_token()
    assert _refreshes(gmail) == 1, "Google must not be asked again"
    state = one(engine, "select state, state_reason, state_changed_at from mailboxes.connections")
    assert state.state == "reconnect_needed"
    assert "access" in state.state_reason
    assert state.state_changed_at is not None
    notice = one(engine, "select mailbox_id, kind, text, ended_at from app.notices")
    assert (notice.mailbox_id, notice.kind, notice.ended_at) == (connected, "reconnect_needed", None)
    assert f"rl-emails connect gmail --login-hint {ADDRESS}" in notice.text
    assert one(engine, "select count(*) from sync_queue.requests")[0] == 0
    ended = one(engine, "select state, error, asked_by from sync_queue.ended_requests")
    assert (ended.state, ended.asked_by) == ("cancelled", "connect")
    with engine.begin() as connection:
        assert queue.enqueue(connection, connected, asked_by="poll") is None


def test_connecting_again_ends_it(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, gmail: Gmail
) -> None:
    """A notice that never goes away, or a mailbox that is connected and not synced."""
    ada.revoke()
    source = TokenSource(engine, live, connected)
    with pytest.raises(ReconnectNeededError):
        source.access_token()
    connect(engine, live, ada)
    assert one(engine, "select state, state_reason from mailboxes.connections") == ("connected", "")
    assert one(engine, "select ended_at from app.notices").ended_at is not None
    assert one(engine, "select kind, asked_by from sync_queue.requests") == ("partial", "connect")
    assert gmail.oauth.whose(source.access_token()) is not None
    ada.revoke()
    expire(engine, connected)
    with pytest.raises(ReconnectNeededError):
        TokenSource(engine, live, connected).access_token()
    assert one(engine, "select count(*) filter (where ended_at is null), count(*) from app.notices") == (1, 2)


@pytest.mark.parametrize(
    ("code", "kind", "state"),
    [
        ("invalid_grant", ReconnectNeededError, "reconnect_needed"),
        ("unauthorized_client", ReconnectNeededError, "reconnect_needed"),
        ("invalid_client", SettingsError, "connected"),
        ("deleted_client", SettingsError, "connected"),
        ("temporarily_unavailable", ProviderUnavailableError, "connected"),
        ("400", ProviderUnavailableError, "connected"),
    ],
)
def test_what_a_refusal_means(
    connected: uuid.UUID,
    engine: Engine,
    live: Settings,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    kind: type[Exception],
    state: str,
) -> None:
    """Every mailbox asked to reconnect because a secret was mistyped, or none because the words are not known."""

    def refuse(*_: Any) -> Tokens:
        raise GoogleRefusalError(code, f"Google refused ({code}).")

    monkeypatch.setattr(google_endpoints, "refresh", refuse)
    with pytest.raises(kind, match=code):
        TokenSource(engine, live, connected).access_token()
    assert one(engine, "select state from mailboxes.connections").state == state
    assert one(engine, "select count(*) from app.notices")[0] == (state == "reconnect_needed")


@pytest.mark.parametrize(
    "effects",
    [{"status": 500}, {"status": 503}, {"status": 429}, {"reset": True}, {"reset_mid_body": True}, {"truncate": True}],
)
def test_google_failing_is_tried_again_and_changes_nothing(
    connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail, effects: dict[str, object]
) -> None:
    """An outage of Google's that asks every owner to reconnect."""
    gmail.faults.next("token", **effects)
    source = TokenSource(engine, live, connected)
    with pytest.raises(ProviderUnavailableError):
        source.access_token()
    assert one(engine, "select state from mailboxes.connections").state == "connected"
    assert gmail.oauth.whose(source.access_token()) is not None


def test_an_answer_that_is_lost_is_no_loss(connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail) -> None:
    """A refresh that Google did and whose answer never came."""
    gmail.faults.next("token", reset_after=True)
    source = TokenSource(engine, live, connected)
    with pytest.raises(ProviderUnavailableError):
        source.access_token()
    assert gmail.oauth.whose(source.access_token()) is not None


def test_connecting_again_during_a_refusal_wins(
    connected: uuid.UUID, engine: Engine, live: Settings, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old token's refusal, heard late, undoes what the owner has just done."""
    ada.revoke()
    real = google_endpoints.refresh

    def refuse_then_reconnect(*arguments: Any) -> Tokens:
        try:
            return real(*arguments)
        except GoogleRefusalError:
            owner.start()
            raise

    reconnected = threading.Event()

    def reconnect() -> None:
        connect(engine, live, ada)
        reconnected.set()

    owner = threading.Thread(target=reconnect)
    need = TokenSource._refused

    def refused_after(self: TokenSource, *arguments: Any) -> Exception:
        assert reconnected.wait(20)
        return need(self, *arguments)

    monkeypatch.setattr(google_endpoints, "refresh", refuse_then_reconnect)
    monkeypatch.setattr(TokenSource, "_refused", refused_after)
    with pytest.raises(ProviderUnavailableError, match="connected again at this moment"):
        TokenSource(engine, live, connected).access_token()
    owner.join()
    assert one(engine, "select state from mailboxes.connections").state == "connected"
    assert one(engine, "select count(*) from app.notices")[0] == 0


def test_a_lock_that_is_never_given_up_does_not_hang_a_run(
    connected: uuid.UUID, engine: Engine, live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that waits for ever behind one that hangs."""
    monkeypatch.setattr(credentials, "LOCK_SECONDS", 0.2)
    with engine.begin() as connection:
        connection.execute(select(mailboxes.credentials.c.mailbox_id).with_for_update())
        with pytest.raises(ProviderUnavailableError, match="Another process"):
            TokenSource(engine, live, connected).access_token()


def test_other_failures_of_the_database_are_not_called_a_lock(
    connected: uuid.UUID, engine: Engine, live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage of the database reported as a slow refresh."""

    def break_the_connection(*_: Any) -> Tokens:
        with engine.connect() as connection:
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where state like 'idle in%'")
            )
        return Tokens("ya29.x", None, datetime.now(UTC) + timedelta(hours=1), (GMAIL_READONLY,))

    monkeypatch.setattr(google_endpoints, "refresh", break_the_connection)
    with pytest.raises(Exception, match="terminat") as failure:
        TokenSource(engine, live, connected).access_token()
    assert not isinstance(failure.value, ProviderUnavailableError)


def test_a_mailbox_without_a_grant_needs_one(
    connected: uuid.UUID, engine: Engine, live: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in the place of "connect it"."""
    with pytest.raises(ReconnectNeededError, match="no grant"):
        TokenSource(engine, live, uuid.uuid4()).access_token()
    source = TokenSource(engine, live, connected)
    # Gone between the look and the lock, as when it is disconnected at this moment.
    monkeypatch.setattr(source, "_stored", lambda _: None)
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.credentials"))
    with pytest.raises(ReconnectNeededError, match="no grant"):
        source.access_token()
    with pytest.raises(ReconnectNeededError, match="no grant"):
        TokenSource(engine, live, connected).access_token()


def test_one_mailboxs_grant_does_not_open_in_anothers_row(
    connected: uuid.UUID, engine: Engine, live: Settings, gmail: Gmail
) -> None:
    """Whoever may write to the table reads another mailbox through their own."""
    other = connect(engine, live, gmail.add_user(OTHER))
    with engine.begin() as connection:
        sealed = connection.execute(
            select(mailboxes.credentials.c.sealed).where(mailboxes.credentials.c.mailbox_id == connected)
        ).scalar_one()
        connection.execute(
            update(mailboxes.credentials).where(mailboxes.credentials.c.mailbox_id == other).values(sealed=sealed)
        )
    with pytest.raises(SealError, match="does not belong there"):
        TokenSource(engine, live, other).access_token()
    assert _refreshes(gmail) == 0


def test_asking_for_a_reconnection_twice_changes_nothing(connected: uuid.UUID, engine: Engine) -> None:
    """The second failure overwrites the reason of the first, or tells the owner again after they dismissed it."""
    with engine.begin() as connection:
        lifecycle.need_reconnect(connection, connected, "First reason")
    with engine.begin() as connection:
        connection.execute(text("update app.notices set ended_at = now()"))
        lifecycle.need_reconnect(connection, connected, "Second reason")
    assert one(engine, "select state_reason from mailboxes.connections").state_reason == "First reason"
    assert one(engine, "select count(*) from app.notices")[0] == 1


def test_a_disconnection_that_waits_is_not_cancelled(connected: uuid.UUID, engine: Engine) -> None:
    """A mailbox that its owner wanted erased, kept because its grant ended first."""
    with engine.begin() as connection:
        lifecycle.ask_to_disconnect(connection, connected, asked_by="button")
    with engine.begin() as connection:
        lifecycle.need_reconnect(connection, connected, "Too late")
    assert one(engine, "select state from mailboxes.connections").state == "disconnecting"
    assert one(engine, "select kind, state from sync_queue.requests") == ("disconnect", "todo")
    assert one(engine, "select count(*) from app.notices")[0] == 0


def test_a_grant_is_stored_with_what_can_be_looked_at(connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """A token in a plain column."""
    row = one(engine, "select * from mailboxes.credentials")
    assert row.key_id == Sealer.of(live).key_id
    assert row.scopes == [GMAIL_READONLY]
    assert b"1//" not in row.sealed
    assert b"ya29" not in row.sealed
