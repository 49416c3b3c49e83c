"""Who may ask: names of this machine only, a credential, no writes from other origins, and headers on every answer.

The Host header must name this machine, or be that of `public_url`: a hostile page's own name, rebound to 127.0.0.1,
would otherwise be same-origin with the inbox. The credential (see `identity/credentials.py`) becomes the principal that
endpoints ask for; without an issuer it is the token that `rl-emails up` prints, as `Authorization: Bearer` or as the
cookie that `GET /?token=...` sets. A browser sends cookies along by itself, so with one a request must also come from
the page: the header that only scripts of this origin can cause is `Sec-Fetch-Site: same-origin`, or, from older
browsers, a matching Origin.
"""

import ipaddress
import logging
from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlsplit

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.identity.credentials import LOCAL_COOKIE, Credentials
from rl_emails_api.identity.pages import CLOSED, refused_page
from rl_emails_api.problems import MEDIA_TYPE, SECURITY_HEADERS, ProblemError, problem_body
from rl_emails_assets.settings import Settings

COOKIE = LOCAL_COOKIE
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
SELF_GUARDED_PATHS = frozenset(
    {
        "/webhooks/gmail",
        "/webhooks/clerk",
        "/oauth/google/callback",
        "/auth/login",
        "/auth/callback",
        "/auth/signed-out",
        "/v1/images",
    }
)
"""They check a token of their own: one that Google signs, Clerk's signature, the state and cookie of a sign-in, the
sealed address of an image; or nobody need be signed in for them yet. The Host header is looked at here all the same."""
PAGES = frozenset({"/", "/admin"})
"""What a browser opens by its address; refused with a page instead of a problem document."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE_MAX_AGE_S = 30 * 24 * 3600

_log = logging.getLogger(__name__)


class Security:
    """ASGI middleware; the only way past it is a credential, but for `OPEN_PATHS` and `SELF_GUARDED_PATHS`."""

    def __init__(self, app: ASGIApp, credentials: Credentials, settings: Settings) -> None:
        self._app = app
        self._credentials = credentials
        self._settings = settings
        own = urlsplit(settings.public_url or "")
        self._names = {"localhost", settings.host.lower(), (own.hostname or "localhost").lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = None if scope["path"] in OPEN_PATHS else await self._answer(scope, Headers(scope=scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/web/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (refusal or self._app)(scope, receive, send_with_headers)

    async def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._is_own_name(headers.get("host", "")):
            return _refuse(
                scope,
                ProblemError(
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "wrong-host",
                    "The Host header does not name this machine. Use localhost or 127.0.0.1, or set "
                    "RL_EMAILS_PUBLIC_URL.",
                ),
            )
        if scope["path"] in SELF_GUARDED_PATHS:
            return None
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
            if given is not None and self._settings.allows_local_token:
                return self._sign_in(scope, given[0])
        client = scope["client"][0] if scope.get("client") else ""
        try:
            found = await self._credentials.find(headers.get("authorization", ""), _cookies(headers), client)
        except ProblemError as problem:
            return self._refused(scope, problem)
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            _log.warning("%s %r: %s", scope["method"], scope["path"], type(error).__name__)
            detail = "The database cannot be reached. Look at `rl-emails status`, then try again."
            unavailable = ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, headers={"Retry-After": "2"}
            )
            return self._refused(scope, unavailable)
        if found is None:
            return self._closed(scope)
        if found.is_cookie and self._is_foreign(scope, headers):
            return _refuse(
                scope,
                ProblemError(
                    HTTPStatus.FORBIDDEN,
                    "foreign-origin",
                    "A request with the cookie must come from the page itself. Scripts send Authorization: Bearer "
                    "instead.",
                ),
            )
        scope.setdefault("state", {})["principal"] = found.principal
        return None

    def _sign_in(self, scope: Scope, given: str) -> Response:
        cookie = self._credentials.local_cookie_for(given)
        if cookie is None:
            return self._closed(scope)
        response = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=COOKIE_MAX_AGE_S,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return response

    def _closed(self, scope: Scope) -> Response:
        """Nobody is told, or nobody that is known any more."""
        is_page = scope["path"] in PAGES
        if self._settings.oidc_issuer is None:
            if is_page:
                return HTMLResponse(CLOSED, HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
            detail = (
                "Send the token that `rl-emails up` prints as Authorization: Bearer, or open its link in a browser."
            )
            code = "token-required"
        else:
            where = self._sign_in_address(scope["path"])
            if is_page and where is not None and scope["method"] in ("GET", "HEAD"):
                return RedirectResponse(where, status_code=HTTPStatus.SEE_OTHER)
            detail = "Sign in on the page, or send an API key or a token of the issuer as Authorization: Bearer."
            code = "sign-in-required"
        return self._refused(
            scope, ProblemError(HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": "Bearer"})
        )

    def _sign_in_address(self, path: str) -> str | None:
        if self._settings.oidc_client_id is not None:
            return f"/auth/login?return_to={quote(path, safe='')}"
        return self._settings.sign_in_url

    def _refused(self, scope: Scope, problem: ProblemError) -> Response:
        if scope["path"] not in PAGES:
            return _refuse(scope, problem)
        where = self._sign_in_address(scope["path"]) if self._settings.oidc_issuer else None
        return refused_page("This inbox is closed", problem.detail, problem.status, where, problem.headers)

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if scope["method"] in SAFE_METHODS:
            # Other ports of this machine are the same *site*, so SameSite alone does not keep their pages out.
            return scope["path"] not in PAGES and site in ("cross-site", "same-site")
        if site is not None:
            return site != "same-origin"
        # Behind a proxy that opens TLS the scheme here is not the browser's.
        own = {f"{scope['scheme']}://{headers['host']}", (self._settings.public_url or "").rstrip("/")}
        return headers.get("origin", "null") not in own

    def _is_own_name(self, host: str) -> bool:
        name = host[1 : host.find("]")] if host.startswith("[") else host.rpartition(":")[0] or host
        name = name.lower()
        if name in self._names:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _cookies(headers: Headers) -> dict[str, str]:
    """All of them, whatever one of another program on this host looks like."""
    return {name: value for line in headers.getlist("cookie") for name, value in cookie_parser(line).items()}


def _refuse(scope: Scope, problem: ProblemError) -> JSONResponse:
    return JSONResponse(
        problem_body(problem.status, problem.code, problem.detail, scope["path"]),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )
