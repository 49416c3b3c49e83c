"""The identity provider: its own description, and the keys that it signs with, from that description only."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt
from anyio import to_thread

from rl_emails_api.identity.signing_keys import SigningKeys, fetch_json, fetch_keys
from rl_emails_assets.errors import ProviderUnavailableError
from rl_emails_assets.settings import Settings

DISCOVERY_PATH = "/.well-known/openid-configuration"
DISCOVERY_SECONDS = 3600
UNKNOWN_KEY_SECONDS = 10
"""A token of 60 s must not be refused for long after a rotation; garbage causes six fetches a minute at most."""
KEY_KINDS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


@dataclass(frozen=True, slots=True)
class Description:
    """What the issuer says of itself (OpenID Connect Discovery 1.0)."""

    jwks_uri: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    end_session_endpoint: str | None


class Issuer:
    """The pinned issuer. Its keys belong to one event loop; its description may be read in any thread."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = settings.oidc_issuer or ""
        self._settings = settings
        self._clock = clock
        self._description: Description | None = None
        self._described_at = -float("inf")
        self.keys = SigningKeys(self._fetch_keys, clock, whose=self.name, unknown_key_seconds=UNKNOWN_KEY_SECONDS)

    def description(self) -> Description:
        """What the issuer says of itself, at most an hour old. Blocks. Raises ProviderUnavailableError."""
        known = self._description
        if known is not None and self._clock() - self._described_at < DISCOVERY_SECONDS:
            return known
        self._description = self._fetch_description()
        self._described_at = self._clock()
        return self._description

    async def described(self) -> Description:
        """The same, without blocking."""
        return await to_thread.run_sync(self.description)

    def _fetch_keys(self) -> tuple[Mapping[str, jwt.PyJWK], float]:
        kinds = tuple(KEY_KINDS[name] for name in self._settings.oidc_algorithm_list)
        return fetch_keys(self.description().jwks_uri, self._settings.ca_bundle, kinds=kinds)

    def _fetch_description(self) -> Description:
        url = self.name.rstrip("/") + DISCOVERY_PATH
        found, _ = fetch_json(url, self._settings.ca_bundle, "The issuer's description")
        if not isinstance(found, dict) or found.get("issuer") != self.name:
            raise ProviderUnavailableError(
                f"{url} does not describe {self.name}. Set RL_EMAILS_OIDC_ISSUER exactly as the issuer writes it there."
            )
        jwks_uri = self._address(found, "jwks_uri")
        if jwks_uri is None:
            raise ProviderUnavailableError(f"{url} names no keys (jwks_uri).")
        return Description(
            jwks_uri,
            self._address(found, "authorization_endpoint"),
            self._address(found, "token_endpoint"),
            self._address(found, "end_session_endpoint"),
        )

    def _address(self, found: dict[str, object], name: str) -> str | None:
        """An address that the issuer names; None where it names none, or one that anybody could listen to."""
        told = found.get(name)
        if not isinstance(told, str) or urlsplit(told).scheme not in ("https", urlsplit(self.name).scheme):
            return None
        return told
