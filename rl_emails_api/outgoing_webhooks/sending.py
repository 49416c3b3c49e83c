"""One attempt to deliver: a signed POST to a checked address, with no redirect followed and little of the answer read.

Addresses pass the same checks as those of remote images (rl_emails_api/remote_images): a name is resolved once, every
address of it has to be public, and the connection is made to one of those very addresses.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import anyio
import httpcore
import httpx

from rl_emails_api.outgoing_webhooks.signing import signature
from rl_emails_api.remote_images.addresses import is_public
from rl_emails_api.remote_images.fetching import CheckedBackend, RefusedImageError, Resolve, resolve

TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 5.0


class RefusedUrlError(Exception):
    """Webhooks are not sent to this address; the message says why, for its owner."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt."""

    status: int | None
    error: str | None
    """None when it was delivered."""
    retry_seconds: float | None = None
    """When the receiver wants it again, if it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends deliveries; what a test replaces is a field."""

    ssl_context: Callable[[], ssl.SSLContext]
    allows_private: bool = False
    """Also to private addresses, and without TLS."""
    resolve: Resolve = resolve
    clock: Callable[[], float] = time.time
    total_seconds: float = TOTAL_SECONDS

    def check(self, url: str) -> httpx.URL:
        """The address as it is sent to. Raises RefusedUrlError for one that deliveries are never sent to.

        Whether its name leads to a public address is found out when something is sent.
        """
        try:
            address = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise RefusedUrlError("is no address that can be read") from error
        if address.scheme != "https" and not (self.allows_private and address.scheme == "http"):
            raise RefusedUrlError("has to begin with https://")
        if not address.host or address.userinfo:
            raise RefusedUrlError("has to name a server, and may hold no name or password")
        if address.fragment:
            raise RefusedUrlError("may have no fragment")
        is_number = address.host.replace(".", "").isdigit() or ":" in address.host
        if is_number and not self._is_allowed(address.host):
            raise RefusedUrlError("is not on the public internet")
        return address

    async def send(self, url: str, secret: str, delivery_id: str, body: bytes) -> Outcome:
        """One attempt. Never raises for what the receiver does."""
        try:
            with anyio.fail_after(self.total_seconds):
                return await self._send(self.check(url), secret, delivery_id, body)
        except RefusedUrlError as error:
            return Outcome(None, f"The address {error}.")
        except RefusedImageError as error:
            reasons = {
                "name": "The name of the server is not known.",
                "private": "The server is not on the public internet.",
            }
            return Outcome(None, reasons[error.reason])
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(None, f"The server did not answer within {self.total_seconds:g} seconds.")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Outcome(None, f"The server cannot be reached, or did not speak HTTP ({type(error).__name__}).")

    async def _send(self, address: httpx.URL, secret: str, delivery_id: str, body: bytes) -> Outcome:
        timestamp = int(self.clock())
        headers = [
            (b"Host", address.netloc),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            (b"User-Agent", b"rl-emails"),
            (b"webhook-id", delivery_id.encode()),
            (b"webhook-timestamp", str(timestamp).encode()),
            (b"webhook-signature", signature(secret, delivery_id, timestamp, body).encode()),
        ]
        timeout = {"connect": CONNECT_SECONDS, "read": self.total_seconds, "write": self.total_seconds}
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self.ssl_context(), network_backend=CheckedBackend(self.resolve, self._is_allowed)
            ) as pool,
            pool.stream(
                "POST",
                httpcore.URL(
                    scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
                ),
                headers=headers,
                content=body,
                extensions={"timeout": timeout},
            ) as answer,
        ):
            if 200 <= answer.status < 300:
                return Outcome(answer.status, None)
            told = {name.lower(): value for name, value in answer.headers}.get(b"retry-after", b"")
            return Outcome(answer.status, f"The server answered {answer.status}.", self._seconds(told))

    def _seconds(self, retry_after: bytes) -> float | None:
        """Retry-After in seconds, from a number or a date."""
        value = retry_after.decode("latin-1").strip()
        if value.isascii() and value.isdigit() and len(value) < 9:
            return float(value)
        try:
            return max(parsedate_to_datetime(value).timestamp() - self.clock(), 0.0)
        except ValueError:
            return None

    def _is_allowed(self, address: str) -> bool:
        return self.allows_private or is_public(address)
