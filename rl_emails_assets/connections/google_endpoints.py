"""Calls to Google that connecting an account needs: tokens, revocation, the profile's address, ending a watch.

Every host is a setting. `HTTPS_PROXY` and `NO_PROXY` are honoured, and `RL_EMAILS_CA_BUNDLE` is trusted instead of the
usual authorities. Nothing here touches a table.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from authlib.oauth2 import OAuth2Client  # type: ignore[import-untyped]

from rl_emails_assets.errors import PermanentError, ProviderUnavailableError, SettingsError
from rl_emails_assets.settings import Settings

GMAIL_READONLY = "https://www.googleapis.com/auth/gmail.readonly"
TIMEOUT = httpx.Timeout(4.0, connect=3.0)
"""A call that connects (3 s), is sent and answered (4 s) ends within 10 s; a refresh holds a row's lock for so long."""
DEFAULT_LIFETIME_SECONDS = 3600
"""Of an access token whose answer does not say; Google's last an hour."""


class GoogleRefusalError(PermanentError):
    """Google refused a token request for good; `code` is OAuth's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint answered."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    """None when a code brought none; a refresh that brings none keeps the one it was asked with."""
    expires_at: datetime
    scopes: tuple[str, ...]


def require_client(settings: Settings) -> None:
    """Raises SettingsError when no OAuth client is set."""
    if not settings.google_client_id:
        raise SettingsError(
            "No Google account can be connected yet: set RL_EMAILS_GOOGLE_CLIENT_ID and RL_EMAILS_GOOGLE_CLIENT_SECRET "
            "to those of an OAuth client of your Google Cloud project, then start again. "
            "docs/how-to/connect-gmail.md tells how to make one."
        )


def authorization_url(settings: Settings, *, state: str, verifier: str, redirect_uri: str, login_hint: str = "") -> str:
    """Where the browser goes to grant access. `prompt=consent` makes Google give a refresh token each time."""
    extra = {"login_hint": login_hint} if login_hint else {}
    url, _ = _oauth(settings, None, redirect_uri).create_authorization_url(
        settings.google_auth_url,
        state=state,
        scope=GMAIL_READONLY,
        code_verifier=verifier,
        access_type="offline",
        prompt="consent",
        **extra,
    )
    return str(url)


def exchange_code(settings: Settings, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
    """Tokens for a code. Raises GoogleRefusalError, ProviderUnavailableError."""
    with _client(settings) as http:
        answer = _oauth(settings, http, redirect_uri).fetch_token(
            settings.google_token_url, code=code, code_verifier=verifier, auth=_as_it_is, **_identity(settings)
        )
    return _tokens(answer, (GMAIL_READONLY,))


def refresh(settings: Settings, refresh_token: str, scopes: tuple[str, ...]) -> Tokens:
    """A new access token; `scopes` are those of the grant, for an answer that does not repeat them.

    Raises GoogleRefusalError, ProviderUnavailableError.
    """
    with _client(settings) as http:
        answer = _oauth(settings, http, None).refresh_token(
            settings.google_token_url, refresh_token=refresh_token, auth=_as_it_is, **_identity(settings)
        )
    return _tokens(answer, scopes)


def revoke(settings: Settings, token: str) -> int:
    """Ask Google to forget the grant that the token belongs to. Returns the HTTP status: 200 done, 400 gone already.

    Raises ProviderUnavailableError.
    """
    with _client(settings) as http:
        return http.post(settings.google_revoke_url, data={"token": token}).status_code


def stop_watch(settings: Settings, access_token: str) -> int:
    """Ask Gmail to stop pushing. Returns the HTTP status. Raises ProviderUnavailableError."""
    with _client(settings) as http:
        url = f"{settings.gmail_api_url.rstrip('/')}/gmail/v1/users/me/stop"
        return http.post(url, headers={"Authorization": f"Bearer {access_token}"}).status_code


def profile_address(settings: Settings, access_token: str) -> str:
    """The address of the account. Raises GoogleRefusalError, ProviderUnavailableError."""
    with _client(settings) as http:
        url = f"{settings.gmail_api_url.rstrip('/')}/gmail/v1/users/me/profile"
        response = http.get(url, headers={"Authorization": f"Bearer {access_token}"})
    if response.status_code == httpx.codes.FORBIDDEN:
        raise GoogleRefusalError(
            "forbidden",
            "Google let you in, but not to Gmail. Enable the Gmail API in your Google Cloud project, and see that "
            "Gmail is switched on for this account.",
        )
    address = _object(response).get("emailAddress") if response.is_success else None
    if not isinstance(address, str) or "@" not in address:
        raise GoogleRefusalError(
            "no_address", f"Gmail did not tell the account's address (status {response.status_code})."
        )
    return address.strip().lower()


@contextmanager
def _client(settings: Settings) -> Iterator[httpx.Client]:
    """A client whose failures are ProviderUnavailableError, without what was sent in their words."""
    verify: ssl.SSLContext | bool = True
    if settings.ca_bundle is not None:
        try:
            verify = ssl.create_default_context(cafile=str(settings.ca_bundle))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"RL_EMAILS_CA_BUNDLE cannot be used: {error}.") from error
    try:
        with httpx.Client(timeout=TIMEOUT, verify=verify, event_hooks={"response": [_require_working]}) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SettingsError(f"One of the Google URLs in the settings is not a URL: {error}.") from error
    except httpx.HTTPError as error:
        raise ProviderUnavailableError(
            f"Google could not be reached ({type(error).__name__}). Check the network and the proxy; it is tried again."
        ) from error


def _require_working(response: httpx.Response) -> None:
    if response.status_code >= 500 or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise ProviderUnavailableError(
            f"{response.request.url.host} answered {response.status_code}. It is tried again later."
        )


def _oauth(settings: Settings, http: httpx.Client | None, redirect_uri: str | None) -> Any:
    require_client(settings)
    client = OAuth2Client(
        http,
        client_id=settings.google_client_id,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    for hook in ("access_token_response", "refresh_token_response"):
        client.register_compliance_hook(hook, _require_granted)
    return client


def _identity(settings: Settings) -> dict[str, str]:
    """Who asks, in the body as Google documents it; a client without a secret proves itself by PKCE alone."""
    identity = {"client_id": settings.google_client_id or ""}
    if settings.google_client_secret:
        identity["client_secret"] = settings.google_client_secret
    return identity


def _as_it_is(request: httpx.Request) -> httpx.Request:
    """Instead of Authlib's authentication, which is for another HTTP library; the body has it already."""
    return request


def _require_granted(response: httpx.Response) -> httpx.Response:
    answer = _object(response)
    code = answer.get("error")
    if code is not None or not response.is_success:
        description = answer.get("error_description")
        said = f"{code}: {description}" if description else str(code or response.status_code)
        raise GoogleRefusalError(str(code or response.status_code), f"Google refused ({said[:300]}).")
    if not isinstance(answer.get("access_token"), str):
        raise ProviderUnavailableError("Google's token endpoint answered without a token. It is tried again later.")
    return response


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ProviderUnavailableError(
            f"{response.request.url.host} answered {response.status_code} with something that is not JSON; "
            "a proxy on the way, perhaps. It is tried again later."
        )
    return answer


def _tokens(answer: Mapping[str, Any], asked: tuple[str, ...]) -> Tokens:
    seconds = float(answer.get("expires_in") or DEFAULT_LIFETIME_SECONDS)
    # RFC 6749, section 5.1: an answer that does not name the scopes grants those that were asked for.
    scope = answer.get("scope")
    return Tokens(
        access_token=str(answer["access_token"]),
        refresh_token=answer.get("refresh_token"),
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
        scopes=asked if scope is None else tuple(str(scope).split()),
    )
