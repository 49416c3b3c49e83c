"""Which tokens open the API: the issuer's own, for us, now; and what they say of who carries them."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from tests.identity.conftest import PARTY, code_of, rows
from tests.identity.standin_issuer import Key

OTHER = Key("other")
EC = Key("key-ec", "ES256")
ED = Key("key-ed", "EdDSA")


def token(issuer, **claims):
    """A token of Clerk's, as its browsers get them each minute."""
    return issuer.sign(**{"azp": PARTY, "sid": "sess_1", "v": 2, "sts": "active", **claims})


def _hs256(issuer):
    """Signed with the public key as if it were a shared secret: the oldest trick."""
    public = issuer.keys[0].private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(token(issuer), options={"verify_signature": False})
    parts = [{"alg": "HS256", "typ": "JWT", "kid": "key-1"}, claims]
    signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    mark = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(mark)}"


def _unsigned(issuer):
    head = _base64(json.dumps({"alg": "none", "typ": "JWT", "kid": "key-1"}).encode())
    return f"{head}.{token(issuer).split('.')[1]}."


def _critical(issuer):
    """Rightly signed, with an extension that whoever does not know it must refuse (RFC 7515, 4.1.11)."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "key-1", "crit": ["b64"], "b64": True}
    signed = f"{_base64(json.dumps(head).encode())}.{token(issuer).split('.')[1]}"
    return f"{signed}.{_base64(issuer.keys[0].private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _base64(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _tampered(issuer):
    head, _, mark = token(issuer).split(".")
    claims = jwt.decode(token(issuer), options={"verify_signature": False}) | {"sub": "user_admin"}
    return f"{head}.{_base64(json.dumps(claims).encode())}.{mark}"


BAD = {
    "no algorithm": ("algorithm", _unsigned),
    "the public key as a shared secret": ("algorithm", _hs256),
    "another's key under the right name": ("claims", lambda issuer: token(issuer, key=OTHER, headers={"kid": "key-1"})),
    "a key that nobody published": ("key", lambda issuer: token(issuer, key=OTHER)),
    "no name of a key": ("key", lambda issuer: token(issuer, headers={"kid": None})),
    "a key by its address": (
        "key",
        lambda issuer: token(
            issuer, key=OTHER, headers={"kid": "other", "jku": "https://evil.example/jwks", "jwk": OTHER.jwk}
        ),
    ),
    "an algorithm that is not allowed": ("algorithm", lambda issuer: token(issuer, key=EC, headers={"kid": "key-1"})),
    "an extension that must be understood": ("algorithm", _critical),
    "changed claims": ("claims", _tampered),
    "another issuer": ("claims", lambda issuer: token(issuer, iss="https://evil.example")),
    "an issuer that only begins alike": ("claims", lambda issuer: token(issuer, iss=issuer.url + "/")),
    "no issuer": ("claims", lambda issuer: token(issuer, iss=None)),
    "expired": ("expired", lambda issuer: token(issuer, exp=int(time.time()) - 60)),
    "no expiry": ("claims", lambda issuer: token(issuer, exp=None)),
    "not yet": ("claims", lambda issuer: token(issuer, nbf=int(time.time()) + 60)),
    "issued in the future": ("claims", lambda issuer: token(issuer, iat=int(time.time()) + 60)),
    "no time of issue": ("claims", lambda issuer: token(issuer, iat=None)),
    "a time of issue that is a word": ("claims", lambda issuer: token(issuer, iat="yesterday")),
    "a time of issue before all time": ("claims", lambda issuer: token(issuer, iat=-1e300)),
    "no subject": ("claims", lambda issuer: token(issuer, sub=None)),
    "a subject that is a number": ("claims", lambda issuer: token(issuer, sub=7)),
    "an empty subject": ("claims", lambda issuer: token(issuer, sub="")),
    "a subject with a control character": ("claims", lambda issuer: token(issuer, sub="user\x00")),
    "another's page": ("authorized-party", lambda issuer: token(issuer, azp="https://evil.example")),
    "no page": ("authorized-party", lambda issuer: token(issuer, azp=None)),
    "several pages": ("authorized-party", lambda issuer: token(issuer, azp=[PARTY])),
    "an audience that is not ours": ("claims", lambda issuer: token(issuer, aud="somebody-else")),
    "a logout token": ("type", lambda issuer: token(issuer, headers={"typ": "logout+jwt"})),
    "a pending session": ("pending", lambda issuer: token(issuer, sts="pending")),
    "a version that is not known": ("version", lambda issuer: token(issuer, v=3)),
    "an organization that is no object": ("claims", lambda issuer: token(issuer, o="org_1")),
    "an organization without id": ("claims", lambda issuer: token(issuer, o={"rol": "admin"})),
    "an organization with an empty id": ("claims", lambda issuer: token(issuer, o={"id": "", "rol": "admin"})),
    "an organization whose id is an object": ("claims", lambda issuer: token(issuer, o={"id": {"a": 1}})),
    "too large": ("too-large", lambda issuer: token(issuer, name="x" * 9000)),
    "garbage": ("malformed", lambda _: "a.b.c"),
    "brackets": ("malformed", lambda _: f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.x"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_proves_nothing_is_refused(clerk, issuer, name):
    """Anybody in, as anybody."""
    reason, made = BAD[name]
    answer = clerk.get("/v1/me", made(issuer))
    assert (answer.status_code, code_of(answer)) == (401, "token-refused")
    assert f"({reason})" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_genuine_token_opens(clerk, issuer):
    """The tests above passing because nothing is ever let in; a clock that is a few seconds off."""
    assert clerk.get("/v1/me", token(issuer)).status_code == 200
    now = int(time.time())
    assert clerk.get("/v1/me", token(issuer, iat=now + 3, nbf=now + 3, exp=now + 63)).status_code == 200
    assert clerk.get("/v1/me", token(issuer, exp=now - 3)).status_code == 200


def test_the_first_token_makes_the_person_and_their_own_organization(clerk, issuer):
    """A person who signs in at the issuer and finds nothing here; or a second person for each of their tokens."""
    claims = {"sub": "user_new", "email": "New@Example.org", "email_verified": True, "name": "New  One"}
    first = clerk.get("/v1/me", token(issuer, **claims)).json()
    assert first["user"]["address"] == "new@example.org"
    assert first["user"]["display_name"] == "New One"
    assert (first["role"], first["organization"]["is_personal"], first["credential"]) == ("owner", True, "token")
    assert first["session_id"] is None
    assert first["impersonated_by"] is None
    assert clerk.get("/v1/me", token(issuer, sub="user_new")).json() == first
    found = rows(clerk.server.engine, "select user_id from identity.users where subject = 'user_new'")
    assert len(found) == 1
    made = "select count(*) from identity.audit_events where action = 'user.created' and target = :id"
    assert rows(clerk.server.engine, made, id=first["user"]["user_id"]) == [(1,)]


def test_an_address_that_is_not_verified_is_not_taken_over(clerk, issuer):
    """Somebody who claims another's address, and is then invited as them."""
    claims = {"sub": "user_claims", "email": "boss@example.org", "email_verified": False}
    assert clerk.get("/v1/me", token(issuer, **claims)).json()["user"]["address"] == ""


