"""Oneself: profile, organizations, devices, API keys; and who may ask in what way."""

import datetime as dt
import uuid

import pytest

from rl_emails_api.identity import me_queries
from rl_emails_api.identity.principal import ROLE_SCOPES, SCOPES
from rl_emails_api.identity.refusals import RefusalLog
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER
from tests.identity.conftest import code_of, rows

TOKEN = "open-sesame"


@pytest.fixture
def ada(browser, issuer):
    """A browser that a person of this test alone is signed in with."""
    issuer.claims = {"sub": f"user_{uuid.uuid4().hex}", "name": "Ada"}
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture
def new_key(ada):
    """Makes a key of that person."""

    def make(scopes=("mail:read", "account:read"), **more):
        made = ada.send("POST", "/v1/me/keys", json={"name": "Script", "scopes": list(scopes), **more})
        assert made.status_code == 201, made.text
        return made.json()

    return make


@pytest.fixture
def second_organization(ada, web_server):
    """Makes another organization that the person is a member of."""

    def make(role="member", name="Second"):
        organization_id = uuid.uuid4()
        rows(
            web_server.engine,
            "insert into identity.organizations (organization_id, name) values (:id, :name)",
            id=organization_id,
            name=name,
        )
        rows(
            web_server.engine,
            "insert into identity.memberships (organization_id, user_id, role) values (:id, :user_id, :role)",
            id=organization_id,
            user_id=ada.get("/v1/me").json()["user"]["user_id"],
            role=role,
        )
        return str(organization_id)

    return make


def test_who_one_is(ada):
    """A page that shows nobody, or offers what will be refused."""
    me = ada.get("/v1/me").json()
    assert me["user"]["display_name"] == "Ada"
    assert me["organization"] == me["organizations"][0]
    assert me["organization"]["role"] == "owner"
    assert set(me["scopes"]) == ROLE_SCOPES["owner"]
    assert me["session_id"] == ada.get("/v1/me/sessions").json()["items"][0]["session_id"]


def test_the_local_token_is_the_installations_only_person(serving, asking):
    """An installation on one's own machine where these pages fail."""
    asks = asking(serving())
    me = asks.get("/v1/me", TOKEN).json()
    assert (me["user"]["user_id"], me["organization"]["organization_id"]) == (str(LOCAL_USER), str(LOCAL_ORGANIZATION))
    assert set(me["scopes"]) == SCOPES
    assert me["credential"] == "local"
    assert asks.get("/v1/me/sessions", TOKEN).json() == {"items": []}
    made = asks.send("POST", "/v1/me/keys", TOKEN, json={"name": "Phone", "scopes": ["account:read"]}).json()
    assert asks.get("/v1/me", made["key"]).json()["credential"] == "api_key"
    assert asks.send("POST", "/auth/logout", TOKEN).json() == {"next": "/"}


def test_the_local_token_is_off_once_there_is_an_issuer(web, serving, asking, issuer):
    """A link from before, in some shell's history, that opens everybody's mail."""
    answer = web.get("/v1/me", TOKEN)
    assert (answer.status_code, code_of(answer)) == (401, "sign-in-required")
    assert web.get(f"/?token={TOKEN}").headers["location"].startswith("/auth/login")
    assert "rl_emails_session" not in web.get(f"/?token={TOKEN}").headers.get("set-cookie", "")
    kept = asking(serving(oidc_issuer=issuer.url, oidc_audience="x", keep_local_token=True))
    assert kept.get("/v1/me", TOKEN).json()["credential"] == "local"
    cookie = kept.get(f"/?token={TOKEN}").headers["set-cookie"].partition(";")[0]
    assert kept.get("/v1/me", None, Cookie=cookie).status_code == 200
    assert web.get("/v1/me", None, Cookie=cookie).status_code == 401


# Organizations


