"""The API and the page as one ASGI application."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rl_emails_api import openapi_completion, problems, security
from rl_emails_api.admin import endpoints as admin
from rl_emails_api.admin.figures import FigureKeeper
from rl_emails_api.answers.compression import Compression
from rl_emails_api.answers.fields import choose_fields
from rl_emails_api.answers.shaping import Shaping
from rl_emails_api.audit import endpoints as audit
from rl_emails_api.changes import endpoints as changes
from rl_emails_api.collaboration import endpoints as collaboration
from rl_emails_api.connections import endpoints as connections
from rl_emails_api.events import endpoints as events
from rl_emails_api.events.hub import ChangeHub
from rl_emails_api.feedback import endpoints as feedback
from rl_emails_api.health import endpoints as health
from rl_emails_api.idempotency.middleware import Idempotency
from rl_emails_api.identity import clerk_endpoints, me_endpoints, sign_in_endpoints
from rl_emails_api.identity.credentials import Credentials
from rl_emails_api.identity.signing_keys import SigningKeys, fetch_keys
from rl_emails_api.inbox import endpoints as inbox
from rl_emails_api.learning import endpoints as learning
from rl_emails_api.limits import inner
from rl_emails_api.limits.edge import EdgeLimits
from rl_emails_api.mailboxes import endpoints as mailboxes
from rl_emails_api.message_actions import endpoints as message_actions
from rl_emails_api.messages import endpoints as messages
from rl_emails_api.metrics import endpoints as metrics
from rl_emails_api.metrics.collector import StatusCollector
from rl_emails_api.metrics.webhook_figures import WebhookFigures
from rl_emails_api.organizations import endpoints as organizations
from rl_emails_api.organizations import invitations, sharing
from rl_emails_api.outgoing_webhooks import endpoints as outgoing_webhooks
from rl_emails_api.outgoing_webhooks.deliverer import Deliverer
from rl_emails_api.outgoing_webhooks.sending import Sender
from rl_emails_api.people import endpoints as people
from rl_emails_api.privacy import endpoints as privacy
from rl_emails_api.projects import endpoints as projects
from rl_emails_api.remote_images import endpoints as remote_images
from rl_emails_api.remote_images.links import PATH as IMAGES_PATH
from rl_emails_api.remote_images.proxy import ImageProxy
from rl_emails_api.run_links import RunLinks
from rl_emails_api.search import endpoints as search
from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_api.tasks import endpoints as tasks
from rl_emails_api.threads import endpoints as threads
from rl_emails_api.webhooks import endpoints as webhooks
from rl_emails_api.webhooks.intake import PushIntake
from rl_emails_api.webhooks.push_tokens import PushTokens
from rl_emails_assets.embedding.encoder import Encoder
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.settings import Settings

WEB = Path(__file__).parent / "web"
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
FEATURES = (
    organizations,
    invitations,
    sharing,
    mailboxes,
    connections,
    inbox,
    message_actions,
    messages,
    remote_images,
    threads,
    collaboration,
    tasks,
    projects,
    people,
    search,
    changes,
    events,
    outgoing_webhooks,
    feedback,
    learning,
    webhooks,
    me_endpoints,
    sign_in_endpoints,
    clerk_endpoints,
    admin,
    audit,
    privacy,
    metrics,
    health,
)
DESCRIPTION = (
    "A priority inbox whose every decision can be traced. Send the token that `rl-emails up` prints as "
    "`Authorization: Bearer`. Errors are problem documents (RFC 9457); lists page with `next_cursor`."
)


def create_app(
    engine: Engine, settings: Settings, *, token: str | None = None, load_encoder: Callable[[], Encoder] | None = None
) -> FastAPI:
    """The application on these tables. `token` is the local access token, `settings.token` unless given.

    Raises SettingsError without a token, unless an issuer is set. `load_encoder` is called when the first search needs
    a vector.
    """
    token = token or settings.token
    if not token and settings.oidc_issuer is None:
        raise SettingsError("The API has no access token. Set RL_EMAILS_TOKEN, or start it with `rl-emails up`.")
    # FastAPI's own documentation pages load scripts from another host, so there are none.
    app = FastAPI(
        title="rl-emails",
        description=DESCRIPTION,
        version=version("rl-emails"),
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=openapi_completion.operation_id,
        dependencies=[Depends(choose_fields)],
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.credentials = Credentials(lambda: app.state.engine, settings, token)
    app.state.change_hub = ChangeHub(lambda: app.state.engine)
    app.state.webhook_sender = _webhook_sender(settings)
    app.state.figures = FigureKeeper()
    app.state.registry = CollectorRegistry()
    app.state.gmail_webhook = webhooks.GmailWebhook(
        _push_tokens(settings), PushIntake(engine), WebhookFigures(app.state.registry)
    )
    app.state.run_links = RunLinks(f"http://{settings.host}:{settings.dagster_port}")
    app.state.registry.register(
        StatusCollector(lambda: app.state.engine, settings, app.state.figures, app.state.run_links)
    )
    app.state.remote_images = ImageProxy.of(settings, app.state.registry)
    app.state.query_encoder = QueryEncoder(load_encoder or partial(_default_encoder, settings))
    problems.install(app)
    for feature in FEATURES:
        app.include_router(feature.router)
    app.add_api_route("/", partial(_page, "index.html"), methods=["GET"], include_in_schema=False)
    app.add_api_route("/admin", partial(_page, "admin.html"), methods=["GET"], include_in_schema=False)
    app.mount("/web", StaticFiles(directory=WEB), name="web")
    # What is added later is further out.
    app.add_middleware(Idempotency, engine=lambda: app.state.engine)
    app.add_middleware(Shaping)
    app.add_middleware(Compression)
    inner.install(app, settings)
    app.add_middleware(security.Security, credentials=app.state.credentials, settings=settings)
    app.add_middleware(EdgeLimits, settings=settings)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    app.openapi = partial(_openapi, app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    deliverer = Deliverer(lambda: app.state.engine, app.state.settings, app.state.webhook_sender)
    delivering = asyncio.create_task(deliverer.run())
    yield
    app.state.change_hub.stop()
    delivering.cancel()
    await asyncio.wait([delivering])
    app.state.gmail_webhook.intake.close()


def _webhook_sender(settings: Settings) -> Sender:
    bundle = settings.ca_bundle
    return Sender(
        # Made when something is sent: reading every authority takes longer than all else here.
        ssl_context=cache(lambda: ssl.create_default_context(cafile=str(bundle) if bundle else None)),
        allows_private=settings.webhooks_to_private_addresses,
    )


def _push_tokens(settings: Settings) -> PushTokens | None:
    """None unless the settings name the push subscription."""
    if settings.gmail_push_audience is None or settings.gmail_push_service_account is None:
        return None
    return PushTokens(
        SigningKeys(partial(fetch_keys, settings.google_certs_url, settings.ca_bundle)),
        issuer=settings.google_issuer,
        audience=settings.gmail_push_audience,
        service_account=settings.gmail_push_service_account,
    )


def _page(name: str) -> FileResponse:
    return FileResponse(WEB / name, headers={"Content-Security-Policy": PAGE_CSP})


def _default_encoder(settings: Settings) -> Encoder:
    from rl_emails_assets.embedding.load import load_encoder  # noqa: PLC0415 - numpy and onnxruntime only for search

    return load_encoder(settings.encoder, settings.models_dir)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The schema, with the problem document as what every operation answers when it fails."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components |= problem.pop("$defs")
        components["Problem"] = problem
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "push_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT signed by Google"},
        }
        for path, operations in schema["paths"].items():
            is_open = path in security.OPEN_PATHS or path == IMAGES_PATH
            needs = "push_token" if path in security.SELF_GUARDED_PATHS else "token"
            for operation in operations.values():
                operation["security"] = [] if is_open else [{needs: []}]
                _add_problems(operation, path, is_open=is_open)
        openapi_completion.complete(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _add_problems(operation: dict[str, Any], path: str, *, is_open: bool) -> None:
    """The failures that every operation of its kind can have; a route's own description of one stays."""
    meanings = {
        "429": "Too many requests; Retry-After says when to come again.",
        "500": "The server failed.",
        "503": "The database cannot be reached, or took too long.",
    }
    if "requestBody" in operation:
        meanings |= {
            "400": "The body cannot be read.",
            "408": "The body took too long to arrive.",
            "413": "The body is too large.",
        }
    if not is_open:
        meanings["401"] = "The token is missing or wrong."
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if "mailbox" in names:
        meanings["400"] = "There is more than one mailbox and none was named, or the body cannot be read."
    if "mailbox" in names or "{" in path:
        meanings["404"] = "There is no such thing in this mailbox."
    responses = operation["responses"]
    responses.pop("422", None)
    if names or ("requestBody" in operation and path not in security.SELF_GUARDED_PATHS):
        meanings["422"] = "A field of the request cannot be used."
    for status, meaning in sorted(meanings.items()):
        responses.setdefault(status, {"description": meaning})
    for status, answer in responses.items():
        if status >= "400":
            answer["content"] = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
