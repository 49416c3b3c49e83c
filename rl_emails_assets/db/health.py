"""What the checks look at: numbers over all mailboxes that are 0 while everything is well."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

UNPARSED = """
    select r.mailbox_id, count(*) as row_count from raw.messages r
    where not exists (select from mail.messages m where m.message_id = r.message_id) group by 1
"""
GAPS = "select mailbox_id, count(*) as row_count from raw.gaps group by 1"
UNFINISHED_SOURCES = "select mailbox_id, count(*) as row_count from raw.cursors where not is_complete group by 1"
EMPTY_HTML = """
    select m.mailbox_id, count(*) as row_count from mail.messages m
    where m.is_html_only and m.text = '' and m.size_bytes > 2000 group by 1
"""
WITHOUT_VECTOR = """
    select m.mailbox_id, count(*) as row_count from mail.messages m
    where m.duplicate_of is null
      and not exists (select from embeddings.messages e where e.message_id = m.message_id) group by 1
"""
UNRANKED = """
    select m.mailbox_id, count(*) as row_count from mail.messages m
    where m.duplicate_of is null
      and not exists (select from priorities.messages p where p.message_id = m.message_id and not p.is_stale)
    group by 1
"""
# A mixture of several models' vectors has distances that mean nothing.
MIXED_VECTORS = """
    select mailbox_id, count(distinct (model, precision)) - 1 as row_count from embeddings.messages
    group by 1 having count(distinct (model, precision)) > 1
"""
CLASS_MIX = """
    select mailbox_id, category, count(*) as row_count from classifications.messages group by 1, 2 order by 1, 2
"""
SCORE_DRIFT = """
    with ranked as (
        select mailbox_id, score, ntile(5) over (partition by mailbox_id order by received_at) as fifth
        from priorities.messages
    )
    select mailbox_id, avg(score) filter (where fifth = 5) as newest, avg(score) filter (where fifth < 5) as before,
           stddev_samp(score) as spread, count(*) as row_count
    from ranked group by 1
"""

# It is renewed every day from the second on; one with less than a day left has failed to be for a day.
LAPSING_WATCHES = """
    select w.mailbox_id, 1 as row_count from mailboxes.watches w join mailboxes.connections c using (mailbox_id)
    where c.state = 'connected' and coalesce(w.expires_at < now() + interval '1 day', true)
"""
BEHIND = """
    select mailbox_id, 1 as row_count from mailboxes.connections
    where provider = 'gmail' and state = 'connected'
      and current_as_of < now() - make_interval(secs => :behind_seconds)
"""
# The rest of a first sync may take hours; what the history told of is new mail.
OLD_BACKLOG = """
    select mailbox_id, count(*) as row_count from raw.backlog
    where found_by = 'history' and added_at < now() - make_interval(secs => :behind_seconds) group by 1
"""
DEAD_LETTERS = """
    select mailbox_id, count(*) as row_count from sync_queue.ended_requests where state = 'failed' group by 1
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mailbox for which a number is not 0."""

    mailbox_id: str
    row_count: int


def findings(connection: Connection, query: str, **parameters: object) -> list[Finding]:
    """The mailboxes for which one of the queries above finds something."""
    rows = connection.execute(text(query), parameters)
    return [Finding(str(row.mailbox_id), row.row_count) for row in rows]


def rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    """A query's rows as dicts."""
    return [dict(row) for row in connection.execute(text(query)).mappings()]
