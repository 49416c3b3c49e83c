"""Everything that is kept of a mailbox or a person, as a zip file: mail as mbox, every table as JSON lines.

Read in short transactions, a few megabytes at a time, so that neither the size of the mailbox nor a slow reader
matters. Mail that arrives meanwhile may be in one file and not yet in another. Which tables there are is asked of the
schema: one that is added later is exported without anybody thinking of it.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, false, func, literal, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from rl_emails_assets.db.export import messages_page
from rl_emails_assets.db.mailbox_rows import Mailbox
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import api_clients, identity, mail, raw
from rl_emails_assets.privacy.archive import Member, zipped
from rl_emails_assets.privacy.mbox import mbox_entry

Connect = Callable[[], AbstractContextManager[Connection]]
"""Opens a short transaction that sees what is to be exported."""

PAGE_ROWS = 500
PAGE_BYTES = 4 * 1024 * 1024
"""Of raw mail that is held at a time, unless one message is larger."""
LEFT_OUT = {
    "mailboxes.credentials": "the tokens that let rl-emails into the mailbox; they are of no use elsewhere",
    "embeddings.messages": "numbers made of each message's text by a public model; the text is in the export",
    "raw.listings": "a work list of a sync that is under way",
    "search.messages": "the words of each message as search looks them up; the text is in the export",
    "search.unfilled": "a work list of search",
    "privacy.suppressed": "hashes of messages that were erased",
}
"""Tables of a mailbox that are not exported, and why."""
LEFT_OUT_COLUMNS = {
    "raw.messages": ("rfc822",),
    "mail.messages": ("search",),
    "identity.sessions": ("token_hash",),
    "identity.api_keys": ("key_hash",),
    "app.webhooks": ("sealed_secret",),
}
"""The mail is in mail.mbox; the index is made of the columns beside it; hashes of secrets are secrets."""

_MAY_READ = text(
    "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where c.relkind = 'r' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')"
)

_README = """\
This is what rl-emails keeps of {subject}, as of {now}.

{layout}
manifest.json     size, SHA-256 and number of records of each file
{left_out}
mail.mbox is in the mboxrd format, byte for byte as the provider gave each message but for lines that begin with
"From ", which have a ">" before them; any mail program opens it, and `rl-emails import` reads it.
Files that end in .jsonl hold one JSON document a line. Times are UTC. Bytes are hexadecimal.
Tables are described in docs/reference/data.md of rl-emails.
"""
_MAILBOX_LAYOUT = """\
{folder}mail.mbox        every message as it was received
{folder}messages.jsonl   one line a message: people, subject, labels, verdict, score with its reasons, tasks
{folder}tables/          every table that holds rows of it, one file each: what was parsed, worked out, said and done
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an export is about: one address in some mailboxes, or, without an address, whole mailboxes."""

    mailboxes: Sequence[Mailbox]
    address: str | None = None
    user_id: uuid.UUID | None = None
    """The member whose own rows and mailboxes are exported, for an address that is a member's."""
    own: Sequence[Mailbox] = ()
    """That member's own mailboxes, exported whole."""


def exported(connect: Connect, subject: Subject, now: datetime) -> Iterator[bytes]:
    """The archive, piece by piece."""
    return zipped(_members(connect, subject, now))


def _members(connect: Connect, subject: Subject, now: datetime) -> Iterator[Member]:
    yield Member("README.txt", [_readme(subject, now).encode()])
    for mailbox, folder in _folders(subject):
        address = None if mailbox in subject.own else subject.address
        yield from _of_mailbox(connect, mailbox, address, folder)
    if subject.user_id is not None:
        for table in _readable(connect, member_tables()):
            condition = table.c.user_id == subject.user_id
            yield _table_member(connect, table, condition, f"member/{table.fullname}.jsonl")


def _folders(subject: Subject) -> list[tuple[Mailbox, str]]:
    if subject.address is None and len(subject.mailboxes) == 1:
        return [(subject.mailboxes[0], "")]
    seen = [*subject.own, *(each for each in subject.mailboxes if each not in subject.own)]
    return [(each, f"mailboxes/{each.mailbox_id}/") for each in seen]


def _readme(subject: Subject, now: datetime) -> str:
    folder = _folders(subject)[0][1] if len(_folders(subject)) == 1 else "mailboxes/ID/"
    layout = _MAILBOX_LAYOUT.format(folder="" if not folder else "mailboxes/ID/") if _folders(subject) else ""
    if subject.address is None:
        named = f"the mailbox {subject.mailboxes[0].address}"
    else:
        named = (
            f"{subject.address} in {len(_folders(subject))} mailboxes: messages from and to it, and rows that name it"
        )
    if subject.user_id is not None:
        layout += "member/           who they are here: membership, devices and keys, without their secrets\n"
    left_out = "".join(f"Not here: {name}, {why}.\n" for name, why in LEFT_OUT.items())
    return _README.format(subject=named, now=now.isoformat(), layout=layout, left_out=left_out)


