"""Syncs that nobody asked for: the poll that follows where push is silent, and the full sync that checks everything.

Each has a question that only looks, for the tick, and a function that asks for the syncs, for the run.
"""

import uuid

from sqlalchemy import Connection, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue

DEAD_REST_SECONDS = 900
"""How long a mailbox whose request was given up for a reason that may pass is left alone by the poll. One whose reason
is permanent, or whose runs it kills, is not polled: its owner is told, and a push or a person starts it again."""

# A mailbox that waits or runs is left alone: its sync sees all that a poll would.
_TO_POLL = text(
    """
    select c.mailbox_id
    from mailboxes.connections c
    left join mailboxes.watches w on w.mailbox_id = c.mailbox_id
    where c.provider = 'gmail' and c.state = 'connected'
      and coalesce(greatest(c.synced_at, c.current_as_of), '-infinity')
          < now() - make_interval(secs => case when w.expires_at > now() then :push_poll_seconds else :poll_seconds end)
      and not exists (select from sync_queue.requests r where r.mailbox_id = c.mailbox_id)
      and not exists (select from sync_queue.ended_requests e
                      where e.mailbox_id = c.mailbox_id and e.state = 'failed'
                        and (e.is_permanent or e.deaths >= :most_deaths
                             or e.finished_at > now() - make_interval(secs => :rest_seconds)))
    order by c.mailbox_id
    """
)

# Each mailbox has its hour of the day, so that a deployment's full syncs do not come at once; one that is a day late
# (nothing ran in its hour) does not wait for it.
_TO_SYNC_FULLY = text(
    """
    select c.mailbox_id
    from mailboxes.connections c
    join raw.cursors k on k.mailbox_id = c.mailbox_id and k.source = 'gmail'
    where c.provider = 'gmail' and c.state = 'connected'
      and coalesce(k.position->'listing', 'null'::jsonb) = 'null'::jsonb
      and k.started_at < now() - make_interval(secs => :full_sync_seconds)
      and (abs(hashtext(c.mailbox_id::text)::bigint) % 24 = extract(hour from now() at time zone 'UTC')
           or k.started_at < now() - make_interval(secs => :full_sync_seconds + 86400))
      and not exists (select from sync_queue.requests r where r.mailbox_id = c.mailbox_id and r.kind = 'full')
    order by c.mailbox_id
    """
)


def mailboxes_to_poll(connection: Connection, settings: Settings) -> list[uuid.UUID]:
    """Gmail mailboxes that have not been synced for so long that a look is due. Only looks."""
    parameters = {
        "poll_seconds": settings.poll_seconds,
        "push_poll_seconds": settings.push_poll_seconds,
        "rest_seconds": DEAD_REST_SECONDS,
        "most_deaths": queue.MOST_SILENT_DEATHS,
    }
    return list(connection.execute(_TO_POLL, parameters).scalars())


def mailboxes_to_sync_fully(connection: Connection, settings: Settings) -> list[uuid.UUID]:
    """Gmail mailboxes whose last full sync began too long ago, and whose hour it is. Only looks."""
    parameters = {"full_sync_seconds": settings.full_sync_days * 86400}
    return list(connection.execute(_TO_SYNC_FULLY, parameters).scalars())


def poll(connection: Connection, settings: Settings) -> dict[str, int]:
    """Ask for a partial sync of each mailbox that is due for a look."""
    asked = queue.enqueue_many(connection, mailboxes_to_poll(connection, settings), asked_by="poll")
    return {"mailboxes": len(asked)}


def sync_fully(connection: Connection, settings: Settings) -> dict[str, int]:
    """Ask for a full sync of each mailbox that is due for one."""
    found = mailboxes_to_sync_fully(connection, settings)
    return {"mailboxes": len(queue.enqueue_many(connection, found, asked_by="schedule", kind="full"))}
