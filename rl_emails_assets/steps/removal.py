"""Messages that the provider deleted, and labels that it changed: what is stored becomes what it would be without them.

Both functions run in the caller's transaction and leave marks; the steps that follow compute what is marked. After
them every table is as if the removed messages had never been stored, and as if the labels had always been these. One
exception: an address that was found to be the owner's in sent mail stays the owner's when that mail is gone.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import func

from rl_emails_assets.db.history import later_messages, related_history
from rl_emails_assets.db.tables import app, entities, mail, priorities, raw, signals
from rl_emails_assets.db.thread_remarks import settle_remarks
from rl_emails_assets.db.thread_replay import Replay, apply_replay, replay_without
from rl_emails_assets.errors import TransientError
from rl_emails_assets.mail.owner import LABELS_READ as OWNER_LABELS
from rl_emails_assets.signals.affected import affected, affected_keys
from rl_emails_assets.signals.keys import PUBLIC_MAIL_HOSTS
from rl_emails_assets.steps.entities_task_progress import mark_stale as mark_tasks_stale
from rl_emails_assets.steps.mail_messages import find_aliases
from rl_emails_assets.steps.signals import owner_addresses

WRITTEN_BY = ("mail.messages", "mail.threads", "mail.contacts", "signals.messages")
"""The steps that must not be half way through this mailbox while messages are taken from under them."""
LONGEST_WAIT_SECONDS = 20
"""For such a step of another run. The caller's transaction is open meanwhile, so it gives up early and tries later."""


def remove_messages(connection: Connection, mailbox_id: uuid.UUID, message_ids: Collection[uuid.UUID]) -> int:
    """Delete stored messages and mark what has to be computed again. Returns how many were stored.

    What people said of a removed message (feedback, states of it and of its tasks) goes with it; notes on its
    conversation go with the last of its messages. A folder copy takes
    the place of a removed original. Conversations that only a removed message held together fall apart, and one that
    began with a removed message is named after the next one, as it would be had the message never come.

    Raises:
        TransientError: Another run is computing this mailbox.
    """
    columns = raw.messages.c
    query = select(columns.message_id).where(
        columns.mailbox_id == mailbox_id, columns.message_id == func.any(list(message_ids))
    )
    ids = list(connection.execute(query).scalars())
    if not ids:
        return 0
    _wait_for_steps(connection, mailbox_id)
    replay = replay_without(connection, mailbox_id, ids)
    before = _before(connection, mailbox_id, ids, replay)
    _mark_later_signals_stale(connection, mailbox_id, [*ids, *replay.moved])
    _delete_rows(connection, mailbox_id, ids)
    apply_replay(connection, mailbox_id, replay)
    promoted = _promote_copies(connection, before)
    _write_labels(connection, mailbox_id, {}, originals=before.originals | set(promoted))
    _mark_moved_stale(connection, replay)
    threads = before.threads | _threads_of(connection, [*replay.moved, *promoted])
    # Whoever wrote in one of these conversations may have been answered by a removed message.
    addresses = before.addresses | _addresses_in(connection, threads, promoted)
    _mark_summaries_stale(connection, mailbox_id, threads, addresses)
    settle_remarks(connection, threads, replay.moved.values())
    if before.was_sent:
        find_aliases(connection, mailbox_id)
    return len(ids)


def change_labels(connection: Connection, mailbox_id: uuid.UUID, changes: Mapping[uuid.UUID, frozenset[str]]) -> int:
    """Give stored messages exactly these labels. Returns how many messages had others.

    Only labels that an engine reads (mail.owner) make anything be computed again: no verdict does. A message
    that is not stored is left out.

    Raises:
        TransientError: Another run is computing this mailbox.
    """
    columns = raw.messages.c
    query = select(columns.message_id).where(
        columns.mailbox_id == mailbox_id, columns.message_id == func.any(list(changes))
    )
    wanted = {message_id: changes[message_id] for message_id in connection.execute(query).scalars()}
    if not wanted:
        return 0
    _wait_for_steps(connection, mailbox_id)
    return _write_labels(connection, mailbox_id, wanted, originals=set())


