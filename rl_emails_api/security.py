"""Local security: a token, loopback names only, no writes from other origins, and headers on every answer.

The server listens on loopback and needs the token that `rl-emails up` prints: as `Authorization: Bearer`, or as the
cookie that `GET /?token=...` sets. The Host header must name this machine, or be that of `public_url`: a hostile page's
own name, rebound to 127.0.0.1, would otherwise be same-origin with the inbox. A browser sends the cookie along by
itself, so with it a request must also come from the page: the header that only scripts of this origin can cause is
`Sec-Fetch-Site: same-origin`, or, from older browsers, a matching Origin.
"""

import hashlib
import hmac
import ipaddress
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.identity.principal import LOCAL
from rl_emails_api.problems import MEDIA_TYPE, SECURITY_HEADERS, problem_body

COOKIE = "rl_emails_session"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
SELF_GUARDED_PATHS = frozenset({"/webhooks/gmail", "/oauth/google/callback", "/v1/images"})
"""They check a token of their own: one that Google signs, the state and cookie of a sign-in, the sealed address of an
image. The Host header is looked at here all the same."""
PAGES = frozenset({"/", "/admin"})
"""What a browser opens by its address; refused with a page instead of a problem document."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE_MAX_AGE_S = 30 * 24 * 3600

_CLOSED_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>rl-emails: closed</title>
<h1>This inbox is closed</h1>
<p>Open it with the link that <code>rl-emails up</code> prints; it ends in <code>?token=</code> and a long word.</p>
<p>If you have just opened that link: <a href="/">continue to the inbox</a>.</p>
</html>"""


class LocalSecurity:
    """ASGI middleware; the only way past it is the token, but for `OPEN_PATHS` and `SELF_GUARDED_PATHS`."""

    def __init__(self, app: ASGIApp, token: str, host: str, public_url: str | None = None) -> None:
        self._app = app
        self._token = token.encode()
        # Not the token itself: what a browser stores cannot be used as a bearer token by whoever reads its profile.
        self._cookie = hmac.new(self._token, b"rl-emails cookie", hashlib.sha256).hexdigest()
        self._names = {"localhost", host.lower(), (urlsplit(public_url or "").hostname or "localhost").lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = None if scope["path"] in OPEN_PATHS else self._answer(scope, Headers(scope=scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/web/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if refusal is None:
            scope.setdefault("state", {})["principal"] = LOCAL
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._is_own_name(headers.get("host", "")):
            return _refuse(
                scope,
                HTTPStatus.MISDIRECTED_REQUEST,
                "wrong-host",
                "The Host header does not name this machine. Use localhost or 127.0.0.1, or set RL_EMAILS_PUBLIC_URL.",
            )
        if scope["path"] in SELF_GUARDED_PATHS:
            return None
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
            if given is not None:
                return self._sign_in(scope, given[0])
        bearer = headers.get("authorization", "").partition(" ")
        if bearer[0].lower() == "bearer" and hmac.compare_digest(bearer[2].strip().encode(), self._token):
            return None
        if not self._has_cookie(headers):
            return _closed(scope)
        return self._foreign(scope, headers)

    def _sign_in(self, scope: Scope, given: str) -> Response:
        if not hmac.compare_digest(given.encode(), self._token):
            return _closed(scope)
        response = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            self._cookie,
            max_age=COOKIE_MAX_AGE_S,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        return response

    def _has_cookie(self, headers: Headers) -> bool:
        cookies = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(COOKIE)
        return found is not None and hmac.compare_digest(found.value.encode(), self._cookie.encode())

    def _foreign(self, scope: Scope, headers: Headers) -> Response | None:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        own = f"{scope['scheme']}://{headers['host']}"
        if scope["method"] in SAFE_METHODS:
            # Other ports of this machine are the same *site*, so SameSite alone does not keep their pages out.
            is_foreign = scope["path"] not in PAGES and site in ("cross-site", "same-site")
        elif site is not None:
            is_foreign = site != "same-origin"
        else:
            is_foreign = origin != own
        if not is_foreign:
            return None
        return _refuse(
            scope,
            HTTPStatus.FORBIDDEN,
            "foreign-origin",
            "A request with the cookie must come from the page itself. Scripts send Authorization: Bearer instead.",
        )

    def _is_own_name(self, host: str) -> bool:
        name = host[1 : host.find("]")] if host.startswith("[") else host.rpartition(":")[0] or host
        name = name.lower()
        if name in self._names:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _closed(scope: Scope) -> Response:
    if scope["path"] in PAGES:
        return HTMLResponse(_CLOSED_PAGE, status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return _refuse(
        scope,
        HTTPStatus.UNAUTHORIZED,
        "token-required",
        "Send the token that `rl-emails up` prints as Authorization: Bearer, or open its link in a browser.",
        {"WWW-Authenticate": "Bearer"},
    )


def _refuse(
    scope: Scope, status: HTTPStatus, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(
        problem_body(status, code, detail, scope["path"]), status_code=status, headers=headers, media_type=MEDIA_TYPE
    )
