"""Who sends a request: the local token, an API key, a token of the issuer, or a session, each as a principal.

Nothing is remembered from one request to the next, so what is taken away is gone with the next request.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar, cast, get_args

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine

from rl_emails_api.identity.claims import read_claims
from rl_emails_api.identity.credential_secrets import hash_of, is_api_key, is_secret, same
from rl_emails_api.identity.issuer import Issuer
from rl_emails_api.identity.lookups import Ended, Holder, holder_of_key, holder_of_session
from rl_emails_api.identity.principal import LOCAL, ROLE_SCOPES, CredentialKind, Principal, Role
from rl_emails_api.identity.principal import Scope as AllowedScope
from rl_emails_api.identity.refusals import RefusalLog
from rl_emails_api.identity.tokens import TokenRefusedError, TokenVerifier
from rl_emails_api.problems import ProblemError
from rl_emails_assets.errors import ProviderUnavailableError
from rl_emails_assets.identity_sync.admission import NotAdmittedError, admit
from rl_emails_assets.identity_sync.directory import RoleRules
from rl_emails_assets.settings import Settings

LOCAL_COOKIE = "rl_emails_session"
SESSION_COOKIE = "rl_emails_user"
CLERK_COOKIE = "__session"
LOOKUPS = 8
"""At a time; one takes about a millisecond."""
IMPERSONATORS_SCOPES: frozenset[AllowedScope] = frozenset(get_args(AllowedScope)) - {
    "account:write",
    "export:read",
    "erase:write",
    "organization:write",
}
"""Whoever acts in somebody's place makes nothing that lasts, and takes and erases nothing as a whole."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Found:
    """A principal, and whether a browser sent the credential along by itself."""

    principal: Principal
    is_cookie: bool


class Credentials:
    """Finds out who sends a request. Belongs to one event loop."""

    def __init__(self, engine: Callable[[], Engine], settings: Settings, token: str | None) -> None:
        self._engine = engine
        self._settings = settings
        self._token = token if settings.allows_local_token else None
        # Not the token itself: what a browser stores cannot be used as a bearer token by whoever reads its profile.
        self._local_cookie = hmac.new((token or "").encode(), b"rl-emails cookie", hashlib.sha256).hexdigest()
        self.session_cookie = session_cookie_name(settings)
        self._rules = RoleRules.of(settings)
        self.issuer = Issuer(settings) if settings.oidc_issuer else None
        self.verifier = TokenVerifier(self.issuer, settings) if self.issuer else None
        self.refusals = RefusalLog(engine)
        self._threads = CapacityLimiter(LOOKUPS)

    def local_cookie_for(self, token: str) -> str | None:
        """What the cookie of who opens the printed link holds; None for a wrong token, or where links are off."""
        return self._local_cookie if self._token is not None and same(token, self._token) else None

    async def find(self, authorization: str, cookies: dict[str, str], client: str) -> Found | None:
        """Who sends it; None when nobody is told. Raises ProblemError for a credential that is refused."""
        scheme, _, bearer = authorization.partition(" ")
        if scheme.lower() == "bearer" and bearer.strip():
            return await self._by_bearer(bearer.strip(), client)
        return await self._by_cookie(cookies, client)

    async def _by_bearer(self, bearer: str, client: str) -> Found | None:
        if self._token is not None and same(bearer, self._token):
            return Found(LOCAL, is_cookie=False)
        if is_api_key(bearer):
            holder = await self._in_thread(lambda: holder_of_key(self._engine(), hash_of(bearer)))
            if not isinstance(holder, Holder):
                raise await self._ended(holder, "api_key", client)
            return Found(_principal(holder, "api_key"), is_cookie=False)
        if self.verifier is None or bearer.count(".") != 2:
            return None
        return Found(await self._by_token(bearer, client), is_cookie=False)

    async def _by_cookie(self, cookies: dict[str, str], client: str) -> Found | None:
        local = cookies.get(LOCAL_COOKIE)
        if self._token is not None and local is not None and same(local, self._local_cookie):
            return Found(LOCAL, is_cookie=True)
        session = cookies.get(self.session_cookie, "")
        if self.issuer is not None and is_secret(session):
            idle_seconds = self._settings.session_idle_days * 86400
            holder = await self._in_thread(
                lambda: holder_of_session(self._engine(), hash_of(session), idle_seconds=idle_seconds)
            )
            if isinstance(holder, Holder):
                return Found(_principal(holder, "session"), is_cookie=True)
            if isinstance(holder, Ended) and holder.reason not in ("expired", "idle"):
                await self._record(holder.reason, "session", client, holder)
        clerks = cookies.get(CLERK_COOKIE, "")
        if self._settings.oidc_kind == "clerk" and self.verifier is not None and clerks.count(".") == 2:
            return Found(await self._by_token(clerks, client), is_cookie=True)
        return None

    async def _by_token(self, token: str, client: str) -> Principal:
        assert self.verifier is not None  # noqa: S101 - the callers looked
        try:
            verified = read_claims(await self.verifier.bearer(token), self._settings)
            access = await self._in_thread(lambda: admit(self._engine(), verified, self._rules))
        except TokenRefusedError as refused:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "token-refused",
                f"The token is not one that opens this server ({refused.reason}). Sign in again.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            ) from refused
        except NotAdmittedError as refused:
            reason, user_id = refused.reason, refused.user_id
            await self._in_thread(
                lambda: self.refusals.record(reason, credential="token", client=client, user_id=user_id)
            )
            raise ProblemError(HTTPStatus.FORBIDDEN, refused.reason, str(refused)) from refused
        except ProviderUnavailableError as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "issuer-unavailable",
                "Whoever signs people in cannot be reached, so tokens cannot be looked at now. Try again in a moment.",
                headers={"Retry-After": "5"},
            ) from error
        role = cast("Role", access.role)
        scopes = ROLE_SCOPES[role]
        if verified.actor:
            scopes &= IMPERSONATORS_SCOPES
        return Principal(access.user_id, access.organization_id, role, scopes, "token", actor=verified.actor)

    async def _ended(self, holder: Ended | None, credential: CredentialKind, client: str) -> ProblemError:
        if holder is not None:
            await self._record(holder.reason, credential, client, holder)
        return ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "key-refused",
            "The API key is not known, has expired or was revoked. Make a new one on the page, under settings.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )

    async def _record(self, reason: str, credential: CredentialKind, client: str, holder: Ended) -> None:
        await self._in_thread(
            lambda: self.refusals.record(
                reason,
                credential=credential,
                client=client,
                user_id=holder.user_id,
                organization_id=holder.organization_id,
            )
        )

    async def _in_thread(self, ask: Callable[[], _Found]) -> _Found:
        return await to_thread.run_sync(ask, limiter=self._threads)


def session_cookie_name(settings: Settings) -> str:
    """The session cookie's name. Over https its prefix has browsers refuse one that another host name has set."""
    return f"__Host-{SESSION_COOKIE}" if settings.api_url.startswith("https:") else SESSION_COOKIE


def _principal(holder: Holder, credential: CredentialKind) -> Principal:
    role = cast("Role", holder.role)
    scopes = ROLE_SCOPES[role]
    if holder.scopes is not None:
        scopes = frozenset(scope for scope in scopes if scope in holder.scopes)
    return Principal(holder.user_id, holder.organization_id, role, scopes, credential, holder.credential_id)