def _of_mailbox(connect: Connect, mailbox: Mailbox, address: str | None, folder: str) -> Iterator[Member]:
    chosen = None if address is None else _messages_of(mailbox, address)
    counter = _Counter()
    yield Member(f"{folder}mail.mbox", _mbox(connect, mailbox, chosen, counter), counter.value)
    counter = _Counter()
    yield Member(f"{folder}messages.jsonl", _messages(connect, mailbox, address, counter), counter.value)
    for table in _readable(connect, mailbox_tables()):
        condition = table.c.mailbox_id == mailbox.mailbox_id
        if chosen is not None and address is not None:
            condition &= _about(table, chosen, address)
        yield _table_member(connect, table, condition, f"{folder}tables/{table.fullname}.jsonl")


def mailbox_tables() -> list[Table]:
    """Every table that an export of a mailbox has."""
    return [table for table in metadata.sorted_tables if "mailbox_id" in table.c and table.fullname not in LEFT_OUT]


def member_tables() -> list[Table]:
    """Every table that an export of a member has beside their mailboxes."""
    return [
        table
        for table in metadata.sorted_tables
        if "user_id" in table.c
        and "mailbox_id" not in table.c
        and table.schema != "privacy"
        and table not in (identity.audit_events, api_clients.idempotency_keys)
    ]


def _readable(connect: Connect, tables: Sequence[Table]) -> list[Table]:
    """Those of the tables that whoever exports may read at all."""
    with connect() as connection:
        may = set(connection.execute(_MAY_READ).scalars())
    return [table for table in tables if table.fullname in may]


class _Counter:
    def __init__(self) -> None:
        self._count = 0

    def add(self, number: int) -> None:
        self._count += number

    def value(self) -> int:
        return self._count


def _messages_of(mailbox: Mailbox, address: str) -> ColumnElement[Any]:
    """The ids of the messages from or to the address, as a subquery."""
    columns = mail.participants.c
    query = select(columns.message_id).where(
        columns.mailbox_id == mailbox.mailbox_id, columns.address == address.strip().lower()
    )
    return query.scalar_subquery()


def _about(table: Table, chosen: ColumnElement[Any], address: str) -> ColumnElement[bool]:
    """Rows of those messages, and rows that hold the address in a column of their own."""
    conditions: list[ColumnElement[bool]] = []
    if "message_id" in table.c:
        conditions.append(table.c.message_id.in_(chosen))
    for column in table.c:
        if column.name in {"address", "owner_address", "waiting_with"}:
            conditions.append(column == address.strip().lower())
        elif column.name in {"addresses", "people", "participants"} and isinstance(column.type, ARRAY):
            conditions.append(literal(address.strip().lower()) == func.any(column))
    return or_(*conditions) if conditions else false()


def _mbox(connect: Connect, mailbox: Mailbox, chosen: ColumnElement[Any] | None, counter: _Counter) -> Iterator[bytes]:
    columns = raw.messages.c
    last = -1
    while True:
        sizes = (
            select(columns.seq, columns.size_bytes)
            .where(columns.mailbox_id == mailbox.mailbox_id, columns.seq > last)
            .order_by(columns.seq)
            .limit(PAGE_ROWS)
        )
        if chosen is not None:
            sizes = sizes.where(columns.message_id.in_(chosen))
        with connect() as connection:
            page = _first_bytes(connection.execute(sizes).all())
            if not page:
                return
            query = (
                select(columns.rfc822, func.coalesce(mail.messages.c.received_at, columns.provider_received_at))
                .join(mail.messages, mail.messages.c.message_id == columns.message_id, isouter=True)
                .where(columns.mailbox_id == mailbox.mailbox_id, columns.seq == func.any(page))
                .order_by(columns.seq)
            )
            found = connection.execute(query).all()
        last = page[-1]
        counter.add(len(found))
        for rfc822, received_at in found:
            yield mbox_entry(bytes(rfc822), received_at)


def _first_bytes(sizes: Sequence[Any]) -> list[int]:
    """The first of these messages that together are no larger than a page, one at least."""
    chosen: list[int] = []
    total = 0
    for seq, size in sizes:
        if chosen and total + size > PAGE_BYTES:
            break
        chosen.append(seq)
        total += size
    return chosen


def _messages(connect: Connect, mailbox: Mailbox, address: str | None, counter: _Counter) -> Iterator[bytes]:
    after: tuple[datetime, uuid.UUID] | None = None
    while True:
        with connect() as connection:
            page = messages_page(connection, mailbox, with_copies=True, after=after, limit=PAGE_ROWS, address=address)
        if not page:
            return
        counter.add(len(page))
        yield b"".join(_line(row) for row in page)
        after = page[-1]["received_at"], page[-1]["message_id"]


def _table_member(connect: Connect, table: Table, condition: ColumnElement[bool], name: str) -> Member:
    counter = _Counter()
    return Member(name, _rows(connect, table, condition, counter), counter.value)


def _rows(connect: Connect, table: Table, condition: ColumnElement[bool], counter: _Counter) -> Iterator[bytes]:
    left_out = LEFT_OUT_COLUMNS.get(table.fullname, ())
    shown: list[Column[Any]] = [column for column in table.c if column.name not in left_out]
    key = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        query = select(*shown).where(condition).order_by(*key).limit(PAGE_ROWS)
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last))
        with connect() as connection:
            page = connection.execute(query).mappings().all()
        if not page:
            return
        counter.add(len(page))
        yield b"".join(_line(dict(row)) for row in page)
        last = tuple(page[-1][column.name] for column in key)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)
