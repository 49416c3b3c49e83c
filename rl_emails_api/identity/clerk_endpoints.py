"""POST /webhooks/clerk: Clerk says that a person, an organization or a membership has changed."""

import logging
from http import HTTPStatus

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from rl_emails_api.identity.svix import SvixVerifier
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import transaction_of
from rl_emails_api.webhooks.limited_body import limited_body
from rl_emails_assets.identity_sync import clerk_events
from rl_emails_assets.identity_sync.directory import Directory, RoleRules
from rl_emails_assets.settings import Settings

MOST_BYTES = 256 * 1024
"""Of an event; a user with all metadata that Clerk allows has about 30 KiB."""

_log = logging.getLogger(__name__)

router = APIRouter(tags=["webhooks"])


@router.post("/webhooks/clerk", status_code=HTTPStatus.NO_CONTENT, include_in_schema=False, response_class=Response)
async def post_clerk(request: Request) -> Response:
    """Takes an event into the tables. Only Clerk's signature admits; what is genuine is acknowledged whatever it says,
    because anything else would come again for days.
    """
    settings: Settings = request.app.state.settings
    if settings.oidc_issuer is None or not settings.clerk_webhook_secret_list:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "webhook-not-configured",
            "This server takes no events of Clerk. Set RL_EMAILS_OIDC_ISSUER and RL_EMAILS_CLERK_WEBHOOK_SECRETS, then "
            "start it again.",
        )
    try:
        body = await limited_body(request, MOST_BYTES)
    except ClientDisconnect as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "webhook-incomplete", "The event ended before its end. Send it again."
        ) from error
    if body is None:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "webhook-too-large", f"An event has at most {MOST_BYTES} bytes."
        )
    delivery_id = SvixVerifier(settings.clerk_webhook_secret_list).delivery_id(request.headers, body)
    if delivery_id is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "webhook-signature-refused",
            "The signature is missing, is not made with this server's secret, or is older than five minutes.",
        )
    issuer, rules = settings.oidc_issuer, RoleRules.of(settings)

    def take() -> str:
        with transaction_of(request.app.state.engine, None) as connection:
            return clerk_events.take(connection, Directory(connection, issuer, rules), delivery_id, body)

    outcome = await to_thread.run_sync(take)
    if outcome == "garbage":
        _log.warning("Clerk's delivery %s cannot be read; `rl-emails identity sync` mends what it told.", delivery_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
