"""The partial sync of a Gmail mailbox: what has changed since its history cursor.

One page of changes is one transaction: deleted messages are removed, labels of stored messages are changed, added
messages enter the backlog, and the cursor moves to the page's last record. The messages are fetched afterwards, from
the backlog (steps.raw_gmail_fetch).

Records may be read again (a crash before the commit, a page that repeats itself) and may tell of what was seen before
(a message is fetched with the labels it has at that moment). Both do no harm: a deletion is for ever, an addition of
what is known changes nothing, and of each message and label the last record decides, whichever were applied before.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.sql import func

from rl_emails_assets.db.tables import raw
from rl_emails_assets.providers.gmail.answers import HistoryPage
from rl_emails_assets.steps import raw_gmail_backlog as backlog
from rl_emails_assets.steps.raw_gmail_cursor import Change, GmailSync
from rl_emails_assets.steps.raw_store import message_id_of
from rl_emails_assets.steps.removal import change_labels, remove_messages

MOST_EMPTY_PAGES = 20
"""Pages in a row without a record and with a next page; Gmail sends some at times, and must not keep a run for ever."""


@dataclass(slots=True)
class _Net:
    """What a page of changes comes down to."""

    deleted: set[str] = field(default_factory=set)
    added: dict[str, str] = field(default_factory=dict)
    """Thread by message."""
    labelled: dict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    """By message and label id, whether the message has the label."""
    threads: dict[str, str] = field(default_factory=dict)
    last_id: int = 0


def _net(page: HistoryPage) -> _Net:
    net = _Net()
    for record in page.records:
        net.last_id = max(net.last_id, record.history_id)
        net.deleted.update(item.provider_message_id for item in record.deleted)
        net.added.update((item.provider_message_id, item.provider_thread_id) for item in record.added)
        for changes, has in ((record.labels_added, True), (record.labels_removed, False)):
            for item, labels in changes:
                net.threads[item.provider_message_id] = item.provider_thread_id
                net.labelled[item.provider_message_id].update(dict.fromkeys(labels, has))
    for gone in net.deleted:
        net.added.pop(gone, None)
        net.labelled.pop(gone, None)
    return net


def follow(sync: GmailSync) -> None:
    """Apply every change since the cursor.

    Raises:
        HistoryExpiredError: Gmail no longer knows the changes since the cursor; nothing was changed.
    """
    start = sync.cursor.history_id
    if start is None:
        raise ValueError("A mailbox whose listing has not begun has no history to follow.")
    asked_at = datetime.now(UTC)
    token: str | None = None
    state: int | None = None
    empty = 0
    while True:
        page = sync.client.history(start, page_token=token)
        # Of several answers the first one's state: what came later may be on no page of this reading.
        state = page.history_id if state is None else min(state, page.history_id)
        empty = 0 if page.records else empty + 1
        net = _net(page)
        sync.names_of({label for labels in net.labelled.values() for label in labels})
        is_last = page.next_page_token is None
        with sync.transaction() as (connection, change):
            _apply(connection, sync, change, net)
            change.cursor.advance(max(start, net.last_id, state if is_last else 0))
            if is_last:
                change.cursor.as_of, change.cursor.as_of_run = asked_at.isoformat(), sync.step.run_id
        if is_last:
            sync.is_up_to_date = True
            return
        if empty >= MOST_EMPTY_PAGES:
            sync.wait(0)
            return
        token = page.next_page_token


def _apply(connection: Connection, sync: GmailSync, change: Change, net: _Net) -> None:
    mailbox_id = sync.step.mailbox_id
    change.removed += forget(connection, mailbox_id, net.deleted)
    if change.cursor.listing is not None:
        change.cursor.listing.deleted_count += len(net.deleted)
    stored = _stored(connection, mailbox_id, net.labelled)
    change.relabelled += _relabel(connection, sync, {stored[key]: net.labelled[key] for key in stored})
    backlog.add(connection, mailbox_id, net.added.items(), found_by="history")
    # A message that should have been known: fetched as well. While a listing is under way it is one among many.
    unknown = [(key, net.threads[key]) for key in net.labelled if key not in stored and key not in net.added]
    found_by = "history" if change.cursor.listing is None else "listing"
    backlog.add(connection, mailbox_id, unknown, found_by=found_by)


def forget(connection: Connection, mailbox_id: uuid.UUID, provider_message_ids: set[str]) -> int:
    """Remove messages that are not at the provider any more, wherever they are known. Returns how many were stored."""
    if not provider_message_ids:
        return 0
    backlog.drop(connection, mailbox_id, provider_message_ids)
    columns = raw.gaps.c
    connection.execute(
        delete(raw.gaps).where(
            columns.mailbox_id == mailbox_id, columns.provider_message_id == func.any(list(provider_message_ids))
        )
    )
    return remove_messages(connection, mailbox_id, [message_id_of(mailbox_id, key) for key in provider_message_ids])


def _stored(connection: Connection, mailbox_id: uuid.UUID, keys: dict[str, dict[str, bool]]) -> dict[str, uuid.UUID]:
    """Those of the messages that are stored, and their ids."""
    ids = {message_id_of(mailbox_id, key): key for key in keys}
    columns = raw.messages.c
    query = select(columns.message_id).where(columns.message_id == func.any(list(ids)))
    return {ids[message_id]: message_id for message_id in connection.execute(query).scalars()}


def _relabel(connection: Connection, sync: GmailSync, changes: dict[uuid.UUID, dict[str, bool]]) -> int:
    if not changes:
        return 0
    columns = raw.labels.c
    labels: dict[uuid.UUID, set[str]] = {message_id: set() for message_id in changes}
    query = select(columns.message_id, columns.label).where(
        columns.message_id == func.any(list(changes)), columns.is_shared.is_(False)
    )
    for row in connection.execute(query):
        labels[row.message_id].add(row.label)
    for message_id, changed in changes.items():
        for label, has in changed.items():
            (labels[message_id].add if has else labels[message_id].discard)(sync.name_of(label))
    return change_labels(connection, sync.step.mailbox_id, {key: frozenset(value) for key, value in labels.items()})
