"""The stand-in's OAuth: as strict as Google's, because a client that is never refused proves nothing."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from tests.gmail.standin.users import GMAIL_READONLY

CALLBACK = "http://127.0.0.1:8025/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def consent(gmail, owner):
    """Sends a browser to the consent page: `consent(prompt="consent", ...)`; returns what comes back."""

    def go(**changed) -> dict[str, str]:
        asked = {
            "client_id": gmail.oauth.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": f"openid {GMAIL_READONLY}",
            "state": "s1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "access_type": "offline",
            **changed,
        }
        answer = httpx.get(gmail.settings_overrides()["google_auth_url"], params=asked)
        if answer.status_code != 302:
            return {"status": str(answer.status_code)}
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    assert owner.address in gmail.users
    return go


@pytest.fixture
def exchange(gmail):
    """Posts to the token endpoint: `exchange(code=...)`."""

    def post(**changed) -> httpx.Response:
        form = {
            "client_id": gmail.oauth.client_id,
            "client_secret": gmail.oauth.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changed,
        }
        return httpx.post(gmail.settings_overrides()["google_token_url"], data=form)

    return post


def works(gmail, access_token: str) -> bool:
    """Whether the API takes the token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return httpx.get(f"{gmail.url}/gmail/v1/users/me/profile", headers=headers).status_code == 200


def test_a_code_becomes_tokens_once(gmail, consent, exchange):
    back = consent()
    assert (back["state"], back["scope"]) == ("s1", f"openid {GMAIL_READONLY}")
    first = exchange(code=back["code"]).json()
    assert works(gmail, first["access_token"])
    key = jwt.PyJWKClient(gmail.settings_overrides()["google_certs_url"]).get_signing_key_from_jwt(first["id_token"])
    claims = jwt.decode(first["id_token"], key, algorithms=["RS256"], audience=gmail.oauth.client_id)
    assert claims["email"] == "owner@example.org"
    again = exchange(code=back["code"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    # Somebody has the code: what it gave is worthless now.
    assert not works(gmail, first["access_token"])


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, 400, "redirect_uri_mismatch"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"code": "4/0Aunknown"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_the_token_endpoint_refuses(consent, exchange, changed, status, error):
    answer = exchange(**{"code": consent()["code"], **changed})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_code_without_its_verifier_or_too_old(gmail, consent, exchange):
    code = consent()["code"]
    bare = httpx.post(
        gmail.settings_overrides()["google_token_url"],
        data={
            "client_id": gmail.oauth.client_id,
            "client_secret": gmail.oauth.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": CALLBACK,
            "code": code,
        },
    )
    assert bare.json() == {"error": "invalid_grant", "error_description": "Missing code verifier."}
    gmail.advance(minutes=11)
    assert exchange(code=code).status_code == 400


def test_the_consent_page(gmail, consent):
    assert consent(client_id="other") == {"status": "401"}
    assert consent(redirect_uri="https://evil.example/callback") == {"status": "400"}
    assert consent(response_type="token") == {"status": "400"}
    gmail.oauth.redirect_uris.add("https://mail.example.org/callback")
    assert "code" in consent(redirect_uri="https://mail.example.org/callback")
    gmail.oauth.consent.unticked = {GMAIL_READONLY}
    assert consent()["scope"] == "openid"
    gmail.oauth.consent.denied = True
    assert consent() == {"error": "access_denied", "state": "s1"}


def test_who_signs_in(gmail, consent, exchange):
    """Not always the one who was asked for: the account chooser is the person's."""
    gmail.add_user("other@example.org")
    hinted = exchange(code=consent(login_hint="other@example.org")["code"]).json()
    assert "other@example.org" in jwt.decode(hinted["id_token"], options={"verify_signature": False})["email"]
    gmail.oauth.consent.address = "other@example.org"
    chosen = exchange(code=consent(login_hint="owner@example.org")["code"]).json()
    assert "other@example.org" in jwt.decode(chosen["id_token"], options={"verify_signature": False})["email"]


def test_a_refresh_token_comes_with_the_first_consent_only(consent, exchange):
    assert "refresh_token" not in exchange(code=consent(access_type="online")["code"]).json()
    assert "refresh_token" in exchange(code=consent()["code"]).json()
    assert "refresh_token" not in exchange(code=consent()["code"]).json()
    assert "refresh_token" in exchange(code=consent(prompt="consent")["code"]).json()


def test_refreshing(gmail, owner, exchange):
    token = owner.grant()
    answer = exchange(grant_type="refresh_token", refresh_token=token).json()
    assert set(answer) == {"access_token", "expires_in", "scope", "token_type"}
    gmail.advance(minutes=61)
    assert not works(gmail, answer["access_token"])
    assert works(gmail, exchange(grant_type="refresh_token", refresh_token=token).json()["access_token"])
    assert gmail.calls.count("token", status=200, address=owner.address) == 2


def test_a_client_may_name_itself_in_a_header(gmail, owner):
    form = {"grant_type": "refresh_token", "refresh_token": owner.grant()}
    url = gmail.settings_overrides()["google_token_url"]
    for secret, status in ((gmail.oauth.client_secret, 200), ("wrong", 401)):
        assert httpx.post(url, data=form, auth=(gmail.oauth.client_id, secret)).status_code == status


def test_the_deaths_of_a_refresh_token_are_told_alike(gmail, owner, exchange):
    def refused(token: str) -> bool:
        answer = exchange(grant_type="refresh_token", refresh_token=token)
        dead = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        return answer.status_code == 400 and answer.json() == dead

    assert refused("1//0gunknown")
    oldest, others = owner.grant(), [owner.grant() for _ in range(99)]
    assert not refused(oldest)
    newest = owner.grant()
    assert refused(oldest)
    assert not refused(others[0])
    assert newest in gmail.oauth.live_grants(owner)

    gmail.oauth.is_testing = True
    gmail.advance(days=8)
    assert refused(newest)
    gmail.oauth.is_testing = False
    assert not refused(newest)
    gmail.advance(days=184)
    assert refused(newest)

    last = owner.grant()
    owner.revoke()
    assert refused(last)


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_the_grant(gmail, owner, exchange, which):
    token = owner.grant()
    access = exchange(grant_type="refresh_token", refresh_token=token).json()["access_token"]
    url = gmail.settings_overrides()["google_revoke_url"]
    given = {"refresh_token": token, "access_token": access}[which]
    assert httpx.post(url, data={"token": given}).status_code == 200
    assert not works(gmail, access)
    assert gmail.oauth.live_grants(owner) == []
    assert httpx.post(url, data={"token": given}).json()["error"] == "invalid_token"
    assert [call.address for call in gmail.calls.of("revoke")] == [owner.address] * 2


def test_access_tokens_can_all_be_forgotten(gmail, owner, exchange):
    """A 401 in the middle of an hour, which refreshing heals."""
    token, access = owner.grant(), owner.access_token()
    gmail.oauth.forget_access_tokens()
    assert not works(gmail, access)
    assert works(gmail, exchange(grant_type="refresh_token", refresh_token=token).json()["access_token"])
