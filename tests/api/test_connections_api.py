"""Connecting and disconnecting through the API, as the page and a browser do it."""

import uuid
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from mails import OTHER_OWNER, seed_id
from serving import TOKEN, Running, Server, WordEncoder, start
from sqlalchemy import text

from rl_emails_api.connections.endpoints import COOKIE
from rl_emails_assets.connections.lifecycle import need_reconnect
from rl_emails_assets.db.engine import make_engine
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import serving

ADDRESS = "linus@example.org"
CALLBACK = "/oauth/google/callback"


@pytest.fixture
def gmail() -> Iterator[Gmail]:
    """A stand-in for Google with one account."""
    with serving(Gmail()) as made:
        made.add_user(ADDRESS)
        yield made


@pytest.fixture
def run_api(gmail, database_url, home) -> Iterator[Callable[..., Server]]:
    """Starts an API that knows the stand-in; `run_api(name=value)` changes settings."""
    running: list[Running] = []

    def begin(**settings) -> Server:
        values = {"home": home, **gmail.settings_overrides(), **settings}
        running.append(start(make_engine(database_url, "api"), WordEncoder, **values))
        return running[-1].server

    yield begin
    for each in running:
        each.stop()


@pytest.fixture
def api(run_api) -> Iterator[httpx.Client]:
    """A browser that has opened the printed link."""
    server = run_api()
    with httpx.Client(base_url=server.url, timeout=30, headers={"Sec-Fetch-Site": "same-origin"}) as made:
        made.get("/", params={"token": TOKEN})
        yield made


def _begin(api, **body) -> str:
    answer = api.post("/v1/connections/gmail", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["authorization_url"]


def _post(server: Server, **headers) -> httpx.Response:
    """Begin as a script does."""
    with server.client() as client:
        return client.post("/v1/connections/gmail", **headers)


def _come_back(url: str) -> httpx.URL:
    """Consent at Google; where it sends the browser."""
    answer = httpx.get(url)
    assert answer.status_code == 302
    return httpx.URL(answer.headers["location"])


def _arrive(api, back, *, cookies: dict[str, str] | None = None) -> httpx.Response:
    """Come from Google's page: a navigation from another site, which takes the Lax cookie along and no Strict one."""
    sent = {COOKIE: api.cookies.get(COOKIE, path="/oauth") or ""} if cookies is None else cookies
    with httpx.Client(base_url=api.base_url, timeout=30, cookies=sent) as browser:
        return browser.get(back.raw_path.decode(), headers={"Sec-Fetch-Site": "cross-site"})


def test_an_account_is_connected_through_the_browser(api, gmail, engine):
    """The whole way: the button, Google's page, back, and a mailbox that syncs."""
    answer = api.post("/v1/connections/gmail", json={"login_hint": ADDRESS})
    url = answer.json()["authorization_url"]
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"{str(api.base_url).rstrip('/')}{CALLBACK}"]
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/oauth"
    assert int(cookie["max-age"]) == 600
    page = _arrive(api, _come_back(url))
    assert page.status_code == 200
    assert f"{ADDRESS} is connected" in page.text
    items = api.get("/v1/connections").json()["items"]
    assert [(item["provider"], item["address"], item["state"], item["reason"]) for item in items] == [
        ("gmail", ADDRESS, "connected", "")
    ]
    assert items[0]["notices"] == []
    assert items[0]["since"]
    with engine.connect() as connection:
        assert connection.execute(text("select asked_by from sync_queue.requests")).scalar_one() == "connect"


def test_the_page_of_the_outcome_is_harmless(api):
    """A page on the way back that runs a script, can be framed, is kept, or sends the browser elsewhere."""
    page = _arrive(api, _come_back(_begin(api)))
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "script" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"
    assert "location" not in page.headers
    assert 'content="3;url=/"' in page.text
    cleared = SimpleCookie(page.headers["set-cookie"])[COOKIE]
    assert (cleared.value, cleared["max-age"], cleared["path"]) == ("", "0", "/oauth")


def test_nothing_of_the_address_is_repeated_or_followed(api):
    """An open redirect, or a script in the address that the page shows."""
    back = _come_back(_begin(api))
    state = back.params["state"]
    page = _arrive(
        api,
        httpx.URL(CALLBACK).copy_merge_params(
            {
                "state": state,
                "error": "<script>alert(1)</script>",
                "next": "https://evil.example",
                "return_to": "//evil",
            }
        ),
    )
    assert page.status_code == 400
    assert "evil" not in page.text
    assert "<script" not in page.text
    assert "location" not in page.headers


def test_what_a_mailbox_is_called_is_escaped(api, gmail):
    """An address that is markup."""
    gmail.add_user("o<b>x</b>@example.org")
    gmail.oauth.consent.address = "o<b>x</b>@example.org"
    page = _arrive(api, _come_back(_begin(api)))
    assert page.status_code == 200
    assert "o&lt;b&gt;x&lt;/b&gt;@example.org" in page.text


@pytest.mark.parametrize("query", ["", "?state=guessed&code=4/x", "?state=%00&code=%ff", "?state=a&state=b&error=x"])
def test_a_forged_callback_connects_nothing(api, gmail, engine, query):
    """Somebody else's account in this inbox."""
    page = _arrive(api, httpx.URL(f"{CALLBACK}{query}"))
    assert page.status_code == 400
    assert "Not connected" in page.text
    assert gmail.calls.count("token") == 0


