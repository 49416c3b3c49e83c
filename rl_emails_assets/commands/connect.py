"""`rl-emails connect gmail`: sign in with the browser of this machine, and wait for it to come back."""

import queue
import secrets
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.commands.up import has_screen
from rl_emails_assets.connections import google_oauth
from rl_emails_assets.connections.google_oauth import Connected
from rl_emails_assets.errors import SignInError
from rl_emails_assets.instance import up_file
from rl_emails_assets.settings import Settings

LOOPBACK = "127.0.0.1"
PROVIDERS = ("gmail",)
REQUEST_SECONDS = 10
"""A browser opens connections ahead of need; one that says nothing is given up after this."""
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>rl-emails: {title}</title>'
    "<h1>{title}</h1><p>{text}</p></html>"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A browser that has come back, and waits for its page."""

    state: str
    code: str | None
    error: str | None
    page: "queue.SimpleQueue[tuple[HTTPStatus, str, str]]"
    """Takes the page's status, title and text."""
    is_answered: threading.Event


def connect_gmail(
    engine: Engine,
    settings: Settings,
    *,
    login_hint: str,
    open_browser: bool,
    wait_seconds: float,
    is_json: bool,
    on_link: Callable[[str], None] | None = None,
) -> ExitCode:
    """Connect a Gmail account: print the link, open it, wait for the browser to come back to this machine.

    `on_link` is given the link instead of a person. Raises SettingsError without an OAuth client, SignInError when the
    sign-in failed or nobody came back in time.
    """
    people = console(is_error=True)
    with _Listener() as listener:
        with engine.begin() as connection:
            link = google_oauth.begin(
                connection,
                settings,
                session=listener.session,
                redirect_uri=listener.redirect_uri,
                login_hint=login_hint,
            )
        listener.expect(parse_qs(urlsplit(link).query)["state"][0])
        if on_link is not None:
            on_link(link)
        else:
            people.print("Open this link in a browser on this machine and allow reading your mail:")
            people.print(link, markup=False, soft_wrap=True)
            if open_browser and has_screen():
                webbrowser.open(link)
        connected = _finished(engine, settings, listener, wait_seconds)
    is_up = up_file.is_up(settings.home)
    if is_json:
        print_json({"mailbox_id": connected.mailbox_id, "address": connected.address, "is_syncing": is_up})
        return ExitCode.OK
    out = console()
    out.print(f"{shown(connected.address)} is connected.")
    if is_up:
        out.print("Its newest mail appears in the inbox within a minute or so; `rl-emails status` tells how far it is.")
    else:
        out.print("Its first sync is queued. `rl-emails up` starts everything, and the sync with it.")
    return ExitCode.OK


def _finished(engine: Engine, settings: Settings, listener: "_Listener", wait_seconds: float) -> Connected:
    """Wait for the browser, end the sign-in, and show the browser what came of it."""
    try:
        arrival = listener.arrivals.get(timeout=wait_seconds)
    except queue.Empty:
        raise SignInError(
            f"Nobody came back from Google within {wait_seconds:.0f} seconds. Run the command again; the link must be "
            "opened on this machine."
        ) from None
    page = (HTTPStatus.INTERNAL_SERVER_ERROR, "Not connected", "The command failed; the terminal says why.")
    try:
        connected = google_oauth.finish(
            engine, settings, session=listener.session, state=arrival.state, code=arrival.code, error=arrival.error
        )
        page = (HTTPStatus.OK, "Connected", f"{connected.address} is connected. You can close this page.")
    except SignInError as error:
        page = (HTTPStatus.BAD_REQUEST, "Not connected", str(error))
        raise
    finally:
        arrival.page.put(page)
        arrival.is_answered.wait(REQUEST_SECONDS)
    return connected


class _Listener:
    """A server on a free loopback port that waits for one browser to come back."""

    def __init__(self) -> None:
        self.session = secrets.token_bytes(32)
        self.arrivals: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._expected: str | None = None
        self._lock = threading.Lock()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            timeout = REQUEST_SECONDS

            def do_GET(self) -> None:
                listener.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing: the address has the code in it."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._name = f"{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where Google sends the browser back to."""
        return f"http://{self._name}{google_oauth.CALLBACK_PATH}"

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def expect(self, state: str) -> None:
        """From now on the browser that comes back with this state ends the wait, once."""
        self._expected = state

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request of a browser."""
        asked = urlsplit(request.path)
        values = {name: found[0] for name, found in parse_qs(asked.query).items()}
        # Another name for 127.0.0.1 would be a hostile page's own.
        is_ours = asked.path == google_oauth.CALLBACK_PATH and request.headers.get("Host") == self._name
        if not is_ours or not self._is_expected(values.get("state", "")):
            _reply(request, HTTPStatus.NOT_FOUND, "Nothing here", "This address only ends a sign-in that has begun.")
            return
        arrival = _Arrival(
            values["state"], values.get("code"), values.get("error"), queue.SimpleQueue(), threading.Event()
        )
        self.arrivals.put(arrival)
        try:
            _reply(request, *arrival.page.get())
        finally:
            arrival.is_answered.set()

    def _is_expected(self, state: str) -> bool:
        """Whatever else this machine or its browser asks for must not end the wait, or use the state up."""
        with self._lock:
            expected, matches = self._expected, False
            if expected is not None and secrets.compare_digest(state.encode(), expected.encode()):
                self._expected, matches = None, True
            return matches


def _reply(request: BaseHTTPRequestHandler, status: HTTPStatus, title: str, text: str) -> None:
    body = _PAGE.format(title=title, text=escape(text)).encode()
    request.send_response(status)
    for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
