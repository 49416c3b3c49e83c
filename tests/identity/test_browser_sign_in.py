"""Signing in with a browser: the authorization code flow, its ways to be tricked, sessions, and signing out."""

import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_api.identity import sign_in
from rl_emails_api.identity.sessions import device_of
from tests.identity.conftest import TRUST, code_of, rows
from tests.identity.standin_issuer import CLIENT_ID, Key


def cookie_of(answer: httpx.Response, name: str) -> str:
    """What is set for a cookie, with its attributes."""
    found = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}=")]
    assert len(found) == 1, answer.headers
    return found[0]


def test_a_person_signs_in_and_out(browser, http, web_server, issuer):
    """A person who cannot get in; or who thinks that they are out and is not."""
    issuer.claims = {"sub": "user_ada", "email": "Ada@Example.org", "email_verified": True, "name": "Ada Lovelace"}
    page = browser.client.get("/", headers={"Sec-Fetch-Site": "none"})
    assert page.status_code == 303
    assert page.headers["location"] == "/auth/login?return_to=%2F"
    answer = browser.sign_in("/?view=tasks")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?view=tasks")
    set_to = cookie_of(answer, "rl_emails_user").lower()
    assert "httponly" in set_to
    assert "samesite=lax" in set_to
    assert "path=/" in set_to
    assert "domain" not in set_to
    me = browser.get("/v1/me").json()
    assert me["user"]["address"] == "ada@example.org"
    assert (me["credential"], me["role"], me["organization"]["is_personal"]) == ("session", "owner", True)
    assert browser.client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    cookie = browser.client.cookies["rl_emails_user"]
    out = browser.send("POST", "/auth/logout")
    assert out.status_code == 200
    after = urlsplit(out.json()["next"])
    assert f"{after.scheme}://{after.netloc}{after.path}" == f"{issuer.url}/logout"
    assert parse_qs(after.query) == {
        "client_id": [CLIENT_ID], "post_logout_redirect_uri": [f"{web_server.url}/auth/signed-out"],
    }  # fmt: skip
    assert "rl_emails_user" not in browser.client.cookies
    stolen = {"Cookie": f"rl_emails_user={cookie}", "Sec-Fetch-Site": "same-origin"}
    assert code_of(http.get(f"{web_server.url}/v1/me", headers=stolen)) == "sign-in-required"
    done = browser.client.get("/auth/signed-out")
    assert done.status_code == 200
    assert "/auth/login" in done.text
    events = rows(
        web_server.engine,
        "select action, credential, client from identity.audit_events where user_id = :id order by created_at",
        id=me["user"]["user_id"],
    )
    assert [tuple(row) for row in events] == [
        ("user.created", "system", ""),
        ("session.created", "session", "127.0.0.1"),
        ("session.revoked", "session", "127.0.0.1"),
        ("sign_in.refused", "session", "127.0.0.1"),
    ]


def test_nothing_secret_of_a_session_is_kept(browser, web_server):
    """Whoever reads the database, or a backup, signed in as everybody."""
    browser.sign_in()
    cookie = browser.client.cookies["rl_emails_user"]
    stored = rows(web_server.engine, "select s::text as row from identity.sessions s")
    assert stored
    assert not any(cookie in row.row or cookie.encode().hex() in row.row for row in stored)


def test_a_sign_in_asks_as_the_standards_say(browser, issuer, web_server):
    """A code that whoever intercepts it can use, or an ID token of another sign-in."""
    asked = parse_qs(urlsplit(browser.begin()).query)
    assert (asked["response_type"], asked["client_id"]) == (["code"], [CLIENT_ID])
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["redirect_uri"] == [f"{web_server.url}/auth/callback"]
    assert asked["scope"] == ["openid email profile"]
    again = parse_qs(urlsplit(browser.begin()).query)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name] != again[name]
    assert rows(web_server.engine, "select count(*) from identity.used_sign_ins where state_hash is null") == [(0,)]


def test_two_tabs_can_sign_in_at_once(browser):
    """The second tab making the first one's sign-in fail."""
    first, second = browser.begin("/one"), browser.begin("/two")
    for location, path in ((second, "/two"), (first, "/one")):
        assert browser.client.get(browser.come_back(location)).headers["location"] == path


def test_a_state_works_once(browser):
    """Somebody who reads an address from a history signs in with it."""
    back = browser.come_back(browser.begin())
    assert browser.client.get(back).status_code == 303
    again = browser.client.get(back)
    assert again.status_code == 400
    assert "finished already" in again.text
    assert "set-cookie" not in again.headers