@pytest.mark.parametrize(
    "claims",
    [
        {"v": 2, "o": {"id": "org_both", "slg": "acme", "rol": "admin", "per": "read", "fpm": "3"}},
        {"v": None, "org_id": "org_both", "org_slug": "acme", "org_role": "org:admin"},
        {"v": 1, "org_id": "org_both", "org_slug": "acme", "org_role": "admin"},
    ],
)
def test_both_versions_of_clerks_claims_lead_to_one_organization(clerk, issuer, claims):
    """A tenant that is split in two on the day on which the issuer changes the version."""
    me = clerk.get("/v1/me", token(issuer, sub="user_both", **claims)).json()
    assert (me["organization"]["name"], me["organization"]["is_personal"]) == ("acme", False)
    assert me["role"] == "owner"
    known = "select count(*) from identity.organizations where external_id = :id"
    assert rows(clerk.server.engine, known, id=f"{issuer.url}#org_both") == [(1,)]


def test_version_two_does_not_read_the_claims_of_version_one(clerk, issuer):
    """A custom claim that its owner may write himself taken for the organization."""
    me = clerk.get("/v1/me", token(issuer, sub="user_tricky", v=2, org_id="org_both", org_role="org:admin")).json()
    assert me["organization"]["is_personal"]


def test_roles_follow_the_issuer_and_the_first_administrator_is_the_owner(clerk, issuer):
    """A member who can do what administrators can, or an organization that nobody can administer."""

    def role(subject, told, **more):
        organization = {"id": "org_roles", "slg": "roles", "rol": told}
        return clerk.get("/v1/me", token(issuer, sub=subject, o=organization, **more)).json()

    assert role("user_m", "member")["role"] == "member"
    assert role("user_a", "admin")["role"] == "owner"
    assert role("user_b", "admin")["role"] == "admin"
    assert role("user_c", "org:billing")["role"] == "member"
    assert role("user_c", None)["role"] == "member"
    member = role("user_m", "member")
    assert "organization:write" not in member["scopes"]
    assert "mail:read" in member["scopes"]
    assert "operator:read" not in role("user_a", "admin")["scopes"]
    # The issuer knows no owners: to it they are administrators.
    assert role("user_a", "admin")["role"] == "owner"
    old = int(time.time()) - 30
    assert role("user_b", "member", iat=old)["role"] == "admin", "a token from before tells nothing new"
    assert role("user_b", "member", iat=int(time.time()) + 2)["role"] == "member"
    assert role("user_b", "admin", iat=old)["role"] == "member"


