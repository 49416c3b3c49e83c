"""The keys that others sign tokens with: fetched when needed, kept in memory for as long as their answer says."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import jwt
from anyio import to_thread

from rl_emails_api.identity.trust import trusted
from rl_emails_assets.errors import ProviderUnavailableError

LONGEST_SECONDS = 3600
SHORTEST_SECONDS = 60
UNKNOWN_KEY_SECONDS = 60
"""A token that names an unknown key has the keys fetched again, at most this often: anybody can name a key."""
RETRY_SECONDS = 5
"""After a failed fetch nothing is fetched for this long; pushes are redelivered meanwhile."""
TIMEOUT_SECONDS = 5
MOST_BYTES = 256 * 1024
MOST_UNKNOWN = 1000
"""Ids of unknown keys that are remembered."""

_log = logging.getLogger(__name__)

Fetch = Callable[[], tuple[Mapping[str, jwt.PyJWK], float]]
"""Returns the keys by their id and for how many seconds they may be kept."""


class SigningKeys:
    """The present keys. Belongs to one event loop; requests that need no fetch do not wait for one.

    A token names its key, and anybody can name one. So an unknown name has the keys fetched again at most once in
    `unknown_key_seconds`, whatever the name, and the same name at most once in UNKNOWN_KEY_SECONDS.
    """

    def __init__(
        self,
        fetch: Fetch,
        clock: Callable[[], float] = time.monotonic,
        *,
        whose: str = "Google",
        unknown_key_seconds: float = UNKNOWN_KEY_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._whose = whose
        self._unknown_key_seconds = unknown_key_seconds
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._unknown: dict[str, float] = {}
        self._fetched_at = -float("inf")
        self._good_until = -float("inf")
        self._failed_at = -float("inf")
        self._fetching = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id; None when there is none. Raises ProviderUnavailableError while it cannot be told."""
        if self._clock() >= self._good_until:
            await self._refresh()
        if (
            key_id not in self._keys
            and self._clock() - self._fetched_at >= self._unknown_key_seconds
            and self._clock() - self._unknown.get(key_id, -float("inf")) >= UNKNOWN_KEY_SECONDS
        ):
            await self._refresh()
            if key_id not in self._keys and len(self._unknown) < MOST_UNKNOWN:
                self._unknown[key_id] = self._fetched_at
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        before = self._fetched_at
        async with self._fetching:
            if self._fetched_at != before:
                return
            if self._clock() - self._failed_at < RETRY_SECONDS:
                raise ProviderUnavailableError(f"The keys of {self._whose} could not be fetched a moment ago.")
            try:
                keys, seconds = await to_thread.run_sync(self._fetch)
            except ProviderUnavailableError as error:
                self._failed_at = self._clock()
                _log.warning("%s What they sign is refused with 503 until it works.", error)
                raise
            self._keys = keys
            self._fetched_at = self._clock()
            self._good_until = self._fetched_at + seconds
            self._unknown = {
                name: at
                for name, at in self._unknown.items()
                if self._fetched_at - at < UNKNOWN_KEY_SECONDS and name not in keys
            }


def fetch_json(url: str, ca_bundle: Path | None, what: str) -> tuple[object, httpx.Headers]:
    """Fetch a JSON document, through the proxy of the environment if there is one, and follow no redirect.

    Raises ProviderUnavailableError.
    """
    try:
        answer = httpx.get(url, verify=trusted(ca_bundle), timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return json.loads(answer.content[:MOST_BYTES]), answer.headers
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ProviderUnavailableError(f"{what} could not be fetched from {url}: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"{url} did not answer with JSON; it should with {what.lower()}.") from error


def fetch_keys(
    url: str, ca_bundle: Path | None, *, kinds: tuple[str, ...] = ("RSA",)
) -> tuple[Mapping[str, jwt.PyJWK], float]:
    """Fetch a JWKS and keep the keys of these kinds (`kty`) that sign. Raises ProviderUnavailableError."""
    found, headers = fetch_json(url, ca_bundle, "The keys that sign tokens")
    try:
        keys = {
            key.key_id: key
            for key in jwt.PyJWKSet.from_dict(found)  # type: ignore[arg-type]
            if key.key_id and key.key_type in kinds and key.public_key_use in (None, "sig")
        }
    except (ValueError, AttributeError, TypeError, RecursionError, jwt.PyJWTError) as error:
        raise ProviderUnavailableError(f"{url} did not answer with keys (a JWKS).") from error
    if not keys:
        raise ProviderUnavailableError(f"{url} answered with no {' or '.join(kinds)} key.")
    return keys, kept_seconds(headers.get("cache-control", ""))


def kept_seconds(cache_control: str) -> float:
    """For how long an answer may be kept: what it says, within bounds."""
    found = re.search(r"\bmax-age=(\d{1,9})\b", cache_control)
    return max(SHORTEST_SECONDS, min(LONGEST_SECONDS, int(found[1]))) if found else SHORTEST_SECONDS
