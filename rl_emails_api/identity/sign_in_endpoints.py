"""GET /auth/login, /auth/callback and /auth/signed-out, and POST /auth/logout."""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.identity import sessions, sign_in
from rl_emails_api.identity.claims import read_claims
from rl_emails_api.identity.credential_secrets import is_secret, new_secret
from rl_emails_api.identity.credentials import LOCAL_COOKIE, Credentials
from rl_emails_api.identity.issuer import Issuer
from rl_emails_api.identity.pages import refused_page
from rl_emails_api.identity.principal import needs, principal_of
from rl_emails_api.identity.tokens import TokenRefusedError
from rl_emails_api.own_origin import own_origin
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import Transaction
from rl_emails_assets.errors import ProviderUnavailableError, SignInError
from rl_emails_assets.identity_sync.admission import NotAdmittedError, admit
from rl_emails_assets.identity_sync.directory import RoleRules
from rl_emails_assets.settings import Settings

LOGIN_PATH = "/auth/login"
CALLBACK_PATH = "/auth/callback"
SIGNED_OUT_PATH = "/auth/signed-out"
LOGIN_COOKIE = "rl_emails_login"

router = APIRouter(tags=["account"])


class SignedOut(BaseModel):
    """Where to go now."""

    next: str = Field(description="Send the browser here; the issuer may have to be signed out of too.")


