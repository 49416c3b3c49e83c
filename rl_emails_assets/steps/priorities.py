"""priorities.messages and priorities.threads: the score of each message, recorded with what it is made of."""

import uuid
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.tables import priorities
from rl_emails_assets.ranking import ranker
from rl_emails_assets.ranking.personal_part import PersonalPart
from rl_emails_assets.ranking.ranker import Ranker
from rl_emails_assets.ranking.reasons import against
from rl_emails_assets.steps import rank_inputs
from rl_emails_assets.steps.claim_end import note_shown
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.models_serving import note_applied, serving_person
from rl_emails_assets.steps.per_message import run_per_message
from rl_emails_assets.steps.records import as_row, inputs_hash

THREADS_VERSION = "1"


@cache
def loaded() -> Ranker:
    """The shipped ranker, loaded once a process."""
    return Ranker.load()


def ranker_of(part: PersonalPart | None) -> Ranker:
    """The shipped ranker with a mailbox's own part."""
    return loaded() if part is None else loaded().with_person(part)


def version(engine: Ranker | None = None) -> str:
    """The code's version and the models'; a change of one makes every score of the mailbox pending."""
    return f"{ranker.VERSION}/{(engine or loaded()).model_version}"


def run_messages(step: StepContext) -> StepResult:
    """Score the messages that have no score by what serves now, or whose inputs changed.

    What serves is read once, so that a run is of one mind; a change meanwhile asks for a run of its own. It is read
    with a lock in hand: a run that had waited here would else score by what served when it began.
    """
    with step.alone("priorities.ranker"):
        with step.engine.begin() as connection:
            part = serving_person(connection, step.mailbox_id)
        engine = ranker_of(part)
        result = run_per_message(step, priorities.messages, version(engine), partial(_rank_batch, step, engine))
        if part is not None:
            with step.engine.begin() as connection:
                note_applied(connection, step.mailbox_id, "ranker", part.version)
    return result


def _rank_batch(step: StepContext, engine: Ranker, connection: Connection, ids: list[uuid.UUID], _: StepResult) -> None:
    this_version = version(engine)
    rows: list[dict[str, Any]] = []
    for item in rank_inputs.of_ids(connection, ids):
        priority = engine.rank(item.message)
        rows.append(
            {
                "message_id": item.message_id,
                "mailbox_id": step.mailbox_id,
                "received_at": item.received_at,
                "score": priority.score,
                "contributions": [as_row(contribution) for contribution in priority.contributions],
                "base_log_odds": priority.base_log_odds,
                "reasons": list(priority.reasons),
                "reasons_against": list(against(priority)),
                "model_version": engine.model_version,
                "inputs_hash": inputs_hash(item.message),
                "version": this_version,
                "run_id": step.run_id,
            }
        )
    bulk.replace_rows(connection, priorities.messages, "message_id", rows)


# A conversation's row is out of date when a message of it was ranked after it was written, or none was ever written.
_PENDING_THREADS = text(
    """
    select t.thread_id
    from mail.threads t
    left join priorities.threads p
      on p.thread_id = t.thread_id and p.version = :version and p.computed_at >= t.computed_at
    where t.mailbox_id = :mailbox_id
      and (p.thread_id is null
           or exists (select from mail.messages m join priorities.messages s using (message_id)
                      where m.thread_id = t.thread_id and s.computed_at > p.computed_at))
    order by t.thread_id
    """
)

_WRITE_THREADS = text(
    """
    with scored as (
        select m.thread_id, m.message_id, m.received_at, p.score, s.is_from_owner
        from mail.messages m
        join priorities.messages p using (message_id)
        join signals.messages s using (message_id)
        where m.thread_id = any(:keys) and m.duplicate_of is null
    ), answered as (
        select thread_id, max(received_at) filter (where is_from_owner) as owner_at, max(received_at) as last_at
        from scored group by thread_id
    )
    insert into priorities.threads (thread_id, mailbox_id, score, message_id, last_at, version, run_id)
    select distinct on (s.thread_id) s.thread_id, :mailbox_id,
           -- What the owner has answered wants nothing more; the thread keeps a row, at the bottom.
           case when a.owner_at is not null and s.received_at <= a.owner_at then 0 else s.score end,
           s.message_id, a.last_at, :version, :run_id
    from scored s join answered a using (thread_id)
    order by s.thread_id, (a.owner_at is null or s.received_at > a.owner_at) desc, s.score desc, s.message_id
    """
)


def run_threads(step: StepContext) -> StepResult:
    """Say how much each conversation matters now, and as of when the mailbox is shown."""
    name = "priorities.threads"
    result = StepResult()
    with timed(result), step.alone(name):
        with step.engine.connect() as connection:
            parameters = {"mailbox_id": step.mailbox_id, "version": THREADS_VERSION}
            pending = list(connection.execute(_PENDING_THREADS, parameters).scalars())
        size = step.settings.batch_size * 4
        for start in range(0, len(pending), size):
            keys = pending[start : start + size]
            with step.commit() as connection:
                bulk.delete_rows(connection, priorities.threads, "thread_id", keys)
                row = {"keys": keys, "mailbox_id": step.mailbox_id, "version": THREADS_VERSION, "run_id": step.run_id}
                result.row_count += connection.execute(_WRITE_THREADS, row).rowcount
            step.report(Progress(name, start + len(keys), len(pending), "threads"))
        with step.commit() as connection:
            note_shown(connection, step)
    return result
