"""`rl-emails connect`, `disconnect` and `keys`, as people and scripts meet them."""

import base64
import json
import socket
import threading
import uuid
import webbrowser
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.commands import connect as connect_command
from rl_emails_assets.commands import disconnect as disconnect_command
from rl_emails_assets.commands.connect import connect_gmail
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.connections import google_oauth
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.mailbox_rows import mailbox_id_of
from rl_emails_assets.errors import SignInError
from rl_emails_assets.instance.up_file import sole_supervisor
from rl_emails_assets.settings import Settings
from tests.connections.conftest import ADDRESS, one, rows_of
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User

Run = Callable[..., Result]


@pytest.fixture
def run(live: Settings, gmail: Gmail, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's own database, home and stand-in."""
    for name, value in gmail.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RL_EMAILS_HOME", str(live.home))
    monkeypatch.setenv("RL_EMAILS_CACHE", str(live.cache_dir))
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", str(live.database_url))
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, [str(argument) for argument in arguments], **more)


class Browser:
    """Opens links in a thread of its own, consents, and comes back."""

    def __init__(self) -> None:
        self.pages: list[httpx.Response] = []
        self.opened: list[str] = []
        self._threads: list[threading.Thread] = []

    def open(self, link: str) -> bool:
        """As `webbrowser.open`."""
        self.opened.append(link)
        self._threads.append(threading.Thread(target=self._go, args=(link,)))
        self._threads[-1].start()
        return True

    def _go(self, link: str) -> None:
        self.pages.append(httpx.get(link, follow_redirects=True, timeout=30))

    def join(self) -> None:
        """Until every page is there."""
        for thread in self._threads:
            thread.join()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """The browser that `webbrowser` opens."""
    made = Browser()
    monkeypatch.setattr(webbrowser, "open", made.open)
    monkeypatch.setattr(connect_command, "has_screen", lambda: True)
    yield made
    made.join()


def test_an_account_is_connected_from_the_terminal(run: Run, ada: User, browser: Browser, engine: Engine) -> None:
    """An installed product whose owner has no page to click on."""
    done = run("connect", "gmail")
    browser.join()
    assert done.exit_code == ExitCode.OK, done.output
    assert f"{ADDRESS} is connected." in done.stdout
    assert "rl-emails up" in done.stdout
    asked = parse_qs(urlsplit(browser.opened[0]).query)
    assert asked["redirect_uri"][0].startswith("http://127.0.0.1:")
    assert browser.opened[0] in done.stderr.replace("\n", "")
    (page,) = browser.pages
    assert page.status_code == 200
    assert f"{ADDRESS} is connected. You can close this page." in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
    assert one(engine, "select state, asked_by from sync_queue.requests") == ("todo", "connect")


def test_a_running_product_syncs_by_itself(run: Run, ada: User, browser: Browser, live: Settings) -> None:
    """An owner told to start what runs, or a script that cannot tell."""
    with sole_supervisor(live.home):
        done = run("connect", "gmail", "--login-hint", ADDRESS)
        assert "appears in the inbox" in done.stdout
        answer = json.loads(run("connect", "gmail", "--json").stdout)
    assert answer == {
        "mailbox_id": str(mailbox_id_of(ADDRESS)),
        "address": ADDRESS,
        "is_syncing": True,
    }
    assert f"login_hint={ADDRESS.replace('@', '%40')}" in browser.opened[0]


def test_a_refusal_is_said_in_both_places(run: Run, ada: User, browser: Browser, gmail: Gmail) -> None:
    """A terminal that waits on after the owner clicked "Cancel", or a page that says all is well."""
    gmail.oauth.consent.denied = True
    done = run("connect", "gmail")
    browser.join()
    assert done.exit_code == ExitCode.FAILED
    assert "not granted" in done.stderr
    assert browser.pages[0].status_code == 400
    assert "not granted" in browser.pages[0].text


