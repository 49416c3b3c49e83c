"""Calls to Google: whom they trust, and what odd answers are taken for."""

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rl_emails_assets.connections import google_endpoints
from rl_emails_assets.errors import ProviderUnavailableError, SettingsError
from rl_emails_assets.settings import Settings
from tests.connections.conftest import ADDRESS

Answering = Callable[..., str]


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings on the test's own home; nothing here asks for a database."""
    return Settings(home=home)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody else trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company's own authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "ca.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Starts a server that answers the same to everything: `answering(b"{}", tls=...)` returns its URL."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(body: bytes, *, tls: ssl.SSLContext | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # A client that does not trust it leaves.
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        servers.append((server, thread))
        return f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bundle_is_trusted_and_nothing_else_is(settings: Settings, answering: Answering, tmp_path: Path) -> None:
    """A company's proxy that cannot be used, or anybody's certificate that is believed."""
    certificate, private = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    url = answering(f'{{"emailAddress": "{ADDRESS.upper()}"}}'.encode(), tls=context)
    trusting = settings.model_copy(update={"gmail_api_url": url, "ca_bundle": certificate})
    assert google_endpoints.profile_address(trusting, "token") == ADDRESS
    with pytest.raises(ProviderUnavailableError, match="ConnectError"):
        google_endpoints.profile_address(trusting.model_copy(update={"ca_bundle": None}), "token")


@pytest.mark.parametrize("body", [b"{}", b'{"access_token": null}', b'{"token_type": "Bearer"}'])
def test_an_answer_without_a_token_is_an_outage(settings: Settings, answering: Answering, body: bytes) -> None:
    """A captive portal's "200 OK" taken for a grant."""
    live = settings.model_copy(update={"google_token_url": answering(body), "google_client_id": "client"})
    with pytest.raises(ProviderUnavailableError, match="without a token"):
        google_endpoints.refresh(live, "1//x", ())


@pytest.mark.parametrize("body", [b"[]", b"<html>Sign in to the hotel's network", b"\xff", b""])
def test_an_answer_that_is_no_object_is_an_outage(settings: Settings, answering: Answering, body: bytes) -> None:
    """The same with a page."""
    url = answering(body)
    live = settings.model_copy(update={"google_token_url": url, "google_client_id": "client", "gmail_api_url": url})
    with pytest.raises(ProviderUnavailableError, match="not JSON"):
        google_endpoints.refresh(live, "1//x", ())
    with pytest.raises(ProviderUnavailableError, match="not JSON"):
        google_endpoints.profile_address(live, "token")


def test_scopes_that_are_not_repeated_are_those_of_the_grant(settings: Settings, answering: Answering) -> None:
    """RFC 6749, section 5.1: an answer may leave out what has not changed."""
    url = answering(b'{"access_token": "ya29.x"}')
    live = settings.model_copy(update={"google_token_url": url, "google_client_id": "client"})
    tokens = google_endpoints.refresh(live, "1//x", ("one", "two"))
    assert tokens.scopes == ("one", "two")
    assert tokens.refresh_token == "1//x"
    assert timedelta(minutes=59) < tokens.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert "ya29" not in repr(tokens)


@pytest.mark.parametrize("url", ["http://127.0.0.1:port", "gmail.example.com", ""])
def test_a_setting_that_is_no_url_is_named_as_one(settings: Settings, url: str) -> None:
    """A typing mistake reported as an outage of Google's, and retried for ever."""
    with pytest.raises(SettingsError, match="not a URL"):
        google_endpoints.profile_address(settings.model_copy(update={"gmail_api_url": url}), "token")
