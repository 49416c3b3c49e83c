"""One client's stream of server-sent events: when there is something to ask the change feed for, and nothing else."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.concurrency import run_in_threadpool

from rl_emails_api.changes import cursors, feed
from rl_emails_api.events.hub import ChangeHub, Waiter
from rl_emails_api.identity.principal import Principal
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import transaction_of

HEARTBEAT_SECONDS = 15.0
"""Proxies cut what is silent for 30 to 60 seconds."""
RECHECK_SECONDS = 60.0
"""A session that was signed out, or a member who was removed, hears nothing more after so long."""
MAX_SECONDS = 15 * 60.0
"""Then the stream ends and the client comes again, with a credential that is looked at as a whole."""
COALESCE_SECONDS = 0.2
"""A run writes in many transactions; a client need not look after each."""
HELD_BACK_SECONDS = 0.125
MAX_HELD_BACK_SECONDS = 4.0
"""How long to wait before looking again, doubling, while an older transaction holds back what was notified."""
RETRY_MILLISECONDS = 2000

# The transaction sees only one's own sessions and keys.
_IS_VALID = {
    "session": text(
        "select exists (select from identity.sessions where session_id = :id and revoked_at is null "
        "and expires_at > now())"
    ),
    "api_key": text(
        "select exists (select from identity.api_keys where api_key_id = :id and revoked_at is null "
        "and expires_at > now())"
    ),
}
_IS_MEMBER = text("select identity.own_organization_id() is not null")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the database found."""

    now: feed.Now
    has_changes: bool


class EventStream:
    """The events of one client, from `last_event_id` on if it names a place in the feed."""

    def __init__(
        self, engine: Engine, hub: ChangeHub, principal: Principal, last_event_id: str | None, keep_days: float
    ) -> None:
        self._engine = engine
        self._hub = hub
        self._principal = principal
        self._last_event_id = last_event_id
        self._keep_days = keep_days
        self._cursor: cursors.FeedCursor | None = None

    async def events(self, waiter: Waiter) -> AsyncIterator[bytes]:
        """Until the client leaves, the server stops, or who asks may not any more."""
        began_at = checked_at = sent_at = time.monotonic()
        pause_seconds = HELD_BACK_SECONDS
        first = await self._first(waiter)
        if first is None:
            return
        yield first
        while not self._hub.is_stopped and time.monotonic() - began_at < MAX_SECONDS:
            is_held_back = self._is_held_back(waiter)
            pause_seconds = min(pause_seconds * 2, MAX_HELD_BACK_SECONDS) if is_held_back else HELD_BACK_SECONDS
            is_woken = await _wait(waiter, pause_seconds if is_held_back else HEARTBEAT_SECONDS)
            if is_woken:
                await asyncio.sleep(COALESCE_SECONDS)
                waiter.woken.clear()
            is_due = time.monotonic() - checked_at >= RECHECK_SECONDS
            if is_due:
                checked_at = time.monotonic()
                if not await self._is_allowed():
                    return
            event: bytes | None = None
            if is_woken or is_held_back or is_due:
                event = await self._next(waiter, is_woken=is_woken)
            if event is None and time.monotonic() - sent_at >= HEARTBEAT_SECONDS:
                event = b": still here\n\n"
            if event is not None:
                sent_at = time.monotonic()
                yield event

    def _is_held_back(self, waiter: Waiter) -> bool:
        return self._cursor is not None and self._cursor.place.transaction_id <= waiter.transaction_id

    async def _first(self, waiter: Waiter) -> bytes | None:
        """Where the stream begins; an event when something happened since the client's last one."""
        begin = f"retry: {RETRY_MILLISECONDS}\n".encode()
        if not await self._is_allowed():
            return None
        look = await self._look()
        waiter.mailboxes = look.now.mailboxes
        self._cursor = look.now.cursor()
        if self._last_event_id:
            try:
                last = cursors.decode(self._last_event_id)
                feed.check(last, look.now, self._keep_days)
            except ProblemError:
                # Asked with this cursor, the feed says what is to be done.
                return begin + self._event(self._last_event_id)
            self._cursor = last
            look = await self._look()
            if look.has_changes:
                self._cursor = look.now.cursor()
                return begin + self._event(last.encode())
        # Without data it is no event; it only tells the client the place.
        return begin + f"id: {self._cursor.encode()}\n\n".encode()

    async def _next(self, waiter: Waiter, *, is_woken: bool) -> bytes | None:
        try:
            look = await self._look()
        except (OperationalError, InterfaceError, PoolTimeoutError):
            # The listening connection comes back before long, and then everybody looks.
            return None
        assert self._cursor is not None  # noqa: S101 - set by the first look
        waiter.mailboxes = look.now.mailboxes
        since = self._cursor.encode()
        if look.has_changes:
            self._cursor = look.now.cursor()
            return self._event(since)
        if is_woken and waiter.transaction_id >= look.now.horizon:
            # It can be read already; the feed tells it once nothing older can come any more.
            return self._event(since)
        if waiter.transaction_id < look.now.horizon:
            self._cursor = look.now.cursor()
        return None

    def _event(self, since: str) -> bytes:
        assert self._cursor is not None  # noqa: S101 - set by the first look
        return f"id: {self._cursor.encode()}\nevent: changes\ndata: {json.dumps({'cursor': since})}\n\n".encode()

    async def _look(self) -> _Look:
        return await run_in_threadpool(self._look_now)

    def _look_now(self) -> _Look:
        with transaction_of(self._engine, self._principal, is_readonly=True) as connection:
            now = feed.read_now(connection)
            return _Look(now, self._cursor is not None and feed.has_changes(connection, self._cursor, now))

    async def _is_allowed(self) -> bool:
        return await run_in_threadpool(self._is_allowed_now)

    def _is_allowed_now(self) -> bool:
        with transaction_of(self._engine, self._principal, is_readonly=True) as connection:
            return is_allowed(connection, self._principal)


async def _wait(waiter: Waiter, seconds: float) -> bool:
    """Whether it was woken within that time."""
    try:
        async with asyncio.timeout(seconds):
            await waiter.woken.wait()
    except TimeoutError:
        return False
    waiter.woken.clear()
    return True


def is_allowed(connection: Connection, principal: Principal) -> bool:
    """Whether the principal, as which the transaction runs, is still a member, and its credential still good."""
    if not connection.execute(_IS_MEMBER).scalar_one():
        return False
    query = _IS_VALID.get(principal.credential)
    return query is None or bool(connection.execute(query, {"id": principal.credential_id}).scalar_one())
