"""The partial sync: what the history tells, once, in whatever way it is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rl_emails_assets.errors import LeaseLostError, NotFoundError, ProviderUnavailableError, ReconnectNeededError
from rl_emails_assets.providers.gmail import gmail_requests
from rl_emails_assets.providers.gmail.answers import HistoryPage
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.steps import raw_gmail_history, raw_messages
from tests.gmail.sync_mailbox import Box, killed, old_mail


@pytest.fixture
def synced(box: Box) -> Box:
    """A mailbox of twenty messages whose first sync is over."""
    box.user.fill(old_mail(20))
    box.settle()
    box.gmail.calls.clear()
    return box


def _is_the_same(box: Box) -> None:
    assert box.is_settled()
    assert box.stored() == box.user.ids()
    assert box.labels() == box.true_labels()
    assert box.gaps() == {}


def test_what_arrived_was_deleted_and_was_relabelled_is_so_here_after_one_run(synced: Box) -> None:
    """The everyday sync: no listing, and only what is new is fetched."""
    keys = sorted(synced.user.ids())
    synced.user.deliver(subject="New")
    synced.user.delete(keys[0], keys[1])
    synced.user.trash(keys[2])
    label = synced.user.make_label("Later")
    synced.user.relabel(keys[3:6], add=["STARRED", label], remove=["INBOX"])
    before = int(synced.position()["history_id"])
    result = synced.sync()
    _is_the_same(synced)
    assert result.counts == {"imported": 1, "duplicates": 0, "gaps": 0, "removed": 2, "relabelled": 4}
    assert synced.gmail.calls.count("messages.get") == 1
    assert synced.gmail.calls.count("messages.list") == 0
    assert int(synced.position()["history_id"]) == synced.user.history_id > before
    again = synced.sync()
    assert set(again.counts.values()) == {0}


def test_a_message_that_came_and_went_between_two_syncs_is_never_stored(synced: Box) -> None:
    """An addition and a deletion in one window come down to nothing, in whichever order they are read."""
    synced.user.add_and_delete(subject="A draft")
    synced.sync()
    _is_the_same(synced)
    assert synced.gmail.calls.count("messages.get") == 0


def test_a_message_that_vanishes_between_the_history_and_the_fetch_is_a_deletion(synced: Box) -> None:
    """A 404 that counted as an error would stop every later sync at the same message."""
    synced.user.deliver(subject="Gone at once")
    synced.user.deliver(subject="Here to stay")
    synced.gmail.faults.next("messages.get", vanish=True)
    synced.settle()
    _is_the_same(synced)
    assert len(synced.stored()) == 21


def test_pages_that_are_empty_repeat_themselves_or_grow_while_they_are_read(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gmail's history has empty pages with a next one, repeats records, and is not still while it is read."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 2)
    for number in range(7):
        synced.user.deliver(subject=f"New {number}")
    synced.gmail.faults.next("history.list", empty_page=True)
    synced.gmail.faults.next("history.list", replay=True, after=2)
    synced.gmail.faults.next("history.list", arrive=1, after=1)
    synced.sync()
    assert len(synced.user.ids()) == 28
    synced.settle()
    _is_the_same(synced)


def test_a_history_of_empty_pages_without_end_does_not_keep_a_run(synced: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that followed them for ever would hold its mailbox and a worker; one that believed them would lose mail."""
    key = synced.user.deliver(subject="Behind them")
    before = synced.position()["history_id"]
    asked: list[Any] = []

    def endless(client: GmailClient, start: int, *, page_token: str | None = None) -> HistoryPage:
        asked.append(page_token)
        return HistoryPage([], start + 1000, "more")

    monkeypatch.setattr(GmailClient, "history", endless)
    synced.sync()
    assert len(asked) == raw_gmail_history.MOST_EMPTY_PAGES
    assert synced.position()["history_id"] == before
    assert synced.position()["resume_at"] is not None
    monkeypatch.undo()
    monkeypatch.setattr("rl_emails_assets.steps.raw_gmail.client_of", _impatient())
    synced.sync()
    assert key in synced.stored()


def _impatient() -> Any:
    from tests.gmail.sync_mailbox import impatient_client  # noqa: PLC0415 - put back after `undo`

    return impatient_client


