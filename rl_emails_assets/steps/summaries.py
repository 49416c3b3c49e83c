"""mail.threads and mail.contacts: rows summed up, in the database, from the messages they stand for."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, Table, TextClause, text

from rl_emails_assets.db.tables import mail
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed

VERSION = "1"

_PENDING_THREADS = text(
    """
    select distinct m.thread_id
    from mail.messages m
    left join mail.threads t on t.thread_id = m.thread_id and t.version = :version and not t.is_stale
    where m.mailbox_id = :mailbox_id and t.thread_id is null
    order by m.thread_id
    """
)

# A folder copy stands for no message of its own; a thread of nothing but copies is left without a row.
_WRITE_THREADS = text(
    """
    insert into mail.threads (thread_id, mailbox_id, subject, message_count, participants, first_at, last_at,
                              last_message_id, version, run_id)
    select m.thread_id, :mailbox_id,
           (array_agg(m.subject order by m.received_at, m.message_id))[1],
           count(*),
           (select coalesce(array_agg(distinct p.address order by p.address), '{}') from mail.participants p
            where p.message_id = any(array_agg(m.message_id))),
           min(m.received_at), max(m.received_at),
           (array_agg(m.message_id order by m.received_at desc, m.message_id desc))[1],
           :version, :run_id
    from mail.messages m
    where m.thread_id = any(:keys) and m.duplicate_of is null
    group by m.thread_id
    """
)

_PENDING_CONTACTS = text(
    """
    select distinct p.address
    from mail.participants p
    left join mail.contacts c
      on c.mailbox_id = p.mailbox_id and c.address = p.address and c.version = :version and not c.is_stale
    where p.mailbox_id = :mailbox_id and c.address is null
    order by p.address
    """
)

_WRITE_CONTACTS = text(
    """
    with seen as (
        select p.address, p.role, p.name, m.message_id, m.received_at
        from mail.participants p join mail.messages m using (message_id)
        where p.mailbox_id = :mailbox_id and p.address = any(:keys) and m.duplicate_of is null
    ), names as (
        select distinct on (address) address, name
        from (select address, name, count(*) as uses, max(received_at) as last_at
              from seen where name <> '' and lower(name) <> address group by address, name) n
        order by address, uses desc, last_at desc, name
    )
    insert into mail.contacts (mailbox_id, address, name, from_count, to_count, first_at, last_at, version, run_id)
    select :mailbox_id, s.address, coalesce(max(n.name), ''),
           count(distinct s.message_id) filter (where s.role = 'from'),
           count(distinct s.message_id) filter (where s.role <> 'from'),
           min(s.received_at), max(s.received_at), :version, :run_id
    from seen s left join names n using (address)
    group by s.address
    """
)


def run_threads(step: StepContext) -> StepResult:
    """Sum up the conversations that have no row at this version, or whose messages changed."""
    return _run(step, "mail.threads", mail.threads, _PENDING_THREADS, _WRITE_THREADS, "thread_id")


def run_contacts(step: StepContext) -> StepResult:
    """Sum up the addresses that have no row at this version, or whose messages changed."""
    return _run(step, "mail.contacts", mail.contacts, _PENDING_CONTACTS, _WRITE_CONTACTS, "address")


def _run(
    step: StepContext, name: str, table: Table, pending_query: TextClause, write: TextClause, key: str
) -> StepResult:
    result = StepResult()
    unit = table.name
    with timed(result), step.alone(name):
        with step.engine.connect() as connection:
            parameters = {"mailbox_id": step.mailbox_id, "version": VERSION}
            pending: Sequence[uuid.UUID | str] = connection.execute(pending_query, parameters).scalars().all()
        for start in range(0, len(pending), step.settings.batch_size):
            keys = list(pending[start : start + step.settings.batch_size])
            with step.commit() as connection:
                _delete(connection, table, key, step.mailbox_id, keys)
                parameters = {"keys": keys, "mailbox_id": step.mailbox_id, "version": VERSION, "run_id": step.run_id}
                result.row_count += connection.execute(write, parameters).rowcount
            step.report(Progress(name, start + len(keys), len(pending), unit))
    return result


def _delete(connection: Connection, table: Table, key: str, mailbox_id: uuid.UUID, keys: Sequence[object]) -> None:
    connection.execute(
        table.delete().where(table.c.mailbox_id == mailbox_id, table.c[key] == text("any(:keys)").bindparams(keys=keys))
    )
