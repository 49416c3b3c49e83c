"""Messages that cannot be stored: named gaps, whatever they do to the run that reads them."""

from typing import Any

import psycopg
import pytest

from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.steps import raw_gmail_backlog, raw_gmail_fetch, raw_messages
from tests.gmail.sync_mailbox import Box, Interrupted, interrupted_at_commit, killed, old_mail


@pytest.mark.parametrize("dies_when", ["fetching", "storing"])
def test_a_message_that_kills_three_runs_becomes_a_gap_and_the_rest_is_stored(box: Box, dies_when: str) -> None:
    """A poison message would otherwise kill every run of its mailbox, and no later mail would ever arrive."""
    keys = box.user.fill(old_mail(6))
    poison = keys[2]
    deaths = 0
    while killed(box, by=dies_when, message=poison):
        deaths += 1
        assert deaths <= raw_gmail_backlog.MOST_DEATHS
        # The others of its batch are stored while it is still being found out.
        assert deaths == 1 or box.stored() >= set(keys[:2])
    assert deaths == raw_gmail_backlog.MOST_DEATHS
    assert box.is_settled()
    assert box.stored() == set(keys) - {poison}
    assert list(box.gaps()) == [poison]
    assert box.gaps()[poison].startswith("It kills the run that reads it: 3 runs died with it.")
    new = box.user.deliver(subject="After it")
    assert not killed(box, by=dies_when, message=poison)
    assert new in box.stored()


def test_a_deadly_gap_costs_a_full_sync_one_run_and_closes_when_it_is_deadly_no_more(box: Box) -> None:
    """An update may be able to read what killed the release before; finding out must not cost three runs a week."""
    keys = box.user.fill(old_mail(3))
    while killed(box, by="fetching", message=keys[0]):
        pass
    box.execute("update raw.gaps set last_seen_at = now() - interval '1 day'")
    box.execute("update sync_queue.requests set kind = 'full', leased_until = now() - interval '1 second'")
    assert killed(box, by="fetching", message=keys[0])
    assert not killed(box, by="fetching", message=keys[0])
    assert box.gaps().keys() == {keys[0]}
    assert box.column("select attempts from raw.gaps") == [2]
    box.execute("delete from sync_queue.requests")
    box.settle("full")
    assert box.gaps() == {}
    assert box.stored() == set(keys)


def test_a_message_without_usable_bytes_is_a_gap_after_three_answers_and_closes_when_they_come(box: Box) -> None:
    """A damaged answer may be damaged once; a message that stays damaged must not be asked for for ever."""
    keys = box.user.fill(old_mail(4))
    box.user.break_raw(keys[1], "missing")
    box.sync()
    assert box.gaps() == {}
    assert list(box.backlog()) == [keys[1]]
    box.settle()
    assert "without its bytes" in box.gaps()[keys[1]]
    assert box.stored() == set(keys) - {keys[1]}
    assert box.gmail.calls.count("messages.get", status=200) == 3 + raw_gmail_backlog.MOST_REFUSALS
    box.user.messages[keys[1]].raw_fault = None
    box.settle("full")
    assert box.gaps() == {}
    assert box.stored() == set(keys)
    assert box.rows("select gap_count, is_complete from raw.cursors") == [{"gap_count": 0, "is_complete": True}]


def test_a_gap_whose_message_is_deleted_is_closed(box: Box) -> None:
    """A gap for a message that nobody has any more would keep the completeness check red for ever."""
    keys = box.user.fill(old_mail(2))
    box.user.break_raw(keys[0], "invalid_base64")
    box.settle()
    assert list(box.gaps()) == [keys[0]]
    box.user.delete(keys[0])
    box.sync()
    assert box.gaps() == {}


def test_what_gmail_fails_to_give_for_hours_becomes_a_gap(box: Box) -> None:
    """Some messages answer 500 for ever; one must not keep its mailbox behind for ever."""
    keys = box.user.fill(old_mail(2))
    box.gmail.faults.next("messages.get", status=500, times=4)
    box.sync(gmail_batch_size=1)
    late = next(iter(box.backlog()))
    box.gmail.faults.sometimes("messages.get", 1.0, status=500)
    for _ in range(raw_gmail_backlog.MOST_FAILURES - 1):
        assert box.gaps() == {}
        box.make_due()
        box.sync()
    assert box.gaps() == {late: "HTTP 500, backendError"}
    assert box.stored() == set(keys) - {late}


def test_a_failing_message_that_then_kills_runs_is_not_tried_for_ever(box: Box) -> None:
    """The count of its failures must end it even when the last attempts ended without a word."""
    keys = box.user.fill(old_mail(2))
    box.sync()
    box.execute("delete from raw.messages where provider_message_id = :key", key=keys[0])
    box.execute(
        "insert into raw.backlog (mailbox_id, provider_message_id, found_by, attempts, error) "
        "values (:mailbox_id, :key, 'history', :attempts, 'HTTP 500')",
        mailbox_id=box.mailbox_id,
        key=keys[0],
        attempts=raw_gmail_backlog.MOST_FAILURES,
    )
    box.sync()
    assert box.gaps() == {keys[0]: "HTTP 500"}


def test_a_message_that_the_database_cannot_hold_is_a_gap_and_its_neighbours_are_stored(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in storing one message must not fail its batch in every run."""
    keys = box.user.fill(old_mail(5))
    store = raw_gmail_fetch.store_items

    def choosy(connection: Any, mailbox_id: Any, run_id: str, items: Any) -> int:
        if any(item.provider_message_id == keys[3] for item in items):
            raise psycopg.DataError("a byte that cannot be")
        return store(connection, mailbox_id, run_id, items)

    monkeypatch.setattr(raw_gmail_fetch, "store_items", choosy)
    box.sync()
    assert box.stored() == set(keys) - {keys[3]}
    assert box.gaps() == {keys[3]: "It cannot be stored (DataError). Report it: this is a fault of rl-emails."}
    assert box.is_settled()


def test_a_stored_message_that_is_refused_stays_as_it_is(box: Box) -> None:
    """Asking again for what is stored must not make a gap of it."""
    keys = box.user.fill(old_mail(2))
    box.sync()
    box.user.break_raw(keys[0], "missing")
    box.execute(
        "insert into raw.backlog (mailbox_id, provider_message_id, found_by) values (:mailbox_id, :key, 'reconcile')",
        mailbox_id=box.mailbox_id,
        key=keys[0],
    )
    box.settle()
    assert box.gaps() == {}
    assert box.stored() == set(keys)


def test_a_run_that_is_stopped_while_it_fetches_says_nothing_about_its_messages(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three runs cancelled by a person must not make gaps of healthy messages."""
    keys = box.user.fill(old_mail(3))
    get_raw = GmailClient.get_raw

    def stopped(client: GmailClient, ids: Any) -> Any:
        raise Interrupted

    for _ in range(4):
        monkeypatch.setattr(GmailClient, "get_raw", stopped)
        with pytest.raises(Interrupted):
            raw_messages.run(box.step())
        assert set(box.column("select attempts from raw.backlog")) == {0}
    monkeypatch.setattr(GmailClient, "get_raw", get_raw)
    with interrupted_at_commit(4), pytest.raises(Interrupted):
        raw_messages.run(box.step())
    box.settle()
    assert box.stored() == set(keys)
