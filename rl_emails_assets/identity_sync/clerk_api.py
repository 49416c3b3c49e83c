"""Clerk's Backend API: lists, page by page, at the rate that it allows."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from rl_emails_assets.errors import ProviderUnavailableError, RateLimitedError, SettingsError
from rl_emails_assets.settings import Settings

PAGE = 500
"""The most that Clerk lists at once."""
TIMEOUT_SECONDS = 20
MOST_BYTES = 64 * 1024 * 1024
TRIES = 4
"""Of a call that fails or is refused for its rate."""
JWKS_PATH = "/.well-known/jwks.json"
LONGEST_WAIT_SECONDS = 60.0
"""If it asks for more, the rest is left to the next run."""

_OLDEST_FIRST = {"order_by": "+created_at"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Clerk answered, and when by its own clock."""

    found: Any
    """None when Clerk knows no such thing (404)."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and when it was by Clerk's clock."""

    items: list[Any]
    at: datetime


class ClerkApi:
    """Reads an instance.

    Raises SettingsError for a key that is refused, RateLimitedError for a rate that is refused for long, and
    ProviderUnavailableError for anything else that is no answer.
    """

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        if settings.clerk_secret_key is None:
            raise SettingsError("Clerk's Backend API needs a key. Set RL_EMAILS_CLERK_SECRET_KEY.")
        self._sleep = sleep
        self._url = settings.clerk_api_url.rstrip("/")
        self._issuer = (settings.oidc_issuer or "").rstrip("/")
        self._key = {"Authorization": f"Bearer {settings.clerk_secret_key}"}
        verify = ssl.create_default_context(cafile=str(settings.ca_bundle)) if settings.ca_bundle else True
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, verify=verify)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def require_own_instance(self) -> None:
        """Raises SettingsError unless the key opens the instance that signs our tokens: no other has people of ours."""
        published = self._get(f"{self._issuer}{JWKS_PATH}", {}, headers={})
        if not _key_ids(published) & _key_ids(self.get("/jwks")):
            raise SettingsError(
                f"RL_EMAILS_CLERK_SECRET_KEY is of another Clerk instance than {self._issuer}. Copy it from the "
                "dashboard of the same instance."
            )

    def pages(self, path: str, *, may_be_gone: bool = False) -> Iterator[Page]:
        """Every page of a list, the oldest first: what is made meanwhile comes at the end.

        What is deleted meanwhile moves the rest, so a page may leave one out; whoever misses one asks for it by name.
        With `may_be_gone` the list of something that is gone is empty.
        """
        offset = 0
        while True:
            answer = self.get(path, {"limit": PAGE, "offset": offset, **({} if may_be_gone else _OLDEST_FIRST)})
            found = answer.found
            items = found.get("data") if isinstance(found, dict) else found
            if items is None and may_be_gone:
                items = []
            if not isinstance(items, list):
                raise ProviderUnavailableError(f"Clerk's list at {path} is no list.")
            yield Page(items, answer.at)
            if len(items) < PAGE:
                return
            offset += len(items)

    def get(self, path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        """One answer."""
        return self._get(f"{self._url}{path}", asked or {}, headers=self._key)

    def _get(self, url: str, asked: Mapping[str, Any], *, headers: Mapping[str, str]) -> Answer:
        for attempt in range(TRIES):
            wait = 2.0**attempt
            try:
                answer = self._client.get(url, params=dict(asked), headers=dict(headers))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if attempt == TRIES - 1:
                    raise ProviderUnavailableError(f"Clerk cannot be reached: {error}. It is tried again.") from error
                self._sleep(wait)
                continue
            at = _date(answer.headers.get("date", ""))
            if answer.status_code == httpx.codes.NOT_FOUND:
                return Answer(None, at)
            if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise SettingsError("Clerk does not accept RL_EMAILS_CLERK_SECRET_KEY. Copy it from its dashboard.")
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                wait = _retry_after(answer.headers.get("retry-after", ""), wait)
                if attempt == TRIES - 1 or wait > LONGEST_WAIT_SECONDS:
                    words = "Clerk refuses for its rate. The next run begins again."
                    raise RateLimitedError(words, retry_after_seconds=wait)
            elif answer.status_code < httpx.codes.BAD_REQUEST:
                return Answer(_json(url, answer), at)
            elif attempt == TRIES - 1 or answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                raise ProviderUnavailableError(f"Clerk answered {answer.status_code} for {url}. It is tried again.")
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")


def _key_ids(answer: Answer) -> set[str]:
    keys = answer.found.get("keys") if isinstance(answer.found, dict) else None
    return {str(key["kid"]) for key in keys or [] if isinstance(key, dict) and key.get("kid")}


def _json(url: str, answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content[:MOST_BYTES])
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"Clerk did not answer with JSON for {url}.") from error


def _retry_after(told: str, otherwise: float) -> float:
    return float(told) if told.isascii() and told.isdigit() and len(told) < 7 else otherwise


def _date(told: str) -> datetime:
    try:
        return parsedate_to_datetime(told).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
