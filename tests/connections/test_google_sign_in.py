"""Signing in at Google: what connects a mailbox, and everything that must not."""

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.connections import google_oauth
from rl_emails_assets.connections.credentials import read_grant
from rl_emails_assets.connections.google_endpoints import GMAIL_READONLY
from rl_emails_assets.db.mailbox_rows import connect_files, mailbox_id_of
from rl_emails_assets.errors import SettingsError, SignInError
from rl_emails_assets.settings import Settings
from tests.connections.conftest import ADDRESS, OTHER, REDIRECT, SignIn, one
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User


def _nothing_is_connected(engine: Engine) -> bool:
    query = "select (select count(*) from mailboxes.connections), (select count(*) from mailboxes.credentials)"
    return tuple(one(engine, query)) == (0, 0)


def test_a_sign_in_connects_the_mailbox(sign_in: SignIn, ada: User, engine: Engine, live: Settings) -> None:
    """A grant that is not kept, or a mailbox that nobody syncs."""
    connected = sign_in()
    assert (connected.mailbox_id, connected.address) == (mailbox_id_of(ADDRESS), ADDRESS)
    row = one(engine, "select address, provider, state, state_reason from mailboxes.connections")
    assert tuple(row) == (ADDRESS, "gmail", "connected", "")
    assert tuple(one(engine, "select kind, asked_by, state from sync_queue.requests")) == ("full", "connect", "todo")
    assert one(engine, "select address, found_by from mailboxes.aliases") == (ADDRESS, "mailbox")
    with engine.connect() as connection:
        grant = read_grant(connection, live, connected.mailbox_id)
    assert grant is not None
    assert ada.gmail.oauth.live_grants(ada) == [grant.refresh_token]
    assert ada.gmail.oauth.whose(grant.access_token) is not None
    assert grant.scopes == (GMAIL_READONLY,)
    assert timedelta(minutes=58) < grant.expires_at - datetime.now(UTC) < timedelta(minutes=61)
    assert "ya29" not in repr(grant)
    assert grant.refresh_token not in repr(grant)
    assert one(engine, "select count(*) from mailboxes.oauth_states")[0] == 0


