"""Fetching what is in the backlog of a Gmail mailbox.

A batch is three steps: its attempts are committed, Gmail is asked (no transaction is open meanwhile), and one
transaction stores what came and ends the backlog's rows. A run that dies leaves the attempts behind, and so says which
messages it had in its hands.
"""

import contextlib
import re
from collections.abc import Sequence

import psycopg
from sqlalchemy import Connection, delete, exc, select
from sqlalchemy.sql import func

from rl_emails_assets.db.tables import raw
from rl_emails_assets.errors import RateLimitedError
from rl_emails_assets.providers.gmail.answers import Deferred, Fetched, Outcome, Refused, Vanished
from rl_emails_assets.providers.provider import Position, RawItem
from rl_emails_assets.steps import raw_gmail_backlog as backlog
from rl_emails_assets.steps.raw_gmail_backlog import Waiting
from rl_emails_assets.steps.raw_gmail_cursor import SOURCE, Change, GmailSync
from rl_emails_assets.steps.raw_gmail_history import forget
from rl_emails_assets.steps.raw_store import message_id_of, store_gap, store_items
from rl_emails_assets.steps.removal import change_labels

FAULTS_OF_A_RECORD = (ValueError, TypeError, LookupError, exc.DataError, psycopg.DataError)
"""What reading or storing one message raises because of what is in it; anything else says nothing about a message."""


def fetch_slice(sync: GmailSync) -> None:
    """Fetch messages of the backlog, newest first, until it is empty or a slice of them is done.

    Raises:
        RateLimitedError: Gmail, or the quota bucket, wants the rest to wait.
    """
    most = sync.step.settings.gmail_slice_messages
    done = 0
    while done < most:
        batch = _begin(sync, min(sync.step.settings.gmail_batch_size, most - done))
        if not batch:
            return
        outcomes = _ask(sync, batch)
        _settle(sync, batch, outcomes)
        sync.report()
        done += len(batch)
        _require_leave(outcomes)


def _begin(sync: GmailSync, most: int) -> list[Waiting]:
    """Commit to the next messages. What has killed too many runs is passed over, as a gap."""
    mailbox_id = sync.step.mailbox_id
    while True:
        with sync.transaction() as (connection, change):
            batch = backlog.next_batch(connection, mailbox_id, most)
            if batch and batch[0].is_suspect and batch[0].is_spent:
                deadly = (
                    f"{backlog.DEADLY}: {batch[0].attempts} runs died with it. Report it, and see those runs' logs."
                )
                _make_gap(connection, sync, change, batch[0].provider_message_id, batch[0].error or deadly)
                continue
            backlog.begin(connection, mailbox_id, [waiting.provider_message_id for waiting in batch])
        return batch


def _ask(sync: GmailSync, batch: Sequence[Waiting]) -> list[Outcome]:
    """What became of each. The attempts are taken back when the attempt ends without an answer."""
    keys = [waiting.provider_message_id for waiting in batch]
    try:
        outcomes = sync.client.get_raw(keys)
        sync.names_of({label for item in outcomes if isinstance(item, Fetched) for label in item.labels})
    except BaseException:
        # Also when the run is being stopped. If even this fails, the messages are tried alone once: no harm.
        with contextlib.suppress(exc.SQLAlchemyError), sync.step.engine.begin() as connection:
            backlog.give_back(connection, sync.step.mailbox_id, keys)
        raise
    return outcomes


