"""Fetching one image from a stranger's server, without being sent anywhere else.

A name is resolved once; every address of the answer has to be public, and the connection is made to one of those very
addresses (TLS and the Host header still speak of the name), so a second, different answer of the name server is never
asked for. A redirect is a new address and passes the same checks. Nothing of the reader goes along: no cookie, no
referrer, no Accept-Language, one User-Agent for everybody. Nothing is decompressed and nothing is kept.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import httpcore
import httpx

from rl_emails_api.remote_images.addresses import is_public
from rl_emails_api.remote_images.image_types import image_type

PORTS = frozenset({80, 443})
MOST_REDIRECTS = 4
MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""What a browser unpacks takes four bytes a pixel; phones' cameras make 12 to 50 million."""
TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 4.0
READ_SECONDS = 6.0
USER_AGENT = "Mozilla/5.0 (compatible; image proxy)"

Reason = Literal[
    "address", "name", "private", "redirects", "status", "encoding", "size", "type", "pixel", "time", "unreachable"
]
REASONS: dict[Reason, str] = {
    "address": "Its address is none that images are fetched from: http or https, port 80 or 443, no password.",
    "name": "The name of its server is not known.",
    "private": "Its server is not on the public internet.",
    "redirects": f"Its server redirects more than {MOST_REDIRECTS} times, or to nowhere.",
    "status": "Its server does not have it, or does not give it.",
    "encoding": "Its server sent it compressed, which was not asked for.",
    "size": f"It is larger than {MOST_BYTES // 1024**2} MiB or {MOST_PIXELS // 10**6} megapixels.",
    "type": "It is not a PNG, JPEG, GIF or WebP image.",
    "pixel": "It is a tracking pixel.",
    "time": "Its server took too long.",
    "unreachable": "Its server cannot be reached, or did not speak HTTP.",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = (
    (b"Accept", b"image/webp,image/png,image/jpeg,image/gif"),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", USER_AGENT.encode()),
)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class RefusedImageError(Exception):
    """The image is not fetched, or not shown; `reason` is a key of REASONS."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that may be shown."""

    media_type: str
    content: bytes


async def resolve(host: str, port: int) -> list[str]:
    """Every address of the name, as the system resolves it. Raises OSError when there is none."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connections to checked addresses only."""

    def __init__(self, resolve: Resolve, is_allowed: Callable[[str], bool]) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check every address, connect to the first that answers. Raises RefusedImageError."""
        try:
            with anyio.fail_after(timeout):
                addresses = list(dict.fromkeys(await self._resolve(host.strip("[]"), port)))
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout from error
            raise RefusedImageError("name") from error
        except UnicodeError as error:
            raise RefusedImageError("name") from error
        if not addresses:
            raise RefusedImageError("name")
        # One private address among public ones is a name that is being rebound, and no reason to try the others.
        if not all(self._is_allowed(address) for address in addresses):
            raise RefusedImageError("private")
        failure: Exception | None = None
        for address in addresses[:3]:
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # noqa: S101 - there was at least one address
        raise failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches images; what a test replaces is a field."""

    ssl_context: ssl.SSLContext
    proxy_url: str | None = None
    """An HTTP proxy that all goes through and that checks addresses itself; None connects directly."""
    resolve: Resolve = resolve
    is_allowed: Callable[[str], bool] = is_public
    ports: frozenset[int] = PORTS
    total_seconds: float = TOTAL_SECONDS
    read_seconds: float = READ_SECONDS

    async def fetch(self, url: str) -> Picture:
        """The image at `url`. Raises RefusedImageError."""
        try:
            with anyio.fail_after(self.total_seconds):
                return await self._fetch(url)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise RefusedImageError("time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise RefusedImageError("unreachable") from error

    async def _fetch(self, url: str) -> Picture:
        address = self._checked(url)
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._ask(address)
            if isinstance(answer, bytes):
                return _picture(answer)
            address = self._checked(answer, address)
        raise RefusedImageError("redirects")

    def _checked(self, url: str, base: httpx.URL | None = None) -> httpx.URL:
        """One parser's reading of the address, from which everything that is sent is taken."""
        try:
            address = httpx.URL(url) if base is None else base.join(url)
            port = address.port or {"http": 80, "https": 443}[address.scheme]
        except (httpx.InvalidURL, UnicodeError, ValueError, KeyError) as error:
            raise RefusedImageError("address") from error
        if not address.host or address.userinfo or port not in self.ports:
            raise RefusedImageError("address")
        return address

    async def _ask(self, address: httpx.URL) -> bytes | str:
        """The body, or where a redirect leads to."""
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self.ssl_context,
                proxy=_proxy(self.proxy_url),
                network_backend=CheckedBackend(self.resolve, self.is_allowed) if self.proxy_url is None else None,
            ) as pool,
            pool.stream(
                "GET",
                httpcore.URL(
                    scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
                ),
                headers=_HEADERS,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": self.read_seconds, "write": READ_SECONDS}},
            ) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers}
            if answer.status in _REDIRECTS:
                try:
                    return headers[b"location"].decode("ascii")
                except (KeyError, UnicodeDecodeError) as error:
                    raise RefusedImageError("redirects") from error
            if answer.status != 200:
                raise RefusedImageError("status")
            if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
                raise RefusedImageError("encoding")
            content = bytearray()
            async for chunk in answer.aiter_stream():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise RefusedImageError("size")
            return bytes(content)


def _proxy(url: str | None) -> httpcore.Proxy | None:
    if url is None:
        return None
    # The proxy's name and password are parted as httpx parts those of its own.
    given = httpx.Proxy(url)
    return httpcore.Proxy(str(given.url), auth=given.raw_auth)


def _picture(content: bytes) -> Picture:
    found = image_type(content)
    if found is None:
        raise RefusedImageError("type")
    if found.width * found.height > MOST_PIXELS:
        raise RefusedImageError("size")
    if found.width * found.height <= 4:
        raise RefusedImageError("pixel")
    return Picture(found.media_type, content)
