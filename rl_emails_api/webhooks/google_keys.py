"""The keys that Google signs pushes with: fetched when needed, kept in memory for as long as their answer says."""

import asyncio
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import jwt
from anyio import to_thread

from rl_emails_assets.errors import ProviderUnavailableError

LONGEST_SECONDS = 3600
SHORTEST_SECONDS = 60
UNKNOWN_KEY_SECONDS = 60
"""A token that names an unknown key has the keys fetched again, at most this often: anybody can name a key."""
RETRY_SECONDS = 5
"""After a failed fetch nothing is fetched for this long; pushes are redelivered meanwhile."""
TIMEOUT_SECONDS = 5
MOST_BYTES = 256 * 1024

_log = logging.getLogger(__name__)

Fetch = Callable[[], tuple[Mapping[str, jwt.PyJWK], float]]
"""Returns the keys by their id and for how many seconds they may be kept."""


class GoogleKeys:
    """The present keys. Belongs to one event loop; requests that need no fetch do not wait for one."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._good_until = -float("inf")
        self._failed_at = -float("inf")
        self._fetching = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id; None when Google has none. Raises ProviderUnavailableError while it cannot be told."""
        if self._clock() >= self._good_until:
            await self._refresh()
        if key_id not in self._keys and self._clock() - self._fetched_at >= UNKNOWN_KEY_SECONDS:
            await self._refresh()
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        before = self._fetched_at
        async with self._fetching:
            if self._fetched_at != before:
                return
            if self._clock() - self._failed_at < RETRY_SECONDS:
                raise ProviderUnavailableError("Google's keys could not be fetched a moment ago.")
            try:
                keys, seconds = await to_thread.run_sync(self._fetch)
            except ProviderUnavailableError as error:
                self._failed_at = self._clock()
                _log.warning("%s Pushes are refused with 503 and redelivered until it works.", error)
                raise
            self._keys = keys
            self._fetched_at = self._clock()
            self._good_until = self._fetched_at + seconds


def fetch_keys(url: str, ca_bundle: Path | None) -> tuple[Mapping[str, jwt.PyJWK], float]:
    """Fetch a JWKS, through the proxy of the environment if there is one. Raises ProviderUnavailableError."""
    try:
        verify = ssl.create_default_context(cafile=str(ca_bundle)) if ca_bundle else True
        answer = httpx.get(url, verify=verify, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        found = json.loads(answer.content[:MOST_BYTES])
        keys = {
            key.key_id: key
            for key in jwt.PyJWKSet.from_dict(found)
            if key.key_id and key.key_type == "RSA" and key.public_key_use in (None, "sig")
        }
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ProviderUnavailableError(
            f"The keys that sign pushes could not be fetched from {url}: {error}."
        ) from error
    except (ValueError, AttributeError, TypeError, RecursionError, jwt.PyJWTError) as error:
        raise ProviderUnavailableError(f"{url} did not answer with keys (a JWKS).") from error
    if not keys:
        raise ProviderUnavailableError(f"{url} answered with no RSA key.")
    return keys, _seconds(answer.headers.get("cache-control", ""))


def _seconds(cache_control: str) -> float:
    found = re.search(r"\bmax-age=(\d{1,9})\b", cache_control)
    return max(SHORTEST_SECONDS, min(LONGEST_SECONDS, int(found[1]))) if found else SHORTEST_SECONDS
