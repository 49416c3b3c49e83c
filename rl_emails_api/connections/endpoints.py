"""Connecting a Gmail account, the callback of Google's page, and disconnecting."""

import secrets
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from starlette.responses import HTMLResponse

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.connections import outcome_page, queries
from rl_emails_api.connections.schemas import Authorization, ConnectionItem, Connections, Disconnection, GmailSignIn
from rl_emails_api.identity.principal import needs
from rl_emails_api.mailboxes.endpoints import open_notices
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.management import CHANGES, Asking, allow
from rl_emails_api.own_origin import own_origin
from rl_emails_api.problems import MEDIA_TYPE, ProblemError
from rl_emails_api.transactions import ServiceTransaction, Transaction
from rl_emails_assets.connections import google_oauth, lifecycle
from rl_emails_assets.db.mailbox_rows import Tenant
from rl_emails_assets.errors import SettingsError, SignInError
from rl_emails_assets.settings import Settings

COOKIE = "rl_emails_sign_in"
COOKIE_PATH = "/oauth"

router = APIRouter(tags=["connections"])

_CONFLICT: dict[int | str, dict[str, Any]] = {
    HTTPStatus.CONFLICT: {
        "description": "The settings lack an OAuth client, or name another address than the one that was opened.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


@router.get("/v1/connections", summary="The connections to mail providers", dependencies=[needs("mail:read")])
def get_connections(transaction: Transaction) -> Connections:
    """Every mailbox as a connection: its state, since when and why, and what its owner should know."""
    notices = open_notices(transaction)
    return Connections(
        items=[ConnectionItem(**row, notices=notices.get(row["mailbox_id"], [])) for row in queries.listed(transaction)]
    )


@router.post(
    "/v1/connections/gmail",
    summary="Begin to connect a Gmail account",
    responses=_CONFLICT,
    dependencies=[needs("mailboxes:write")],
)
def post_gmail(
    request: Request,
    response: Response,
    transaction: ServiceTransaction,
    principal: Asking,
    sign_in: Annotated[GmailSignIn | None, Body()] = None,
) -> Authorization:
    """Answers where to send the browser, and gives it a cookie for ten minutes: only it can finish the sign-in."""
    settings: Settings = request.app.state.settings
    origin = own_origin(request, settings, whose="Google")
    session = secrets.token_urlsafe(32)
    try:
        url = google_oauth.begin(
            transaction,
            settings,
            session=session.encode(),
            redirect_uri=origin + google_oauth.CALLBACK_PATH,
            login_hint=sign_in.login_hint if sign_in else "",
            tenant=Tenant(principal.organization_id, principal.user_id),
            credential=principal.credential,
        )
    except SettingsError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "gmail-not-set-up", str(error)) from error
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(google_oauth.LIFETIME.total_seconds()),
        path=COOKIE_PATH,
        httponly=True,
        # Lax, not Strict: it has to come along when Google's page sends the browser back.
        samesite="lax",
        secure=origin.startswith("https:"),
    )
    return Authorization(authorization_url=url)


@router.get(google_oauth.CALLBACK_PATH, include_in_schema=False)
def get_google_callback(request: Request) -> HTMLResponse:
    """Finish the sign-in. Only the cookie of `post_gmail` and the state admit; the answer is for a person."""
    asked = request.query_params
    try:
        connected = google_oauth.finish(
            request.app.state.engine,
            request.app.state.settings,
            session=request.cookies.get(COOKIE, "").encode(),
            state=asked.get("state", ""),
            code=asked.get("code"),
            error=asked.get("error"),
        )
    except SignInError as error:
        page = outcome_page.failed(str(error))
    else:
        page = outcome_page.connected(connected.address)
    page.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="lax")
    return page


@router.delete(
    "/v1/connections/{mailbox_id}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Disconnect and erase a mailbox",
    responses={HTTPStatus.FORBIDDEN: CHANGES[HTTPStatus.FORBIDDEN]},
    dependencies=[needs("mailboxes:write")],
)
def delete_connection(transaction: Transaction, principal: Asking, audit: AuditLog, mailbox_id: UUID) -> Disconnection:
    """Ends the access at the provider and erases everything that is kept of the mailbox, within seconds to minutes.

    Its owner may, and owners and administrators of the organization. It cannot be undone. Mail at the provider is not
    touched.
    """
    is_own = queries.is_owner(transaction, mailbox_id, principal.user_id)
    if is_own is not None:
        allow(rules.refuse_disconnection(principal.role, is_own=is_own))
    lifecycle.ask_to_disconnect(transaction, mailbox_id, asked_by="button")
    audit.record("mailbox.disconnected", target=mailbox_id)
    return Disconnection(mailbox_id=mailbox_id, state="disconnecting")
