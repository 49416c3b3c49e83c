"""From a verified push to its row: one statement, on connections and threads of its own, so that nothing else waits."""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection, Engine, event

from rl_emails_api.webhooks.push_body import Push
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.sync_queue import pushes

CONNECTIONS = 4
"""A push takes about a millisecond in the database; four of them at a time are thousands a second."""
STATEMENT_TIMEOUT_MS = 5000
"""Below Pub/Sub's deadline of 10 s, after which it redelivers."""


class PushIntake:
    """Records pushes. It has a small pool of its own: a slow page of the inbox must not hold up the webhook."""

    def __init__(self, engine: Engine) -> None:
        made = make_engine(engine.url.render_as_string(hide_password=False), "api webhook", pool_size=CONNECTIONS)
        event.listen(made, "connect", _limit)
        self._pool = made
        # The statement is its own transaction: no round trips for BEGIN and COMMIT.
        self._engine = made.execution_options(isolation_level="AUTOCOMMIT")
        self._threads = CapacityLimiter(CONNECTIONS)

    async def record(self, push: Push) -> str:
        """Note the push and ask for a sync if one is needed; returns the outcome, as in sync_queue.push_counts."""
        outcome = await self._run(
            lambda connection: pushes.record_push(
                connection, push_id=push.push_id, address=push.address, history_id=push.history_id
            )
        )
        return str(outcome)

    async def count_garbage(self) -> None:
        """Count a genuine push whose body cannot be read."""
        await self._run(pushes.count_garbage)

    async def _run(self, ask: Callable[[Connection], Any]) -> Any:
        def in_thread() -> Any:
            with self._engine.connect() as connection:
                return ask(connection)

        return await to_thread.run_sync(in_thread, limiter=self._threads)

    def close(self) -> None:
        """Close the pool."""
        self._pool.dispose()


def _limit(driver_connection: Any, _record: Any) -> None:
    with driver_connection.cursor() as cursor:
        cursor.execute(f"set statement_timeout = {STATEMENT_TIMEOUT_MS}")
    driver_connection.commit()
