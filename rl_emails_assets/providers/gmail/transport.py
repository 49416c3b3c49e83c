"""HTTP to Gmail: httplib2 with our proxies, certificate authorities, time limits and access tokens.

The connection is kept for the life of a transport, which is one run. Nothing is redirected, so that a token goes only
where the settings say.
"""

import http.client
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httplib2
from httplib2.decode import DecodeLimitError, DecodeRatioError

from rl_emails_assets.errors import ProviderUnavailableError, ReconnectNeededError, SettingsError

TIMEOUT_SECONDS = 30.0
"""To connect, and between two reads."""
ANSWER_LIMIT_BYTES = 2 * 1024**3
"""Of one answer after decompression; fifty of the largest messages are more and are asked for in smaller batches."""
_FAILURES = (
    OSError,
    http.client.HTTPException,
    httplib2.HttpLib2Error,
    DecodeLimitError,
    DecodeRatioError,
)
"""Everything that a call can fail with before there is an answer; a time limit is an OSError."""


class Tokens(Protocol):
    """Where access tokens come from (connections.credentials.TokenSource)."""

    def access_token(self, *, rejected: str | None = None) -> str:
        """A valid token; another one than `rejected`, which got a 401."""


class _TunnelledConnection(httplib2.HTTPSConnectionWithTimeout):
    """TLS to a host, through the proxy of HTTPS_PROXY unless NO_PROXY names the host.

    httplib2 has proxies only with PySocks, and without it ignores HTTPS_PROXY and goes around the proxy.
    """

    def __init__(self, host: str, **more: object) -> None:
        super().__init__(host, **{**more, "proxy_info": None})  # type: ignore[arg-type]
        proxy = proxy_of(self.host, self.port)
        if proxy is not None:
            target = (self.host, self.port)
            self.host, self.port = proxy.host, proxy.port
            self.set_tunnel(*target, headers=dict(proxy.headers))
            self.is_tunnelled = True
        else:
            self.is_tunnelled = False

    def connect(self) -> None:
        """Connect, and ask the proxy for a tunnel if there is one."""
        if self.is_tunnelled:
            http.client.HTTPSConnection.connect(self)
        else:
            super().connect()


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """An HTTP proxy, and the headers that introduce us to it."""

    host: str
    port: int
    headers: Mapping[str, str] = field(repr=False)


def proxy_of(host: str, port: int) -> ProxyAddress | None:
    """The proxy for HTTPS to a host, by HTTPS_PROXY and NO_PROXY (also in lower case); None to go directly.

    Raises SettingsError when HTTPS_PROXY is not http://host:port.
    """
    proxies = urllib.request.getproxies_environment()
    url = proxies.get("https", "")
    if not url or urllib.request.proxy_bypass_environment(f"{host}:{port}", proxies):  # type: ignore[attr-defined]
        return None
    parsed = urlsplit(url if "://" in url else f"http://{url}")
    if parsed.scheme != "http" or not parsed.hostname:
        raise SettingsError("HTTPS_PROXY is not of the form http://host:port; Gmail is not reached without it.")
    headers = {}
    if parsed.username:
        known = f"{unquote(parsed.username)}:{unquote(parsed.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(known.encode()).decode()}"
    return ProxyAddress(parsed.hostname, parsed.port or 80, headers)


class Transport:
    """One run's connection to Gmail."""

    def __init__(self, tokens: Tokens, ca_bundle: Path | None) -> None:
        """Raises SettingsError when the CA bundle cannot be used."""
        _require_bundle(ca_bundle)
        self._tokens = tokens
        self._http = httplib2.Http(
            timeout=TIMEOUT_SECONDS,
            proxy_info=None,
            ca_certs=str(ca_bundle) if ca_bundle else None,
            decode_limit_hard=ANSWER_LIMIT_BYTES,
            # A mail of one repeated letter compresses a thousandfold and is no attack.
            decode_limit_ratio=0.0,
        )
        self._http.follow_redirects = False

    def asking(self, method: str) -> "Asking":
        """What google-api-python-client calls an `http`, for one call of `method`."""
        return Asking(self, method)

    def request(
        self, method: str, uri: str, verb: str, body: bytes | str | None, headers: Mapping[str, str]
    ) -> tuple[httplib2.Response, bytes, str]:
        """One call: the answer, whatever its status, and the token it was made with. A 401 is tried once more.

        Raises ReconnectNeededError when a fresh token is refused too, ProviderUnavailableError when there is no answer.
        """
        token = self._tokens.access_token()
        response, content = self._once(method, uri, verb, body, headers, token)
        if response.status == 401:
            token = self.renewed(token)
            response, content = self._once(method, uri, verb, body, headers, token)
            if response.status == 401:
                raise ReconnectNeededError(
                    f"Gmail answered {method} with HTTP 401, also with a fresh access token. Connect the mailbox again."
                )
        return response, content, token

    def renewed(self, rejected: str) -> str:
        """Another token than the one that was refused. Raises ReconnectNeededError and ProviderUnavailableError."""
        return self._tokens.access_token(rejected=rejected)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._http.close()

    def _once(
        self, method: str, uri: str, verb: str, body: bytes | str | None, headers: Mapping[str, str], token: str
    ) -> tuple[httplib2.Response, bytes]:
        # google-api-python-client leaves its own credentials out, because it was given none.
        asked = {**headers, "authorization": f"Bearer {token}"}
        is_tls = urlsplit(uri).scheme == "https"
        kind: Callable[..., object] | None = _TunnelledConnection if is_tls else None
        try:
            response, content = self._http.request(uri, verb, body=body, headers=asked, connection_type=kind)
        except _FAILURES as error:
            # What is left of a half-read answer must not be taken for the next one.
            self._http.close()
            raise ProviderUnavailableError(_no_answer(method, error)) from error
        return response, content


@dataclass(frozen=True, slots=True)
class Asking:
    """A transport that knows which method of Gmail's it is used for."""

    transport: Transport
    method: str

    def request(
        self, uri: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[httplib2.Response, bytes]:
        """As httplib2.Http.request. Raises what Transport.request raises."""
        response, content, _ = self.transport.request(self.method, uri, method, body, headers or {})
        return response, content


def _no_answer(method: str, error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"Gmail's certificate is not trusted ({error.verify_message}); {method} was not asked. Where a proxy or a "
            "stand-in has its own authority, name its PEM file in RL_EMAILS_CA_BUNDLE."
        )
    what = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        what = f"{what}: {error.strerror}"
    elif str(error).startswith("Tunnel connection failed"):
        what = str(error)
    return f"Gmail could not be asked for {method} ({what}). It is tried again later."


def _require_bundle(ca_bundle: Path | None) -> None:
    if ca_bundle is None:
        return
    try:
        ssl.create_default_context(cafile=str(ca_bundle))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"RL_EMAILS_CA_BUNDLE names {ca_bundle}, which is not a readable PEM file of authorities: {error}."
        ) from error
