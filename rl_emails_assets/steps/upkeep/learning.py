"""Which mailboxes have something new to learn from. Both functions only look."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, text

from rl_emails_assets.steps.models_behaviour import SILENCE_DAYS

DEBOUNCE_SECONDS = 2.0
"""Somebody who corrects several messages in a row is waited for."""
LOOK_BACK_DAYS = 1.0
"""Feedback older than this was missed by the sensor for a day; the schedule finds it."""
UNPROMOTED_SECONDS = 10.0
"""A candidate that waits for longer lost its run between training and promotion."""
LOOKED_HOURS = 20.0


@dataclass(frozen=True, slots=True)
class DueMailbox:
    """A mailbox to learn from, and what is new in it: the same text while nothing else has become new."""

    mailbox_id: uuid.UUID
    evidence: str


_SAID = text(
    """
    with spoken as (
        select distinct f.mailbox_id from app.feedback f
        where f.created_at > now() - make_interval(secs => :look_back_seconds) and f.kind in ('importance', 'category')
    ), heard as (
        select f.mailbox_id, case f.kind when 'importance' then 'ranker' else 'classifier' end as kind,
               count(*) as feedback_count, max(f.created_at) as feedback_at
        from app.feedback f join spoken using (mailbox_id)
        where f.kind in ('importance', 'category') group by 1, 2
    ), fresh as (
        select h.mailbox_id, concat_ws(' ', h.kind, h.feedback_count, h.feedback_at) as evidence, h.feedback_at as at
        from heard h left join models.trainings t using (mailbox_id, kind)
        where t.mailbox_id is null or t.feedback_count <> h.feedback_count
           or t.feedback_at is distinct from h.feedback_at
        union all
        select v.mailbox_id, concat_ws(' ', 'waiting', v.model_id), now() - interval '1 hour'
        from models.versions v
        where v.state = 'candidate' and v.is_passed
          and v.created_at < now() - make_interval(secs => :unpromoted_seconds)
    )
    select f.mailbox_id, md5(string_agg(f.evidence, ';' order by f.evidence)) as evidence
    from fresh f join mailboxes.connections c using (mailbox_id)
    where c.state <> 'disconnecting'
    group by f.mailbox_id
    having max(f.at) <= now() - make_interval(secs => :debounce_seconds)
    order by min(f.at), f.mailbox_id
    limit :most
    """
)

# A message settles by silence after so many days; later actions on it wait for the next such day.
_SETTLED = text(
    """
    select c.mailbox_id
    from mailboxes.connections c
    left join models.trainings t on t.mailbox_id = c.mailbox_id and t.kind = 'ranker'
    where c.state <> 'disconnecting'
      and coalesce(t.looked_at < now() - make_interval(secs => :looked_seconds), true)
      and exists (select from mail.messages m
                  where m.mailbox_id = c.mailbox_id and m.received_at < now() - make_interval(secs => :silence_seconds)
                    and m.received_at >= coalesce(t.looked_at - make_interval(secs => :silence_seconds), '-infinity'))
    order by t.looked_at nulls first, c.mailbox_id
    limit :most
    """
)


def mailboxes_with_news(
    connection: Connection, *, most: int, debounce_seconds: float = DEBOUNCE_SECONDS
) -> list[DueMailbox]:
    """Mailboxes whose owner said something that no training has seen, or whose new model nothing promoted."""
    parameters = {
        "look_back_seconds": LOOK_BACK_DAYS * 86400,
        "unpromoted_seconds": UNPROMOTED_SECONDS,
        "debounce_seconds": debounce_seconds,
        "most": most,
    }
    return [DueMailbox(row.mailbox_id, row.evidence) for row in connection.execute(_SAID, parameters)]


def mailboxes_with_outcomes(connection: Connection, *, most: int) -> list[uuid.UUID]:
    """Mailboxes in which messages settled since they were last looked through, the longest ago first."""
    parameters = {
        "looked_seconds": LOOKED_HOURS * 3600,
        "silence_seconds": SILENCE_DAYS * 86400,
        "most": most,
    }
    return list(connection.execute(_SETTLED, parameters).scalars())
