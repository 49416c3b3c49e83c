"""An OpenID Connect provider that stands in for real ones: it describes itself, publishes keys, signs people in.

It is as strict as they are: a code works once, for its client, its redirect address and its PKCE verifier.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT_ID = "rl-emails"
CLIENT_SECRET = "client-secret"


class Key:
    """A signing key with an id."""

    def __init__(self, key_id: str, algorithm: str = "RS256") -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        if algorithm == "RS256":
            self.private: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self._writes: Any = jwt.algorithms.RSAAlgorithm
        elif algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            self._writes = jwt.algorithms.ECAlgorithm
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()
            self._writes = jwt.algorithms.OKPAlgorithm

    @property
    def jwk(self) -> dict[str, Any]:
        """The key as it is published."""
        made = self._writes.to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.key_id, "use": "sig", "alg": self.algorithm}


class StandInIssuer:
    """What the issuer knows and answers."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = [Key("key-1")]
        self.described: dict[str, Any] = {}
        """What its description says otherwise."""
        self.is_down = False
        self.asked: list[str] = []
        self.claims: dict[str, Any] = {"sub": "user_1"}
        """Of who sits at the browser."""
        self.codes: dict[str, dict[str, str]] = {}
        self.id_token: str | None = None
        """What it gives instead of the token that it should."""
        self.redirect_to: dict[str, str] = {}
        """What it sends browsers back with instead, or as well."""

    def description(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout",
            **self.described,
        }

    def sign(
        self, *, key: Key | None = None, headers: dict[str, Any] | None = None, seconds: int = 60, **claims: Any
    ) -> str:
        """A token, with these claims instead of the usual ones; None leaves one out."""
        key = key or self.keys[0]
        now = int(time.time())
        told = {"iss": self.url, "sub": "user_1", "iat": now, "nbf": now - 5, "exp": now + seconds, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        named = {name: value for name, value in {"kid": key.key_id, **(headers or {})}.items() if value is not None}
        return jwt.encode(told, key.private, key.algorithm, headers=named)

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent once the person has signed in."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "claims": json.dumps(self.claims)}
        answer = {"code": code, "state": asked["state"], "iss": self.url, **self.redirect_to}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    def exchange(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer to a code."""
        begun = self.codes.pop(asked.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if asked.get("client_id") != CLIENT_ID or asked.get("client_secret") != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}
        if (
            begun is None
            or begun["redirect_uri"] != asked.get("redirect_uri")
            or begun["code_challenge"] != challenge.rstrip(b"=").decode()
            or begun["code_challenge_method"] != "S256"
        ):
            return 400, {"error": "invalid_grant"}
        claims = {"aud": CLIENT_ID, "nonce": begun["nonce"], **json.loads(begun["claims"])}
        return 200, {"id_token": self.id_token or self.sign(**claims), "access_token": "opaque", "token_type": "Bearer"}


@contextmanager
def running_issuer() -> Iterator[StandInIssuer]:
    """The issuer, listening."""
    told = StandInIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            told.asked.append(path)
            if told.is_down:
                self._answer(503, {"error": "temporarily_unavailable"})
            elif path == "/.well-known/openid-configuration":
                self._answer(200, told.description())
            elif path in ("/jwks", "/.well-known/jwks.json"):
                self._answer(200, {"keys": [key.jwk for key in told.keys]})
            elif path == "/authorize":
                self.send_response(302)
                self.send_header("Location", told.authorize({name: values[0] for name, values in query.items()}))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            told.asked.append(self.path)
            if self.path == "/elsewhere":
                self._answer(200, b"<html>")
            elif told.is_down:
                self._answer(503, {})
            else:
                self._answer(*told.exchange({name: values[0] for name, values in parse_qs(body).items()}))

        def _answer(self, status: int, content: Any) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "max-age=3600")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