def test_what_is_asked_of_google(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """More access than is needed, a code that whoever sees it can use, or no permission that lasts."""
    url = sign_in.begin(login_hint=" Ada@Example.org ")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked["scope"] == "https://www.googleapis.com/auth/gmail.readonly"
    assert asked["access_type"] == "offline"
    assert asked["prompt"] == "consent"
    assert asked["code_challenge_method"] == "S256"
    assert asked["login_hint"] == ADDRESS
    assert asked["redirect_uri"] == REDIRECT
    assert "include_granted_scopes" not in asked
    assert len(base64.urlsafe_b64decode(asked["state"] + "=")) * 8 == 256
    row = one(engine, "select * from mailboxes.oauth_states")
    assert row.state_hash == hashlib.sha256(asked["state"].encode()).digest()
    assert asked["state"].encode() not in row.sealed
    assert timedelta(minutes=9) < row.expires_at - datetime.now(UTC) <= timedelta(minutes=10)


def test_a_state_is_used_once(sign_in: SignIn, ada: User, gmail: Gmail) -> None:
    """Replaying the browser's history, or a stolen address, signs in again."""
    back = sign_in.consent(sign_in.begin())
    sign_in.finish(back)
    exchanges = gmail.calls.count("token")
    with pytest.raises(SignInError, match="used already"):
        sign_in.finish(back)
    assert gmail.calls.count("token") == exchanges, "the second use must not even reach Google"
    assert len(gmail.oauth.live_grants(ada)) == 1


def test_a_state_that_two_use_at_once_admits_one(sign_in: SignIn, ada: User, gmail: Gmail) -> None:
    """A double click: with two exchanges of one code Google takes the grant back."""
    back = sign_in.consent(sign_in.begin())
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def use() -> None:
        barrier.wait()
        try:
            outcomes.append(sign_in.finish(back).address)
        except SignInError:
            outcomes.append("refused")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [ADDRESS, "refused", "refused", "refused"]
    assert gmail.calls.count("token") == 1
    assert len(gmail.oauth.live_grants(ada)) == 1


def test_another_session_cannot_finish(sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine) -> None:
    """An attacker's link that connects the attacker's account in the victim's browser, or the other way round."""
    back = sign_in.consent(sign_in.begin())
    for session in (b"another", b""):
        with pytest.raises(SignInError):
            sign_in.finish(back, session=session)
    assert gmail.calls.count("token") == 0
    with pytest.raises(SignInError, match="used already"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)


@pytest.mark.parametrize("state", ["", "guessed", "\x00", "é" * 300])
def test_an_unknown_state_is_refused(sign_in: SignIn, ada: User, engine: Engine, state: str) -> None:
    """A forged callback."""
    back = sign_in.consent(sign_in.begin())
    with pytest.raises(SignInError, match="not known"):
        sign_in.finish({**back, "state": state})
    assert sign_in.finish(back).address == ADDRESS


def test_a_sign_in_lapses(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """A link found weeks later still connects an account; or lapsed states pile up for ever."""
    back = sign_in.consent(sign_in.begin())
    with engine.begin() as connection:
        connection.execute(text("update mailboxes.oauth_states set expires_at = now() - interval '1 second'"))
    with pytest.raises(SignInError, match="10 minutes"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)
    sign_in.begin()
    with engine.begin() as connection:
        connection.execute(text("update mailboxes.oauth_states set expires_at = now() - interval '1 second'"))
    sign_in.begin()
    assert one(engine, "select count(*) from mailboxes.oauth_states")[0] == 1


def test_a_refusal_is_said(sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine) -> None:
    """Somebody who clicked "Cancel" and is told of an internal error."""
    gmail.oauth.consent.denied = True
    back = sign_in.consent(sign_in.begin())
    assert back["error"] == "access_denied"
    with pytest.raises(SignInError, match="not granted"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("admin_policy_enforced", "admin_policy_enforced"),
        ("<script>alert(1)</script>", "an unknown error"),
        ("", "an unknown error"),
    ],
)
def test_words_of_the_address_bar_are_not_repeated(sign_in: SignIn, ada: User, error: str, told: str) -> None:
    """A link that makes our page say what an attacker wrote."""
    state = sign_in.consent(sign_in.begin())["state"]
    with pytest.raises(SignInError, match=told) as refused:
        sign_in.finish({"state": state, "error": error})
    assert "script" not in str(refused.value)


def test_a_callback_without_a_code_is_refused(sign_in: SignIn, ada: User, gmail: Gmail) -> None:
    """An exchange of nothing."""
    state = sign_in.consent(sign_in.begin())["state"]
    with pytest.raises(SignInError, match="no code"):
        sign_in.finish({"state": state})
    assert gmail.calls.count("token") == 0


def test_an_unticked_scope_is_found_at_once(sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine) -> None:
    """A mailbox that looks connected and whose every sync fails."""
    gmail.oauth.consent.unticked = {GMAIL_READONLY}
    with pytest.raises(SignInError, match="not ticked"):
        sign_in()
    assert _nothing_is_connected(engine)


def test_a_code_is_worth_nothing_without_the_verifier(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """A code read from the address bar and used by somebody else: PKCE that is sent and does not count."""
    url = sign_in.begin()
    challenge = parse_qs(urlsplit(url).query)["code_challenge"][0]
    back = sign_in.consent(url.replace(challenge, "A" * 43))
    with pytest.raises(SignInError, match="Invalid code verifier"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)


def test_no_refresh_token_means_no_connection(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """A mailbox that works for one hour."""
    ada.grant()
    url = sign_in.begin().replace("prompt=consent", "prompt=none")
    with pytest.raises(SignInError, match="no refresh token"):
        sign_in.finish(sign_in.consent(url))
    assert _nothing_is_connected(engine)


def test_a_code_that_has_lapsed_is_said(sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine) -> None:
    """A generic error in the place of "begin again"."""
    back = sign_in.consent(sign_in.begin())
    gmail.advance(minutes=11)
    with pytest.raises(SignInError, match="took too long"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)


def test_a_wrong_secret_is_said(sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine) -> None:
    """An administrator who cannot see that the secret is wrong; or a message with the secret in it."""
    back = sign_in.consent(sign_in.begin())
    wrong = replace(sign_in, settings=sign_in.settings.model_copy(update={"google_client_secret": "GOCSPX-other"}))
    with pytest.raises(SignInError, match="RL_EMAILS_GOOGLE_CLIENT_SECRET") as refused:
        wrong.finish(back)
    assert "GOCSPX" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "effects"),
    [
        ("token", {"status": 500}),
        ("token", {"status": 429}),
        ("token", {"reset": True}),
        ("token", {"truncate": True}),
        ("getProfile", {"status": 503}),
        ("getProfile", {"reset": True}),
        ("getProfile", {"truncate": True}),
    ],
)
def test_google_failing_is_a_sign_in_that_failed(
    sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine, method: str, effects: dict[str, object]
) -> None:
    """A traceback on the page that Google's sends the browser to, or half a connection."""
    back = sign_in.consent(sign_in.begin())
    gmail.faults.next(method, **effects)
    with pytest.raises(SignInError, match="Begin again"):
        sign_in.finish(back)
    assert _nothing_is_connected(engine)
    assert sign_in().address == ADDRESS


@pytest.mark.parametrize(
    ("status", "told"), [(403, "Enable the Gmail API"), (401, "did not tell"), (404, "did not tell")]
)
def test_a_project_without_the_gmail_api_is_said(
    sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine, status: int, told: str
) -> None:
    """The commonest mistake of a new Google Cloud project, reported as something else."""
    gmail.faults.next("getProfile", status=status)
    with pytest.raises(SignInError, match=told):
        sign_in()
    assert _nothing_is_connected(engine)


def test_another_account_is_refused_where_one_was_to_be_connected_again(
    sign_in: SignIn, ada: User, gmail: Gmail, engine: Engine
) -> None:
    """Work mail poured into the private mailbox because the browser was signed in to both."""
    sign_in()
    gmail.add_user(OTHER)
    gmail.oauth.consent.address = OTHER
    with pytest.raises(SignInError, match=f"signed in as {OTHER}, but {ADDRESS}"):
        sign_in(login_hint=ADDRESS)
    assert one(engine, "select array_agg(address) from mailboxes.connections")[0] == [ADDRESS]
    assert sign_in(login_hint="somebody@new.example").address == OTHER, "a hint of no mailbox of ours is only a hint"


def test_mail_imported_from_files_is_not_turned_into_gmail(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """Every message twice: once as imported, once as Gmail has it."""
    with engine.begin() as connection:
        connect_files(connection, ADDRESS, {"path": "/mail", "kind": "folder"}, aliases=())
    with pytest.raises(SignInError, match=f"rl-emails disconnect {ADDRESS}"):
        sign_in()
    assert one(engine, "select provider, (select count(*) from mailboxes.credentials) from mailboxes.connections") == (
        "files",
        0,
    )


def test_without_a_client_nothing_begins(sign_in: SignIn, engine: Engine, live: Settings) -> None:
    """A browser sent to Google with an address that cannot work."""
    bare = replace(sign_in, settings=live.model_copy(update={"google_client_id": None}))
    with pytest.raises(SettingsError, match="RL_EMAILS_GOOGLE_CLIENT_ID"):
        bare.begin()
    assert one(engine, "select count(*) from mailboxes.oauth_states")[0] == 0


def test_keys_that_changed_meanwhile_end_the_sign_in(sign_in: SignIn, ada: User, live: Settings) -> None:
    """A server restarted with other keys between the two halves."""
    back = sign_in.consent(sign_in.begin())
    other = base64.b64encode(b"k" * 32).decode()
    changed = replace(sign_in, settings=live.model_copy(update={"secret_keys": other}))
    with pytest.raises(SignInError, match="keys changed"):
        changed.finish(back)
    back = sign_in.consent(sign_in.begin())
    broken = replace(sign_in, settings=live.model_copy(update={"secret_keys": "x"}))
    with pytest.raises(SignInError, match="RL_EMAILS_SECRET_KEYS"):
        broken.finish(back)


def test_a_verifier_moved_to_another_state_does_not_open(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """Two sign-ins whose rows somebody mixed."""
    first, second = sign_in.consent(sign_in.begin()), sign_in.begin()
    del second
    with engine.begin() as connection:
        connection.execute(
            text(
                "update mailboxes.oauth_states a set sealed = b.sealed from mailboxes.oauth_states b "
                "where a.state_hash <> b.state_hash"
            )
        )
    with pytest.raises(SignInError, match="keys changed"):
        sign_in.finish(first)


def test_a_client_without_a_secret_proves_itself_by_pkce(
    live: Settings, ada: User, gmail: Gmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret of None sent as the word "None"."""
    sent: list[dict[str, str]] = []
    answer: Callable[[dict[str, str]], object] = gmail.oauth.token
    monkeypatch.setattr(gmail.oauth, "token", lambda form: (sent.append(form), answer(form))[1])
    bare = live.model_copy(update={"google_client_secret": None})
    with pytest.raises(google_oauth.GoogleRefusalError):
        google_oauth.google_endpoints.exchange_code(bare, code="4/x", verifier="v" * 43, redirect_uri=REDIRECT)
    assert "client_secret" not in sent[0]
    assert sent[0]["client_id"] == gmail.oauth.client_id


def test_a_proxy_and_a_bundle_are_honoured(
    live: Settings, sign_in: SignIn, ada: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A company network whose only way out is its proxy."""
    back = sign_in.consent(sign_in.begin())
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(SignInError, match="could not be reached"):
        sign_in.finish(back)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert sign_in.consent(sign_in.begin())
    bundled = replace(sign_in, settings=live.model_copy(update={"ca_bundle": tmp_path / "none.pem"}))
    with pytest.raises(SignInError, match="RL_EMAILS_CA_BUNDLE"):
        bundled.finish(bundled.consent(bundled.begin()))