def test_another_browser_cannot_finish_a_sign_in(browser, new_browser):
    """A person signed in as somebody else, into whose inbox they then connect their mailbox."""
    back = browser.come_back(browser.begin())
    victim = new_browser()
    for begins_too in (False, True):
        if begins_too:
            victim.begin()
        answer = victim.client.get(back)
        assert answer.status_code == 400
        assert "another browser" in answer.text
        assert "rl_emails_user" not in victim.client.cookies
    assert browser.client.get(back).status_code == 303, "trying did not use it up"


@pytest.mark.parametrize("change", ["expiry", "path", "seal", "empty", "garbage"])
def test_a_state_that_was_changed_is_refused(browser, change):
    """A sign-in that lasts for ever, or leads where somebody else wants."""
    back = browser.come_back(browser.begin())
    asked = parse_qs(urlsplit(back).query)
    state = asked["state"][0]
    body, _, seal = state.partition(".")
    state = {
        "expiry": f"{body[:-1]}A.{seal}",
        "path": f"eyJuIjoieCIsImUiOjk5OTk5OTk5OTksInIiOiIvL2V2aWwuZXhhbXBsZSJ9.{seal}",
        "seal": f"{body}.",
        "empty": "",
        "garbage": "\u00e4.\u00f6",
    }[change]
    answer = browser.client.get("/auth/callback", params={"state": state, "code": asked["code"][0]})
    assert answer.status_code == 400
    assert "rl_emails_user" not in browser.client.cookies


def test_a_sign_in_that_takes_too_long_is_refused(browser, monkeypatch):
    """An address that lay around for a day."""
    back = browser.come_back(browser.begin())
    now = time.time()
    monkeypatch.setattr(sign_in, "time", SimpleNamespace(time=lambda: now + sign_in.LIFETIME_SECONDS + 1))
    answer = browser.client.get(back)
    assert answer.status_code == 400
    assert "longer than 10 minutes" in answer.text


BAD_ID_TOKENS = {
    "of another sign-in": {"nonce": "another"},
    "without nonce": {"nonce": None},
    "for another client": {"aud": "another-client"},
    "for several, without saying whose": {"aud": [CLIENT_ID, "another"], "azp": None},
    "for several, and another's": {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "another's": {"azp": "another"},
    "of another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": int(time.time()) - 100},
    "without subject": {"sub": None},
}


@pytest.mark.parametrize("name", BAD_ID_TOKENS)
def test_an_id_token_that_is_not_of_this_sign_in_is_refused(browser, issuer, name):
    """A token that was made for another service, or stolen from another sign-in, opens an inbox."""
    location = browser.begin()
    nonce = parse_qs(urlsplit(location).query)["nonce"][0]
    back = browser.come_back(location)
    issuer.id_token = issuer.sign(**{"aud": CLIENT_ID, "nonce": nonce, **BAD_ID_TOKENS[name]})
    answer = browser.client.get(back)
    assert (answer.status_code, "proves nothing" in answer.text) == (400, True)
    assert "rl_emails_user" not in browser.client.cookies


def test_an_id_token_signed_by_somebody_else_is_refused(browser, issuer):
    """An ID token taken on trust because it came over a direct connection."""
    location = browser.begin()
    nonce = parse_qs(urlsplit(location).query)["nonce"][0]
    back = browser.come_back(location)
    issuer.id_token = issuer.sign(key=Key("key-1"), aud=CLIENT_ID, nonce=nonce)
    assert browser.client.get(back).status_code == 400


@pytest.mark.parametrize(
    ("redirect_to", "words"),
    [
        ({"error": "access_denied", "code": ""}, "not allowed"),
        ({"error": "server_error", "code": ""}, "server_error"),
        ({"error": "<script>", "code": ""}, "an unknown error"),
        ({"code": ""}, "no code"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"iss": "https://evil.example"}, "Another issuer"),
    ],
)
def test_a_sign_in_that_fails_says_why(browser, issuer, redirect_to, words):
    """An empty page; a script in it; a code of another issuer (mix-up) handed to ours."""
    issuer.redirect_to = redirect_to
    answer = browser.sign_in()
    assert answer.status_code == 400
    assert words in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "/auth/login" in answer.text