def _settle(sync: GmailSync, batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Account for a batch; if something in one of its messages makes that fail, for one message after the other."""
    attempts = {waiting.provider_message_id: waiting.attempts + 1 for waiting in batch}
    try:
        with sync.transaction() as (connection, change):
            _account(connection, sync, change, outcomes, attempts)
    except FAULTS_OF_A_RECORD as fault:
        if len(outcomes) > 1:
            for outcome in outcomes:
                _settle(
                    sync, [item for item in batch if item.provider_message_id == outcome.provider_message_id], [outcome]
                )
            return
        reason = f"It cannot be stored ({type(fault).__name__}). Report it: this is a fault of rl-emails."
        with sync.transaction() as (connection, change):
            _make_gap(connection, sync, change, outcomes[0].provider_message_id, reason)


def _account(
    connection: Connection, sync: GmailSync, change: Change, outcomes: Sequence[Outcome], attempts: dict[str, int]
) -> None:
    mailbox_id = sync.step.mailbox_id
    _store(connection, sync, change, [outcome for outcome in outcomes if isinstance(outcome, Fetched)])
    vanished = {outcome.provider_message_id for outcome in outcomes if isinstance(outcome, Vanished)}
    change.removed += forget(connection, mailbox_id, vanished)
    if change.cursor.listing is not None:
        change.cursor.listing.deleted_count += len(vanished)
    later: dict[str, str] = {}
    no_verdict: list[str] = []
    for outcome in outcomes:
        key = outcome.provider_message_id
        if isinstance(outcome, Deferred) and (outcome.tries == 0 or outcome.is_rate):
            no_verdict.append(key)
        elif isinstance(outcome, (Deferred, Refused)):
            most = backlog.MOST_REFUSALS if isinstance(outcome, Refused) else backlog.MOST_FAILURES
            if attempts[key] >= most:
                _make_gap(connection, sync, change, key, outcome.reason)
            else:
                later[key] = outcome.reason
    backlog.give_back(connection, mailbox_id, no_verdict)
    backlog.keep(connection, mailbox_id, later)


def _store(connection: Connection, sync: GmailSync, change: Change, fetched: Sequence[Fetched]) -> None:
    """Store new messages; of those that are stored already, write the labels that they have now."""
    if not fetched:
        return
    mailbox_id = sync.step.mailbox_id
    columns = raw.messages.c
    ids = {message_id_of(mailbox_id, item.provider_message_id): item for item in fetched}
    query = select(columns.message_id).where(columns.message_id == func.any(list(ids)))
    known = set(connection.execute(query).scalars())
    items = {key: _item(sync, item) for key, item in ids.items()}
    change.imported += store_items(
        connection, mailbox_id, sync.step.run_id, [item for key, item in items.items() if key not in known]
    )
    change.duplicates += len(known)
    change.relabelled += change_labels(connection, mailbox_id, {key: items[key].labels for key in known})
    keys = [item.provider_message_id for item in fetched]
    backlog.drop(connection, mailbox_id, keys)
    connection.execute(
        delete(raw.gaps).where(raw.gaps.c.mailbox_id == mailbox_id, raw.gaps.c.provider_message_id == func.any(keys))
    )


def _item(sync: GmailSync, item: Fetched) -> RawItem:
    return RawItem(
        provider_message_id=item.provider_message_id,
        rfc822=item.rfc822,
        labels=frozenset(sync.name_of(label) for label in item.labels),
        received_at=item.received_at,
        provider_thread_id=conversation_number(item.thread_id),
        source=SOURCE,
        position=Position(),
    )


def _make_gap(connection: Connection, sync: GmailSync, change: Change, key: str, reason: str) -> None:
    """Pass a message over, by name. One that is stored already stays as it is."""
    mailbox_id = sync.step.mailbox_id
    backlog.drop(connection, mailbox_id, [key])
    query = select(raw.messages.c.message_id).where(raw.messages.c.message_id == message_id_of(mailbox_id, key))
    if connection.execute(query).one_or_none() is None:
        store_gap(connection, mailbox_id, SOURCE, key, reason)
        change.gaps += 1


def _require_leave(outcomes: Sequence[Outcome]) -> None:
    """Raises RateLimitedError when messages were left because too much was asked for."""
    left = [item for item in outcomes if isinstance(item, Deferred) and (item.tries == 0 or item.is_rate)]
    if left:
        raise RateLimitedError(
            f"Gmail wants {len(left)} messages to be asked for later. The sync continues then.",
            retry_after_seconds=max(item.retry_after_seconds for item in left),
        )


def conversation_number(thread_id: str) -> str | None:
    """A conversation's number as mail exports and IMAP write it (X-GM-THRID, decimal); the API writes it in hex.

    So a mailbox whose export was imported earlier has one name for each conversation. Other ids stay as they are.
    """
    if re.fullmatch("[1-9a-f][0-9a-f]{14,15}", thread_id):
        return str(int(thread_id, 16))
    return thread_id or None
