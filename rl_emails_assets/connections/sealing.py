"""Encrypting small secrets at rest: AES-256-GCM, bound to the row they are stored in.

A sealed value is `version (1 byte) | key id (8) | nonce (12) | ciphertext and tag`. The header and the name of the
place it belongs to are authenticated, so that a value which is pasted into another row, or whose header was changed,
does not open. The nonce is random: with one key at most 2**32 values may be sealed (NIST SP 800-38D, section 8.3).
"""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rl_emails_assets.connections import key_ring
from rl_emails_assets.errors import SealError
from rl_emails_assets.settings import Settings

VERSION = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
_KEY_ID_LABEL = b"rl-emails key id\0"


class Sealer:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = {_id_of(key): AESGCM(key) for key in keys}
        self._first = _id_of(keys[0])

    @classmethod
    def of(cls, settings: Settings) -> "Sealer":
        """With the keys that the settings name, else those of the home folder, made on first use.

        Raises SettingsError when the keys cannot be used.
        """
        return cls(key_ring.read_keys(settings))

    @property
    def key_id(self) -> str:
        """Names the key that seals; says nothing about the key itself."""
        return self._first.hex()

    @property
    def key_ids(self) -> list[str]:
        """Names every key, the one that seals first."""
        return [key_id.hex() for key_id in self._keys]

    def seal(self, plain: bytes, *, bound_to: str) -> bytes:
        """Encrypt `plain`; only a Sealer with the same key that is told the same `bound_to` opens it."""
        header = VERSION + self._first
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + self._keys[self._first].encrypt(nonce, plain, _associated(header, bound_to))

    def open(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Decrypt what `seal` made. Raises SealError: an unknown key, another place, or damage."""
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or not header.startswith(VERSION):
            raise SealError(
                f"The sealed value of {bound_to} is not one that this release can read: it is cut, damaged, or from a "
                "newer release. Restore it from a backup, or connect the mailbox again."
            )
        key_id = header[len(VERSION) :]
        if key_id not in self._keys:
            raise SealError(
                f"The sealed value of {bound_to} was sealed with the key {key_id.hex()}, and the keys here are "
                f"{', '.join(self.key_ids)}. Add that key to {key_ring.VARIABLE}, or put keys/secret-keys back into "
                "the home folder; if it is lost, connect the mailbox again."
            )
        try:
            return self._keys[key_id].decrypt(
                nonce, sealed[HEADER_BYTES + NONCE_BYTES :], _associated(header, bound_to)
            )
        except InvalidTag as error:
            raise SealError(
                f"The sealed value of {bound_to} does not belong there, or is damaged. Restore the row from a backup, "
                "or connect the mailbox again; if nobody moved rows by hand, find out who wrote it."
            ) from error


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(_KEY_ID_LABEL + key).digest()[:KEY_ID_BYTES]


def _associated(header: bytes, bound_to: str) -> bytes:
    # The header has a fixed length, so no two pairs give the same bytes.
    return header + bound_to.encode()
