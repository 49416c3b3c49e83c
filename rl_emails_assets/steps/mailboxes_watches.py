"""mailboxes.watches: Gmail's promise to push, renewed before it lapses.

A watch is a hint to sync at once; without one the mailbox is polled. So a renewal that fails is noted where it is shown
(`error`), and nothing else stops for it.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.connections.reconnection import CONNECTED
from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import RlEmailsError
from rl_emails_assets.steps.context import StepContext, StepResult, timed
from rl_emails_assets.steps.raw_gmail import client_of

VERSION = "1"
NAME = "mailboxes.watches"

DAYS_LEFT = 2.0
"""A watch that lapses sooner is renewed by the next sync; it lives for seven days (Gmail's guide to push)."""
PAUSE_AFTER_FAILURE = timedelta(minutes=10)
"""A topic that refuses us does so at every sync, at 100 quota units each."""


def run(step: StepContext, *, days_left: float = DAYS_LEFT) -> StepResult:
    """Renew the mailbox's watch if it has none, has one of another topic, or has one with fewer days left than that."""
    result = StepResult(counts={"renewed": 0, "failed": 0})
    topic = step.settings.gmail_topic
    with timed(result):
        if topic is None or not _is_wanted(step, topic, days_left):
            return result
        with step.alone(NAME):
            if not _is_wanted(step, topic, days_left):
                return result
            try:
                with client_of(step) as client:
                    grant = client.watch(topic)
            except RlEmailsError as error:
                # A grant that is gone stops the sync itself, and its owner is told then.
                _store(step, {"topic": topic, "error": str(error), "error_at": func.now()})
                result.counts["failed"] = 1
                return result
            _store(
                step,
                {
                    "topic": topic,
                    "history_id": str(grant.history_id),
                    "expires_at": grant.expires_at,
                    "renewed_at": func.now(),
                    "error": None,
                    "error_at": None,
                },
            )
            result.counts["renewed"] = result.row_count = 1
    return result


def _is_wanted(step: StepContext, topic: str, days_left: float) -> bool:
    connections, watches = mailboxes.connections.c, mailboxes.watches.c
    lapses_soon = func.coalesce(watches.expires_at < func.now() + timedelta(days=days_left), True)
    has_failed = func.coalesce(watches.error_at > func.now() - PAUSE_AFTER_FAILURE, False)
    query = (
        select(connections.mailbox_id)
        .outerjoin(mailboxes.watches, watches.mailbox_id == connections.mailbox_id)
        .where(
            connections.mailbox_id == step.mailbox_id,
            connections.provider == "gmail",
            connections.state == CONNECTED,
            lapses_soon | (watches.topic != topic),
            ~has_failed | (watches.topic != topic),
        )
    )
    with step.engine.connect() as connection:
        return connection.execute(query).one_or_none() is not None


def _store(step: StepContext, values: dict[str, Any]) -> None:
    with step.commit() as connection:
        connection.execute(
            insert(mailboxes.watches)
            .values(mailbox_id=step.mailbox_id, **values)
            .on_conflict_do_update(index_elements=["mailbox_id"], set_=values)
        )