def test_nobody_came_back(run: Run, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that waits for ever."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    done = run("connect", "gmail", "--no-browser", "--wait-seconds", 1)
    assert done.exit_code == ExitCode.FAILED
    assert "Nobody came back" in done.stderr
    assert opened == []


def test_what_else_knocks_does_not_end_the_wait(
    engine: Engine, live: Settings, ada: User, gmail: Gmail, capsys: pytest.CaptureFixture[str]
) -> None:
    """A favicon, a silent connection ahead of need, a forged state or a hostile page's name for 127.0.0.1."""
    answers: list[int] = []
    browser = Browser()
    silent: list[socket.socket] = []

    def knock(link: str) -> None:
        asked = parse_qs(urlsplit(link).query)
        back = asked["redirect_uri"][0]
        state = asked["state"][0]
        silent.append(socket.create_connection((urlsplit(back).hostname or "", urlsplit(back).port or 0)))
        origin = back.removesuffix(google_oauth.CALLBACK_PATH)
        for url, host in (
            (f"{origin}/favicon.ico", None),
            (back, None),
            (f"{back}?state=guessed&code=4/x", None),
            (f"{origin}/?state={state}&code=4/x", None),
            (f"{back}?state={state}&code=4/x", "evil.example"),
        ):
            answers.append(httpx.get(url, headers={"Host": host} if host else {}).status_code)
        answers.append(httpx.post(back).status_code)
        browser.open(link)

    code = connect_gmail(engine, live, login_hint="", open_browser=False, wait_seconds=60, is_json=True, on_link=knock)
    browser.join()
    silent[0].close()
    assert code == ExitCode.OK
    assert answers == [404, 404, 404, 404, 404, 501]
    assert browser.pages[0].status_code == 200
    assert json.loads(capsys.readouterr().out)["address"] == ADDRESS


def test_a_second_return_is_not_the_first(engine: Engine, live: Settings, ada: User, gmail: Gmail) -> None:
    """The browser reloading the page while the first return is being worked on."""
    gmail.faults.next("token", delay=0.5)
    statuses: list[int] = []
    threads: list[threading.Thread] = []

    def twice(link: str) -> None:
        back = httpx.get(link).headers["location"]
        for _ in range(2):
            threads.append(threading.Thread(target=lambda: statuses.append(httpx.get(back, timeout=30).status_code)))
            threads[-1].start()

    connect_gmail(engine, live, login_hint="", open_browser=False, wait_seconds=60, is_json=False, on_link=twice)
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 404]


