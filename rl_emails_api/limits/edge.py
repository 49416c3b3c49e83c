"""What is refused before anybody asks who is asking: oversized requests, and addresses that ask too much.

An address is an IPv4 address or an IPv6 /64, which is what one subscriber has. This machine's own (loopback) is not
counted: there one person's page, their scripts and a proxy that forwards no address cannot be told apart.
"""

import ipaddress
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rl_emails_api.limits.buckets import Buckets
from rl_emails_api.limits.refusing import refusal, too_many
from rl_emails_api.problems import ProblemError
from rl_emails_assets.settings import Settings

MOST_TARGET_BYTES = 8 * 1024
"""Of path and query; the longest of ours is an image's, below 6 KiB. RFC 9110 asks for at least 8,000."""
MOST_HEADERS = 100
MOST_HEADER_BYTES = 32 * 1024
_CREDENTIALS = (b"authorization", b"cookie")


class EdgeLimits:
    """ASGI middleware, outside of everything but the one that reads X-Forwarded-For."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._requests = Buckets("address", settings.rate_limit_address_a_minute)
        self._failures = Buckets("failed-sign-in", settings.rate_limit_failed_sign_ins_a_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = counted_address(scope)
        has_credential = any(name in _CREDENTIALS for name, _ in scope["headers"]) or b"token=" in scope["query_string"]
        problem = _oversized(scope)
        if problem is None and address is not None:
            problem = self._refused(address, has_credential=has_credential)
        if problem is not None:
            await refusal(scope, problem)(scope, receive, send)
            return

        async def watch(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and message["status"] == HTTPStatus.UNAUTHORIZED and has_credential and address is not None:
                self._failures.take(address)
            await send(message)

        await self._app(scope, receive, watch)

    def _refused(self, address: str, *, has_credential: bool) -> ProblemError | None:
        standing = self._requests.take(address)
        if not standing.is_allowed:
            return too_many(self._requests, standing, "This network address has made too many requests.")
        if has_credential:
            # Before a credential is looked at, or a right guess would be told from a wrong one.
            standing = self._failures.look(address)
            if not standing.is_allowed:
                return too_many(self._failures, standing, "Too many credentials from this address were wrong.")
        return None


def counted_address(scope: Scope) -> str | None:
    """The network address that requests are counted for; None for this machine's own."""
    given = scope["client"][0] if scope.get("client") else None
    if given is None:
        return None
    try:
        address = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        # What a trusted proxy forwarded is no address; all such count as one.
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return None if address.is_loopback else str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def _oversized(scope: Scope) -> ProblemError | None:
    target = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if target > MOST_TARGET_BYTES:
        return ProblemError(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            "address-too-long",
            f"Path and query have {target} bytes, and may have {MOST_TARGET_BYTES}. Send less, or use a POST.",
        )
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        return ProblemError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            f"A request may have {MOST_HEADERS} header fields of {MOST_HEADER_BYTES} bytes together. Send fewer.",
        )
    if len(Headers(scope=scope).getlist("host")) > 1:
        return ProblemError(
            HTTPStatus.BAD_REQUEST, "host-twice", "The request has more than one Host header. Send one."
        )
    return None
