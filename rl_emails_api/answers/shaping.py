"""What every answer to a GET has in common: only the fields that were asked for, an ETag, and 304 when it is known.

The tag is weak: it says that two answers mean the same, whatever encoding they were sent in. It is made from the body,
so it is right for every answer; what it saves is the transfer, and the client's work.
"""

import hashlib
import json
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.answers.fields import Selection, select

_TYPES = ("application/json", "text/html")
_TAG_BYTES = 16


class Shaping:
    """ASGI middleware, inside of compression."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass; hold its answer back until it is whole, if it is one to be tagged."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        held: Message | None = None
        body = bytearray()

        async def shape(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_shaped(scope, message):
                held = message
            elif held is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await _finish(scope, held, bytes(body), send)
            else:
                await send(message)

        await self._app(scope, receive, shape)


def _is_shaped(scope: Scope, start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0].strip()
    return (
        start["status"] == HTTPStatus.OK and kind in _TYPES and ("etag" not in headers or _selection(scope) is not None)
    )


def _selection(scope: Scope) -> Selection | None:
    found: Selection | None = scope.get("state", {}).get("fields")
    return found


async def _finish(scope: Scope, start: Message, body: bytes, send: Send) -> None:
    selection = _selection(scope)
    headers = MutableHeaders(scope=start)
    if selection is not None:
        body = json.dumps(select(selection, json.loads(body)), ensure_ascii=False, separators=(",", ":")).encode()
        headers["Content-Length"] = str(len(body))
    tag = headers.setdefault("ETag", f'W/"{hashlib.blake2b(body, digest_size=_TAG_BYTES).hexdigest()}"')
    if knows(Headers(scope=scope).get("if-none-match"), tag):
        start["status"] = HTTPStatus.NOT_MODIFIED
        del headers["Content-Length"]
        del headers["Content-Type"]
        body = b""
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def knows(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has the answer with this tag: RFC 9110, section 13.1.2, by weak comparison."""
    if if_none_match is None:
        return False
    wanted = tag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") in (wanted, "*") for each in if_none_match.split(","))
