"""Connections that went quiet: what is so now is told to the owner once, and taken back when it is over.

A mailbox that no longer hears of its mail looks exactly like one that gets none; this is what tells them apart.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue

WATCH_GRACE_SECONDS = 900
"""A mailbox that was connected this recently need not have a watch yet."""

# What is so now: of which kind, since when, and what to tell. A notice of the same kind that was raised since then has
# told it already, even where its owner has dismissed it.
_SO_NOW = """
    select c.mailbox_id, 'watch_lapsed' as kind, coalesce(w.expires_at, c.created_at) as since,
           format('Gmail no longer tells us at once of new mail of %s%s. It is looked for every %s s meanwhile, and '
                  'the subscription is renewed every hour.', c.address,
                  coalesce(': ' || nullif(rtrim(w.error, '.'), ''), ''), :poll_seconds) as told
    from mailboxes.connections c
    left join mailboxes.watches w on w.mailbox_id = c.mailbox_id
    where :has_topic and c.provider = 'gmail' and c.state = 'connected'
      and case when w.expires_at is null then c.created_at < now() - make_interval(secs => :grace_seconds)
               else w.expires_at < now() end
    union all
    select c.mailbox_id, 'behind', coalesce(c.current_as_of, c.created_at),
           format('The inbox of %s is not up to date: it shows what had arrived by %s UTC. The status page says what '
                  'is in the way.', c.address,
                  to_char(coalesce(c.current_as_of, c.created_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
    from mailboxes.connections c
    where c.provider = 'gmail' and c.state = 'connected'
      and coalesce(c.current_as_of, c.created_at) < now() - make_interval(secs => :behind_seconds)
      -- A first sync takes as long as it takes, and shows how far it is.
      and (c.current_as_of is not null
           or not exists (select from sync_queue.requests r where r.mailbox_id = c.mailbox_id))
    union all
    select distinct on (c.mailbox_id) c.mailbox_id, 'dead_letter', e.finished_at,
           format('A sync of %s was given up after %s tries: %s An administrator can mend it and try again.',
                  c.address, e.attempts, rtrim(coalesce(e.error, 'It gave no reason'), '. ') || '.')
    from sync_queue.ended_requests e join mailboxes.connections c on c.mailbox_id = e.mailbox_id
    where e.state = 'failed' and c.state = 'connected'
    order by 1, 3 desc
"""
_TO_RAISE = text(
    f"""
    select s.mailbox_id, s.kind, s.told
    from ({_SO_NOW}) s
    where not exists (select from app.notices n where n.mailbox_id = s.mailbox_id and n.kind = s.kind
                      and (n.ended_at is null or n.created_at >= s.since))
    """  # noqa: S608 - both parts are ours
)
_TO_END = text(
    f"""
    select n.notice_id
    from app.notices n
    where n.ended_at is null and n.kind in ('watch_lapsed', 'behind', 'dead_letter')
      and not exists (select from ({_SO_NOW}) s where s.mailbox_id = n.mailbox_id and s.kind = n.kind)
    """  # noqa: S608 - both parts are ours
)
_FORGOTTEN = text(
    """
    select c.mailbox_id from mailboxes.connections c
    where c.state = 'disconnecting'
      and not exists (select from sync_queue.requests r where r.mailbox_id = c.mailbox_id and r.kind = 'disconnect')
      and not exists (select from sync_queue.ended_requests e
                      where e.mailbox_id = c.mailbox_id and e.kind = 'disconnect' and e.state = 'failed')
    """
)
_RAISE = text(
    """
    insert into app.notices (notice_id, mailbox_id, kind, text) values (gen_random_uuid(), :mailbox_id, :kind, :told)
    on conflict (mailbox_id, kind) where ended_at is null do nothing
    """
)
_END = text("update app.notices set ended_at = now() where notice_id = any(:ids) and ended_at is null")


@dataclass(frozen=True, slots=True)
class Stale:
    """What there is to do about notices."""

    to_raise: Sequence[RowMapping]
    to_end: Sequence[uuid.UUID]
    forgotten: Sequence[uuid.UUID]
    """Mailboxes that are being disconnected, and whose request to do so is lost."""

    def __bool__(self) -> bool:
        return bool(self.to_raise or self.to_end or self.forgotten)


def stale_connections(connection: Connection, settings: Settings) -> Stale:
    """What has become so, or is over, since the last time. Only looks."""
    parameters = {
        "has_topic": settings.gmail_topic is not None,
        "poll_seconds": settings.poll_seconds,
        "grace_seconds": WATCH_GRACE_SECONDS,
        "behind_seconds": settings.behind_seconds,
    }
    return Stale(
        connection.execute(_TO_RAISE, parameters).mappings().all(),
        connection.execute(_TO_END, parameters).scalars().all(),
        connection.execute(_FORGOTTEN).scalars().all(),
    )


def tell_owners(connection: Connection, settings: Settings) -> dict[str, int]:
    """Raise notices for what has become so, end those of what is over, ask again for disconnections that are lost."""
    stale = stale_connections(connection, settings)
    for row in stale.to_raise:
        connection.execute(_RAISE, dict(row))
    if stale.to_end:
        connection.execute(_END, {"ids": list(stale.to_end)})
    asked = queue.enqueue_many(connection, stale.forgotten, asked_by="schedule", kind="disconnect")
    return {"raised": len(stale.to_raise), "ended": len(stale.to_end), "disconnections": len(asked)}
