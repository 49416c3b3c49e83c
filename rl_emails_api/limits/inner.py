"""What is refused once it is known who asks: too many requests, and bodies that are too large, too slow or too deep."""

import re
import time
from collections.abc import Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import anyio
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.identity.principal import Principal
from rl_emails_api.limits.buckets import Buckets
from rl_emails_api.limits.refusing import refusal, too_many
from rl_emails_api.problems import ProblemError, problem_response
from rl_emails_assets.settings import Settings

MOST_BODY_BYTES = 1024 * 1024
"""The largest useful body is 200 ids or a note, below 64 KiB."""
BODY_SECONDS = 20.0
MOST_JSON_DEPTH = 32
_JSON_SIGNS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class BodyRefusedError(HTTPException):
    """The body cannot be taken. FastAPI lets only its own kind of exception through where it reads a body."""

    def __init__(self, problem: ProblemError) -> None:
        super().__init__(problem.status, problem.detail)
        self.problem = problem


def install(app: FastAPI, settings: Settings) -> None:
    """Puts the limits before the routes of `app`; to be called before its Security is added."""
    app.add_middleware(InnerLimits, settings=settings)
    app.add_exception_handler(BodyRefusedError, _on_refused)


def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyRefusedError)  # noqa: S101 - registered for this class only
    return problem_response(request, error.problem)


class InnerLimits:
    """ASGI middleware, inside of Security. The local token's owner owns the machine: their requests are not counted."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        body_seconds: float = BODY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._requests = Buckets("requests", settings.rate_limit_a_minute, clock)
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        principal: Principal | None = scope.get("state", {}).get("principal")
        passed_send = send
        if principal is not None and principal.credential != "local":
            standing = self._requests.take(principal.credential_id or principal.user_id)
            if not standing.is_allowed:
                problem = too_many(self._requests, standing, "This key or person has made too many requests.")
                await refusal(scope, problem)(scope, receive, send)
                return
            said = self._requests.headers(standing)

            async def send_with_rate(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).update(said)
                await send(message)

            passed_send = send_with_rate
        body = _Body(scope, receive, self._body_seconds)
        problem_now = body.refused_by_length()
        if problem_now is not None:
            await refusal(scope, problem_now)(scope, receive, send)
            return
        await self._app(scope, body.receive, passed_send)


class _Body:
    """The body of one request, read whole when the application first asks for it."""

    def __init__(self, scope: Scope, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._is_read = False
        told = {name: value for name, value in scope["headers"] if name in (b"content-length", b"content-type")}
        self._told_bytes = told.get(b"content-length", b"").strip()
        self._is_json = b"json" in told.get(b"content-type", b"").lower()

    def refused_by_length(self) -> ProblemError | None:
        """The problem with what Content-Length says, before a byte is read."""
        if not self._told_bytes:
            return None
        # The length of the number first: int() refuses one with thousands of digits.
        if not self._told_bytes.isdigit() or len(self._told_bytes) > len(str(MOST_BODY_BYTES)):
            return _too_large()
        return _too_large() if int(self._told_bytes) > MOST_BODY_BYTES else None

    async def receive(self) -> MutableMapping[str, Any]:
        """What the application gets: first the body, whole; then whatever follows, as long as it takes."""
        if self._is_read:
            return await self._receive()
        self._is_read = True
        try:
            with anyio.fail_after(self._seconds):
                content = await self._whole()
        except TimeoutError as error:
            problem = ProblemError(
                HTTPStatus.REQUEST_TIMEOUT,
                "body-too-slow",
                f"The body of the request did not arrive within {self._seconds:g} seconds. Send it again.",
                headers={"Connection": "close"},
            )
            raise BodyRefusedError(problem) from error
        if content is None:
            return {"type": "http.disconnect"}
        if self._is_json and is_too_deep(content):
            problem = ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "body-too-deep",
                f"The JSON of the request is nested more than {MOST_JSON_DEPTH} deep. No endpoint needs that.",
            )
            raise BodyRefusedError(problem)
        return {"type": "http.request", "body": content, "more_body": False}

    async def _whole(self) -> bytes | None:
        """None when the client has gone."""
        content = bytearray()
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return None
            content += message.get("body", b"")
            if len(content) > MOST_BODY_BYTES:
                raise BodyRefusedError(_too_large())
            if not message.get("more_body", False):
                return bytes(content)


def is_too_deep(content: bytes) -> bool:
    """Whether brackets are nested deeper than MOST_JSON_DEPTH, outside of strings; JSON or not."""
    if content.count(b"[") + content.count(b"{") <= MOST_JSON_DEPTH:
        return False
    depth = 0
    for found in _JSON_SIGNS.finditer(content):
        sign = found[0]
        if sign in (b"[", b"{"):
            depth += 1
            if depth > MOST_JSON_DEPTH:
                return True
        elif sign in (b"]", b"}"):
            depth -= 1
    return False


def _too_large() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"The body of a request may have {MOST_BODY_BYTES} bytes. Send less, or in several requests.",
        headers={"Connection": "close"},
    )
