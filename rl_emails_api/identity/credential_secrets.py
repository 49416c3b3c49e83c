"""The secrets that are made here: API keys and sessions. Only their SHA-256 is kept.

They have 256 random bits, so a fast hash is enough: there is nothing to guess, unlike with a password.
"""

import hashlib
import hmac
import re
import secrets

KEY_PREFIX = "rle_"
SHOWN_CHARACTERS = 10
"""Of an API key, to tell keys apart: the prefix and 36 of the 256 bits."""
SECRET_BYTES = 32

_API_KEY = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43}}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_api_key() -> str:
    """A new key: `rle_` and 43 characters."""
    return KEY_PREFIX + new_secret()


def new_secret() -> str:
    """A new secret of 43 characters that addresses and cookies can hold."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_api_key(text: str) -> bool:
    """Whether it has the form of an API key."""
    return _API_KEY.fullmatch(text) is not None


def is_secret(text: str) -> bool:
    """Whether it has the form of a secret."""
    return _SECRET.fullmatch(text) is not None


def hash_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def same(given: str, expected: str) -> bool:
    """Whether they are the same, in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
