"""The first sync of a Gmail mailbox: newest first, in slices, interrupted, resumed, and overtaken by new mail."""

import threading
from typing import Any

import pytest

from rl_emails_assets.providers.gmail import gmail_requests
from rl_emails_assets.providers.gmail.answers import ListedPage
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.steps.context import Progress
from tests.gmail.sync_mailbox import Box, killed, old_mail


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of seven, so that a small mailbox has several."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 7)


def _by_arrival(box: Box) -> list[str]:
    return box.column("select provider_message_id from raw.messages order by seq")


def test_all_of_a_mailbox_is_stored_byte_for_byte_with_its_labels_and_times(box: Box) -> None:
    """Mail that is left out of the first sync is missing for ever: no history record will name it."""
    box.user.fill(old_mail(30))
    label = box.user.make_label("Customers/ACME")
    key = box.user.deliver(subject="Now", labels=("INBOX", "UNREAD", label))
    box.user.trash(box.user.deliver(subject="Binned"))
    box.user.deliver(subject="Junk", labels=("SPAM",))
    result = box.sync()
    assert box.stored() == box.user.ids()
    assert result.counts == {"imported": 33, "duplicates": 0, "gaps": 0, "removed": 0, "relabelled": 0}
    assert box.labels() == box.true_labels()
    assert "Customers/ACME" in box.labels()[key]
    row = box.rows("select * from raw.messages where provider_message_id = :key", key=key)[0]
    message = box.user.messages[key]
    assert bytes(row["rfc822"]) == message.rfc822
    assert row["source"] == "gmail"
    assert row["provider_received_at"].timestamp() * 1000 == message.internal_date
    assert row["provider_thread_id"] == str(int(message.thread_id, 16))
    cursor = box.rows("select is_complete, imported_count from raw.cursors")[0]
    assert cursor == {"is_complete": True, "imported_count": 33}


def test_an_empty_mailbox_is_synced_and_not_asked_for_again(box: Box) -> None:
    """A listing without messages must end like any other, or a new account would be listed for ever."""
    box.sync()
    assert box.is_settled()
    calls = box.gmail.calls.count("messages.list")
    box.sync()
    assert box.gmail.calls.count("messages.list") == calls


def test_the_newest_month_comes_first_and_every_run_shows_more(box: Box, small_pages: None) -> None:
    """A person who connects ten years of mail wants this week's now, not in five hours."""
    old = box.user.fill(old_mail(20))
    recent = box.user.fill(old_mail(10, days=2, label="STARRED"))
    seen: list[Progress] = []
    box.sync(gmail_slice_messages=6, gmail_batch_size=4)
    first = _by_arrival(box)
    assert set(first) == set(recent[:6])
    assert first[0] in recent[:4]
    assert box.position()["listing"]["phase"] == "recent"
    new = box.user.deliver(subject="While the first sync goes on")
    box.sync(gmail_slice_messages=6, gmail_batch_size=4)
    second = _by_arrival(box)[6:]
    assert second[0] == new
    assert set(recent) <= {*first, *second}
    step = box.step(gmail_slice_messages=6)
    object.__setattr__(step, "report", seen.append)
    from rl_emails_assets.steps import raw_messages  # noqa: PLC0415 - what this test watches

    raw_messages.run(step)
    assert [(report.done, report.total) for report in seen][-1] == (18, 31)
    box.settle(gmail_slice_messages=6)
    assert box.stored() == {*old, *recent, new}


def test_killed_at_any_commit_a_first_sync_goes_on_where_it_was(box: Box, small_pages: None) -> None:
    """What a dead run had listed or was fetching must be taken up by the next one, once."""
    box.user.fill(old_mail(8))
    box.user.fill(old_mail(3, days=2, label="STARRED"))
    box.settings = box.settings.model_copy(update={"gmail_batch_size": 4})
    for at_commit in range(1, 60):
        box.forget()
        has_died = killed(box, at_commit=at_commit, before=bool(at_commit % 2))
        box.settle()
        assert box.stored() == box.user.ids()
        assert box.gaps() == {}
        assert box.column("select count(*) from raw.listings") == [0]
        assert box.labels() == box.true_labels()
        if not has_died:
            break
    assert at_commit > 10


def test_mail_that_comes_and_goes_while_the_mailbox_is_listed(
    box: Box, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where page tokens count from the newest message, an arrival repeats messages and a deletion skips some."""
    box.gmail.pages_shift = True
    keys = box.user.fill(old_mail(40))
    listed = GmailClient.list_ids
    pages = 0

    def shifting(client: GmailClient, **asked: Any) -> ListedPage:
        nonlocal pages
        page = listed(client, **asked)
        pages += not asked["query"]
        if pages == 2 and not asked["query"]:
            box.user.delete(*keys[:3])
            box.user.deliver(subject="Arrived meanwhile", labels=("INBOX",))
            box.user.relabel(keys[10], add=["STARRED"])
        return page

    monkeypatch.setattr(GmailClient, "list_ids", shifting)
    box.settle()
    assert box.stored() == box.user.ids()
    assert box.labels() == box.true_labels()
    assert box.gaps() == {}


@pytest.mark.parametrize("pages_before", [1, 3])
def test_a_page_token_that_gmail_does_not_take_any_more_begins_the_pass_again(
    box: Box, small_pages: None, pages_before: int
) -> None:
    """A mailbox whose first sync was interrupted for a week would otherwise fail at the same page for ever."""
    box.user.fill(old_mail(12))
    box.user.fill(old_mail(10, days=2, label="STARRED"))
    box.gmail.faults.next("messages.list", status=400, reason="invalidArgument", after=pages_before)
    box.settle()
    assert box.stored() == box.user.ids()


def test_two_runs_at_once_store_every_message_once(box: Box, small_pages: None) -> None:
    """A person's click and the schedule may start two runs of one mailbox."""
    from rl_emails_assets.steps import raw_messages  # noqa: PLC0415 - as above

    box.user.fill(old_mail(25))
    steps = [box.step(), box.step()]
    errors: list[BaseException] = []

    def run(step: Any) -> None:
        try:
            raw_messages.run(step)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    box.settle()
    assert box.stored() == box.user.ids()
    assert box.gmail.calls.count("messages.get", status=200) == 25


def test_a_bucket_that_is_empty_ends_the_run_quietly_and_the_next_goes_on(box: Box) -> None:
    """A run that waited for units would keep a worker for hours; one that failed would become a dead letter."""
    box.user.fill(old_mail(30))
    result = box.sync(gmail_quota_units_per_minute=300, gmail_batch_size=4)
    assert 0 < result.counts["imported"] < 30
    assert box.position()["resume_at"] is not None
    assert len(box.stored()) + len(box.backlog()) == 30
    assert set(box.column("select attempts from raw.backlog")) == {0}
    box.execute("delete from mailboxes.quotas")
    box.settle()
    assert box.stored() == box.user.ids()
    assert box.position()["resume_at"] is None


def test_the_cursor_is_asked_for_before_the_first_page_is_listed(box: Box) -> None:
    """A history id from after the listing skips what arrived while it was read."""
    box.user.fill(old_mail(3))
    box.gmail.faults.next("messages.list", arrive=2)
    box.settle()
    methods = [call.method for call in box.gmail.calls.calls if call.method in {"getProfile", "messages.list"}]
    assert methods[0] == "getProfile"
    assert box.stored() == box.user.ids()