def _wait_for_steps(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Until this transaction ends no step begins to write what is changed here (see StepContext.alone)."""
    was = connection.execute(text("show lock_timeout")).scalar_one()
    connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT_SECONDS}s'"))
    try:
        for step in WRITTEN_BY:
            connection.execute(
                text("select pg_advisory_xact_lock(hashtext(:mailbox), hashtext(:step))"),
                {"mailbox": str(mailbox_id), "step": step},
            )
    except OperationalError as error:
        raise TransientError(
            f"Mail of mailbox {mailbox_id} was deleted or filed at its provider, and another run has been computing "
            f"that mailbox for {LONGEST_WAIT_SECONDS} s; try again when it has ended."
        ) from error
    connection.execute(text("select set_config('lock_timeout', :was, true)"), {"was": was})


@dataclass(slots=True)
class _Before:
    """What was true of the removed messages and what hung on them."""

    threads: set[uuid.UUID] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    originals: set[uuid.UUID] = field(default_factory=set)
    """Messages that are left and that lose a copy."""
    orphans: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=dict)
    """For a removed original its copies that are left, in the order of storing."""
    was_sent: bool = False


def _before(connection: Connection, mailbox_id: uuid.UUID, ids: list[uuid.UUID], replay: Replay) -> _Before:
    gone = set(ids)
    columns = mail.messages.c
    parsed = connection.execute(
        select(columns.message_id, columns.thread_id, columns.duplicate_of).where(columns.message_id == func.any(ids))
    ).all()
    found = _Before()
    found.threads = {row.thread_id for row in parsed} | {old for old, _ in replay.moved.values()}
    found.originals = {row.duplicate_of for row in parsed if row.duplicate_of is not None} - gone
    found.addresses = _addresses_in(connection, set(), ids)
    copies = connection.execute(
        select(columns.duplicate_of, columns.message_id)
        .join(raw.messages, raw.messages.c.message_id == columns.message_id)
        .where(
            columns.mailbox_id == mailbox_id,
            columns.duplicate_of.is_not(None),
            columns.duplicate_of == func.any([row.message_id for row in parsed if row.duplicate_of is None]),
        )
        .order_by(raw.messages.c.seq)
    )
    for row in copies:
        if row.message_id not in gone:
            found.orphans.setdefault(row.duplicate_of, []).append(row.message_id)
    sent = select(raw.labels.c.message_id).where(
        raw.labels.c.message_id == func.any(ids), raw.labels.c.label == func.any(sorted(OWNER_LABELS))
    )
    found.was_sent = connection.execute(sent.limit(1)).one_or_none() is not None
    return found


def _mark_later_signals_stale(connection: Connection, mailbox_id: uuid.UUID, changed: list[uuid.UUID]) -> None:
    """The messages whose past these belonged to; of those that moved, the step finds the new company by itself."""
    history = related_history(connection, mailbox_id, changed, PUBLIC_MAIL_HOSTS)
    owners = owner_addresses(connection, mailbox_id)
    keys = affected_keys([str(message_id) for message_id in changed], history, owners)
    if not keys.is_empty():
        later = affected(keys, later_messages(connection, mailbox_id, keys), owners)
        _mark_signals_stale(connection, [uuid.UUID(message_id) for message_id in later])


def _mark_signals_stale(connection: Connection, ids: list[uuid.UUID]) -> None:
    columns = signals.messages.c
    connection.execute(update(signals.messages).where(columns.message_id == func.any(ids)).values(is_stale=True))


def _delete_rows(connection: Connection, mailbox_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
    """The messages, with what refers to them; tasks and the owner's word on them have no foreign key to follow."""
    tasks = select(entities.tasks.c.task_id).where(entities.tasks.c.message_id == func.any(ids))
    said = select(app.feedback.c.task_id).where(app.feedback.c.message_id == func.any(ids))
    states = app.task_states.c
    connection.execute(
        delete(app.task_states).where(
            states.mailbox_id == mailbox_id, states.task_id.in_(tasks) | states.task_id.in_(said)
        )
    )
    for table, column in ((entities.tasks, entities.tasks.c.message_id), (raw.messages, raw.messages.c.message_id)):
        connection.execute(delete(table).where(table.c.mailbox_id == mailbox_id, column == func.any(ids)))


def _promote_copies(connection: Connection, before: _Before) -> list[uuid.UUID]:
    """The first copy of a removed original takes its place; every later step finds it pending."""
    promoted = [copies[0] for copies in before.orphans.values()]
    for first, *others in before.orphans.values():
        connection.execute(
            update(mail.messages)
            .where(mail.messages.c.message_id == func.any([first, *others]))
            .values(duplicate_of=func.nullif(first, mail.messages.c.message_id))
        )
    return promoted


def _mark_moved_stale(connection: Connection, replay: Replay) -> None:
    moved = [(message_id, now) for message_id, (_, now) in replay.moved.items()]
    connection.execute(
        text(
            "update signals.messages s set thread_id = v.thread_id, is_stale = true "
            "from unnest(cast(:ids as uuid[]), cast(:thread_ids as uuid[])) as v (message_id, thread_id) "
            "where s.message_id = v.message_id"
        ),
        {"ids": [message_id for message_id, _ in moved], "thread_ids": [now for _, now in moved]},
    )


def _threads_of(connection: Connection, ids: list[uuid.UUID]) -> set[uuid.UUID]:
    columns = mail.messages.c
    return set(connection.execute(select(columns.thread_id).where(columns.message_id == func.any(ids))).scalars())


def _addresses_in(connection: Connection, threads: set[uuid.UUID], ids: list[uuid.UUID]) -> set[str]:
    """The addresses on the messages of these conversations and on these messages."""
    query = text(
        "select distinct p.address from mail.participants p join mail.messages m using (message_id) "
        "where m.thread_id = any(:threads) or m.message_id = any(:ids)"
    )
    return set(connection.execute(query, {"threads": list(threads), "ids": ids}).scalars())


def _mark_summaries_stale(
    connection: Connection, mailbox_id: uuid.UUID, threads: set[uuid.UUID], addresses: set[str]
) -> None:
    """What still has messages is summed up again; what has none left goes."""
    messages = mail.messages.c
    query = select(messages.thread_id).where(
        messages.thread_id == func.any(list(threads)), messages.duplicate_of.is_(None)
    )
    empty = threads - set(connection.execute(query).scalars())
    for table in (mail.threads, priorities.threads):
        connection.execute(delete(table).where(table.c.thread_id == func.any(list(empty))))
    connection.execute(
        update(mail.threads).where(mail.threads.c.thread_id == func.any(list(threads))).values(is_stale=True)
    )
    people = mail.participants.c
    seen = (
        select(people.address)
        .join(mail.messages, messages.message_id == people.message_id)
        .where(
            people.mailbox_id == mailbox_id,
            people.address == func.any(list(addresses)),
            messages.duplicate_of.is_(None),
        )
    )
    strangers = addresses - set(connection.execute(seen).scalars())
    for table in (mail.contacts, signals.contacts):
        connection.execute(
            delete(table).where(table.c.mailbox_id == mailbox_id, table.c.address == func.any(list(strangers)))
        )
    contacts = mail.contacts.c
    connection.execute(
        update(mail.contacts)
        .where(contacts.mailbox_id == mailbox_id, contacts.address == func.any(list(addresses)))
        .values(is_stale=True)
    )
    mark_tasks_stale(connection, threads)
    # These two are computed as a whole, from rows of which some are gone.
    for table in (entities.projects, entities.people):
        connection.execute(update(table).where(table.c.mailbox_id == mailbox_id).values(is_stale=True))


def _write_labels(
    connection: Connection,
    mailbox_id: uuid.UUID,
    wanted: Mapping[uuid.UUID, frozenset[str]],
    *,
    originals: Iterable[uuid.UUID],
) -> int:
    """Write these messages' own labels, and what their originals and `originals` have from copies. Returns how many of
    `wanted` had others."""
    columns = mail.messages.c
    query = select(columns.duplicate_of).where(
        columns.message_id == func.any(list(wanted)), columns.duplicate_of.is_not(None)
    )
    shown = set(wanted) | set(originals) | set(connection.execute(query).scalars())
    copies: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for row in connection.execute(
        select(columns.duplicate_of, columns.message_id).where(
            columns.mailbox_id == mailbox_id,
            columns.duplicate_of.is_not(None),
            columns.duplicate_of == func.any(list(shown)),
        )
    ):
        copies[row.duplicate_of].append(row.message_id)
    own: dict[uuid.UUID, set[str]] = defaultdict(set)
    shared: dict[uuid.UUID, set[str]] = defaultdict(set)
    labels = raw.labels.c
    involved = shown | {copy for each in copies.values() for copy in each}
    for held in connection.execute(
        select(labels.message_id, labels.label, labels.is_shared).where(labels.message_id == func.any(list(involved)))
    ):
        (shared if held.is_shared else own)[held.message_id].add(held.label)
    changed = sum(1 for message_id, names in wanted.items() if own[message_id] != names)
    now = {message_id: wanted.get(message_id, frozenset(own[message_id])) for message_id in involved}
    gone: list[tuple[uuid.UUID, str]] = []
    new: list[tuple[uuid.UUID, str, bool]] = []
    owner_may_differ = False
    for message_id in shown:
        had = own[message_id] | shared[message_id]
        from_copies = {label for copy in copies[message_id] for label in now[copy]} - now[message_id]
        has = now[message_id] | from_copies
        gone += [(message_id, label) for label in had - has]
        new += [(message_id, label, False) for label in now[message_id] - own[message_id]]
        new += [(message_id, label, True) for label in from_copies - shared[message_id]]
        owner_may_differ = owner_may_differ or not OWNER_LABELS.isdisjoint(had ^ has)
    _replace_labels(connection, mailbox_id, gone, new)
    if owner_may_differ:
        find_aliases(connection, mailbox_id)
    return changed


def _replace_labels(
    connection: Connection,
    mailbox_id: uuid.UUID,
    gone: list[tuple[uuid.UUID, str]],
    new: list[tuple[uuid.UUID, str, bool]],
) -> None:
    if gone:
        connection.execute(
            text(
                "delete from raw.labels l using unnest(cast(:ids as uuid[]), cast(:labels as text[])) as g (id, label) "
                "where l.message_id = g.id and l.label = g.label"
            ),
            {"ids": [each[0] for each in gone], "labels": [each[1] for each in gone]},
        )
    if new:
        connection.execute(
            text(
                "insert into raw.labels (mailbox_id, message_id, label, is_shared) "
                "select :mailbox_id, n.id, n.label, n.is_shared "
                "from unnest(cast(:ids as uuid[]), cast(:labels as text[]), cast(:shared as boolean[])) "
                "as n (id, label, is_shared) "
                "on conflict (message_id, label) do update set is_shared = excluded.is_shared"
            ),
            {
                "mailbox_id": mailbox_id,
                "ids": [each[0] for each in new],
                "labels": [each[1] for each in new],
                "shared": [each[2] for each in new],
            },
        )
