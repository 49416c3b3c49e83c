"""Who may push: the token (a JWT) that Google's Pub/Sub sends with every push."""

import hmac

import jwt

from rl_emails_api.identity.signing_keys import SigningKeys

LEEWAY_SECONDS = 60
"""How far Google's clock and ours may be apart."""

_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What a token that somebody made up can raise while it is taken apart."""


class PushTokens:
    """Tells the tokens of one push subscription from all others."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str, service_account: str) -> None:
        self._keys = keys
        # Google writes it with and without the scheme.
        self._issuers = (issuer, issuer.partition("://")[2] or issuer)
        self._audience = audience
        self._service_account = service_account.encode()

    async def is_genuine(self, token: str) -> bool:
        """Google signed it, for us, for our service account, and not too long ago.

        Raises ProviderUnavailableError while Google's keys cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
        except _MALFORMED:
            return False
        key_id = header.get("kid")
        if header.get("alg") != "RS256" or not isinstance(key_id, str):
            return False
        key = await self._keys.key(key_id)
        if key is None:
            return False
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuers,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "email"], "strict_aud": True},
            )
        except _MALFORMED:
            return False
        email = claims["email"]
        return (
            isinstance(email, str)
            and hmac.compare_digest(email.encode("utf-8", "replace"), self._service_account)
            and claims.get("email_verified") is True
        )
