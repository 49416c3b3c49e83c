"""/v1/webhooks: where one's programs are told of changes."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Request, Response
from sqlalchemy import RowMapping

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.changes import feed
from rl_emails_api.identity.principal import needs, principal_of
from rl_emails_api.outgoing_webhooks import queries
from rl_emails_api.outgoing_webhooks.schemas import (
    Deliveries,
    Delivery,
    MadeWebhook,
    NewWebhook,
    Webhook,
    WebhookChange,
    Webhooks,
)
from rl_emails_api.outgoing_webhooks.sending import RefusedUrlError, Sender
from rl_emails_api.outgoing_webhooks.signing import new_secret
from rl_emails_api.problems import FieldError, ProblemError
from rl_emails_api.transactions import Transaction
from rl_emails_assets.connections.sealing import Place, Sealer

MOST_WEBHOOKS = 20
"""Of one person."""

router = APIRouter(tags=["webhooks"])

_READ = [needs("mail:read")]
_WRITE = [needs("account:write")]
_NOT_HERE: dict[int | str, dict[str, Any]] = {HTTPStatus.NOT_FOUND: {"description": "No webhook of yours has this id."}}
_EXAMPLE = {
    "new mail": {
        "summary": "Messages that arrive, change or go",
        "value": {
            "url": "https://program.example.org/rl-emails",
            "events": ["message.changed", "message.removed"],
            "description": "Our ticket system",
        },
    }
}


@router.get("/v1/webhooks", summary="Your webhooks", dependencies=_READ)
def get_webhooks(transaction: Transaction) -> Webhooks:
    """Where changes are sent to, and whether that works."""
    return Webhooks(items=[Webhook(**queries.shown(row)) for row in queries.listed(transaction)])


@router.post(
    "/v1/webhooks",
    status_code=HTTPStatus.CREATED,
    summary="Make a webhook",
    dependencies=_WRITE,
    responses={HTTPStatus.CONFLICT: {"description": "You have as many webhooks as one person may have."}},
)
def post_webhook(
    request: Request,
    transaction: Transaction,
    audit: AuditLog,
    wanted: Annotated[NewWebhook, Body(openapi_examples=_EXAMPLE)],
) -> MadeWebhook:
    """From now on changes are sent to it: kinds and ids, as in the change feed, no text of any mail.

    Each delivery is signed (Standard Webhooks); the secret is in this answer and never shown again. What fails is tried
    again for about a day. The url has to be https, on the public internet.
    """
    _check(request, wanted.url)
    if len(queries.listed(transaction)) >= MOST_WEBHOOKS:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "too-many-webhooks",
            f"You have {MOST_WEBHOOKS} webhooks. Delete one that you no longer need.",
        )
    principal, webhook_id, secret = principal_of(request), uuid4(), new_secret()
    sealer = Sealer.of(request.app.state.settings)
    queries.add(
        transaction,
        webhook_id=webhook_id,
        organization_id=principal.organization_id,
        user_id=principal.user_id,
        url=wanted.url,
        description=wanted.description,
        events=list(dict.fromkeys(wanted.events)),
        sealed_secret=sealer.seal(
            secret.encode(),
            bound_to=Place("app.webhooks", "sealed_secret", str(webhook_id), principal.organization_id),
        ),
        key_id=sealer.key_id,
        cursor=feed.read_now(transaction).cursor().encode(),
    )
    audit.record("webhook.created", target=webhook_id)
    return MadeWebhook(**queries.shown(_one(transaction, webhook_id)), secret=secret)


@router.get("/v1/webhooks/{webhook_id}", summary="A webhook", dependencies=_READ, responses=_NOT_HERE)
def get_webhook(transaction: Transaction, webhook_id: UUID) -> Webhook:
    """Where it sends to, and whether that works."""
    return Webhook(**queries.shown(_one(transaction, webhook_id)))


@router.patch("/v1/webhooks/{webhook_id}", summary="Change a webhook", dependencies=_WRITE, responses=_NOT_HERE)
def patch_webhook(
    request: Request, transaction: Transaction, audit: AuditLog, webhook_id: UUID, change: WebhookChange
) -> Webhook:
    """Enabled again it goes on where it stopped, if the change feed remembers that."""
    _one(transaction, webhook_id)
    values = change.model_dump(exclude_none=True)
    if change.url is not None:
        _check(request, change.url)
    is_enabled = values.pop("is_enabled", None)
    if is_enabled:
        values |= {"disabled_at": None, "disabled_reason": "", "failing_since": None}
    if values:
        queries.change(transaction, webhook_id, values)
    if is_enabled is False:
        queries.disable_by_owner(transaction, webhook_id)
    audit.record("webhook.changed", target=webhook_id)
    return Webhook(**queries.shown(_one(transaction, webhook_id)))


@router.delete(
    "/v1/webhooks/{webhook_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete a webhook",
    dependencies=_WRITE,
    responses=_NOT_HERE,
)
def delete_webhook(transaction: Transaction, audit: AuditLog, webhook_id: UUID) -> Response:
    """With its deliveries; nothing more is sent."""
    if not queries.remove(transaction, webhook_id):
        raise _not_here("webhook")
    audit.record("webhook.deleted", target=webhook_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/v1/webhooks/{webhook_id}/deliveries", summary="What was sent to it", dependencies=_READ, responses=_NOT_HERE
)
def get_deliveries(transaction: Transaction, webhook_id: UUID) -> Deliveries:
    """The latest 100, of the last 14 days, with what became of each."""
    _one(transaction, webhook_id)
    return Deliveries(items=[_delivery(row) for row in queries.deliveries(transaction, webhook_id)])


@router.post(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redrive",
    summary="Send a dead delivery again",
    dependencies=_WRITE,
    responses=_NOT_HERE,
)
def post_redrive(transaction: Transaction, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """At once, and then as often as a new one, under the same `webhook-id`."""
    row = queries.redrive(transaction, webhook_id, delivery_id)
    if row is None:
        raise _not_here("dead delivery")
    return _delivery(row)


def _check(request: Request, url: str) -> None:
    sender: Sender = request.app.state.webhook_sender
    try:
        sender.check(url)
    except RefusedUrlError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "Webhooks are not sent to this address; `errors` says why.",
            errors=[FieldError(location=["body", "url"], message=str(error))],
        ) from error


def _one(transaction: Transaction, webhook_id: UUID) -> RowMapping:
    row = queries.by_id(transaction, webhook_id)
    if row is None:
        raise _not_here("webhook")
    return row


def _not_here(what: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, "not-found", f"There is no such {what} of yours. GET /v1/webhooks lists them."
    )


def _delivery(row: RowMapping) -> Delivery:
    values = {name: row[name] for name in Delivery.model_fields}
    return Delivery(**{**values, "next_at": values["next_at"] if values["state"] == "waiting" else None})
