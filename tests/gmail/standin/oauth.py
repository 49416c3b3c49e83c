"""Google's OAuth: consent, codes, tokens and their many deaths."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tests.gmail.standin.replies import Request, Response, json_response

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail
    from tests.gmail.standin.users import User

ACCESS_MS = 3_600_000
CODE_MS = 600_000
DAY_MS = 86_400_000
LIVE_GRANTS = 100
"""Refresh tokens of a user for a client; with one more the oldest dies silently."""


@dataclass
class Consent:
    """What people do at the consent page."""

    address: str | None = None
    """Who signs in; the login hint or the first user unless set."""
    denied: bool = False
    unticked: set[str] = field(default_factory=set)
    """Scopes that they take away."""


@dataclass
class Grant:
    """A refresh token and what hangs on it."""

    user: "User"
    scopes: tuple[str, ...]
    client_id: str
    created_at: int
    used_at: int
    alive: bool = True


@dataclass
class _Code:
    user: "User"
    scopes: tuple[str, ...]
    client_id: str
    redirect_uri: str
    challenge: str | None
    challenge_method: str
    offline: bool
    prompted: bool
    nonce: str
    made_at: int
    used: bool = False
    refresh_token: str | None = None


class TokenError(Exception):
    """An answer of the token endpoint that is no token."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.response = json_response({"error": error, "error_description": description}, status)