@router.get(LOGIN_PATH, include_in_schema=False)
def get_login(request: Request) -> Response:
    """Begin a sign-in: a cookie for this browser, and on to the issuer's page."""
    settings, credentials = _parts(request)
    return_to = sign_in.local_path(request.query_params.get("return_to"))
    issuer = _issuer(credentials, settings)
    try:
        origin = own_origin(request, settings, whose="The issuer's page")
    except ProblemError:
        # Only at its own name does the browser have the cookie when it comes back.
        where = f"{settings.api_url}{LOGIN_PATH}?{urlencode({'return_to': return_to})}"
        return RedirectResponse(where, status_code=HTTPStatus.SEE_OTHER)
    # One cookie for sign-ins in several tabs; each has a state, a verifier and a nonce of its own.
    present = request.cookies.get(_login_cookie(settings), "")
    cookie = present if is_secret(present) else new_secret()
    begun = sign_in.begin(cookie, return_to)
    try:
        where = sign_in.authorization_url(settings, issuer.description(), begun, origin + CALLBACK_PATH)
    except (SignInError, ProviderUnavailableError) as error:
        return _failed(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
    response = RedirectResponse(where, status_code=HTTPStatus.SEE_OTHER)
    _set_cookie(response, _login_cookie(settings), cookie, settings, seconds=sign_in.LIFETIME_SECONDS)
    return response


@router.get(CALLBACK_PATH, include_in_schema=False)
async def get_callback(request: Request) -> Response:
    """Finish the sign-in. Only the cookie of `get_login` and its state admit; the answer is for a person."""
    settings, credentials = _parts(request)
    try:
        issuer = _issuer(credentials, settings)
        secret, return_to = await _signed_in(request, credentials, issuer, settings)
    except ProviderUnavailableError as error:
        return _failed(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
    except TokenRefusedError as refused:
        words = f"{settings.oidc_issuer} sent a token that proves nothing ({refused.reason}). Sign in again."
        return _failed(words, HTTPStatus.BAD_REQUEST)
    except NotAdmittedError as refused:
        reason, user_id = refused.reason, refused.user_id
        await to_thread.run_sync(
            lambda: credentials.refusals.record(reason, credential="session", client=_client(request), user_id=user_id)
        )
        return _failed(str(refused), HTTPStatus.FORBIDDEN)
    except SignInError as error:
        return _failed(str(error), HTTPStatus.BAD_REQUEST)
    response = RedirectResponse(return_to, status_code=HTTPStatus.SEE_OTHER)
    _set_cookie(response, credentials.session_cookie, secret, settings, seconds=int(settings.session_days * 86400))
    return response


async def _signed_in(request: Request, credentials: Credentials, issuer: Issuer, settings: Settings) -> tuple[str, str]:
    """The new session's secret, and where to go."""
    asked = request.query_params
    begun = sign_in.come_back(request.cookies.get(_login_cookie(settings), ""), asked.get("state", ""))
    # RFC 9207: an answer that another issuer sent must not be taken for this one's.
    if asked.get("iss", issuer.name) != issuer.name:
        raise SignInError(f"Another issuer answered than the one that was asked. {sign_in.AGAIN}")
    error, code = asked.get("error"), asked.get("code")
    engine = request.app.state.engine
    await to_thread.run_sync(sign_in.use_up, engine, begun)
    if error is not None:
        raise SignInError(sign_in.refusal(error))
    if not code:
        raise SignInError(f"The issuer sent no code back. {sign_in.AGAIN}")
    described = await issuer.described()
    redirect_uri = own_origin(request, settings, whose="The issuer's page") + CALLBACK_PATH
    token = await to_thread.run_sync(
        lambda: sign_in.exchange(settings, described, begun, code=code, redirect_uri=redirect_uri)
    )
    assert credentials.verifier is not None  # noqa: S101 - there is one where there is an issuer
    verified = read_claims(await credentials.verifier.id_token(token, begun.nonce), settings)
    if verified.actor:
        raise SignInError("Who acts in another person's place gets no session of their own here.")

    def begin_session() -> str:
        access = admit(engine, verified, RoleRules.of(settings), is_sign_in=True)
        with engine.begin() as connection:
            return sessions.begin_session(
                connection,
                access,
                lifetime=timedelta(days=settings.session_days),
                user_agent=request.headers.get("user-agent", ""),
                client=_client(request),
                replaces=request.cookies.get(credentials.session_cookie, ""),
            )

    return await to_thread.run_sync(begin_session), begun.return_to


@router.get(SIGNED_OUT_PATH, include_in_schema=False)
def get_signed_out(request: Request) -> HTMLResponse:
    """A page for who has signed out; going to the inbox at once would sign them in again."""
    settings, _ = _parts(request)
    where = LOGIN_PATH if settings.oidc_client_id else settings.sign_in_url or "/"
    return refused_page("You are signed out", "This device shows no mail any more.", HTTPStatus.OK, where)


@router.post("/auth/logout", summary="Sign out on this device", dependencies=[needs("account:write")])
def post_logout(request: Request, response: Response, transaction: Transaction, log: AuditLog) -> SignedOut:
    """Ends the session of this browser and takes its cookies; other devices stay signed in. With a key or a token
    there is nothing to end.
    """
    settings, credentials = _parts(request)
    principal = principal_of(request)
    if principal.credential == "session" and principal.credential_id is not None:
        sessions.revoke(transaction, principal.user_id, principal.credential_id)
        log.record("session.revoked", target=principal.credential_id)
    for name in (credentials.session_cookie, LOCAL_COOKIE):
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=_is_secure(settings))
    return SignedOut(next=_after(request, credentials, settings))


def _after(request: Request, credentials: Credentials, settings: Settings) -> str:
    if credentials.issuer is None:
        return "/"
    if settings.oidc_client_id is None:
        return settings.sign_in_url or SIGNED_OUT_PATH
    try:
        end = credentials.issuer.description().end_session_endpoint
        origin = own_origin(request, settings, whose="The issuer's page")
    except (ProviderUnavailableError, ProblemError):
        return SIGNED_OUT_PATH
    if end is None:
        return SIGNED_OUT_PATH
    asked = {"client_id": settings.oidc_client_id, "post_logout_redirect_uri": origin + SIGNED_OUT_PATH}
    return f"{end}{'&' if urlsplit(end).query else '?'}{urlencode(asked)}"


def _parts(request: Request) -> tuple[Settings, Credentials]:
    return request.app.state.settings, request.app.state.credentials


def _issuer(credentials: Credentials, settings: Settings) -> Issuer:
    if credentials.issuer is None or settings.oidc_client_id is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "sign-in-not-set-up",
            "Browsers cannot sign in here. Set RL_EMAILS_OIDC_ISSUER and RL_EMAILS_OIDC_CLIENT_ID, then start again.",
        )
    return credentials.issuer


def _set_cookie(response: Response, name: str, value: str, settings: Settings, *, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        # Lax, not Strict: it has to come along when the issuer's page, or a link, leads the browser here.
        samesite="lax",
        secure=_is_secure(settings),
    )


def _is_secure(settings: Settings) -> bool:
    return settings.api_url.startswith("https:")


def _login_cookie(settings: Settings) -> str:
    return f"__Host-{LOGIN_COOKIE}" if _is_secure(settings) else LOGIN_COOKIE


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _failed(words: str, status: HTTPStatus) -> HTMLResponse:
    return refused_page("Not signed in", words, status, LOGIN_PATH)
