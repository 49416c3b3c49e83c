"""Idempotency-Key for every request that changes something (draft-ietf-httpapi-idempotency-key-header-07).

The same key with the same request gives the first one's answer; with another request 422; while the first is being
done 409. A key lives for a day. What fails without having done anything frees its key.
"""

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.idempotency.keys import Answer, Claim
from rl_emails_api.limits.inner import BodyRefusedError
from rl_emails_api.problems import ProblemError, problem_response

METHODS = frozenset({"POST", "PATCH"})
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = frozenset({"content-type", "location"})
# A quoted string of structured fields (RFC 9651), or, as many clients send it, the same without quotes.
_KEY = re.compile(r'"([!#-\[\]-~]{1,255})"|([!#-\[\]-~]{1,255})')


class Idempotency:
    """ASGI middleware, inside of what finds out who asks and limits the body."""

    def __init__(self, app: ASGIApp, engine: Callable[[], Engine]) -> None:
        self._app = app
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it here."""
        principal = scope.get("state", {}).get("principal") if scope["type"] == "http" else None
        keys = Headers(scope=scope).getlist(HEADER) if principal is not None and scope["method"] in METHODS else []
        if principal is None or not keys:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            key = _read_key(keys)
            body = await request.body()
            claim = Claim(self._engine(), principal, key, _fingerprint(scope, body))
            known = await run_in_threadpool(claim.take)
        except ProblemError as problem:
            await problem_response(request, problem)(scope, receive, send)
            return
        except BodyRefusedError as error:
            await problem_response(request, error.problem)(scope, receive, send)
            return
        if known is not None:
            replay = Response(known.body, known.status, headers={**dict(known.headers), REPLAYED: "true"})
            await replay(scope, receive, send)
            return
        scope["state"]["idempotency"] = claim
        await self._do(claim, body, scope, receive, send)

    async def _do(self, claim: Claim, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        is_read = False

        async def read_again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def gather(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(scope, read_again, gather)
        except Exception:
            await run_in_threadpool(claim.release)
            raise
        start = next(message for message in messages if message["type"] == "http.response.start")
        if start["status"] < HTTPStatus.BAD_REQUEST:
            headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in start["headers"]
                if name.decode("latin-1").lower() in _KEPT_HEADERS
            ]
            content = b"".join(message.get("body", b"") for message in messages)
            await run_in_threadpool(claim.keep, Answer(start["status"], headers, content))
        else:
            await run_in_threadpool(claim.release)
        for message in messages:
            await send(message)


def _read_key(keys: list[str]) -> str:
    found = _KEY.fullmatch(keys[0].strip()) if len(keys) == 1 else None
    if found is None:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "idempotency-key-malformed",
            "Send one Idempotency-Key of 1 to 255 visible ASCII characters, best a new UUID for each new request.",
        )
    return str(found[1] or found[2])


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
