"""Whether a webhook was signed by its sender, by Svix's scheme (docs.svix.com, "Verifying webhooks manually").

HMAC-SHA256 over `id.timestamp.body` with the base64 after `whsec_` as the key. The header holds one signature or more,
`v1,<base64>` each, because a sender whose secret is being changed signs with both.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping, Sequence

from rl_emails_assets.errors import SettingsError

TOLERANCE_SECONDS = 300
"""How old, or how far ahead, the time of a delivery may be: an old one is a repetition by somebody else."""
LONGEST_ID = 128
MOST_SIGNATURES = 10
SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix

Headers = Mapping[str, str]


class SvixVerifier:
    """Verifies deliveries with any of these secrets; two while one is being changed."""

    def __init__(self, secrets: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        """Raises SettingsError for a secret that is none."""
        self._keys = [_key(secret) for secret in secrets]
        self._clock = clock

    def delivery_id(self, headers: Headers, body: bytes) -> str | None:
        """The delivery's id, which a repetition has too; None when it is not the sender's, or not of now."""
        delivery_id, told = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
        is_plausible = 0 < len(delivery_id) <= LONGEST_ID and delivery_id.isascii() and delivery_id.isprintable()
        if not is_plausible or not (told.isascii() and told.isdigit() and len(told) <= 12):
            return None
        if abs(self._clock() - int(told)) > TOLERANCE_SECONDS:
            return None
        given = [
            value
            for version, _, value in (each.partition(",") for each in headers.get("svix-signature", "").split(" "))
            if version == "v1"
        ][:MOST_SIGNATURES]
        signed = f"{delivery_id}.{told}.".encode() + body
        expected = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in self._keys]
        # Every pair is compared, so the time tells neither which secret nor which signature was the right one.
        matches = [hmac.compare_digest(value.encode("utf-8", "replace"), good) for value in given for good in expected]
        return delivery_id if any(matches) else None


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SettingsError("RL_EMAILS_CLERK_WEBHOOK_SECRETS holds something that is no whsec_ secret.") from error
    if not secret.startswith(SECRET_PREFIX) or not key:
        raise SettingsError("RL_EMAILS_CLERK_WEBHOOK_SECRETS must hold secrets as Clerk shows them: whsec_...")
    return key
