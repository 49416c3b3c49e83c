"""The compact rows of a mailbox's past, as signals/ reads them."""

import uuid
from collections.abc import Collection, Sequence

import polars as pl
from psycopg.rows import tuple_row
from sqlalchemy import Connection

from rl_emails_assets.db.bulk import driver_connection
from rl_emails_assets.signals.keys import HISTORY_SCHEMA

WHOLE_MAILBOX_FROM = 2_000
"""From this many wanted messages on, the whole mailbox is read: nearly everything shares a key with one of them."""

_COLUMNS = """
    select m.message_id::text, m.thread_id::text, m.rfc822_message_id,
           coalesce(nullif(m.in_reply_to, ''), m.reference_ids[cardinality(m.reference_ids)], ''),
           m.received_at, m.from_address,
           jsonb_path_query_array(m."to", '$[*].address'), jsonb_path_query_array(m.cc, '$[*].address')
    from mail.messages m
"""

_WHOLE = f"{_COLUMNS} where m.mailbox_id = %(mailbox_id)s and m.duplicate_of is null"

# What signals.affected.history_of selects: the wanted, their senders' and domains' mail with its conversations, and the
# owner's mail to those senders.
_RELATED = f"""
with wanted as (
    select m.thread_id, m.from_address, p.domain
    from mail.messages m
    left join mail.participants p on p.message_id = m.message_id and p.role = 'from'
    where m.message_id = any(%(ids)s)
), related as (
    select p.message_id from mail.participants p
    where p.mailbox_id = %(mailbox_id)s and p.role = 'from'
      and (p.address in (select from_address from wanted)
           or (p.domain in (select domain from wanted) and not p.domain = any(%(public_hosts)s)))
), threads as (
    select thread_id from wanted
    union
    select m.thread_id from mail.messages m where m.message_id in (select message_id from related)
), sent as (
    select p.message_id from mail.participants p
    where p.mailbox_id = %(mailbox_id)s and p.role <> 'from' and p.address in (select from_address from wanted)
)
{_COLUMNS}
where m.mailbox_id = %(mailbox_id)s and m.duplicate_of is null
  and (m.thread_id in (select thread_id from threads) or m.message_id in (select message_id from sent))
"""  # noqa: S608 - no value is put into the text

# What signals.affected.affected reads: messages that a key may make outdated. The keys decide; this only narrows.
_LATER = f"""
{_COLUMNS}
where m.mailbox_id = %(mailbox_id)s and m.duplicate_of is null and m.received_at >= %(since)s
  and (m.from_address = any(%(contacts)s) or m.thread_id::text = any(%(threads)s)
       or substring(m.from_address from '[^@]*$') = any(%(domains)s))
"""


def related_history(
    connection: Connection, mailbox_id: uuid.UUID, ids: Sequence[uuid.UUID], public_hosts: Collection[str]
) -> pl.DataFrame:
    """Everything that the features of these messages depend on, as `HISTORY_SCHEMA` rows; perhaps more, never less."""
    if len(ids) >= WHOLE_MAILBOX_FROM:
        return _frame(connection, _WHOLE, {"mailbox_id": mailbox_id})
    parameters = {"mailbox_id": mailbox_id, "ids": list(ids), "public_hosts": list(public_hosts)}
    return _frame(connection, _RELATED, parameters)


def whole_history(connection: Connection, mailbox_id: uuid.UUID) -> pl.DataFrame:
    """Every message of the mailbox, as `HISTORY_SCHEMA` rows."""
    return _frame(connection, _WHOLE, {"mailbox_id": mailbox_id})


def later_messages(connection: Connection, mailbox_id: uuid.UUID, keys: pl.DataFrame) -> pl.DataFrame:
    """The messages that `keys` (from signals.affected.affected_keys) may make outdated."""
    of_kind = {kind: keys.filter(pl.col("kind") == kind)["key"].to_list() for kind in ("contact", "thread", "domain")}
    parameters: dict[str, object] = {
        "mailbox_id": mailbox_id,
        "since": keys["after_at"].min(),
        "contacts": of_kind["contact"],
        "threads": of_kind["thread"],
        "domains": of_kind["domain"],
    }
    return _frame(connection, _LATER, parameters)


def _frame(connection: Connection, query: str, parameters: dict[str, object]) -> pl.DataFrame:
    with driver_connection(connection).cursor(row_factory=tuple_row) as cursor:
        cursor.execute(query.encode(), parameters)
        return pl.DataFrame(cursor.fetchall(), schema=HISTORY_SCHEMA, orient="row")
