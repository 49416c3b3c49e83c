"""Google's keys: signs what the stand-in pushes, and what a forger would push."""

import base64
import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@lru_cache
def _private_key(name: str) -> rsa.RSAPrivateKey:
    # One a process: making a key takes a tenth of a second.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """An RSA key with an id."""

    def __init__(self, name: str) -> None:
        self._key = _private_key(name)
        self.key_id = hashlib.sha256(self.public_pem()).hexdigest()[:40]

    def public_pem(self) -> bytes:
        """The public key, as anyone may read it."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self) -> dict[str, str]:
        """The public key as an entry of a JWKS."""
        numbers = self._key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.key_id,
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }

    def sign(self, claims: dict[str, Any], *, key_id: str | None = None) -> str:
        """A JWT by RS256."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": key_id or self.key_id})


def unsigned(claims: dict[str, Any]) -> str:
    """A JWT that says `alg: none`."""
    return f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{_segment(claims)}."


def confused(claims: dict[str, Any], public_pem: bytes, key_id: str) -> str:
    """A JWT by HS256 whose secret is the public key: accepted where the algorithm is taken from the token."""
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': key_id})}.{_segment(claims)}"
    return f"{signed}.{_base64(hmac.new(public_pem, signed.encode(), hashlib.sha256).digest())}"


def _segment(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))