def test_an_issuer_that_is_away_is_said_to_be(browser, issuer):
    """A person who is told that their sign-in was wrong while the issuer was down."""
    back = browser.come_back(browser.begin())
    issuer.is_down = True
    answer = browser.client.get(back)
    assert (answer.status_code, "Try again" in answer.text) == (503, True)


def test_somebody_in_anothers_place_gets_no_session(browser, issuer):
    """A supporter's look at somebody's mail that lasts for a month."""
    issuer.claims = {"sub": "user_1", "act": {"sub": "supporter"}}
    answer = browser.sign_in()
    assert answer.status_code == 400
    assert "rl_emails_user" not in browser.client.cookies


def test_a_deactivated_person_cannot_sign_in(browser, issuer, web_server):
    """A page that goes to the issuer and back for ever, or a session for somebody who may do nothing."""
    issuer.claims = {"sub": "user_left"}
    browser.sign_in()
    user_id = browser.get("/v1/me").json()["user"]["user_id"]
    rows(web_server.engine, "update identity.users set deactivated_at = now() where user_id = :id", id=user_id)
    assert code_of(browser.get("/v1/me")) == "sign-in-required"
    answer = browser.sign_in()
    assert (answer.status_code, "has been ended" in answer.text) == (403, True)
    refused = rows(
        web_server.engine,
        "select details->>'reason' as reason, credential from identity.audit_events "
        "where action = 'sign_in.refused' and user_id = :id",
        id=user_id,
    )
    assert [tuple(row) for row in refused] == [("deactivated", "session")]


@pytest.mark.parametrize(
    "told",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "javascript:x",
        "/\t/evil.example", "/\n/evil.example", "/ /evil.example", "evil.example", "", "/auth/logout", "/" + "a" * 600,
        "/%0d%0aSet-Cookie: a=b", "/ä",
    ],
)  # fmt: skip
def test_a_sign_in_leads_nowhere_else(browser, told):
    """An address of ours that leads to a page that looks like ours (an open redirect)."""
    assert browser.sign_in(told).headers["location"] == "/"


@given(
    st.text(alphabet=st.sampled_from("/\\:@?#. \t\r\nahtps%0d\u00a0\u2215"), max_size=20).map(lambda tail: "/" + tail)
)
def test_whatever_is_asked_for_the_path_stays_here(told):
    """A spelling of another host that was not thought of, in any mix of the characters that hosts are told apart by."""
    found = urljoin("https://mail.example.org/auth/callback", sign_in.local_path(told))
    assert urlsplit(found).netloc == "mail.example.org"
    assert urlsplit(found).scheme == "https"
    assert "\\" not in found
    assert found.isprintable()


def test_a_local_path_is_kept():
    """Everybody led to the inbox, whatever link they opened."""
    for path in ("/", "/admin", "/?view=tasks&q=a%20b#x", "/web/x"):
        assert sign_in.local_path(path) == path
    assert sign_in.local_path(None) == "/"


def test_a_new_sign_in_replaces_this_browsers_session_only(browser, new_browser, http, web_server):
    """A cookie planted before the sign-in that is good after it; or other devices signed out."""
    browser.sign_in()
    before = browser.client.cookies["rl_emails_user"]
    other = new_browser("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")
    other.sign_in()
    browser.sign_in()
    assert browser.client.cookies["rl_emails_user"] != before
    old = {"Cookie": f"rl_emails_user={before}", "Sec-Fetch-Site": "same-origin"}
    assert http.get(f"{web_server.url}/v1/me", headers=old).status_code == 401
    assert other.get("/v1/me").status_code == 200


