"""Making deliveries from the change feed, and sending them: a task of each API process.

Any number of processes do so at once: a webhook, or a delivery, is taken with SKIP LOCKED, and what is taken to be sent
is leased, so that no transaction is open while a stranger's server answers. A process that dies leaves its deliveries
to the others after the lease; the receiver may get one twice and knows it by its `webhook-id`.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.concurrency import run_in_threadpool

from rl_emails_api.changes import cursors, feed
from rl_emails_api.events.stream import is_allowed
from rl_emails_api.identity.principal import Principal
from rl_emails_api.outgoing_webhooks import queries
from rl_emails_api.outgoing_webhooks.sending import Outcome, Sender
from rl_emails_api.problems import ProblemError
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.connections.sealing import Place, Sealer
from rl_emails_assets.errors import SealError
from rl_emails_assets.settings import Settings

LOOK_SECONDS = 2.0
"""How often a webhook's share of the feed is looked at, and the longest that a delivery waits for its first attempt."""
MOST_ITEMS = 100
"""Changes in one delivery."""
MOST_WAITING = 50
"""Deliveries that wait for a webhook before its share of the feed is left where it is; it is compact, they are not."""
LEASE_SECONDS = 60.0
AT_A_TIME = 20
ATTEMPTS = 17
"""With these delays a delivery is tried for 22 hours on average."""
FIRST_DELAY_SECONDS = 10.0
LONGEST_DELAY_SECONDS = 4 * 3600.0
HOPELESS_SECONDS = 3 * 86400.0
"""A webhook without a success for so long is disabled."""
RESTART = "changes.expired"
"""A delivery of this type has no items: what happened while nothing was sent is forgotten; load everything again."""

_log = logging.getLogger(__name__)
_Made = TypeVar("_Made")


def place_of(webhook: Any) -> Place:
    """Where a webhook's secret is kept, which its encryption is bound to."""
    return Place("app.webhooks", "sealed_secret", str(webhook.webhook_id), webhook.organization_id)


