"""SQL of what was learned."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

TOP = 5
MOST_CORRECTIONS = 50

# One row a kind, whatever there is of it.
_MODELS = text(
    """
    select k.kind, t.trained_at, coalesce(t.note, '') as training_note,
           coalesce(v.state, 'shared') as state, v.version, v.served_at, v.applied_at, coalesce(v.reason, '') as reason,
           coalesce(v.trained_from, '{}') as trained_from, v.evaluation->'comparison' as comparison,
           coalesce(v.moved_count, 0) as moved_count, v.weights <> '{}' as is_own
    from (values ('ranker'), ('classifier')) as k (kind)
    left join models.trainings t on t.mailbox_id = :mailbox_id and t.kind = k.kind
    left join lateral (
        select * from models.versions v
        where v.mailbox_id = :mailbox_id and v.kind = k.kind
          and (v.state = 'serving' or (v.state = 'candidate' and v.is_passed))
        order by v.state = 'serving' desc, v.created_at desc limit 1
    ) v on true
    order by k.kind desc
    """
)

# The model that heard a correction is the first one that was made after it and came to serve.
_CORRECTIONS = text(
    """
    select f.feedback_id, f.message_id, m.from_address, f.kind, f.value, f.created_at, t.note,
           coalesce(t.feedback_at >= f.created_at, false) as is_heard, v.model_id, v.version, v.applied_at, v.reason,
           v.state as model_state, coalesce(s.moved_count, 0) as moved_count
    from (
        select * from app.feedback
        where mailbox_id = :mailbox_id and kind in ('importance', 'category')
          and (cast(:message_id as uuid) is null or message_id = :message_id)
        order by created_at desc, feedback_id limit :most
    ) f
    join mail.messages m using (message_id)
    left join models.trainings t on t.mailbox_id = :mailbox_id
        and t.kind = case f.kind when 'importance' then 'ranker' else 'classifier' end
    left join lateral (
        select * from models.versions v
        where v.mailbox_id = :mailbox_id and v.created_at > f.created_at and v.state in ('serving', 'retired')
          and v.kind = case f.kind when 'importance' then 'ranker' else 'classifier' end
        order by v.created_at limit 1
    ) v on true
    left join lateral (
        select count(*) as moved_count
        from models.shifts s join mail.messages o on o.message_id = s.message_id
        where s.model_id = v.model_id and o.from_address = m.from_address
    ) s on true
    order by f.created_at desc, f.feedback_id
    """
)

_TOP = text(
    """
    select s.message_id, m.subject, m.from_address, s.score_before, s.score_after, s.place_before, s.place_after,
           s.category_before, s.category_after
    from models.shifts s
    join models.versions v on v.model_id = s.model_id
    join mail.messages m on m.message_id = s.message_id
    where s.mailbox_id = :mailbox_id
      and (s.model_id = :model_id or (cast(:model_id as uuid) is null and v.state = 'serving'))
      and (cast(:from_address as text) is null or m.from_address = :from_address)
    order by abs(s.score_after - s.score_before) desc, s.message_id
    limit :most
    """
)


def models(connection: Connection, mailbox_id: UUID) -> Sequence[RowMapping]:
    """What serves of each kind, or waits to, and the last training."""
    return connection.execute(_MODELS, {"mailbox_id": mailbox_id}).mappings().all()


def corrections(connection: Connection, mailbox_id: UUID, message_id: UUID | None) -> Sequence[RowMapping]:
    """The latest corrections (of one message), newest first, with the model that heard each."""
    parameters = {"mailbox_id": mailbox_id, "message_id": message_id, "most": MOST_CORRECTIONS}
    return connection.execute(_CORRECTIONS, parameters).mappings().all()


def top(
    connection: Connection, mailbox_id: UUID, *, model_id: UUID | None = None, from_address: str | None = None
) -> Sequence[RowMapping]:
    """The messages that a model (those that serve) moved farthest, of one sender or of all."""
    parameters = {"mailbox_id": mailbox_id, "model_id": model_id, "from_address": from_address, "most": TOP}
    return connection.execute(_TOP, parameters).mappings().all()