def test_somebody_in_anothers_place_is_named_and_makes_nothing_that_lasts(clerk, issuer):
    """A supporter who leaves himself a key to the mail of whom he looked after."""
    acting = token(issuer, sub="user_helped", act={"sub": "user_supporter"})
    me = clerk.get("/v1/me", acting).json()
    assert me["impersonated_by"] == "user_supporter"
    assert {"account:write", "export:read", "erase:write", "organization:write"}.isdisjoint(me["scopes"])
    assert "mail:read" in me["scopes"]
    made = clerk.send("POST", "/v1/me/keys", acting, json={"name": "x", "scopes": ["mail:read"]})
    assert (made.status_code, code_of(made)) == (403, "scope-missing")
    assert clerk.get("/v1/me", token(issuer, sub="user_helped", act="x")).json()["impersonated_by"] == "unknown"


def test_a_deactivated_person_is_refused_with_the_next_request(clerk, issuer):
    """Access that lasts as long as a cache."""
    signed = token(issuer, sub="user_ended")
    me = clerk.get("/v1/me", signed).json()
    change = "update identity.users set deactivated_at = {} where user_id = :id"
    rows(clerk.server.engine, change.format("now()"), id=me["user"]["user_id"])
    for _ in range(2):
        answer = clerk.get("/v1/me", signed)
        assert (answer.status_code, code_of(answer)) == (403, "deactivated")
    refused = "select details, user_id from identity.audit_events where action = 'sign_in.refused' and user_id = :id"
    found = rows(clerk.server.engine, refused, id=me["user"]["user_id"])
    assert [row.details for row in found] == [{"reason": "deactivated"}], "recorded, and not for each request"
    rows(clerk.server.engine, change.format("null"), id=me["user"]["user_id"])
    assert clerk.get("/v1/me", signed).status_code == 200


def test_a_removed_member_is_out_at_once_and_a_token_does_not_bring_them_back(clerk, issuer):
    """A token is good for a minute, so removal here would last for a minute less than it says."""
    organization = {"id": "org_out", "slg": "out", "rol": "member"}
    signed = token(issuer, sub="user_out", o=organization)
    me = clerk.get("/v1/me", signed).json()
    gone = "delete from identity.memberships where user_id = :id and organization_id = :organization"
    rows(clerk.server.engine, gone, id=me["user"]["user_id"], organization=me["organization"]["organization_id"])
    for later in (signed, token(issuer, sub="user_out", o=organization, iat=int(time.time()) + 4)):
        answer = clerk.get("/v1/me", later)
        assert (answer.status_code, code_of(answer)) == (403, "no-membership")
    assert clerk.get("/v1/me", token(issuer, sub="user_out")).json()["organization"]["is_personal"]
    back = "insert into identity.memberships (organization_id, user_id, role) values (:organization, :id, 'member')"
    rows(clerk.server.engine, back, id=me["user"]["user_id"], organization=me["organization"]["organization_id"])
    assert clerk.get("/v1/me", signed).status_code == 200


def test_rotation_is_followed_and_garbage_asks_the_issuer_for_nothing(clerk, issuer, monkeypatch):
    """A server shut to everybody after a rotation; or one that asks the issuer as often as somebody likes."""
    keys = clerk.server.app.state.credentials.issuer.keys
    now = [time.monotonic()]
    monkeypatch.setattr(keys, "_clock", lambda: now[0])
    clerk.get("/v1/me", token(issuer))
    issuer.asked.clear()
    new = Key("key-2")
    for number in range(20):
        assert clerk.get("/v1/me", token(issuer, key=OTHER, headers={"kid": f"made-up-{number}"})).status_code == 401
    assert issuer.asked.count("/jwks") <= 1
    monkeypatch.setattr(issuer, "keys", [issuer.keys[0], new])
    now[0] += 11
    assert clerk.get("/v1/me", token(issuer, key=new)).status_code == 200
    assert clerk.get("/v1/me", token(issuer)).status_code == 200
    asked = issuer.asked.count("/jwks")
    assert asked <= 2
    for _ in range(5):
        now[0] += 11
        assert clerk.get("/v1/me", token(issuer, key=OTHER, headers={"kid": "the-same"})).status_code == 401
    assert issuer.asked.count("/jwks") == asked + 1, "an id that nobody has is looked for once a minute"


