"""Encrypting small secrets at rest: AES-256-GCM, bound to the tenant, the column and the row they are stored for.

A sealed value is `version (1 byte) | key id (8) | nonce (12) | ciphertext and tag`. The header and the place it belongs
to are authenticated, so that a value which is pasted into another row or column, whose row is given to another
organization, or whose header was changed, does not open. The nonce is random: with one key at most 2**32 values may be
sealed (NIST SP 800-38D, section 8.3).

Version 1 was bound to the column and the row only. It still opens; key_rotation seals it again.
"""

import hashlib
import json
import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rl_emails_assets.connections import key_ring
from rl_emails_assets.errors import SealError
from rl_emails_assets.settings import Settings

VERSION = b"\x02"
WITHOUT_TENANT = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
_KEY_ID_LABEL = b"rl-emails key id\0"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs."""

    table: str
    """schema.table"""
    column: str
    row: str
    organization_id: uuid.UUID | None
    """The tenant; None where a row belongs to none yet, as a sign-in that has begun."""

    def __str__(self) -> str:
        return f"{self.table}/{self.row}/{self.column}"

    def associated(self, header: bytes) -> bytes:
        """What is authenticated beside the secret. The header has a fixed length: no two pairs give the same bytes."""
        if header.startswith(WITHOUT_TENANT):
            return header + str(self).encode()
        parts = [str(self.organization_id or ""), self.table, self.column, self.row]
        return header + json.dumps(parts).encode()


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

    def seal(self, plain: bytes, *, bound_to: Place) -> bytes:
        """Encrypt `plain`; only a Sealer with the same key that is told the same `bound_to` opens it."""
        header = VERSION + self._first
        nonce = os.urandom(NONCE_BYTES)
        return header + nonce + self._keys[self._first].encrypt(nonce, plain, bound_to.associated(header))

    def open(self, sealed: bytes, *, bound_to: Place) -> bytes:
        """Decrypt what `seal` made. Raises SealError: an unknown key, another place, or damage."""
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        is_known = header.startswith((VERSION, WITHOUT_TENANT))
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or not is_known:
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
            return self._keys[key_id].decrypt(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], bound_to.associated(header))
        except InvalidTag as error:
            raise SealError(
                f"The sealed value of {bound_to} does not belong there, or is damaged. Restore the row from a backup, "
                "or connect the mailbox again; if nobody moved rows by hand, find out who wrote it."
            ) from error


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(_KEY_ID_LABEL + key).digest()[:KEY_ID_BYTES]