def test_switching_changes_this_device_from_the_next_request_on(ada, new_browser, issuer, second_organization):
    """A switch that changes every device, or none; a role that is taken along."""
    other = new_browser()
    other.sign_in()
    second = second_organization()
    answer = ada.send("POST", "/v1/me/organization", json={"organization_id": second}).json()
    assert (answer["organization"]["name"], answer["role"]) == ("Second", "member")
    me = ada.get("/v1/me").json()
    assert me == answer
    assert set(me["scopes"]) == ROLE_SCOPES["member"]
    assert [each["name"] for each in me["organizations"]] == ["Personal", "Second"]
    assert other.get("/v1/me").json()["organization"]["is_personal"]
    assert ada.send("POST", "/v1/me/organization", json={"organization_id": second}).json() == answer


def test_one_cannot_switch_to_where_one_is_not(ada, web_server):
    """Somebody in another's organization by asking for it, or learning which there are."""
    there, nowhere = uuid.uuid4(), uuid.uuid4()
    make = "insert into identity.organizations (organization_id, name) values (:id, 'Theirs')"
    rows(web_server.engine, make, id=there)
    answers = [
        ada.send("POST", "/v1/me/organization", json={"organization_id": str(each)}) for each in (there, nowhere)
    ]
    assert [(each.status_code, each.json()["detail"]) for each in answers] == [(404, answers[0].json()["detail"])] * 2
    assert ada.get("/v1/me").json()["organization"]["is_personal"]


def test_a_key_and_a_token_stay_where_they_are(new_key, web, second_organization, issuer):
    """A key for one organization that reads another's mail."""
    second = second_organization()
    for credential in (new_key(["account:read", "account:write"])["key"],):
        answer = web.send("POST", "/v1/me/organization", credential, json={"organization_id": second})
        assert (answer.status_code, code_of(answer)) == (409, "organization-fixed")


def test_who_is_removed_is_out_with_the_next_request(ada, web, web_server, second_organization):
    """A person who left and still reads."""
    second = second_organization()
    ada.send("POST", "/v1/me/organization", json={"organization_id": second})
    key = ada.send("POST", "/v1/me/keys", json={"name": "K", "scopes": ["account:read"]}).json()["key"]
    assert web.get("/v1/me", key).status_code == 200
    rows(web_server.engine, "delete from identity.memberships where organization_id = :id", id=second)
    assert code_of(ada.get("/v1/me")) == "sign-in-required"
    assert code_of(web.get("/v1/me", key)) == "key-refused"
    ada.sign_in()
    assert ada.get("/v1/me").json()["organization"]["is_personal"]


# Devices


def test_every_device_is_shown_and_can_be_signed_out(ada, new_browser, web_server):
    """A lost phone that stays signed in."""
    phone = new_browser("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")
    phone.sign_in()
    items = ada.get("/v1/me/sessions").json()["items"]
    assert {(each["device"], each["is_current"]) for each in items} == {
        ("Firefox on Linux", True), ("Safari on iPhone", False),
    }  # fmt: skip
    lost = next(each for each in items if not each["is_current"])
    assert phone.get("/v1/me").status_code == 200
    gone = ada.send("DELETE", f"/v1/me/sessions/{lost['session_id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert code_of(phone.get("/v1/me")) == "sign-in-required"
    assert len(ada.get("/v1/me/sessions").json()["items"]) == 1
    assert ada.send("DELETE", f"/v1/me/sessions/{lost['session_id']}").status_code == 404
    recorded = rows(
        web_server.engine,
        "select count(*) from identity.audit_events where action = 'session.revoked' and target = :id",
        id=lost["session_id"],
    )
    assert recorded == [(1,)]
    refused = "select count(*) from identity.audit_events where action = 'sign_in.refused' and user_id = :id"
    phone.get("/v1/me")
    user_id = ada.get("/v1/me").json()["user"]["user_id"]
    assert rows(web_server.engine, refused, id=user_id) == [(1,)]


def test_nobody_sees_or_ends_anothers_session_or_key(ada, new_key, new_browser, issuer):
    """Somebody signed out, or their devices told of, by anybody who guesses an id."""
    session_id = ada.get("/v1/me").json()["session_id"]
    key = new_key()
    stranger = new_browser()
    issuer.claims = {"sub": f"user_{uuid.uuid4().hex}"}
    stranger.sign_in()
    assert len(stranger.get("/v1/me/sessions").json()["items"]) == 1
    assert stranger.get("/v1/me/keys").json()["items"] == []
    for path in (f"/v1/me/sessions/{session_id}", f"/v1/me/keys/{key['api_key_id']}"):
        theirs, nobodys = stranger.send("DELETE", path), stranger.send("DELETE", f"{path[:-36]}{uuid.uuid4()}")
        assert (theirs.status_code, theirs.json()["detail"]) == (404, nobodys.json()["detail"])
    assert ada.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "expires_at = now() - interval '1 second'",
        "last_seen_at = now() - interval '7 days 1 minute'",
        "revoked_at = now()",
        "token_hash = '\\x00'",
    ],
)
def test_a_session_ends(ada, web_server, change):
    """A cookie on a machine that was given away, good for ever."""
    session_id = ada.get("/v1/me").json()["session_id"]
    query = f"update identity.sessions set {change} where session_id = :id"  # noqa: S608 - from the list above
    rows(web_server.engine, query, id=session_id)
    assert code_of(ada.get("/v1/me")) == "sign-in-required"
    page = ada.client.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "/auth/login?return_to=%2F")