def test_without_the_issuers_keys_it_is_not_the_tokens_fault(serving, asking, issuer):
    """A person signed out because the issuer is away; or let in because its keys cannot be looked at."""
    issuer.is_down = True
    asks = asking(serving(oidc_issuer=issuer.url, oidc_kind="clerk", oidc_authorized_parties=PARTY))
    answer = asks.get("/v1/me", token(issuer))
    assert (answer.status_code, code_of(answer), answer.headers["retry-after"]) == (503, "issuer-unavailable", "5")
    assert asks.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"jwks_uri": "ftp://evil.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
)
def test_keys_come_from_the_pinned_issuers_description_only(serving, asking, issuer, described):
    """Keys of somebody else, because a description was believed that is not the issuer's."""
    issuer.described = described
    asks = asking(serving(oidc_issuer=issuer.url, oidc_audience="rl-api"))
    answer = asks.get("/v1/me", issuer.sign(aud="rl-api"))
    assert (answer.status_code, code_of(answer)) == (503, "issuer-unavailable")
    assert "/jwks" not in issuer.asked


def test_other_algorithms_are_a_setting(serving, asking, issuer, monkeypatch):
    """An issuer with elliptic keys that cannot be used; or one key used for another's algorithm."""
    monkeypatch.setattr(issuer, "keys", [EC, ED, Key("key-rsa")])
    asks = asking(serving(oidc_issuer=issuer.url, oidc_audience="rl-api", oidc_algorithms="ES256, EdDSA"))
    assert asks.get("/v1/me", issuer.sign(key=EC, aud="rl-api")).status_code == 200
    assert asks.get("/v1/me", issuer.sign(key=ED, aud=["x", "rl-api"])).status_code == 200
    assert asks.get("/v1/me", issuer.sign(key=issuer.keys[2], aud="rl-api")).status_code == 401
    assert asks.get("/v1/me", issuer.sign(key=ED, aud="rl-api", headers={"kid": "key-ec"})).status_code == 401


@pytest.mark.parametrize(
    ("claims", "role", "is_personal"),
    [
        ({"org_id": "org_g1", "org_name": "Acme", "org_role": "admin"}, "owner", False),
        ({"org_id": "org_g2"}, "owner", False),
        ({"org_id": "org_g3", "org_role": ["member", "admin"]}, "owner", False),
        ({"org_id": "org_g4", "org_role": []}, "owner", False),
        ({"org_id": "org_g5", "org_role": "member"}, "member", False),
        ({}, "owner", True),
    ],
)
def test_any_issuers_claims_are_read_by_the_settings(web, issuer, claims, role, is_personal):
    """An issuer that is not Clerk whose organizations and roles are not understood."""
    me = web.get("/v1/me", issuer.sign(aud="rl-api", sub="user_generic", **claims)).json()
    assert (me["role"], me["organization"]["is_personal"]) == (role, is_personal)
    assert me["organization"]["name"] == claims.get("org_name", claims.get("org_id", "Personal"))


def test_a_second_member_of_an_issuer_without_roles_is_a_member(web, issuer):
    """Everybody owner of everything, where the issuer tells no roles."""
    for subject, role in (("user_first", "owner"), ("user_second", "member"), ("user_first", "owner")):
        assert web.get("/v1/me", issuer.sign(aud="rl-api", sub=subject, org_id="org_plain")).json()["role"] == role


def test_a_token_for_another_service_of_the_same_issuer_is_refused(web, issuer):
    """Any service that the issuer signs people in to could read their mail here."""
    for audience in (None, "another-api", ["another-api"], ""):
        assert web.get("/v1/me", issuer.sign(aud=audience)).status_code == 401


def test_without_audience_or_parties_no_bearer_token_is_believed(serving, asking, issuer):
    """A server that browsers sign in to, opened by a token that was made for anything."""
    asks = asking(serving(oidc_issuer=issuer.url, oidc_client_id="rl-emails"))
    for audience in (None, "rl-emails"):
        assert code_of(asks.get("/v1/me", issuer.sign(aud=audience, azp="rl-emails"))) == "token-refused"
