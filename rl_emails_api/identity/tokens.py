"""Whether a JSON Web Token is one of the issuer's, for us, and good now (RFC 7519, 8725; OpenID Connect Core 3.1.3.7).

The algorithm is ours to choose, never the token's; the keys are the issuer's own; `exp` and `iat` must be there.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from rl_emails_api.identity.issuer import KEY_KINDS, Issuer
from rl_emails_assets.settings import Settings

MOST_BYTES = 8 * 1024
"""Of a token; browsers' cookies hold 4 KiB."""
TYPES = ("jwt", "at+jwt", "application/at+jwt")
"""Of bearer tokens. A logout token, or another issuer's kind of paper, is no permission."""

_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What a token that somebody made up can raise while it is taken apart."""


class TokenRefusedError(Exception):
    """The token proves nothing; `reason` is one word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenVerifier:
    """Verifies the tokens of one issuer."""

    def __init__(self, issuer: Issuer, settings: Settings) -> None:
        self._issuer = issuer
        self._algorithms = settings.oidc_algorithm_list
        self._leeway = settings.oidc_leeway_seconds
        self._audience = settings.oidc_audience
        self._parties = settings.oidc_authorized_party_list
        self._client_id = settings.oidc_client_id

    async def bearer(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that somebody uses the API with.

        Raises TokenRefusedError, and ProviderUnavailableError while the issuer's keys cannot be fetched.
        """
        if self._audience is None and not self._parties:
            raise TokenRefusedError("not-expected")
        header, claims = await self._verified(token, self._audience)
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise TokenRefusedError("type")
        party = claims.get("azp")
        if self._parties and party not in self._parties:
            raise TokenRefusedError("authorized-party")
        return claims

    async def id_token(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that the issuer gave us at the end of a sign-in. Raises as `bearer`."""
        _, claims = await self._verified(token, self._client_id)
        told = claims.get("nonce")
        if not isinstance(told, str) or not hmac.compare_digest(told.encode("utf-8", "replace"), nonce.encode()):
            raise TokenRefusedError("nonce")
        audience = claims["aud"]
        party = claims.get("azp", self._client_id if audience == self._client_id or len(audience) == 1 else None)
        if party != self._client_id:
            raise TokenRefusedError("authorized-party")
        return claims

    async def _verified(self, token: str, audience: str | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if len(token) > MOST_BYTES:
            raise TokenRefusedError("too-large")
        try:
            header = jwt.get_unverified_header(token)
        except _MALFORMED as error:
            raise TokenRefusedError("malformed") from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in self._algorithms or "crit" in header:
            raise TokenRefusedError("algorithm")
        if not isinstance(key_id, str):
            raise TokenRefusedError("key")
        key = await self._issuer.keys.key(key_id)
        # A key is for one kind of signature: RSA's public key is no secret of HMAC's, and none of another curve's.
        if key is None or key.key_type != KEY_KINDS[algorithm] or key.algorithm_name not in (None, algorithm):
            raise TokenRefusedError("key")
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=audience,
                issuer=self._issuer.name,
                leeway=self._leeway,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefusedError("expired") from error
        except _MALFORMED as error:
            raise TokenRefusedError("claims") from error
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise TokenRefusedError("claims")
        return header, claims
