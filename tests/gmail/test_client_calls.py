"""The client's single calls against the stand-in: what they return, what a refusal becomes, when they are repeated."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from googleapiclient import discovery_cache  # type: ignore[import-untyped]

from rl_emails_assets.errors import (
    HistoryExpiredError,
    ProviderUnavailableError,
    RateLimitedError,
    ReconnectNeededError,
    RlEmailsError,
    SettingsError,
    SourceError,
)
from rl_emails_assets.providers.gmail.answers import ListedId
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.providers.gmail.gmail_requests import GmailRequests
from tests.gmail.mailbox_clients import FreshTokens, Opener, put_quota
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.users import User

GMAIL_LABELS = "https://www.googleapis.com/auth/gmail.labels"


class TestAnswers:
    def test_profile(self, open_client: Opener, owner: User) -> None:
        """The cursor of a full sync would be another mailbox's, or a rounded number."""
        owner.deliver(subject="One")
        profile = open_client().client.profile()
        assert (profile.address, profile.history_id, profile.message_count) == (owner.address, owner.history_id, 1)

    def test_listing_is_paged_to_its_end_and_has_spam_and_trash(self, open_client: Opener, owner: User) -> None:
        """Mail in spam or behind the first page would be taken for deleted."""
        began = datetime(2026, 3, 2, tzinfo=UTC)
        ids = [owner.deliver(subject=f"{n}", at=began + timedelta(minutes=n)) for n in range(501)]
        owner.relabel(ids[0], add=["SPAM"], remove=["INBOX"])
        owner.trash(ids[1])
        client = open_client().client
        first = client.list_ids()
        assert len(first.items) == 500
        assert first.next_page_token is not None
        second = client.list_ids(page_token=first.next_page_token)
        assert second.next_page_token is None
        assert {item.provider_message_id for item in first.items + second.items} == set(ids)
        assert first.items[0].provider_message_id == ids[-1]
        assert all(item.provider_thread_id for item in first.items)

    def test_listing_by_label_and_query(self, open_client: Opener, owner: User) -> None:
        """The newest month of a first sync would be the whole mailbox."""
        label = owner.make_label("Customers")
        in_label = owner.deliver(subject="Labelled", labels=("INBOX", label))
        matching = owner.deliver(subject="Invoice")
        client = open_client().client
        assert [item.provider_message_id for item in client.list_ids(label=label).items] == [in_label]
        assert [item.provider_message_id for item in client.list_ids(query="subject:invoice").items] == [matching]

    def test_an_empty_mailbox_lists_nothing(self, open_client: Opener) -> None:
        """Gmail leaves an empty list out, which must not be taken for a malformed answer."""
        page = open_client().client.list_ids()
        assert (page.items, page.next_page_token) == ([], None)

    def test_history_tells_what_happened_to_which_message(self, open_client: Opener, owner: User) -> None:
        """A kind of change that is not read never reaches the inbox."""
        kept, gone = owner.deliver(subject="Kept"), owner.deliver(subject="Gone")
        before = owner.history_id
        added = owner.deliver(subject="Added")
        owner.relabel(kept, add=["STARRED"])
        owner.relabel(kept, remove=["UNREAD"])
        owner.delete(gone)
        page = open_client().client.history(before)
        assert page.history_id == owner.history_id
        assert [item.provider_message_id for record in page.records for item in record.added] == [added]
        assert [item.provider_message_id for record in page.records for item in record.deleted] == [gone]
        thread = owner.messages[kept].thread_id
        changes = [change for record in page.records for change in record.labels_added]
        assert changes == [(ListedId(kept, thread), frozenset({"STARRED"}))]
        changes = [change for record in page.records for change in record.labels_removed]
        assert changes == [(ListedId(kept, thread), frozenset({"UNREAD"}))]
        ids = [record.history_id for record in page.records]
        assert ids == sorted(ids)
        assert ids[0] > before

    def test_history_without_changes(self, open_client: Opener, owner: User) -> None:
        """A quiet mailbox would look broken."""
        page = open_client().client.history(owner.history_id)
        assert (page.records, page.history_id, page.next_page_token) == ([], owner.history_id, None)

    def test_an_empty_page_of_history_has_a_next_one(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """Gmail sometimes sends a page without records in the middle; what follows would be lost."""
        before = owner.history_id
        added = owner.deliver(subject="Behind an empty page")
        gmail.faults.next("history.list", empty_page=True)
        client = open_client().client
        first = client.history(before)
        assert first.records == []
        assert first.next_page_token is not None
        second = client.history(before, page_token=first.next_page_token)
        assert [item.provider_message_id for record in second.records for item in record.added] == [added]

    def test_labels(self, open_client: Opener, owner: User) -> None:
        """Labels would be shown by their ids."""
        label = owner.make_label("Customers/ACME")
        labels = open_client().client.labels()
        assert labels[label] == "Customers/ACME"
        assert labels["INBOX"] == "INBOX"

    def test_watch_and_stop(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """A watch whose expiry is misread is not renewed in time."""
        client = open_client().client
        grant = client.watch(gmail.topic)
        assert grant.history_id == owner.history_id
        assert abs(grant.expires_at - gmail.clock.now() - timedelta(days=7)) < timedelta(minutes=1)
        client.stop_watch()
        assert owner.watch is None

    def test_every_call_pays(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """A method that does not pay hides from the bucket what Gmail counts."""
        opened = open_client()
        client = opened.client
        message_id = owner.deliver(subject="One")
        client.profile()
        client.list_ids()
        client.history(owner.history_id)
        client.labels()
        client.watch(gmail.topic)
        client.stop_watch()
        client.get_raw([message_id])
        assert opened.row["units_today"] == gmail.calls.units(owner.address) == 1 + 5 + 2 + 1 + 100 + 50 + 20


CALLS: dict[str, Callable[[GmailClient], Any]] = {
    "getProfile": GmailClient.profile,
    "messages.list": GmailClient.list_ids,
    "labels.list": GmailClient.labels,
    "history.list": lambda client: client.history(client.profile().history_id),
    "watch": lambda client: client.watch("projects/standin-project/topics/gmail"),
    "stop": GmailClient.stop_watch,
}


class TestRefusals:
    @pytest.mark.parametrize(
        ("effects", "error"),
        [
            ({"status": 403, "reason": "userRateLimitExceeded"}, RateLimitedError),
            ({"status": 403, "reason": "rateLimitExceeded"}, RateLimitedError),
            ({"status": 403, "reason": "dailyLimitExceeded"}, RateLimitedError),
            ({"status": 403, "reason": "quotaExceeded"}, RateLimitedError),
            ({"status": 429}, RateLimitedError),
            ({"status": 403, "reason": "insufficientPermissions"}, ReconnectNeededError),
            ({"status": 403, "reason": "domainPolicy"}, ReconnectNeededError),
            ({"status": 403, "reason": "accessNotConfigured"}, SettingsError),
            ({"status": 400}, ProviderUnavailableError),
            ({"status": 404}, SourceError),
            ({"status": 500}, ProviderUnavailableError),
            ({"status": 502, "html": True}, ProviderUnavailableError),
            ({"status": 503}, ProviderUnavailableError),
            ({"reset": True}, ProviderUnavailableError),
            ({"reset_mid_body": True}, ProviderUnavailableError),
            ({"truncate": True}, ProviderUnavailableError),
        ],
        ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else value.__name__,
    )
    def test_what_a_refusal_becomes(
        self, open_client: Opener, gmail: Gmail, effects: dict[str, Any], error: type[RlEmailsError]
    ) -> None:
        """A wrong kind of error retries what never works, or gives up what works in a minute."""
        opened = open_client()
        gmail.faults.next("messages.list", times=10, **effects)
        with pytest.raises(error) as caught:
            opened.client.list_ids()
        assert type(caught.value) is error
        text = str(caught.value)
        assert "messages.list" in text
        assert opened.tokens.current not in text
        assert gmail.url not in text

    @pytest.mark.parametrize("method", CALLS)
    def test_a_passing_failure_is_repeated(self, open_client: Opener, gmail: Gmail, method: str) -> None:
        """One hiccup of Gmail's would cost a whole run."""
        opened = open_client()
        gmail.faults.next(method, times=3, status=503)
        CALLS[method](opened.client)
        assert gmail.calls.count(method) == 4
        # Gmail asks for a second at least; the pauses grow and stay bounded.
        assert len(opened.naps) == 3
        assert all(1 <= nap <= 1 + 2**number for number, nap in enumerate(opened.naps))

    def test_a_lasting_failure_is_not_repeated_for_ever(self, open_client: Opener, gmail: Gmail) -> None:
        """A run would hold its claim for as long as Gmail is down."""
        opened = open_client()
        gmail.faults.next("getProfile", times=100, status=500)
        with pytest.raises(ProviderUnavailableError, match="getProfile with HTTP 500"):
            opened.client.profile()
        assert gmail.calls.count("getProfile") == 4
        assert opened.row["units_today"] == 4

    def test_what_cannot_pass_is_not_repeated(self, open_client: Opener, gmail: Gmail) -> None:
        """A revoked permission would be asked for again and again."""
        opened = open_client()
        gmail.faults.next("labels.list", times=9, status=403, reason="domainPolicy")
        with pytest.raises(ReconnectNeededError, match="domainPolicy"):
            opened.client.labels()
        assert gmail.calls.count("labels.list") == 1
        assert opened.naps == []

    def test_too_narrow_a_grant(self, open_client: Opener, owner: User) -> None:
        """A box left unticked at the sign-in would look like an empty mailbox."""
        tokens = FreshTokens(owner)
        tokens.current = owner.access_token([GMAIL_LABELS])
        client = open_client(tokens).client
        assert "INBOX" in client.labels()
        with pytest.raises(ReconnectNeededError, match="tick every permission"):
            client.list_ids()

    @pytest.mark.parametrize("topic", ["projects/elsewhere/topics/t", "no topic"])
    def test_a_topic_that_gmail_cannot_publish_to(self, open_client: Opener, topic: str) -> None:
        """A wrong setting of the administrator's would tell every owner to connect again."""
        with pytest.raises(SettingsError, match="RL_EMAILS_GMAIL_TOPIC"):
            open_client().client.watch(topic)

    def test_an_expired_history(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """A mailbox that was away for a fortnight would fail for ever instead of being listed again."""
        start = owner.history_id
        owner.deliver(subject="Old")
        gmail.advance(days=9)
        owner.deliver(subject="New")
        opened = open_client()
        with pytest.raises(HistoryExpiredError, match="full sync"):
            opened.client.history(start)
        assert opened.naps == []

    def test_retry_after_is_waited_for(self, open_client: Opener, gmail: Gmail) -> None:
        """Asking earlier than Gmail said keeps the mailbox refused."""
        opened = open_client()
        gmail.faults.next("getProfile", status=429, retry_after=9)
        with pytest.raises(RateLimitedError):
            # The bucket refills when Gmail said, by a clock that this test does not move.
            opened.client.profile()
        assert opened.naps[0] >= 9
        assert gmail.calls.count("getProfile") == 1

    def test_a_long_retry_after_ends_the_run(self, open_client: Opener, gmail: Gmail) -> None:
        """A claim and a worker would be kept for sleeping."""
        opened = open_client()
        gmail.faults.next("getProfile", status=429, retry_after=300)
        with pytest.raises(RateLimitedError) as caught:
            opened.client.profile()
        assert caught.value.retry_after_seconds == 300
        assert opened.naps == []
        with pytest.raises(RateLimitedError, match="quota bucket is empty"):
            open_client().client.profile()
        assert gmail.calls.count("getProfile") == 1

    def test_a_daily_limit_is_not_asked_about_for_a_while(self, open_client: Opener, gmail: Gmail) -> None:
        """A limit that ends at midnight would be asked about every second."""
        gmail.faults.next("getProfile", status=403, reason="dailyLimitExceeded")
        with pytest.raises(RateLimitedError) as caught:
            open_client().client.profile()
        assert caught.value.retry_after_seconds == 900

    def test_an_empty_bucket_asks_nothing(self, open_client: Opener, gmail: Gmail) -> None:
        """The bucket would be a statistic."""
        opened = open_client()
        opened.client.profile()
        put_quota(opened.quota.engine, opened.quota.mailbox_id, units_left=0)
        with pytest.raises(RateLimitedError):
            opened.client.profile()
        assert gmail.calls.count("getProfile") == 1
        # Somebody who waits has the reserve.
        put_quota(opened.quota.engine, opened.quota.mailbox_id, units_left=10)
        assert open_client(is_interactive=True).client.profile().address

    def test_a_library_without_gmail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A broken installation would fail with an error about JSON."""
        monkeypatch.setattr(discovery_cache, "get_static_doc", lambda *_: None)
        with pytest.raises(SettingsError, match="Install rl-emails again"):
            GmailRequests("https://gmail.test")


class TestTokens:
    def test_an_expired_token_is_renewed_once(self, open_client: Opener, gmail: Gmail) -> None:
        """Every run would fail an hour after the last."""
        opened = open_client()
        first = opened.tokens.current
        gmail.oauth.forget_access_tokens()
        assert opened.client.profile().address
        assert opened.tokens.rejected == [first]
        assert opened.client.profile().address
        assert len(opened.tokens.rejected) == 1

    def test_a_second_refusal_asks_the_owner(self, open_client: Opener, gmail: Gmail) -> None:
        """A dead grant would be refreshed without end."""
        opened = open_client()
        gmail.faults.next("getProfile", times=2, status=401)
        with pytest.raises(ReconnectNeededError, match="fresh access token"):
            opened.client.profile()
        assert len(opened.tokens.rejected) == 1
        assert gmail.calls.count("getProfile") <= 2