def test_over_https_cookies_are_bound_to_the_host(serving, http, issuer):
    """A cookie that another name of the same domain has set, or one that goes over an open connection."""
    server = serving(
        oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID, oidc_client_secret="client-secret",
        public_url="https://mail.example.org",
    )  # fmt: skip
    with httpx.Client(base_url=server.url, verify=TRUST, headers={"Host": "mail.example.org"}) as client:
        begun = client.get("/auth/login")
        login = cookie_of(begun, "__Host-rl_emails_login")
        assert "Secure" in login
        assert "Path=/" in login
        assert "Domain" not in login
        assert parse_qs(urlsplit(begun.headers["location"]).query)["redirect_uri"] == [
            "https://mail.example.org/auth/callback"
        ]
        back = http.get(begun.headers["location"]).headers["location"]
        cookies = {"Cookie": login.partition(";")[0]}
        answer = client.get(back.replace("https://mail.example.org", ""), headers=cookies)
        session = cookie_of(answer, "__Host-rl_emails_user")
        assert "Secure" in session
        assert "Path=/" in session
        assert "Domain" not in session
        secret = session.partition(";")[0].partition("=")[2]
        own = {"Sec-Fetch-Site": "same-origin"}
        assert client.get("/v1/me", headers={"Cookie": f"__Host-rl_emails_user={secret}", **own}).status_code == 200
        assert client.get("/v1/me", headers={"Cookie": f"rl_emails_user={secret}", **own}).status_code == 401
        # An older browser, behind a proxy that opens TLS: the scheme here is not the browser's.
        old = {"Cookie": f"__Host-rl_emails_user={secret}", "Origin": "https://mail.example.org"}
        assert client.post("/auth/logout", headers=old).status_code == 200
        away = client.get("/auth/login?return_to=/x", headers={"Host": "127.0.0.1"})
        assert away.headers["location"] == "https://mail.example.org/auth/login?return_to=%2Fx"
        assert "set-cookie" not in away.headers


def test_without_a_client_browsers_are_led_to_the_page_that_is_set(clerk, serving, http, issuer):
    """A page of the issuer's own that nobody finds; or an error page that a person cannot do anything with."""
    page = clerk.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "https://accounts.example.org/sign-in")
    answer = clerk.get("/auth/login")
    assert (answer.status_code, code_of(answer)) == (404, "sign-in-not-set-up")
    assert clerk.get("/auth/callback").status_code == 404
    shut = serving(oidc_issuer=issuer.url, oidc_audience="x")
    page = http.get(f"{shut.url}/")
    assert page.status_code == 401
    assert "closed" in page.text
    assert "href" not in page.text


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Mobile Safari/604", "Safari on iPhone"),
        ("curl/8.5", "A browser"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_devices_are_named_as_people_would(user_agent, device):
    """A list of devices that nobody recognizes, or that holds what somebody else wrote."""
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    "described", [{"authorization_endpoint": None}, {"token_endpoint": "ftp://x"}, {"issuer": "https://else.example"}]
)
def test_an_issuer_without_such_a_page_is_said_to_have_none(serving, http, issuer, described):
    """A browser sent to nowhere, or to whoever wrote another issuer's description."""
    issuer.described = described
    server = serving(oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID)
    answer = http.get(f"{server.url}/auth/login")
    assert (answer.status_code, "Not signed in" in answer.text) == (503, True)
    assert "set-cookie" not in answer.headers


def test_a_public_client_sends_no_secret(serving, http, issuer):
    """A client without a secret that cannot sign in; here the issuer, which wants one, says so."""
    server = serving(oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID)
    begun = http.get(f"{server.url}/auth/login")
    cookie = {"Cookie": cookie_of(begun, "rl_emails_login").partition(";")[0]}
    back = http.get(begun.headers["location"]).headers["location"]
    answer = http.get(back, headers=cookie)
    assert (answer.status_code, "invalid_client" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("token_endpoint", "words"), [("http://127.0.0.1:1/token", "cannot be reached"), ("/elsewhere", "did not answer")]
)
def test_a_token_page_that_does_not_answer_is_not_the_persons_fault(serving, http, issuer, token_endpoint, words):
    """A crash, or words about a wrong code, because the issuer does not answer as it should."""
    if token_endpoint.startswith("/"):
        token_endpoint = issuer.url + token_endpoint
    issuer.described = {"token_endpoint": token_endpoint}
    server = serving(oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID)
    begun = http.get(f"{server.url}/auth/login")
    cookie = {"Cookie": cookie_of(begun, "rl_emails_login").partition(";")[0]}
    answer = http.get(http.get(begun.headers["location"]).headers["location"], headers=cookie)
    assert (answer.status_code, words in answer.text) == (503, True)


@pytest.mark.parametrize("described", [{"end_session_endpoint": None}, {"issuer": "https://else.example"}])
def test_signing_out_does_not_need_the_issuer(serving, http, issuer, described):
    """A person who cannot sign out because the issuer has no such page, or is away."""
    server = serving(oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID, keep_local_token=True)
    issuer.described = described
    answer = http.post(f"{server.url}/auth/logout", headers={"Authorization": "Bearer open-sesame"})
    assert answer.json() == {"next": "/auth/signed-out"}
