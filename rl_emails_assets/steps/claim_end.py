"""The end of a run: what it says of the mailbox, and the request for what is left to do."""

from sqlalchemy import Connection, text

from rl_emails_assets.steps import raw_gmail_backlog as backlog
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.sync_queue import queue

# Only what this run has read is said to be shown: another run may have read more since, and not be as far as this one.
_SHOWN = text(
    """
    update mailboxes.connections m set
        materialized_at = now(),
        current_as_of = greatest(m.current_as_of, case m.provider
            when 'files' then (select min(c.started_at) from raw.cursors c
                               where c.mailbox_id = m.mailbox_id and c.source <> 'gmail')
            else (select (c.position->>'as_of')::timestamptz from raw.cursors c
                  where c.mailbox_id = m.mailbox_id and c.source = 'gmail' and c.position->>'as_of_run' = :run_id
                    and not exists (select from raw.backlog b
                                    where b.mailbox_id = m.mailbox_id and b.found_by = 'history'))
            end)
    where m.mailbox_id = :mailbox_id
    """
)

FOLLOW_UP_SECONDS = 10.0
"""Gmail drops all but one push a second for a mailbox: after a push another look follows, whatever is pushed."""

_HAS_JUST_BEEN_PUSHED = text(
    "select exists (select from mailboxes.watches where mailbox_id = :mailbox_id "
    "and last_push_at > now() - make_interval(secs => :seconds))"
)

_LEFT = text(
    """
    select c.position->>'history_id' is null or c.position->'listing' <> 'null'::jsonb as is_listing,
           extract(epoch from (c.position->>'resume_at')::timestamptz - now())::float8 as wait_seconds
    from raw.cursors c join mailboxes.connections m using (mailbox_id)
    where c.mailbox_id = :mailbox_id and c.source = 'gmail' and m.provider = 'gmail' and m.state = 'connected'
    """
)


def note_shown(connection: Connection, step: StepContext) -> None:
    """In the transaction of the last priorities: say as of when the mailbox is shown."""
    connection.execute(_SHOWN, {"mailbox_id": step.mailbox_id, "run_id": step.run_id})


def end_claim(step: StepContext) -> None:
    """The last thing a run does: end its claim as done and ask for what is left, in one transaction."""
    with step.last_commit() as connection:
        if (seconds := seconds_to_next_run(connection, step)) is not None:
            queue.enqueue(connection, step.mailbox_id, asked_by="backlog", kind="partial", delay_seconds=seconds)
        elif _has_just_been_pushed(connection, step):
            queue.enqueue(connection, step.mailbox_id, asked_by="poll", kind="partial", delay_seconds=FOLLOW_UP_SECONDS)


def seconds_to_next_run(connection: Connection, step: StepContext) -> float | None:
    """In how many seconds a run should go on with what this one left; None when nothing is left."""
    left = connection.execute(_LEFT, {"mailbox_id": step.mailbox_id}).one_or_none()
    if left is None:
        return None
    waits = [] if left.wait_seconds is None else [left.wait_seconds]
    next_due = backlog.next_due_seconds(connection, step.mailbox_id)
    if left.is_listing or next_due is not None:
        waits.append(0.0 if left.is_listing or next_due is None else next_due)
    return float(max([0.0, *waits])) if waits else None


def _has_just_been_pushed(connection: Connection, step: StepContext) -> bool:
    parameters = {"mailbox_id": step.mailbox_id, "seconds": FOLLOW_UP_SECONDS}
    return bool(connection.execute(_HAS_JUST_BEEN_PUSHED, parameters).scalar_one())
