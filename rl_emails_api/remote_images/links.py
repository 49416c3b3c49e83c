"""The addresses under which a message's remote images are served: sealed, expiring, bound to a mailbox.

A message is shown in a sandboxed frame, from where a browser sends no cookie along; so the address itself is the
permission, as narrow as possible: one image, one mailbox, one person, for one to two hours. The image's own address is
encrypted in it, because it often names the reader, and addresses end up in logs. The encryption is deterministic
(AES-SIV, RFC 5297): within an hour the same image has the same address, so that a browser can keep it.
"""

import base64
import binascii
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PATH = "/v1/images"
LONGEST_URL = 2_000
"""Characters of an image's own address."""
LONGEST_TOKEN = 4_096
EPOCH_SECONDS = 3_600
_PURPOSE = b"rl-emails remote images"
_HEAD = struct.Struct(">I16s16s16s")
"""Hour of expiry since 1970, organization, person, mailbox; the address follows."""


@dataclass(frozen=True, slots=True)
class ImageLink:
    """What an address of ours stands for."""

    organization_id: UUID
    user_id: UUID
    mailbox_id: UUID
    url: str


class ImageLinks:
    """Makes and opens the addresses. `keys` is called when the first is needed; the first key seals, all open."""

    def __init__(self, keys: Callable[[], Sequence[bytes]], clock: Callable[[], float] = time.time) -> None:
        self._read_keys = keys
        self._clock = clock
        self._boxes: list[AESSIV] = []

    def path(self, link: ImageLink) -> str | None:
        """Where `link` is served from now on; None when its address is too long to be put there."""
        url = link.url.encode("utf-8", "replace")
        if len(url) > LONGEST_URL:
            return None
        hour = int(self._clock()) // EPOCH_SECONDS + 2
        head = _HEAD.pack(hour, link.organization_id.bytes, link.user_id.bytes, link.mailbox_id.bytes)
        sealed = self._keyed()[0].encrypt(head + url, [_PURPOSE])
        return f"{PATH}?image={base64.urlsafe_b64encode(sealed).rstrip(b'=').decode('ascii')}"

    def opened(self, token: str) -> ImageLink | None:
        """What the token of such an address stands for; None when it is not one of ours, or no longer."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        for box in self._keyed():
            try:
                plain = box.decrypt(sealed, [_PURPOSE])
            except (InvalidTag, ValueError):
                continue
            hour, organization, user, mailbox = _HEAD.unpack_from(plain)
            if self._clock() >= hour * EPOCH_SECONDS:
                return None
            url = plain[_HEAD.size :].decode("utf-8")
            return ImageLink(UUID(bytes=organization), UUID(bytes=user), UUID(bytes=mailbox), url)
        return None

    def _keyed(self) -> list[AESSIV]:
        if not self._boxes:
            # A key of its own from each: what is sealed here cannot be anything that is sealed elsewhere.
            self._boxes = [
                AESSIV(HKDF(algorithm=SHA256(), length=64, salt=None, info=_PURPOSE).derive(key))
                for key in self._read_keys()
            ]
        return self._boxes
