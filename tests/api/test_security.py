"""Who may ask: the token, the cookie, the host name, and where a request comes from."""

import asyncio

import httpx
import pytest
from mails import OWNER, seed_id
from serving import TOKEN

from rl_emails_api.app import create_app
from rl_emails_api.security import COOKIE
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.settings import Settings

MAILBOX = seed_id(OWNER)
PATHS = ("/v1/mailboxes", "/v1/inbox", "/v1/openapi.json", "/web/app.js", "/v1/nothing")


@pytest.fixture
def browser(shared_server):
    """A client that opened the printed link and holds the cookie, and no header."""
    with httpx.Client(base_url=shared_server.url, timeout=30) as made:
        made.get("/", params={"token": TOKEN})
        yield made


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Cookie": "]broken[=;;"},
        {"Cookie": "a,b=1"},
        {"Cookie": '="; a=\\'},
    ],
)
def test_without_the_token_everything_is_closed(shared_server, path, headers):
    """Mail, or even the page's own files, served to any process of this machine."""
    answer = httpx.get(f"{shared_server.url}{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:rl-emails:problem:token-required"


def test_the_token_opens(shared_server):
    """A correct token refused."""
    assert (
        httpx.get(f"{shared_server.url}/v1/mailboxes", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    )


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])
def test_a_name_that_is_not_this_machine_is_refused(shared_server, host):
    """DNS rebinding: a hostile page's own name pointing at 127.0.0.1."""
    answer = httpx.get(f"{shared_server.url}/v1/inbox", headers={"Authorization": f"Bearer {TOKEN}", "Host": host})
    assert answer.status_code == 421
    assert answer.json()["type"] == "urn:rl-emails:problem:wrong-host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8025", "127.0.0.1:1", "[::1]:8025", "[::1]", "127.9.9.9"])
def test_loopback_names_are_accepted(shared_server, host):
    """The printed link failing because of how it names this machine."""
    answer = httpx.get(f"{shared_server.url}/v1/mailboxes", headers={"Authorization": f"Bearer {TOKEN}", "Host": host})
    assert answer.status_code == 200


def test_the_link_sets_a_strict_cookie_and_hides_the_token(shared_server):
    """The token staying in the address bar, or a cookie that scripts or other sites can use."""
    answer = httpx.get(f"{shared_server.url}/", params={"token": TOKEN})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/" in cookie


def test_a_wrong_link_sets_no_cookie(shared_server):
    """Anybody signing in."""
    answer = httpx.get(f"{shared_server.url}/", params={"token": "wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "This inbox is closed" in answer.text


def test_the_cookie_opens_the_page_and_the_api(browser):
    """A browser that opened the link and is shut out."""
    page = browser.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert browser.get("/web/app.js").headers["content-type"].startswith("text/javascript")
    assert browser.get("/v1/inbox", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_origins_cannot_read_with_the_cookie(browser, site):
    """A page on another port of this machine is the same site, so it gets the cookie sent along."""
    answer = browser.get("/v1/inbox", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:rl-emails:problem:foreign-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_origins_cannot_write_with_the_cookie(browser, headers):
    """Cross-site request forgery."""
    assert browser.post(f"/v1/mailboxes/{MAILBOX}/sync", headers=headers).status_code == 403


def test_the_page_can_write_with_the_cookie(browser, shared_server):
    """The page's own requests refused, in new browsers and in those without Sec-Fetch-Site."""
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": shared_server.url}):
        assert browser.post(f"/v1/mailboxes/{MAILBOX}/sync", headers=headers).status_code == 202


def test_a_script_with_the_token_needs_no_origin(reader):
    """curl being asked for browser headers."""
    assert reader.post(f"/v1/mailboxes/{MAILBOX}/sync").status_code == 202


@pytest.mark.parametrize("path", ["/", "/v1/inbox", "/web/app.js", "/v1/nothing", "/healthz"])
def test_every_answer_has_the_security_headers(reader, path):
    """One route that can be framed, sniffed, cached or read by another origin."""
    headers = reader.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    if not path.startswith("/web/"):
        assert headers["cache-control"] == "no-store"


def test_no_cross_origin_preflight_succeeds(browser):
    """A CORS answer that lets another origin read mail."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = browser.options("/v1/inbox", headers=headers)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


def test_files_outside_the_page_are_not_served(reader):
    """A path that climbs out of the web folder."""
    for path in ("/web/../app.py", "/web/%2e%2e/app.py", "/web/..%2fapp.py", "/web/"):
        assert reader.get(path).status_code == 404


def test_a_websocket_is_closed(shared_server):
    """A way in that the token does not guard."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/v1/inbox", "headers": [], "query_string": b""}
    asyncio.run(shared_server.app(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_an_api_without_a_token_does_not_start(engine):
    """A server open to every process because a setting was forgotten."""
    with pytest.raises(SettingsError, match="RL_EMAILS_TOKEN"):
        create_app(engine, Settings(token=None))