def test_a_callback_in_another_browser_connects_nothing(api, gmail):
    """An attacker's link, with a code for the attacker's account, opened by the victim."""
    back = _come_back(_begin(api))
    for cookies in ({}, {COOKIE: "other"}):
        assert _arrive(api, back, cookies=cookies).status_code == 400
    assert gmail.calls.count("token") == 0
    assert api.get("/v1/connections").json()["items"] == []


def test_a_callback_used_again_says_so(api):
    """The browser's back button connecting again."""
    back = _come_back(_begin(api))
    session = {COOKIE: api.cookies.get(COOKIE, path="/oauth")}
    assert _arrive(api, back, cookies=session).status_code == 200
    page = _arrive(api, back, cookies=session)
    assert page.status_code == 400
    assert "used already" in page.text


def test_a_refusal_is_told_on_the_page(api, gmail):
    """Somebody who cancelled and sees an error of the server's."""
    gmail.oauth.consent.denied = True
    page = _arrive(api, _come_back(_begin(api)))
    assert page.status_code == 400
    assert "not granted" in page.text


def test_the_callback_still_asks_for_the_right_host(api):
    """A hostile page's own name for 127.0.0.1, with which it could read the answer."""
    back = _come_back(_begin(api))
    answer = httpx.get(f"{api.base_url}{back.raw_path.decode()}", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.json()["type"] == "urn:rl-emails:problem:wrong-host"


def test_only_the_page_may_begin(api, run_api):
    """Another site that sends the owner to Google, or a machine's other users."""
    assert api.post("/v1/connections/gmail", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert httpx.post(f"{api.base_url}/v1/connections/gmail").status_code == 401
    assert httpx.get(f"{api.base_url}/v1/connections").status_code == 401
    assert httpx.delete(f"{api.base_url}/v1/connections/{uuid.uuid4()}").status_code == 401
    assert httpx.post(f"{api.base_url}{CALLBACK}").status_code == 405


@pytest.mark.parametrize("host", ["localhost:8025", "LOCALHOST", "127.0.0.1:1", "[::1]:8025"])
def test_google_sends_the_browser_back_to_the_name_it_used(run_api, host):
    """A cookie of localhost that does not come along to 127.0.0.1."""
    server = run_api()
    answer = _post(server, headers={"Host": host})
    asked = parse_qs(urlsplit(answer.json()["authorization_url"]).query)
    assert asked["redirect_uri"] == [f"http://{host.lower()}{CALLBACK}"]


@pytest.mark.parametrize("host", ["localhost:80@evil.example", "localhost:80/x", "localhost:a"])
def test_a_host_header_makes_no_other_address(run_api, host):
    """The code sent to whoever wrote the header."""
    answer = _post(run_api(), headers={"Host": host})
    assert answer.status_code in (409, 421)
    assert "evil" not in answer.json()["detail"]


def test_a_public_address_is_where_google_sends_back_to(run_api):
    """Behind a proxy with TLS: the wrong scheme, or a cookie that travels in the clear."""
    server = run_api(public_url="https://mail.example.com/")
    answer = _post(server, headers={"Host": "mail.example.com"})
    asked = parse_qs(urlsplit(answer.json()["authorization_url"]).query)
    assert asked["redirect_uri"] == [f"https://mail.example.com{CALLBACK}"]
    assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["secure"]
    elsewhere = _post(server)
    assert elsewhere.status_code == 409
    assert elsewhere.json()["type"] == "urn:rl-emails:problem:wrong-address"
    assert "https://mail.example.com" in elsewhere.json()["detail"]


def test_without_an_oauth_client_the_answer_says_what_is_missing(run_api):
    """A button that does nothing."""
    answer = _post(run_api(google_client_id=None))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:rl-emails:problem:gmail-not-set-up"
    assert "RL_EMAILS_GOOGLE_CLIENT_ID" in answer.json()["detail"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("hint", ["a\x00b", "x" * 321, 7])
def test_a_hint_that_cannot_be_one_is_refused(api, hint):
    """A crash, or a megabyte in an address."""
    assert api.post("/v1/connections/gmail", json={"login_hint": hint}).status_code == 422


def test_a_mailbox_is_disconnected_once_asked(api, engine, gmail):
    """A mailbox that goes on syncing after its owner asked for its end."""
    _arrive(api, _come_back(_begin(api)))
    mailbox_id = api.get("/v1/connections").json()["items"][0]["mailbox_id"]
    for _ in range(2):
        answer = api.delete(f"/v1/connections/{mailbox_id}")
        assert answer.status_code == 202
        assert answer.json() == {"mailbox_id": mailbox_id, "state": "disconnecting"}
    assert api.get("/v1/connections").json()["items"][0]["state"] == "disconnecting"
    with engine.connect() as connection:
        requests = connection.execute(text("select kind, asked_by from sync_queue.requests")).all()
    assert [tuple(request) for request in requests] == [("disconnect", "button")]
    missing = api.delete(f"/v1/connections/{seed_id(OTHER_OWNER)}")
    assert missing.status_code == 404
    assert api.delete("/v1/connections/nothing").status_code == 422


def test_the_owner_is_told_why(api, engine):
    """A mailbox that stopped without a word."""
    _arrive(api, _come_back(_begin(api)))
    mailbox_id = api.get("/v1/connections").json()["items"][0]["mailbox_id"]
    with engine.begin() as connection:
        need_reconnect(connection, uuid.UUID(mailbox_id), "Google has ended our access")
    item = api.get("/v1/connections").json()["items"][0]
    assert (item["state"], item["reason"]) == ("reconnect_needed", "Google has ended our access")
    assert [notice["kind"] for notice in item["notices"]] == ["reconnect_needed"]
