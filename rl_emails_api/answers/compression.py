"""Answers to GET are compressed: zstd, else brotli, else gzip, as the client accepts, from 500 bytes on.

Only those to GET, because answers to other requests may hold what is shown once, as a new key. BREACH reads a secret
out of the lengths of compressed answers that somebody else can have fetched with the victim's cookie and words of their
own in them: here a request with a cookie has to come from the page itself, and no answer to GET holds a credential.
"""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware

UNCOMPRESSED_PATHS = frozenset({"/v1/events"})
"""Events are small, and are to be sent when they happen."""


class Compression:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressed = CompressMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass."""
        is_compressed = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] not in UNCOMPRESSED_PATHS
        await (self._compressed if is_compressed else self._plain)(scope, receive, send)
