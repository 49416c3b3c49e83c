"""The image proxy of one process: its links, its fetches, how many at a time, and how they ended."""

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import get_args
from uuid import UUID
from weakref import WeakValueDictionary

import anyio
import httpx
from prometheus_client import CollectorRegistry, Counter

from rl_emails_api.identity.principal import Principal
from rl_emails_api.remote_images.fetching import Fetcher, Picture, Reason, RefusedImageError
from rl_emails_api.remote_images.links import ImageLink, ImageLinks
from rl_emails_assets.connections import key_ring
from rl_emails_assets.settings import Settings

AT_A_TIME = 16
"""Fetches of the process; each holds at most `fetching.MOST_BYTES` in memory."""
AT_A_TIME_A_MAILBOX = 6
"""So that a mail with a hundred slow images holds up its own reader only."""


class ImageProxy:
    """What the endpoints work with; `fetcher` is None where images cannot be fetched safely, or shall not be."""

    def __init__(self, links: ImageLinks, fetcher: Callable[[], Fetcher] | None, registry: CollectorRegistry) -> None:
        self.links = links
        self.is_on = fetcher is not None
        self._make_fetcher = fetcher
        self._fetcher: Fetcher | None = None
        self._slots = anyio.Semaphore(AT_A_TIME)
        self._turns: WeakValueDictionary[UUID, anyio.Semaphore] = WeakValueDictionary()
        self._outcomes = Counter(
            "rl_emails_remote_images_total",
            "Remote images that readers asked for since the API started, by outcome.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("shown", "link", *get_args(Reason)):
            self._outcomes.labels(outcome)

    @classmethod
    def of(cls, settings: Settings, registry: CollectorRegistry) -> "ImageProxy":
        """As the settings say. Nothing is fetched through an HTTP proxy that does not check addresses: we cannot."""
        is_checked = settings.remote_images_proxy is None or settings.remote_images_proxy_filters
        make = partial(_fetcher, settings) if settings.remote_images and is_checked else None
        return cls(ImageLinks(partial(_keys, settings)), make, registry)

    def rewriter(self, principal: Principal, mailbox_id: UUID) -> Callable[[str], str | None]:
        """What makes an image's own address into the one under which this reader gets it from us."""

        def rewrite(url: str) -> str | None:
            return self.links.path(ImageLink(principal.organization_id, principal.user_id, mailbox_id, url))

        return rewrite

    def count(self, outcome: str) -> None:
        """One request has ended."""
        self._outcomes.labels(outcome).inc()

    async def fetch(self, link: ImageLink) -> Picture:
        """The image, when it is its turn. Raises RefusedImageError."""
        if self._fetcher is None:
            assert self._make_fetcher is not None  # noqa: S101 - the endpoint asks `is_on` first
            self._fetcher = self._make_fetcher()
        async with self._turn(link.mailbox_id):
            try:
                picture = await self._fetcher.fetch(link.url)
            except RefusedImageError as refused:
                self.count(refused.reason)
                raise
        self.count("shown")
        return picture

    @asynccontextmanager
    async def _turn(self, mailbox_id: UUID) -> AsyncIterator[None]:
        # The dictionary forgets a mailbox when nobody waits for it any more; the name keeps it while somebody does.
        turn = self._turns.setdefault(mailbox_id, anyio.Semaphore(AT_A_TIME_A_MAILBOX))
        async with turn, self._slots:
            yield


def _keys(settings: Settings) -> Sequence[bytes]:
    return key_ring.read_keys(settings)


def _fetcher(settings: Settings) -> Fetcher:
    bundle = settings.ca_bundle
    trusted = ssl.create_default_context(cafile=str(bundle)) if bundle else httpx.create_ssl_context()
    return Fetcher(ssl_context=trusted, proxy_url=settings.remote_images_proxy)
