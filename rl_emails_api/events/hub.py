"""One connection of the process listens for changes, and wakes the streams that they concern.

The feed's triggers notify once per mailbox and transaction (rl_emails_assets/db/change_feed.py). A stream that is woken
looks for itself what it may see; the notification only says when to look.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from rl_emails_api.problems import ProblemError
from rl_emails_assets.db.change_feed import CHANNEL

MAX_STREAMS = 500
"""In one process: each costs a few kilobytes and a look at the database per change."""
MAX_STREAMS_EACH = 12
"""Of one person: a few devices with a few pages open."""
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Waiter:
    """A stream, as the hub sees it."""

    mailboxes: frozenset[UUID] = frozenset()
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    transaction_id: int = 0
    """The highest that it was woken for."""


class ChangeHub:
    """Lives in the event loop; the first stream starts its connection, `stop` ends everything."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._waiters: set[Waiter] = set()
        self._by_user: Counter[UUID] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.is_stopped = False

    def require_room(self, user_id: UUID) -> None:
        """Raises a 429 problem when this person, or the process, has as many streams as it may."""
        if self._by_user[user_id] >= MAX_STREAMS_EACH or len(self._waiters) >= MAX_STREAMS:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-streams",
                f"{self._by_user[user_id]} streams of yours are open, and {len(self._waiters)} of all. "
                "Close one, or ask GET /v1/changes now and then instead.",
                headers={"Retry-After": "30"},
            )

    @contextmanager
    def waiting(self, user_id: UUID) -> Iterator[Waiter]:
        """A place among the streams."""
        waiter = Waiter()
        self._waiters.add(waiter)
        self._by_user[user_id] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)
            self._by_user[user_id] -= 1
            if not self._by_user[user_id]:
                del self._by_user[user_id]

    def stop(self) -> None:
        """End every stream, and the listening. Called in the event loop."""
        self.is_stopped = True
        if self._task is not None:
            self._task.cancel()
        self._wake_all()

    async def _listen(self) -> None:
        while self._waiters and not self.is_stopped:
            try:
                await self._listen_once()
            except psycopg.OperationalError as error:
                _log.warning("Listening for changes: %s; again in %g s.", type(error).__name__, RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        url = self._engine().url.set(drivername="postgresql")
        connection = await psycopg.AsyncConnection.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            application_name="rl-emails events",
            connect_timeout=10,
            keepalives_idle=30,
        )
        async with connection:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
            # Nobody knows what was told before this connection listened.
            self._wake_all()
            async for notification in connection.notifies():
                mailbox, _, transaction_id = notification.payload.partition(" ")
                self._wake(UUID(mailbox), int(transaction_id))

    def _wake(self, mailbox_id: UUID, transaction_id: int) -> None:
        for waiter in self._waiters:
            if mailbox_id in waiter.mailboxes:
                waiter.transaction_id = max(waiter.transaction_id, transaction_id)
                waiter.woken.set()

    def _wake_all(self) -> None:
        for waiter in self._waiters:
            waiter.woken.set()
