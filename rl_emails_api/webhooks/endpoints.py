"""POST /webhooks/gmail: Google says that a mailbox has changed.

The token is verified before a byte of the body is read. What is genuine is acknowledged whatever it says (anything else
would be redelivered for days); what is not gets a 401 that tells nothing of accounts.
"""

import time
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from rl_emails_api.metrics.webhook_figures import WebhookFigures
from rl_emails_api.problems import ProblemError
from rl_emails_api.webhooks.intake import PushIntake
from rl_emails_api.webhooks.limited_body import limited_body
from rl_emails_api.webhooks.push_body import read_push
from rl_emails_api.webhooks.push_tokens import PushTokens
from rl_emails_assets.errors import ProviderUnavailableError

MOST_BYTES = 64 * 1024
"""Of a push; Gmail's have about 400."""

router = APIRouter(tags=["webhooks"])


@dataclass(frozen=True, slots=True)
class GmailWebhook:
    """What the webhook works with; `tokens` is None while the settings name no push subscription."""

    tokens: PushTokens | None
    intake: PushIntake
    figures: WebhookFigures


@router.post(
    "/webhooks/gmail",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Take a push from Gmail",
    response_class=Response,
    responses={
        HTTPStatus.NO_CONTENT: {"description": "Taken, or not worth sending again."},
        HTTPStatus.UNAUTHORIZED: {"description": "The token is not that of this server's push subscription."},
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"description": "The body is larger than 64 KiB."},
        HTTPStatus.SERVICE_UNAVAILABLE: {
            "description": "No push subscription is set, or the database or Google's keys are away: send again."
        },
    },
    openapi_extra={
        "requestBody": {
            "description": "Pub/Sub's push: `data` is base64 of `{emailAddress, historyId}`. At most 64 KiB.",
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {
                        "message": {
                            "data": "eyJlbWFpbEFkZHJlc3MiOiJhZGFAZXhhbXBsZS5vcmciLCJoaXN0b3J5SWQiOjQyfQ==",
                            "messageId": "2070443601311540",
                            "publishTime": "2026-03-20T09:30:00Z",
                        },
                        "subscription": "projects/example/subscriptions/gmail",
                    },
                }
            },
        }
    },
)
async def post_gmail(request: Request) -> Response:
    """Puts a sync request in the queue and answers at once; repetitions and what cannot be read change nothing.

    Google's Pub/Sub sends it, with a token of the subscription's service account; the access token is not asked for.
    """
    webhook: GmailWebhook = request.app.state.gmail_webhook
    started = time.perf_counter()
    outcome = "failed"
    try:
        outcome = await _take(request, webhook)
    except _RefusedError as refused:
        outcome = refused.outcome
        raise
    finally:
        webhook.figures.answered(outcome, time.perf_counter() - started)
    return Response(status_code=HTTPStatus.NO_CONTENT)


class _RefusedError(ProblemError):
    """A problem, and the word it is counted under."""

    outcome = ""

    @classmethod
    def of(cls, outcome: str, status: HTTPStatus, code: str, detail: str, **headers: str) -> "_RefusedError":
        made = cls(status, code, detail, headers={name.replace("_", "-"): value for name, value in headers.items()})
        made.outcome = outcome
        return made


async def _take(request: Request, webhook: GmailWebhook) -> str:
    if webhook.tokens is None:
        raise _RefusedError.of(
            "unconfigured",
            HTTPStatus.SERVICE_UNAVAILABLE,
            "push-not-configured",
            "This server takes no pushes. Set RL_EMAILS_GMAIL_PUSH_AUDIENCE and RL_EMAILS_GMAIL_PUSH_SERVICE_ACCOUNT "
            "to those of the Pub/Sub subscription, then start it again.",
        )
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        is_genuine = scheme.lower() == "bearer" and await webhook.tokens.is_genuine(token.strip())
    except ProviderUnavailableError as error:
        raise _RefusedError.of(
            "keys_unavailable",
            HTTPStatus.SERVICE_UNAVAILABLE,
            "push-keys-unavailable",
            "The keys that sign pushes cannot be fetched now. Send the push again later.",
            Retry_After="5",
        ) from error
    if not is_genuine:
        raise _RefusedError.of(
            "refused",
            HTTPStatus.UNAUTHORIZED,
            "push-token-refused",
            "The token is missing, or is not that of this server's push subscription. Check the subscription's "
            "audience and service account.",
            WWW_Authenticate="Bearer",
        )
    push = read_push(await _body(request))
    if push is None:
        await webhook.intake.count_garbage()
        return "garbage"
    return await webhook.intake.record(push)


async def _body(request: Request) -> bytes:
    """The body, as long as it stays within the limit."""
    try:
        body = await limited_body(request, MOST_BYTES)
    except ClientDisconnect as error:
        raise _RefusedError.of(
            "failed", HTTPStatus.BAD_REQUEST, "push-incomplete", "The push ended before its end. Send it again."
        ) from error
    if body is not None:
        return body
    raise _RefusedError.of(
        "too_large",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "push-too-large",
        f"A push has at most {MOST_BYTES} bytes.",
    )