class OAuth:
    """One client, any number of users."""

    def __init__(self, gmail: "Gmail") -> None:
        self.gmail = gmail
        self.client_id = "181818181818-standin.apps.googleusercontent.com"
        self.client_secret = "GOCSPX-" + "standin"
        self.redirect_uris: set[str] = set()
        """What the client registered; loopback addresses of any port need not be."""
        self.consent = Consent()
        self.is_testing = False
        """The consent screen's publishing status: refresh tokens of a project in testing die after seven days."""
        self.grants: dict[str, Grant] = {}
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[Grant, int]] = {}

    # For tests

    def grant(self, user: "User", scopes: tuple[str, ...]) -> str:
        """A refresh token of a new grant."""
        with self.gmail.lock:
            now = self.gmail.clock.milliseconds()
            mine = [g for g in self.grants.values() if g.user is user and g.alive]
            if len(mine) >= LIVE_GRANTS:
                self._kill(min(mine, key=lambda g: g.created_at))
            token = f"1//0g{secrets.token_urlsafe(48)}"
            self.grants[token] = Grant(user, scopes, self.client_id, now, now)
            return token

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """What the token endpoint answers to a refresh."""
        with self.gmail.lock:
            grant = self.grants.get(refresh_token)
            now = self.gmail.clock.milliseconds()
            if grant is None or not self._is_alive(grant, now):
                raise TokenError(400, "invalid_grant", "Token has been expired or revoked.")
            grant.used_at = now
            return self._token_answer(grant)

    def revoke_user(self, user: "User") -> None:
        """Every grant of a user dies."""
        with self.gmail.lock:
            for grant in self.grants.values():
                if grant.user is user:
                    self._kill(grant)

    def forget_access_tokens(self) -> None:
        """Every access token is unknown from now on, as after an outage; refresh tokens live."""
        with self.gmail.lock:
            self._access.clear()

    def live_grants(self, user: "User") -> list[str]:
        """Refresh tokens of a user that still work."""
        with self.gmail.lock:
            now = self.gmail.clock.milliseconds()
            return [token for token, grant in self.grants.items() if grant.user is user and self._is_alive(grant, now)]

    def whose(self, access_token: str) -> Grant | None:
        """The grant of an access token that works now."""
        found = self._access.get(access_token)
        now = self.gmail.clock.milliseconds()
        if found is None or found[1] <= now or not self._is_alive(found[0], now):
            return None
        return found[0]

    def owner_of(self, token: str) -> "User | None":
        """Whose refresh or access token it is, alive or not."""
        grant = self._of_either(token)
        return grant.user if grant is not None else None

    # Endpoints

    def authorize(self, request: Request) -> Response:
        """The consent page: decides at once and sends the browser back."""
        asked = {name: values[0] for name, values in request.arguments().items()}
        redirect_uri = asked.get("redirect_uri", "")
        if asked.get("client_id") != self.client_id:
            return _page(401, "Error 401: invalid_client", "The OAuth client was not found.")
        if not self._may_redirect(redirect_uri):
            return _page(400, "Error 400: redirect_uri_mismatch", redirect_uri)
        if asked.get("response_type") != "code" or not asked.get("scope"):
            return _page(400, "Error 400: invalid_request", "Missing required parameter.")
        state = {"state": asked["state"]} if "state" in asked else {}
        with self.gmail.lock:
            address = self.consent.address or asked.get("login_hint")
            user = self.gmail.users.get(address or next(iter(self.gmail.users), ""))
            scopes = tuple(s for s in dict.fromkeys(asked["scope"].split()) if s not in self.consent.unticked)
            if self.consent.denied or user is None:
                return _redirect(redirect_uri, {"error": "access_denied", **state})
            code = f"4/0A{secrets.token_urlsafe(40)}"
            self._codes[code] = _Code(
                user=user,
                scopes=scopes,
                client_id=self.client_id,
                redirect_uri=redirect_uri,
                challenge=asked.get("code_challenge"),
                challenge_method=asked.get("code_challenge_method", "plain"),
                offline=asked.get("access_type") == "offline",
                prompted="consent" in asked.get("prompt", "").split(),
                nonce=asked.get("nonce", ""),
                made_at=self.gmail.clock.milliseconds(),
            )
        return _redirect(
            redirect_uri, {**state, "code": code, "scope": " ".join(scopes), "authuser": "0", "prompt": "consent"}
        )

    def token(self, form: dict[str, str]) -> Response:
        """The token endpoint; called through the stand-in, which applies faults and keeps the log."""
        try:
            return json_response(self._answer_to(form))
        except TokenError as error:
            return error.response

    def _answer_to(self, form: dict[str, str]) -> dict[str, Any]:
        if form.get("client_id") != self.client_id:
            raise TokenError(401, "invalid_client", "The OAuth client was not found.")
        if not secrets.compare_digest(form.get("client_secret", ""), self.client_secret):
            raise TokenError(401, "invalid_client", "Unauthorized")
        match form.get("grant_type"):
            case "refresh_token":
                return self.refresh(form.get("refresh_token", ""))
            case "authorization_code":
                return self._exchange(form)
        raise TokenError(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")

    def revoke(self, token: str) -> Response:
        """The revocation endpoint: the whole grant dies, whichever of its tokens was given."""
        with self.gmail.lock:
            grant = self._of_either(token)
            if grant is None or not grant.alive:
                return json_response({"error": "invalid_token", "error_description": "Token expired or revoked"}, 400)
            self._kill(grant)
            return json_response({})

    # Inside

    def _of_either(self, token: str) -> Grant | None:
        return self.grants.get(token) or (self._access[token][0] if token in self._access else None)

    def _exchange(self, form: dict[str, str]) -> dict[str, Any]:
        with self.gmail.lock:
            code = self._codes.get(form.get("code", ""))
            now = self.gmail.clock.milliseconds()
            if code is None or now - code.made_at > CODE_MS:
                raise TokenError(400, "invalid_grant", "Malformed auth code.")
            if code.used:
                # A code that is used twice was stolen: what it gave is taken back.
                if code.refresh_token is not None:
                    self._kill(self.grants[code.refresh_token])
                raise TokenError(400, "invalid_grant", "Bad Request")
            if form.get("redirect_uri") != code.redirect_uri:
                raise TokenError(400, "redirect_uri_mismatch", "Bad Request")
            self._check_verifier(code, form.get("code_verifier"))
            code.used = True
            has_grant = any(g.user is code.user and self._is_alive(g, now) for g in self.grants.values())
            # Google gives a refresh token with the first consent only, unless consent was prompted for again.
            if code.offline and (code.prompted or not has_grant):
                code.refresh_token = self.grant(code.user, code.scopes)
                answer = {**self._token_answer(self.grants[code.refresh_token]), "refresh_token": code.refresh_token}
            else:
                answer = self._token_answer(Grant(code.user, code.scopes, self.client_id, now, now))
            if "openid" in code.scopes:
                answer["id_token"] = self.gmail.key.sign(
                    {
                        "iss": "https://accounts.google.com",
                        "aud": self.client_id,
                        "azp": self.client_id,
                        "sub": code.user.subject_id,
                        "email": code.user.address,
                        "email_verified": True,
                        "iat": self.gmail.unix_time(),
                        "exp": self.gmail.unix_time() + 3600,
                        **({"nonce": code.nonce} if code.nonce else {}),
                    }
                )
            return answer

    @staticmethod
    def _check_verifier(code: _Code, verifier: str | None) -> None:
        if code.challenge is None:
            return
        if verifier is None:
            raise TokenError(400, "invalid_grant", "Missing code verifier.")
        expected = verifier
        if code.challenge_method == "S256":
            digest = hashlib.sha256(verifier.encode()).digest()
            expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not secrets.compare_digest(expected, code.challenge):
            raise TokenError(400, "invalid_grant", "Invalid code verifier.")

    def _token_answer(self, grant: Grant) -> dict[str, Any]:
        access = f"ya29.a0{secrets.token_urlsafe(96)}"
        self._access[access] = (grant, self.gmail.clock.milliseconds() + ACCESS_MS)
        return {"access_token": access, "expires_in": 3599, "scope": " ".join(grant.scopes), "token_type": "Bearer"}

    def _is_alive(self, grant: Grant, now: int) -> bool:
        if self.is_testing and now - grant.created_at > 7 * DAY_MS:
            return False
        return grant.alive and now - grant.used_at <= 183 * DAY_MS

    @staticmethod
    def _kill(grant: Grant) -> None:
        grant.alive = False

    def _may_redirect(self, uri: str) -> bool:
        return uri in self.redirect_uris or urlsplit(uri).hostname in {"127.0.0.1", "localhost", "::1"}


def _redirect(uri: str, values: dict[str, str]) -> Response:
    joint = "&" if urlsplit(uri).query else "?"
    return Response(302, b"", {"Location": f"{uri}{joint}{urlencode(values)}"})


def _page(status: int, title: str, text: str) -> Response:
    return Response(
        status, f"<!doctype html><title>{title}</title><p>{text}".encode(), {"Content-Type": "text/html; charset=utf-8"}
    )