def test_the_cursor_stays_at_the_first_pages_state_when_the_history_grows_while_it_is_read(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later page's answer may be of a newer state than the pages tell of; moving there would pass what came since."""
    first = synced.user.deliver(subject="First")
    state = synced.user.history_id
    history = GmailClient.history
    late: list[str] = []

    def in_two_pages(client: GmailClient, start: int, *, page_token: str | None = None) -> HistoryPage:
        page = history(client, start)
        if page_token is None:
            return HistoryPage(page.records[:1], page.history_id, "second")
        late.append(synced.user.deliver(subject="Too late for this reading"))
        return HistoryPage([], synced.user.history_id, None)

    monkeypatch.setattr(GmailClient, "history", in_two_pages)
    synced.sync()
    assert first in synced.stored()
    assert int(synced.position()["history_id"]) == state
    monkeypatch.setattr(GmailClient, "history", history)
    synced.sync()
    assert late[0] in synced.stored()


def test_killed_at_any_commit_a_partial_sync_ends_as_if_nothing_had_happened(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor, the rows and what is left must move together, or a crash between them loses a message."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 3)
    synced.settings = synced.settings.model_copy(update={"gmail_batch_size": 2})
    for at_commit in range(1, 40):
        keys = sorted(synced.user.ids())
        for number in range(5):
            synced.user.deliver(subject=f"New {at_commit}.{number}")
        synced.user.delete(keys[0])
        synced.user.relabel(keys[1:3], add=["STARRED"], remove=["INBOX"])
        has_died = killed(synced, at_commit=at_commit, before=bool(at_commit % 2))
        synced.settle()
        _is_the_same(synced)
        if not has_died:
            break
    assert at_commit > 6


def test_an_expired_history_leads_to_a_full_sync_that_shows_the_newest_first(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history id that Gmail does not know any more answers 404 for ever; uncaught, the mailbox never moves again."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 6)
    keys = sorted(synced.user.ids())
    synced.user.delete(keys[0], keys[7])
    synced.user.relabel(keys[1:4], add=["STARRED"], remove=["INBOX"])
    synced.user.drop_label(synced.user.make_label("Gone again"))
    new = [synced.user.deliver(subject=f"New {number}") for number in range(9)]
    synced.gmail.advance(days=9)
    synced.sync(gmail_slice_messages=4)
    assert len(synced.stored() & set(new)) == 4
    assert synced.position()["listing"]["phase"] == "recent"
    synced.settle(gmail_slice_messages=4)
    _is_the_same(synced)


def test_a_history_that_expires_during_the_full_sync_begins_it_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was deleted before the second beginning is told of by no record; the listing must be a new one."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 7)
    box.user.fill(old_mail(20))
    box.user.fill(old_mail(20, days=2, label="STARRED"))
    box.sync(gmail_slice_messages=5)
    keys = sorted(box.user.ids())
    box.user.delete(*keys[:3], *keys[-3:])
    box.gmail.advance(days=9)
    box.settle(gmail_slice_messages=9)
    _is_the_same(box)


def test_a_label_change_of_a_message_that_should_have_been_known_has_it_fetched(synced: Box) -> None:
    """A message that was lost in some way comes back as soon as Gmail mentions it."""
    key = min(synced.user.ids())
    synced.execute("delete from raw.messages where provider_message_id = :key", key=key)
    synced.user.relabel(key, add=["STARRED"])
    synced.sync()
    _is_the_same(synced)


def test_labels_follow_their_names_and_unknown_ones_keep_their_ids(synced: Box) -> None:
    """Gmail's history names labels that do not exist, and a renamed label must not stay behind under its old name."""
    key, other, third = sorted(synced.user.ids())[:3]
    label = synced.user.make_label("Draft plans")
    synced.user.relabel([key, other], add=[label])
    synced.user.relabel(third, add=["Label_none"])
    synced.sync()
    assert "Draft plans" in synced.labels()[key]
    assert "Label_none" in synced.labels()[third]
    synced.user.labels[label] = "Plans"
    synced.settle("full")
    assert "Plans" in synced.labels()[key]
    _is_the_same(synced)
    synced.user.drop_label(label)
    synced.settle("full")
    assert "Plans" not in synced.labels()[key]
    _is_the_same(synced)


def test_gmail_being_away_fails_the_run_and_changes_nothing(synced: Box) -> None:
    """A failed read is not an empty result."""
    synced.user.deliver(subject="New")
    synced.gmail.faults.sometimes("history.list", 1.0, status=503)
    before = synced.position()
    with pytest.raises(ProviderUnavailableError):
        synced.sync()
    assert synced.position() == before
    synced.gmail.faults.clear()
    synced.execute("update sync_queue.requests set leased_until = now() - interval '1 second'")
    synced.sync()
    _is_the_same(synced)


def test_a_message_that_fails_to_come_waits_and_holds_up_no_other(synced: Box) -> None:
    """One message that Gmail cannot give now must not keep the next from being stored, and must not be forgotten."""
    keys = {synced.user.deliver(subject=f"New {number}") for number in range(4)}
    synced.gmail.faults.next("messages.get", status=500, times=4)
    synced.sync(gmail_batch_size=1)
    assert len(keys & synced.stored()) == 3
    assert synced.rows("select attempts, error from raw.backlog") == [
        {"attempts": 1, "error": "HTTP 500, backendError"}
    ]
    synced.sync()
    assert len(synced.backlog()) == 1
    synced.make_due()
    synced.sync()
    _is_the_same(synced)


def test_a_429_inside_a_batch_leaves_the_rest_for_later_and_counts_against_no_message(synced: Box) -> None:
    """A message that was refused for the rate three times is not a message that kills runs."""
    for number in range(8):
        synced.user.deliver(subject=f"New {number}")
    synced.gmail.faults.sometimes("messages.get", 1.0, status=429, reason="rateLimitExceeded")
    for _ in range(5):
        synced.sync()
        assert set(synced.column("select attempts from raw.backlog")) == {0}
    assert synced.position()["resume_at"] is not None
    synced.gmail.faults.clear()
    synced.settle()
    _is_the_same(synced)


def test_a_revoked_grant_stops_the_sync_and_asks_the_owner_once(synced: Box) -> None:
    """Retrying a revoked grant helps nobody, and a mailbox that stays silent looks like one without mail."""
    synced.user.deliver(subject="New")
    synced.user.revoke()
    synced.execute("update mailboxes.credentials set expires_at = now() - interval '1 hour'")
    for _ in range(2):
        with pytest.raises(ReconnectNeededError):
            raw_messages.run(synced.step())
    assert synced.column("select state from mailboxes.connections") == ["reconnect_needed"]
    assert synced.column("select count(*) from app.notices where ended_at is null") == [1]
    calls = len(synced.gmail.calls.calls)
    with pytest.raises(ReconnectNeededError):
        raw_messages.run(synced.step())
    assert len(synced.gmail.calls.calls) == calls


def test_a_grant_that_is_too_narrow_is_the_owners_to_widen(synced: Box) -> None:
    """A 403 for a missing permission does not go away by itself."""
    synced.gmail.faults.next("history.list", status=403, reason="insufficientPermissions")
    with pytest.raises(ReconnectNeededError):
        raw_messages.run(synced.step())
    assert synced.column("select state from mailboxes.connections") == ["reconnect_needed"]


def test_a_run_whose_cursor_was_moved_by_another_writes_nothing(synced: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that lost its lock with its database connection would put the cursor back to where it had been."""
    synced.user.deliver(subject="New")
    history = GmailClient.history

    def overtaken(client: GmailClient, start: int, *, page_token: str | None = None) -> HistoryPage:
        page = history(client, start, page_token=page_token)
        synced.execute(
            "update raw.cursors set position = jsonb_set(position, '{history_id}', to_jsonb(cast(:at as text)))",
            at=str(start + 1),
        )
        return page

    monkeypatch.setattr(GmailClient, "history", overtaken)
    with pytest.raises(LeaseLostError, match="Another run"):
        raw_messages.run(synced.step())
    assert synced.backlog() == {}
    monkeypatch.setattr(GmailClient, "history", history)
    synced.settle()
    _is_the_same(synced)


def test_a_run_whose_mailbox_is_erased_meanwhile_ends_and_writes_nothing(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is erased at its owner's wish must not come back through a run that was under way."""
    synced.user.deliver(subject="New")
    history = GmailClient.history

    def erased(client: GmailClient, start: int, *, page_token: str | None = None) -> HistoryPage:
        page = history(client, start, page_token=page_token)
        synced.execute("delete from mailboxes.connections")
        return page

    monkeypatch.setattr(GmailClient, "history", erased)
    with pytest.raises(NotFoundError, match="disconnected"):
        raw_messages.run(synced.step())
    assert synced.column("select count(*) from raw.messages") == [0]


def test_when_the_mailbox_was_last_in_step_is_noted(synced: Box) -> None:
    """The status page and the owner's own page say how fresh the inbox is by this."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    synced.execute("update mailboxes.connections set synced_at = null")
    synced.sync()
    assert synced.column("select synced_at from mailboxes.connections")[0] > before
    assert datetime.fromisoformat(synced.position()["as_of"]) > before
    assert synced.position()["as_of_run"] == f"run-{synced.run_count}"