def test_a_failure_of_ours_reaches_page_and_terminal(
    engine: Engine, live: Settings, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that waits for a command which has crashed."""
    browser = Browser()

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(google_oauth, "finish", crash)
    with pytest.raises(ZeroDivisionError):
        connect_gmail(
            engine, live, login_hint="", open_browser=False, wait_seconds=60, is_json=False, on_link=browser.open
        )
    browser.join()
    assert browser.pages[0].status_code == 500
    assert "the terminal says why" in browser.pages[0].text


def test_the_listener_is_gone_afterwards(engine: Engine, live: Settings, ada: User) -> None:
    """A port that stays open on the owner's machine."""
    links: list[str] = []
    with pytest.raises(SignInError):
        connect_gmail(
            engine, live, login_hint="", open_browser=False, wait_seconds=0.1, is_json=False, on_link=links.append
        )
    back = parse_qs(urlsplit(links[0]).query)["redirect_uri"][0]
    with pytest.raises(httpx.ConnectError):
        httpx.get(back)


def test_what_cannot_be_connected_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that is not there, or a project that is not set up, reported as a crash."""
    assert run("connect", "outlook").exit_code == ExitCode.USAGE
    monkeypatch.delenv("RL_EMAILS_GOOGLE_CLIENT_ID")
    done = run("connect", "gmail")
    assert done.exit_code == ExitCode.FAILED
    assert "RL_EMAILS_GOOGLE_CLIENT_ID" in done.stderr


def test_a_disconnection_prints_its_receipt(run: Run, connected: uuid.UUID, engine: Engine) -> None:
    """An erasure that nobody can prove."""
    done = run("disconnect", ADDRESS, "--yes")
    assert done.exit_code == ExitCode.OK, done.output
    assert f"{ADDRESS} is disconnected." in done.stdout
    assert "watch   stopped" in done.stdout
    assert "grant   revoked" in done.stdout
    assert "1 rows of mailboxes.connections" in done.stdout
    assert set(rows_of(engine, connected).values()) == {0}
    assert run("disconnect", ADDRESS, "--yes").exit_code == ExitCode.NOT_FOUND


def test_a_disconnection_asks_first(
    run: Run, connected: uuid.UUID, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything erased by a slip; or a script that hangs on a question."""
    done = run("disconnect", ADDRESS)
    assert done.exit_code == ExitCode.USAGE
    assert "--yes" in done.stderr
    monkeypatch.setattr(disconnect_command, "can_ask", lambda: True)
    done = run("disconnect", ADDRESS, input="somebody@else.example\n")
    assert done.exit_code == ExitCode.FAILED
    assert one(engine, "select state from mailboxes.connections").state == "connected"
    assert run("disconnect", ADDRESS, input=f"{ADDRESS.upper()}\n").exit_code == ExitCode.OK
    assert set(rows_of(engine, connected).values()) == {0}


def test_an_outage_is_said_and_can_be_overruled(run: Run, connected: uuid.UUID, engine: Engine, gmail: Gmail) -> None:
    """A script that takes an erasure which did not happen for one that did."""
    gmail.faults.next("revoke", status=503, times=2)
    done = run("disconnect", ADDRESS, "--yes")
    assert done.exit_code == ExitCode.UNAVAILABLE
    assert sum(rows_of(engine, connected).values()) > 0
    done = run("disconnect", ADDRESS, "--yes", "--even-if-unreachable", "--json")
    assert done.exit_code == ExitCode.OK
    receipt = json.loads(done.stdout)
    assert receipt["rows"]["mailboxes.credentials"] == 1
    assert "permissions" in receipt["grant"]
    assert set(rows_of(engine, connected).values()) == {0}


def test_keys_are_listed_and_rotated(run: Run, connected: uuid.UUID, engine: Engine, live: Settings) -> None:
    """A rotation that nobody can see, or a key on the screen."""
    old = Sealer.of(live).key_id
    listed = run("keys", "list")
    assert listed.exit_code == ExitCode.OK
    assert old in listed.stdout
    assert "secret-keys" in listed.stdout.replace("\n", "")
    done = run("keys", "rotate")
    assert done.exit_code == ExitCode.OK, done.output
    new = Sealer.of(live).key_id
    assert new != old
    assert f"1 mailboxes were encrypted again; key {new} encrypts now." in done.stdout
    assert json.loads(run("keys", "list", "--json").stdout)["keys"] == [
        {"key_id": new, "mailbox_count": 1, "is_here": True, "encrypts": True},
        {"key_id": old, "mailbox_count": 0, "is_here": True, "encrypts": False},
    ]
    assert json.loads(run("keys", "rotate", "--json").stdout)["rewrapped_count"] == 1
    assert run("keys", "eat").exit_code == ExitCode.USAGE


def test_keys_in_the_environment_are_changed_there(
    run: Run, connected: uuid.UUID, live: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is written and never read; or grants that stay with the key that was to go."""
    old = (live.home / "keys" / "secret-keys").read_text().strip()
    new = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setenv("RL_EMAILS_SECRET_KEYS", f"{new},{old}")
    done = run("keys", "rotate")
    assert done.exit_code == ExitCode.OK, done.output
    assert "1 mailboxes were encrypted again" in done.stdout
    assert "openssl rand -base64 32" in done.stdout
    assert (live.home / "keys" / "secret-keys").read_text().strip() == old
    monkeypatch.setenv("RL_EMAILS_SECRET_KEYS", old)
    listed = run("keys", "list")
    assert listed.exit_code == ExitCode.INCOMPLETE
    assert "is missing" in listed.stdout
    assert new not in listed.stdout
    rotated = run("keys", "rotate")
    assert rotated.exit_code == ExitCode.INCOMPLETE
    assert str(connected) in rotated.stdout


def test_a_row_in_use_is_reported(
    run: Run, connected: uuid.UUID, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation that says it is done."""
    monkeypatch.setattr("rl_emails_assets.connections.key_rotation.PATIENCE_SECONDS", 0.1)
    with engine.begin() as connection:
        connection.execute(text("select from mailboxes.credentials for update"))
        done = run("keys", "rotate")
    assert done.exit_code == ExitCode.INCOMPLETE
    assert f"{connected} was in use" in done.stdout