def delay_seconds(attempts: int, chance: Callable[[], float] = random.random) -> float:
    """Before the next attempt, after so many: exponential, with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return float(chance() * min(FIRST_DELAY_SECONDS * 3 ** (attempts - 1), LONGEST_DELAY_SECONDS))


async def _in_thread(work: Callable[..., _Made], *given: Any) -> _Made:
    """What `work` returns; who is cancelled meanwhile waits for its end, so that no transaction outlives the engine."""
    working = asyncio.ensure_future(run_in_threadpool(work, *given))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class Deliverer:
    """Looks and sends, again and again, until it is cancelled."""

    def __init__(self, engine: Callable[[], Engine], settings: Settings, sender: Sender) -> None:
        self._engine = engine
        self._settings = settings
        self._sender = sender

    async def run(self) -> None:
        """For the lifetime of the process."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
                while await self.send_due():
                    pass
            except (OperationalError, InterfaceError, PoolTimeoutError) as error:
                _log.warning("Webhooks wait: %s.", type(error).__name__)

    async def look(self, seconds: float = LOOK_SECONDS) -> None:
        """Make deliveries of what changed, for webhooks that were not looked at for so long."""
        await _in_thread(self._look_at_all, seconds)

    async def send_due(self) -> int:
        """Send what is due; returns how many deliveries were tried."""
        taken = await _in_thread(self._take)
        await asyncio.gather(*(self._send(each) for each in taken))
        return len(taken)

    def _look_at_all(self, seconds: float) -> None:
        with transaction_of(self._engine(), None) as connection:
            found = queries.due_for_a_look(connection, seconds=seconds, most=AT_A_TIME)
        for each in found:
            # The row-level security is the owner's, so nothing is told that they may not see. The role plays no part.
            owner = Principal(each.user_id, each.organization_id, "member", frozenset(), "token")
            with transaction_of(self._engine(), owner) as connection:
                if is_allowed(connection, owner):
                    self._look(connection, each.webhook_id, seconds)
                    continue
            with transaction_of(self._engine(), None) as connection:
                queries.disable(connection, each, "Its owner is no longer a member of the organization.")

    def _look(self, connection: Any, webhook_id: Any, seconds: float) -> None:
        webhook = queries.take_for_a_look(connection, webhook_id, seconds=seconds)
        if webhook is None:
            return
        values: dict[str, Any] = {"looked_at": datetime.now(UTC), **self._sealed_anew(webhook)}
        if webhook.waiting_count < MOST_WAITING:
            values["cursor"] = self._deliveries_since(connection, webhook)
        queries.change(connection, webhook_id, values)

    def _deliveries_since(self, connection: Any, webhook: Any) -> str:
        """Make the deliveries; returns the cursor after them."""
        now = feed.read_now(connection)
        cursor = cursors.decode(webhook.cursor)
        try:
            feed.check(cursor, now, self._settings.keep_changes_days)
        except ProblemError:
            queries.add_delivery(connection, webhook, _payload(RESTART, []))
            return now.cursor().encode()
        for _ in range(MOST_WAITING - webhook.waiting_count):
            page = feed.read_page(connection, cursor, now, MOST_ITEMS)
            items = [_item(each) for each in page.changes if f"{each.kind}.{_what(each)}" in webhook.events]
            if items:
                queries.add_delivery(connection, webhook, _payload("changes", items))
            cursor = page.cursor
            if not page.has_more:
                break
        return cursor.encode()

    def _sealed_anew(self, webhook: Any) -> dict[str, Any]:
        """The secret under the key that now comes first, so that an older key may be taken away."""
        sealer = Sealer.of(self._settings)
        if webhook.key_id == sealer.key_id:
            return {}
        place = place_of(webhook)
        try:
            secret = sealer.open(bytes(webhook.sealed_secret), bound_to=place)
        except SealError:
            # Told at the next delivery.
            return {}
        return {"sealed_secret": sealer.seal(secret, bound_to=place), "key_id": sealer.key_id}

    def _take(self) -> list[Any]:
        with transaction_of(self._engine(), None) as connection:
            return list(queries.take_deliveries(connection, most=AT_A_TIME, lease_seconds=LEASE_SECONDS))

    async def _send(self, delivery: Any) -> None:
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            secret = Sealer.of(self._settings).open(bytes(delivery.sealed_secret), bound_to=place_of(delivery)).decode()
        except SealError:
            outcome = Outcome(None, "The secret cannot be read any more: its key is gone. Make the webhook anew.")
        else:
            outcome = await self._sender.send(delivery.url, secret, str(delivery.delivery_id), body)
        await _in_thread(self._record, delivery, outcome)

    def _record(self, delivery: Any, outcome: Outcome) -> None:
        with transaction_of(self._engine(), None) as connection:
            if outcome.error is None:
                queries.end_attempt(connection, delivery, state="delivered", status=outcome.status, error=None)
                queries.succeeded(connection, delivery.webhook_id)
                return
            is_gone = outcome.status == HTTPStatus.GONE
            is_last = is_gone or delivery.attempts >= ATTEMPTS
            queries.end_attempt(
                connection,
                delivery,
                state="dead" if is_last else "waiting",
                status=outcome.status,
                error=outcome.error,
                seconds=max(delay_seconds(delivery.attempts), min(outcome.retry_seconds or 0, LONGEST_DELAY_SECONDS)),
            )
            is_hopeless = queries.failed(connection, delivery.webhook_id, hopeless_seconds=HOPELESS_SECONDS)
            if is_gone:
                queries.disable(
                    connection, delivery, "Your webhook was disabled: its server says that it is gone (410)."
                )
            elif is_hopeless:
                days = HOPELESS_SECONDS / 86400
                reason = f"Your webhook was disabled: nothing was delivered for {days:g} days. {outcome.error}"
                queries.disable(connection, delivery, reason)


def _what(change: feed.Change) -> str:
    return "removed" if change.is_removed else "changed"


def _item(change: feed.Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "id": str(change.object_id),
        "mailbox_id": str(change.mailbox_id),
        "change": _what(change),
        "thread_id": None if change.thread_id is None else str(change.thread_id),
    }


def _payload(kind: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": {"items": items}}
