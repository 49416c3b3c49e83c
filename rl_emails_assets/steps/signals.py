"""signals.messages and signals.contacts: what was known when a message arrived, and the history with each address."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, select
from sqlalchemy.sql import func, text

from rl_emails_assets.db import bulk
from rl_emails_assets.db.history import later_messages, related_history
from rl_emails_assets.db.pending import batches, mark_range_stale, mark_stale, pending_message_ids
from rl_emails_assets.db.tables import mail, mailboxes, signals
from rl_emails_assets.signals.affected import affected, affected_keys
from rl_emails_assets.signals.contacts import contact_history
from rl_emails_assets.signals.content import content_features, owner_names
from rl_emails_assets.signals.history import history_features
from rl_emails_assets.signals.keys import PUBLIC_MAIL_HOSTS
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed
from rl_emails_assets.steps.records import as_row

VERSION = "2"
NAME = "signals.messages"


def owner_addresses(connection: Connection, mailbox_id: uuid.UUID) -> list[str]:
    """Every address that is the owner's, the mailbox's own included."""
    query = select(mailboxes.aliases.c.address).where(mailboxes.aliases.c.mailbox_id == mailbox_id)
    return sorted(connection.execute(query).scalars())


def run_messages(step: StepContext) -> StepResult:
    """Compute the features of new messages, and again those of later ones whose past they belong to."""
    result = StepResult(counts={"recomputed": 0})
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            if step.scope.force:
                mark_range_stale(connection, signals.messages, step.mailbox_id, step.scope.since, step.scope.until)
            pending = pending_message_ids(connection, signals.messages, VERSION, step.mailbox_id)
            owners = owner_addresses(connection, step.mailbox_id)
            names = owner_names(_display_name(connection, step.mailbox_id), owners)
            wanted, places, history = _with_affected(connection, step, pending, owners)
        result.counts["recomputed"] = len(wanted) - len(pending)
        if not wanted:
            return result
        if len(wanted) > len(pending):
            with step.engine.connect() as connection:
                history = related_history(connection, step.mailbox_id, wanted, PUBLIC_MAIL_HOSTS)
        # The features of all wanted messages at once: they are columns of one frame, and cost what the frame costs.
        of_message = {row["message_id"]: row for row in _features(history, wanted, owners).iter_rows(named=True)}
        for done, ids in enumerate(batches(wanted, step.settings.batch_size)):
            with step.commit() as connection:
                rows = [
                    row
                    | of_message[str(row["message_id"])]
                    | {"message_id": row["message_id"], "place_hash": places[str(row["message_id"])]}
                    for row in _content_rows(connection, step, ids, names)
                ]
                result.row_count += bulk.replace_rows(connection, signals.messages, "message_id", rows)
                mark_stale(connection, signals.messages, ids)
            step.report(Progress(NAME, min((done + 1) * step.settings.batch_size, len(wanted)), len(wanted)))
    return result


def _features(history: pl.DataFrame, wanted: Sequence[uuid.UUID], owners: list[str]) -> pl.DataFrame:
    return history_features(history, [str(message_id) for message_id in wanted], owners)


def _with_affected(
    connection: Connection, step: StepContext, pending: list[uuid.UUID], owners: list[str]
) -> tuple[list[uuid.UUID], dict[str, bytes], pl.DataFrame]:
    """The pending messages and every computed one that they make outdated, the hash of each one's place, and the
    history of the pending ones.

    That makes the result independent of the order in which mail arrives; mail that shares no contact, domain or
    conversation is not touched. A message that is only computed again, in the same place, makes nothing outdated.
    """
    if not pending:
        return pending, {}, pl.DataFrame()
    history = related_history(connection, step.mailbox_id, pending, PUBLIC_MAIL_HOSTS)
    places = _places(history)
    columns = signals.messages.c
    query = select(columns.message_id, columns.place_hash).where(columns.message_id == func.any(pending))
    known = {str(row.message_id): row.place_hash for row in connection.execute(query)}
    changed = [key for key in map(str, pending) if known.get(key) != places[key]]
    if not changed:
        return pending, places, history
    keys = affected_keys(changed, history, owners)
    later = later_messages(connection, step.mailbox_id, keys)
    outdated = affected(keys, later, owners) - {str(message_id) for message_id in pending}
    wanted = pending + sorted(uuid.UUID(message_id) for message_id in outdated)
    return wanted, _places(later) | places, history


def _places(history: pl.DataFrame) -> dict[str, bytes]:
    return {
        row["message_id"]: hashlib.sha256(repr(sorted(row.items())).encode()).digest()
        for row in history.iter_rows(named=True)
    }


def _content_rows(
    connection: Connection, step: StepContext, ids: list[uuid.UUID], names: frozenset[str]
) -> list[dict[str, Any]]:
    columns = mail.messages.c
    query = select(
        columns.message_id,
        columns.thread_id,
        columns.received_at,
        columns.sent_at,
        columns.in_reply_to,
        columns.subject,
        columns.new_text,
        columns.text,
        columns.headers,
        columns.from_address,
        columns.attachments,
        columns.calendar,
        columns.is_html_only,
    ).where(columns.message_id == func.any(ids))
    return [
        {
            "message_id": row.message_id,
            "mailbox_id": step.mailbox_id,
            "thread_id": row.thread_id,
            "received_at": row.received_at,
            **as_row(
                content_features(
                    subject=row.subject,
                    new_text=row.new_text,
                    text=row.text,
                    headers=row.headers,
                    from_address=row.from_address,
                    attachment_count=sum(1 for attachment in row.attachments if not attachment["is_inline"]),
                    has_calendar=row.calendar is not None,
                    is_html_only=row.is_html_only,
                    at=row.sent_at or row.received_at,
                    names=names,
                    in_reply_to=row.in_reply_to,
                )
            ),
            "version": VERSION,
            "run_id": step.run_id,
        }
        for row in connection.execute(query)
    ]


def _display_name(connection: Connection, mailbox_id: uuid.UUID) -> str:
    query = select(mailboxes.connections.c.display_name).where(mailboxes.connections.c.mailbox_id == mailbox_id)
    name: str = connection.execute(query).scalar_one()
    return name


_PENDING_CONTACTS = text(
    """
    select c.address from mail.contacts c
    left join signals.contacts s
      on s.mailbox_id = c.mailbox_id and s.address = c.address and s.version = :version
         and s.computed_at >= c.computed_at
    where c.mailbox_id = :mailbox_id and s.address is null and not c.address = any(:owners)
    """
)

_OF_CONTACTS = text(
    """
    select m.message_id
    from mail.participants p join mail.messages m using (message_id)
    where p.mailbox_id = :mailbox_id and p.address = any(:addresses) and m.duplicate_of is null
    """
)


_NO_HISTORY: dict[str, Any] = {
    "received_count": 0,
    "sent_count": 0,
    "replied_count": 0,
    "median_reply_hours": None,
    "last_received_at": None,
    "last_sent_at": None,
}


def run_contacts(step: StepContext) -> StepResult:
    """The history with every address whose messages changed."""
    name = "signals.contacts"
    result = StepResult()
    with timed(result), step.alone(name), step.commit() as connection:
        owners = owner_addresses(connection, step.mailbox_id)
        parameters = {"mailbox_id": step.mailbox_id, "version": VERSION, "owners": owners}
        pending = list(connection.execute(_PENDING_CONTACTS, parameters).scalars())
        if pending:
            found = connection.execute(_OF_CONTACTS, {"mailbox_id": step.mailbox_id, "addresses": pending}).scalars()
            history = related_history(connection, step.mailbox_id, list(found), PUBLIC_MAIL_HOSTS)
            # An address that only third parties wrote to has a row too, of zeros, or it would be pending for ever.
            computed = {row["address"]: row for row in contact_history(history, pending, owners).iter_rows(named=True)}
            rows = [
                _NO_HISTORY
                | computed.get(address, {})
                | {"address": address, "mailbox_id": step.mailbox_id, "version": VERSION, "run_id": step.run_id}
                for address in pending
            ]
            connection.execute(
                signals.contacts.delete().where(
                    signals.contacts.c.mailbox_id == step.mailbox_id, signals.contacts.c.address == func.any(pending)
                )
            )
            result.row_count = bulk.copy_rows(connection, signals.contacts, rows)
        step.report(Progress(name, len(pending), len(pending), "contacts"))
    return result
