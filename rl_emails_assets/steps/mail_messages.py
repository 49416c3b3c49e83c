"""mail.messages: each stored message parsed, placed in its conversation, and told apart from folder copies."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.sql import func

from rl_emails_assets.db import bulk
from rl_emails_assets.db.mailbox_rows import add_aliases
from rl_emails_assets.db.search_rows import fill_search
from rl_emails_assets.db.tables import mail, mailboxes, raw
from rl_emails_assets.db.thread_state import apply_assignment, load_state
from rl_emails_assets.mail.links import has_mismatched_link
from rl_emails_assets.mail.markup import markup
from rl_emails_assets.mail.message import Address, Defect, Message
from rl_emails_assets.mail.owner import OwnerRow, owner_aliases
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.mail.subjects import subject_key
from rl_emails_assets.mail.threading import Arrival, assign, needed
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.steps.per_message import count, run_per_message
from rl_emails_assets.steps.records import as_row

VERSION = "2"
SNIPPET_CHARACTERS = 200
FINGERPRINT_CHARACTERS = 20_000
FUTURE_TOLERANCE = timedelta(days=1)


def run(step: StepContext) -> StepResult:
    """Parse what is stored and not parsed at this version, in the order it was stored."""
    result = run_per_message(step, mail.messages, VERSION, partial(_parse_batch, step))
    if filled := fill_search(step.engine, step.mailbox_id):
        count(result, "search_filled", filled)
    with step.commit() as connection:
        # A run that was killed after its last batch has not looked yet; nor has any step behind this one.
        if result.row_count or connection.execute(_NOT_READ_YET, {"mailbox_id": step.mailbox_id}).scalar_one():
            count(result, "aliases_found", find_aliases(connection, step.mailbox_id))
    return result


_NOT_READ_YET = text(
    """
    select exists (select from mail.messages m
                   where m.mailbox_id = :mailbox_id and m.duplicate_of is null
                     and not exists (select from signals.messages s where s.message_id = m.message_id))
    """
)

_SENDERS = text(
    """
    select m.from_address, m.from_name, m.headers->>'delivered-to' as delivered_to,
           m.headers->>'x-original-to' as original_to,
           array(select l.label from raw.labels l where l.message_id = m.message_id) as labels
    from mail.messages m
    where m.mailbox_id = :mailbox_id and m.duplicate_of is null
    """
)


def find_aliases(connection: Connection, mailbox_id: uuid.UUID) -> int:
    """Look in the sent mail for other addresses of the owner, and keep them. Returns how many were new."""
    query = select(mailboxes.connections.c.address).where(mailboxes.connections.c.mailbox_id == mailbox_id)
    owner: str = connection.execute(query).scalar_one()
    senders = (
        OwnerRow(
            from_address=row.from_address,
            from_name=row.from_name,
            labels=frozenset(row.labels),
            delivered_to=frozenset(
                address.strip("<> ").lower() for address in (row.delivered_to, row.original_to) if address
            ),
        )
        for row in connection.execute(_SENDERS, {"mailbox_id": mailbox_id})
    )
    return add_aliases(connection, mailbox_id, owner_aliases(senders, owner=owner), found_by="sent_mail")


def _parse_batch(step: StepContext, connection: Connection, ids: list[uuid.UUID], result: StepResult) -> None:
    columns = raw.messages.c
    stored = connection.execute(
        select(
            columns.message_id,
            columns.seq,
            columns.provider_thread_id,
            columns.provider_received_at,
            columns.stored_at,
            columns.rfc822,
        )
        .where(columns.message_id == func.any(ids))
        .order_by(columns.seq)
    ).all()
    rows: list[dict[str, Any]] = []
    participants: list[dict[str, Any]] = []
    arrivals: list[Arrival] = []
    for item in stored:
        message = parse(item.rfc822)
        row = _row(message, item, step)
        rows.append(row)
        people = _participants(message, row)
        participants.extend(people)
        arrivals.append(_arrival(message, item, row, people))
    kept = _kept_threads(connection, rows)
    # A message that is parsed again must not find itself as the one it copies, nor its old place in a thread.
    bulk.delete_rows(connection, mail.participants, "message_id", ids)
    bulk.delete_rows(connection, mail.messages, "message_id", ids)
    arrivals = [arrival for arrival in arrivals if arrival.message_id not in kept]
    assignment = assign(arrivals, load_state(connection, step.mailbox_id, needed(arrivals)))
    apply_assignment(connection, step.mailbox_id, assignment)
    originals = _originals(connection, step.mailbox_id, rows)
    placed = assignment.thread_of | {key: assignment.merged.get(thread, thread) for key, thread in kept.items()}
    for row in rows:
        row["thread_id"] = placed[row["message_id"]]
        row["duplicate_of"] = originals.get(row["message_id"])
    bulk.copy_rows(connection, mail.messages, rows)
    bulk.copy_rows(connection, mail.participants, participants)
    _share_labels(connection, originals)
    _mark_summaries_stale(connection, step.mailbox_id, rows, participants)
    count(result, "folder_copies", len(originals))
    count(result, "with_defects", sum(1 for row in rows if row["defects"]))


_PLACING = ("rfc822_message_id", "in_reply_to", "reference_ids", "subject_key", "from_address")


def _kept_threads(connection: Connection, rows: list[dict[str, Any]]) -> dict[uuid.UUID, uuid.UUID]:
    """The places of messages that are parsed again and whose headers say what they said: placed once is for good."""
    wanted = {row["message_id"]: row for row in rows}
    columns = mail.messages.c
    before = connection.execute(
        select(columns.message_id, columns.thread_id, *(columns[name] for name in _PLACING)).where(
            columns.message_id == func.any(list(wanted))
        )
    ).mappings()
    return {
        row["message_id"]: row["thread_id"]
        for row in before
        if all(row[name] == wanted[row["message_id"]][name] for name in _PLACING)
    }


def _row(message: Message, item: Any, step: StepContext) -> dict[str, Any]:
    received_at, defects = _received(message, item)
    from_ = message.from_ or message.sender or Address("", "")
    return {
        "message_id": item.message_id,
        "mailbox_id": step.mailbox_id,
        "thread_id": None,
        "duplicate_of": None,
        "fingerprint": fingerprint(message, from_.address, received_at),
        "rfc822_message_id": message.rfc822_message_id,
        "in_reply_to": message.in_reply_to,
        "reference_ids": list(message.references),
        "from_name": from_.name,
        "from_address": from_.address,
        "reply_to": _addresses(message.reply_to),
        "to": _addresses(message.to),
        "cc": _addresses(message.cc),
        "bcc": _addresses(message.bcc),
        "subject": message.subject,
        "subject_key": subject_key(message.subject)[:500],
        "received_at": received_at,
        "sent_at": message.sent_at,
        "text": message.text,
        "new_text": message.new_text,
        "signature": message.signature,
        "snippet": " ".join((message.new_text or message.text)[: SNIPPET_CHARACTERS * 4].split())[:SNIPPET_CHARACTERS],
        "is_html_only": message.is_html_only,
        "has_mismatched_link": has_mismatched_link(message.html),
        "markup": markup(message.html),
        "attachments": [as_row(attachment) for attachment in message.attachments],
        "calendar": _calendar(message),
        "headers": dict(message.headers),
        "defects": [as_row(defect) for defect in defects],
        "size_bytes": message.size_bytes,
        "version": VERSION,
        "run_id": step.run_id,
    }


def _received(message: Message, item: Any) -> tuple[datetime, tuple[Defect, ...]]:
    """When the owner's side got it: what the mail says, else what the provider says, else when it was stored.

    A time in the future would keep a message at the top for ever, so it is not believed.
    """
    latest = item.stored_at + FUTURE_TOLERANCE
    for candidate in (message.received_at, item.provider_received_at, message.sent_at):
        if candidate is not None and candidate <= latest:
            if candidate == message.received_at:
                return candidate, message.defects
            defect = Defect("received-at", "No usable Received or Date header; the provider's time stands in.")
            return candidate, (*message.defects, defect)
    defect = Defect("received-at", "No usable date anywhere; the time of import stands in.")
    return item.stored_at, (*message.defects, defect)


def fingerprint(message: Message, from_address: str, received_at: datetime) -> bytes:
    """The same for the folder copies that some programs make of a message under another Message-ID."""
    written_at = (message.sent_at or received_at).astimezone(UTC).replace(second=0, microsecond=0)
    body = "".join(message.text[:FINGERPRINT_CHARACTERS].split())
    names = ",".join(attachment.filename for attachment in message.attachments)
    parts = (written_at.isoformat(), from_address, " ".join(message.subject.split()), names, body)
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _originals(connection: Connection, mailbox_id: uuid.UUID, rows: list[dict[str, Any]]) -> dict[uuid.UUID, uuid.UUID]:
    """For each folder copy in the batch, the message it copies: the first stored with that fingerprint."""
    columns = mail.messages.c
    known: dict[bytes, uuid.UUID] = {
        row.fingerprint: row.message_id
        for row in connection.execute(
            select(columns.fingerprint, columns.message_id).where(
                columns.mailbox_id == mailbox_id,
                columns.fingerprint == func.any([row["fingerprint"] for row in rows]),
                columns.duplicate_of.is_(None),
            )
        )
    }
    originals: dict[uuid.UUID, uuid.UUID] = {}
    for row in rows:
        original = known.setdefault(row["fingerprint"], row["message_id"])
        if original != row["message_id"]:
            originals[row["message_id"]] = original
    return originals


def _share_labels(connection: Connection, originals: dict[uuid.UUID, uuid.UUID]) -> None:
    """Give the message the labels of its copies: to its owner it lies in all of these folders."""
    if originals:
        connection.execute(
            text(
                "insert into raw.labels (mailbox_id, message_id, label, is_shared) "
                "select distinct l.mailbox_id, c.original, l.label, true "
                "from unnest(cast(:copies as uuid[]), cast(:originals as uuid[])) as c(copy, original) "
                "join raw.labels l on l.message_id = c.copy on conflict do nothing"
            ),
            {"copies": list(originals), "originals": list(originals.values())},
        )


def _mark_summaries_stale(
    connection: Connection, mailbox_id: uuid.UUID, rows: list[dict[str, Any]], participants: list[dict[str, Any]]
) -> None:
    threads = {row["thread_id"] for row in rows}
    connection.execute(
        update(mail.threads).where(mail.threads.c.thread_id == func.any(list(threads))).values(is_stale=True)
    )
    addresses = {person["address"] for person in participants}
    contacts = mail.contacts.c
    connection.execute(
        update(mail.contacts)
        .where(contacts.mailbox_id == mailbox_id, contacts.address == func.any(list(addresses)))
        .values(is_stale=True)
    )


def _participants(message: Message, row: dict[str, Any]) -> list[dict[str, Any]]:
    from_ = (Address(row["from_name"], row["from_address"]),) if row["from_address"] else ()
    roles = (("from", from_), ("to", message.to), ("cc", message.cc), ("bcc", message.bcc))
    return [
        {
            "message_id": row["message_id"],
            "mailbox_id": row["mailbox_id"],
            "role": role,
            "position": position,
            "address": address.address,
            "domain": address.address.rpartition("@")[2] if "@" in address.address else "",
            "name": address.name,
        }
        for role, addresses in roles
        for position, address in enumerate(addresses)
    ]


def _arrival(message: Message, item: Any, row: dict[str, Any], people: list[dict[str, Any]]) -> Arrival:
    return Arrival(
        message_id=item.message_id,
        seq=item.seq,
        rfc822_message_id=message.rfc822_message_id,
        in_reply_to=message.in_reply_to,
        references=message.references,
        subject=message.subject,
        from_address=row["from_address"],
        recipients=frozenset(person["address"] for person in people if person["role"] in {"to", "cc"}),
        received_at=row["received_at"],
        provider_thread_id=item.provider_thread_id,
    )


def _addresses(addresses: tuple[Address, ...]) -> list[dict[str, str]]:
    return [as_row(address) for address in addresses]


def _calendar(message: Message) -> dict[str, Any] | None:
    if message.calendar is None:
        return None
    event = as_row(message.calendar)
    for name in ("starts_at", "ends_at"):
        event[name] = event[name].isoformat() if event[name] is not None else None
    return event