def test_when_a_session_was_seen_is_noted_once_a_minute(ada, web_server):
    """A write for every request; or a device list that says nothing of what is in use."""
    session_id = ada.get("/v1/me").json()["session_id"]
    seen = "select last_seen_at, xmin::text from identity.sessions where session_id = :id"
    first = rows(web_server.engine, seen, id=session_id)
    ada.get("/v1/me")
    assert rows(web_server.engine, seen, id=session_id) == first
    back = "update identity.sessions set last_seen_at = now() - interval '61 seconds' where session_id = :id"
    rows(web_server.engine, back, id=session_id)
    ada.get("/v1/me")
    (later,) = rows(web_server.engine, seen, id=session_id)
    assert later.last_seen_at >= first[0].last_seen_at


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_other_origins_cannot_write_with_a_session(ada, site):
    """Cross-site request forgery, from a page that the session's cookie is sent along with."""
    answer = ada.client.post("/auth/logout", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, code_of(answer)) == (403, "foreign-origin")
    assert ada.client.post("/auth/logout", headers={"Origin": "https://evil.example"}).status_code == 403
    assert ada.client.post("/auth/logout").status_code == 403
    if site != "none":
        assert ada.client.get("/v1/me", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert ada.client.post("/auth/logout", headers={"Origin": ada.server.url}).status_code == 200


def test_clerks_cookie_is_under_the_same_rule(clerk, issuer):
    """Forgery with the cookie that Clerk's page keeps fresh; or that cookie believed where Clerk is not the issuer."""
    cookie = {"Cookie": f"a={'{'}b; __session={issuer.sign(azp='https://mail.example.org', v=2)}"}
    assert clerk.get("/v1/me", None, **cookie, **{"Sec-Fetch-Site": "same-origin"}).json()["credential"] == "token"
    for site in ("cross-site", "same-site"):
        assert clerk.get("/v1/me", None, **cookie, **{"Sec-Fetch-Site": site}).status_code == 403
    body = {"name": "x", "scopes": ["mail:read"]}
    assert clerk.send("POST", "/v1/me/keys", None, headers=cookie, json=body).status_code == 403
    out = clerk.send("POST", "/auth/logout", None, headers={**cookie, "Sec-Fetch-Site": "same-origin"})
    assert out.json() == {"next": "https://accounts.example.org/sign-in"}


def test_clerks_cookie_opens_nothing_of_another_issuers(web, issuer):
    """A cookie of the same name that a page on this host was tricked into."""
    signed = issuer.sign(aud="rl-api")
    assert web.get("/v1/me", signed).status_code == 200
    headers = {"Cookie": f"__session={signed}", "Sec-Fetch-Site": "same-origin"}
    assert web.get("/v1/me", None, **headers).status_code == 401


# API keys


def test_a_key_is_shown_once_and_works(new_key, ada, web, web_server):
    """A key that does not work, or that whoever reads the database can use."""
    made = new_key()
    assert made["key"].startswith("rle_")
    assert len(made["key"]) == 47
    assert made["key"].startswith(made["prefix"])
    assert len(made["prefix"]) == 10
    assert web.get("/v1/me", made["key"]).json()["scopes"] == ["account:read", "mail:read"]
    (listed,) = ada.get("/v1/me/keys").json()["items"]
    assert "key" not in listed
    assert listed["last_used_at"] is not None
    stored = rows(web_server.engine, "select k::text as row from identity.api_keys k where name = 'Script'")
    assert stored
    assert not any(made["key"][10:] in each.row for each in stored)
    recorded = rows(
        web_server.engine,
        "select details->'scopes' as scopes from identity.audit_events "
        "where action = 'api_key.created' and target = :id",
        id=made["api_key_id"],
    )
    assert [each.scopes for each in recorded] == [["account:read", "mail:read"]]
    lifetime = dt.datetime.fromisoformat(made["expires_at"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=89) < lifetime <= dt.timedelta(days=90)


def test_a_key_can_do_what_it_says_and_no_more(new_key, web):
    """A key for reading that writes."""
    key = new_key(["account:read"])["key"]
    assert web.get("/v1/me/keys", key).status_code == 200
    answer = web.get("/v1/mailboxes", key)
    assert (answer.status_code, code_of(answer)) == (403, "scope-missing")
    assert web.send("DELETE", f"/v1/me/keys/{uuid.uuid4()}", key).status_code == 403


def test_a_key_makes_no_keys(new_key, web):
    """A key that makes its own successor, for ever, after it was found and revoked."""
    key = new_key(["account:write"])["key"]
    answer = web.send("POST", "/v1/me/keys", key, json={"name": "x", "scopes": ["account:write"]})
    assert (answer.status_code, code_of(answer)) == (403, "key-makes-no-keys")


def test_a_key_has_at_most_its_owners_scopes(ada, new_key, web, web_server, second_organization):
    """A member who makes a key that administers; a key that still administers when its owner does not."""
    second = second_organization(role="admin")
    ada.send("POST", "/v1/me/organization", json={"organization_id": second})
    key = new_key(["organization:write", "account:read"])["key"]
    assert "organization:write" in web.get("/v1/me", key).json()["scopes"]
    rows(web_server.engine, "update identity.memberships set role = 'member' where organization_id = :id", id=second)
    assert web.get("/v1/me", key).json()["scopes"] == ["account:read"]
    answer = ada.send("POST", "/v1/me/keys", json={"name": "x", "scopes": ["mail:read", "admin:write"]})
    assert (answer.status_code, code_of(answer)) == (403, "scope-missing")
    assert "admin:write" in answer.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": (dt.datetime.now(dt.UTC) + dt.timedelta(days=368)).isoformat()},
        {"expires_at": "2027-01-01T00:00:00"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\u0000b"},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(ada, change):
    """A key that never expires, or that nobody can tell from another."""
    answer = ada.send("POST", "/v1/me/keys", json={"name": "x", "scopes": ["mail:read"], **change})
    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
    assert answer.json()["errors"]
    assert ada.get("/v1/me/keys").json()["items"] == []


def test_nobody_has_keys_without_end(ada, new_key, monkeypatch):
    """A table that one person fills."""
    monkeypatch.setattr(me_queries, "MOST_KEYS", 2)
    first, _ = new_key(), new_key()
    answer = ada.send("POST", "/v1/me/keys", json={"name": "x", "scopes": ["mail:read"]})
    assert (answer.status_code, code_of(answer)) == (409, "too-many-keys")
    assert ada.send("DELETE", f"/v1/me/keys/{first['api_key_id']}").status_code == 204
    new_key()


@pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()", "key_hash = '\\x01'", None])
def test_a_key_ends(ada, new_key, web, web_server, change):
    """A key that was revoked and still reads mail."""
    made = new_key()
    assert web.get("/v1/me", made["key"]).status_code == 200
    if change is None:
        assert ada.send("DELETE", f"/v1/me/keys/{made['api_key_id']}").status_code == 204
        assert ada.send("DELETE", f"/v1/me/keys/{made['api_key_id']}").status_code == 404
    else:
        query = f"update identity.api_keys set {change} where api_key_id = :id"  # noqa: S608 - from the list above
        rows(web_server.engine, query, id=made["api_key_id"])
    answer = web.get("/v1/me", made["key"])
    assert (answer.status_code, code_of(answer)) == (401, "key-refused")
    rows(web_server.engine, "delete from identity.api_keys where api_key_id = :id", id=made["api_key_id"])


@pytest.mark.parametrize("key", ["rle_", "rle_" + "a" * 43, "rle_" + "a" * 42, "rle_" + "ä" * 43, "rle_" + "a" * 44])
def test_a_key_that_was_never_made_opens_nothing(web, key):
    """A crash, or a way in, by something that looks like a key."""
    answer = web.client.get(f"{web.server.url}/v1/me", headers={"Authorization": f"Bearer {key}".encode("latin-1")})
    assert answer.status_code == 401


def test_a_keys_use_is_noted_once_a_minute(new_key, web, web_server):
    """A write for every request of a script; or a key that nobody knows is in use."""
    made = new_key()
    used = "select last_used_at from identity.api_keys where api_key_id = :id"
    web.get("/v1/me", made["key"])
    (first,) = rows(web_server.engine, used, id=made["api_key_id"])
    web.get("/v1/me", made["key"])
    assert rows(web_server.engine, used, id=made["api_key_id"]) == [first]
    back = "update identity.api_keys set last_used_at = now() - interval '1 hour' where api_key_id = :id"
    rows(web_server.engine, back, id=made["api_key_id"])
    web.get("/v1/me", made["key"])
    (later,) = rows(web_server.engine, used, id=made["api_key_id"])
    assert later.last_used_at >= first.last_used_at


def test_a_refused_bearer_is_not_made_good_by_a_cookie(ada):
    """A script with a revoked key that goes on, as whoever is signed in in the same browser."""
    assert ada.get("/v1/me", Authorization="Bearer rle_" + "a" * 43).status_code == 401


def test_without_the_database_nobody_is_told_to_sign_in_again(serving, http, issuer):
    """Everybody signed out by a database that restarts."""
    server = serving(oidc_issuer=issuer.url, oidc_client_id="rl-emails")
    whole = server.app.state.engine
    server.app.state.engine = make_engine("postgresql://nobody@127.0.0.1:1/none", "test")
    try:
        answer = http.get(f"{server.url}/v1/me", headers={"Authorization": "Bearer rle_" + "a" * 43})
        assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "unavailable", "2")
    finally:
        server.app.state.engine.dispose()
        server.app.state.engine = whole


def test_a_membership_that_ends_within_a_request_is_no_crash(ada, monkeypatch):
    """A failure of the server for whoever is put out just then."""
    monkeypatch.setattr(me_queries, "own_organizations", lambda _connection: [])
    answer = ada.get("/v1/me")
    assert (answer.status_code, code_of(answer)) == (401, "unauthorized")


def test_a_refusal_that_cannot_be_recorded_is_still_a_refusal(caplog):
    """A database that is full, or read-only, turning every refused key into a failure of the server."""
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none", "test")
    log = RefusalLog(lambda: engine, clock=lambda: 1000.0)
    assert log.record("revoked", credential="api_key", client="192.0.2.1")
    assert "could not be recorded" in caplog.text
    engine.dispose()


def test_refusals_cannot_fill_a_disk(web_server):
    """A row for each of a million tries."""
    now = [1000.0]
    log = RefusalLog(lambda: web_server.engine, clock=lambda: now[0])
    people = [uuid.uuid4() for _ in range(70)]
    taken = [log.record("revoked", credential="session", client="192.0.2.7", user_id=each) for each in people * 2]
    assert taken == [True] * 60 + [False] * 80
    now[0] += 61
    assert log.record("revoked", credential="session", client="192.0.2.7", user_id=people[0])
    counted = "select count(*) from identity.audit_events where client = '192.0.2.7'"
    assert rows(web_server.engine, counted) == [(61,)]
