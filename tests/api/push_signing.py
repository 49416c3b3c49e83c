"""Google's part of a push: keys, a server that publishes them, and tokens and bodies as Pub/Sub sends them."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "https://mail.example.org/webhooks/gmail"
SERVICE_ACCOUNT = "push@example.iam.gserviceaccount.com"
ISSUER = "https://accounts.google.com"


class SigningKey:
    """A key with an id."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The key as it is published."""
        made = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.key_id, "use": "sig", "alg": "RS256"}

    def sign(self, *, headers: dict[str, Any] | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A token with Google's claims, but for those given; None leaves one out."""
        now = int(time.time())
        told = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "email": SERVICE_ACCOUNT,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
            "sub": "1",
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not None}
        named = {name: value for name, value in {"kid": self.key_id, **(headers or {})}.items() if value is not None}
        return jwt.encode(told, self.private, algorithm, headers=named)


class KeyServer:
    """What the server of keys answers, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.body: bytes | None = None
        self.status = 200
        self.cache_control = "public, max-age=3600"
        self.asked = 0
        self.paths: list[str] = []
        self.url = ""


@contextmanager
def key_server(context: Any = None) -> Iterator[KeyServer]:
    """A running server of keys; with TLS if a context is given."""
    told = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked += 1
            told.paths.append(self.path)
            body = told.body if told.body is not None else json.dumps({"keys": told.keys}).encode()
            self.send_response(told.status)
            self.send_header("Content-Type", "application/json")
            if told.cache_control:
                self.send_header("Cache-Control", told.cache_control)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    told.url = f"http{'s' if context else ''}://localhost:{server.server_address[1]}/certs"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def push_body(address: str, history_id: Any, push_id: str = "1001", *, is_url_safe: bool = False) -> dict[str, Any]:
    """A push as Pub/Sub sends it."""
    encode = base64.urlsafe_b64encode if is_url_safe else base64.b64encode
    data = encode(json.dumps({"emailAddress": address, "historyId": history_id}).encode()).decode()
    return {
        "message": {"data": data, "messageId": push_id, "message_id": push_id, "publishTime": "2026-03-20T09:30:00Z"},
        "subscription": "projects/example/subscriptions/gmail",
    }
