"""The consistency sync: what was lost in whatever way is found by comparing with everything that Gmail has."""

from typing import Any

import pytest

from rl_emails_assets.errors import SourceError
from rl_emails_assets.providers.gmail import gmail_requests
from rl_emails_assets.providers.gmail.answers import ListedPage
from rl_emails_assets.providers.gmail.client import GmailClient
from tests.gmail.sync_mailbox import Box, old_mail


@pytest.fixture
def synced(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A mailbox of thirty messages in several pages whose first sync is over."""
    monkeypatch.setattr(gmail_requests, "PAGE_SIZE", 8)
    box.user.fill(old_mail(15))
    box.user.fill(old_mail(15, label="SENT"))
    box.settle()
    box.gmail.calls.clear()
    return box


def _is_the_same(box: Box) -> None:
    assert box.is_settled()
    assert box.stored() == box.user.ids()
    assert box.labels() == box.true_labels()
    assert box.column("select count(*) from raw.listings") == [0]


def test_nothing_is_fetched_again_where_nothing_differs(synced: Box) -> None:
    """A weekly comparison that fetched everything again would cost 20 units a message and an hour of quota."""
    synced.sync("full")
    _is_the_same(synced)
    assert synced.gmail.calls.count("messages.get") == 0
    pages = synced.gmail.calls.count("messages.list")
    synced.sync()
    assert synced.gmail.calls.count("messages.list") == pages


def test_lost_messages_deletions_and_labels_come_right(synced: Box) -> None:
    """Gmail's history is lossy by contract; what it did not tell must not stay wrong for ever."""
    keys = sorted(synced.user.ids())
    lost, labelled, unlabelled, relabelled = keys[3], keys[4], keys[5], keys[6]
    synced.execute("delete from raw.messages where provider_message_id = :key", key=lost)
    unlabel = (
        "delete from raw.labels using raw.messages m where m.message_id = labels.message_id "
        "and m.provider_message_id = :key"
    )
    for key in (unlabelled, relabelled):
        synced.execute(unlabel, key=key)
    for key, label in ((labelled, "STARRED"), (relabelled, "Never was")):
        synced.execute(
            "insert into raw.labels (mailbox_id, message_id, label) select mailbox_id, message_id, :label "
            "from raw.messages where provider_message_id = :key",
            key=key,
            label=label,
        )
    # Archived: in no label's listing either, so that only the listing of everything can tell.
    quietly_deleted = keys[0]
    synced.user.relabel(quietly_deleted, remove=synced.user.labels_of(quietly_deleted))
    synced.sync()
    records = len(synced.user.history.records)
    synced.user.delete(quietly_deleted)
    del synced.user.history.records[records:], synced.user.history._record_ids[records:]
    synced.settle("full")
    _is_the_same(synced)
    assert synced.gmail.calls.count("messages.get") == 5


def test_what_the_listing_leaves_out_is_kept_when_gmail_still_has_it(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing cut short, or shifted by deletions, must never delete mail: only a 404 or a record of it does."""
    listed = GmailClient.list_ids

    def cut(client: GmailClient, *, page_token: str | None = None, query: str = "", label: str = "") -> ListedPage:
        page = listed(client, page_token=page_token, query=query, label=label)
        return ListedPage(page.items[:-3], None, 0)

    monkeypatch.setattr(GmailClient, "list_ids", cut)
    synced.settle("full")
    _is_the_same(synced)
    assert len(synced.stored()) == 30
    assert synced.gmail.calls.count("messages.get") == 25


def test_a_full_sync_that_is_asked_for_while_one_is_under_way_goes_on_with_that(synced: Box) -> None:
    """Beginning again at every request would never end."""
    synced.gmail.faults.next("messages.list", status=429, times=50, after=2, retry_after=30)
    synced.sync("full")
    listing = synced.position()["listing"]
    assert listing["page_count"] == 2
    synced.gmail.faults.clear()
    synced.execute("delete from mailboxes.quotas")
    calls = synced.gmail.calls.count("messages.list", status=200)
    synced.sync("full")
    _is_the_same(synced)
    assert synced.gmail.calls.count("messages.list", status=200) > calls
    assert synced.sync("partial").counts["imported"] == 0


def test_mail_imported_from_files_is_left_alone(synced: Box) -> None:
    """What Gmail never had is not missing there."""
    synced.execute(
        "update raw.messages set source = '/home/me/mail.mbox' where seq = (select min(seq) from raw.messages)"
    )
    foreign = synced.column("select provider_message_id from raw.messages where source <> 'gmail'")[0]
    synced.user.messages[foreign].labels.add("STARRED")
    records = len(synced.user.history.records)
    synced.settle("full")
    assert len(synced.user.history.records) == records
    assert synced.gmail.calls.count("messages.get") == 0


def test_a_label_that_is_deleted_while_labels_are_compared_ends_no_sync(
    synced: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gmail answers 400 to the listing of a label that is gone."""
    label = synced.user.make_label("Short-lived")
    listed = GmailClient.list_ids

    def late(client: GmailClient, **asked: Any) -> ListedPage:
        if asked["label"] == label and label in synced.user.labels:
            synced.user.drop_label(label)
        return listed(client, **asked)

    monkeypatch.setattr(GmailClient, "list_ids", late)
    synced.settle("full")
    assert label not in synced.user.labels
    _is_the_same(synced)


def test_a_page_token_of_a_label_that_is_refused_begins_that_label_again(synced: Box) -> None:
    """A comparison of labels that was interrupted for a week must not fail for ever either."""
    synced.gmail.faults.next("messages.list", status=400, reason="invalidArgument", after=4 + 8)
    synced.settle("full")
    assert synced.gmail.calls.count("messages.list", status=400) == 1
    _is_the_same(synced)


@pytest.mark.parametrize("pages_before", [0, 4])
def test_a_listing_that_gmail_refuses_fails_the_run(synced: Box, pages_before: int) -> None:
    """A refusal that counted as an empty listing would have every message asked for again."""
    synced.gmail.faults.next("messages.list", status=400, reason="invalidArgument", after=pages_before, times=99)
    with pytest.raises(SourceError):
        synced.sync("full")
    synced.gmail.faults.clear()
    synced.execute("delete from sync_queue.requests")
    synced.settle()
    _is_the_same(synced)
