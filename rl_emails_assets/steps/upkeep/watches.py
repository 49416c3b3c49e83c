"""Renewing watches: Gmail stops pushing without a word when a watch lapses, after seven days at most."""

import uuid
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep.record import UpkeepRecord

RENEW_BEFORE_SECONDS = 2 * 86400
"""A watch with less left is renewed, whenever it was last."""
RENEW_EVERY_SECONDS = 86400
"""Gmail recommends to renew once a day (its push guide, 2026)."""

_TO_RENEW = text(
    """
    select c.mailbox_id
    from mailboxes.connections c
    left join mailboxes.watches w on w.mailbox_id = c.mailbox_id
    where c.provider = 'gmail' and c.state = 'connected'
      and (w.mailbox_id is null or w.expires_at is null or w.topic <> :topic
           or w.expires_at < now() + make_interval(secs => :before_seconds)
           or w.renewed_at < now() - make_interval(secs => :every_seconds))
    order by w.expires_at nulls first, c.mailbox_id
    """
)
_NOTE_ERROR = text(
    """
    insert into mailboxes.watches (mailbox_id, topic, error, error_at) values (:mailbox_id, :topic, :error, now())
    on conflict (mailbox_id) do update set error = excluded.error, error_at = excluded.error_at
    """
)


def watches_to_renew(connection: Connection, settings: Settings) -> list[uuid.UUID]:
    """Connected Gmail mailboxes whose watch is missing, old, or near its end; those that lapse first come first.

    None where no topic is configured: then mail is polled for. Only looks.
    """
    if settings.gmail_topic is None:
        return []
    parameters = {
        "topic": settings.gmail_topic,
        "before_seconds": RENEW_BEFORE_SECONDS,
        "every_seconds": RENEW_EVERY_SECONDS,
    }
    return list(connection.execute(_TO_RENEW, parameters).scalars())


def renew_watches(
    engine: Engine, settings: Settings, renew: Callable[[uuid.UUID], Mapping[str, int]], record: UpkeepRecord
) -> None:
    """Renew every watch that needs it with `renew`, which says what it did; one that fails stops no other.

    Raises an ExceptionGroup at the end for failures that `renew` does not know of.
    """
    with engine.connect() as connection:
        found = watches_to_renew(connection, settings)
    unexpected: list[Exception] = []
    for mailbox_id in found:
        try:
            counts = renew(mailbox_id)
        except Exception as error:  # noqa: BLE001 - one mailbox must not stop the others; raised with all below
            with engine.begin() as connection:
                parameters = {"mailbox_id": mailbox_id, "topic": settings.gmail_topic, "error": str(error)}
                connection.execute(_NOTE_ERROR, parameters)
            unexpected.append(error)
            counts = {"failed": 1}
        record.add(dict(counts))
        if counts.get("failed"):
            record.problems.append(f"Mailbox {mailbox_id} has no new watch; its row in mailboxes.watches says why.")
    if unexpected:
        raise ExceptionGroup(
            f"{len(unexpected)} watches could not be renewed for reasons we did not expect", unexpected
        )
