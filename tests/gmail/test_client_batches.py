"""Fetching messages in batches against the stand-in, with everything that goes wrong inside a batch."""

import random
from datetime import UTC, datetime

import pytest

from rl_emails_assets.errors import ProviderUnavailableError, RateLimitedError, ReconnectNeededError
from rl_emails_assets.providers.gmail import fetching
from rl_emails_assets.providers.gmail.answers import Deferred, Fetched, Outcome, Refused, Vanished
from rl_emails_assets.providers.gmail.batches import Part
from tests.gmail.mailbox_clients import Opener, put_quota
from tests.gmail.standin import batch as standin_batch
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.replies import Request, Response
from tests.gmail.standin.users import User


@pytest.fixture
def mail(owner: User) -> list[str]:
    """Sixty messages, newest first."""
    return [owner.deliver(subject=f"Message {number}") for number in range(60)][::-1]


@pytest.fixture
def _no_refusals(gmail: Gmail) -> None:
    """Gmail runs every part of a batch."""
    gmail.quota.concurrent_parts = (100, 100)


def fetched(outcomes: list[Outcome]) -> list[str]:
    """The ids whose bytes came."""
    return [outcome.provider_message_id for outcome in outcomes if isinstance(outcome, Fetched)]


class TestFetching:
    def test_bytes_and_everything_about_them(self, open_client: Opener, owner: User) -> None:
        """What is not kept of a message at its first fetch is asked for again at full price."""
        at = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
        rfc822 = b"From: a@example.org\r\nSubject: =?utf-8?b?w6k=?=\r\n\r\nBody\xff\x00?>\r\n"
        message_id = owner.deliver(rfc822, labels=("INBOX", "STARRED"), at=at)
        [outcome] = open_client().client.get_raw([message_id])
        message = owner.messages[message_id]
        assert outcome == Fetched(
            message_id, message.thread_id, rfc822, frozenset({"INBOX", "STARRED"}), at, message.history_id, len(rfc822)
        )

    def test_five_hundred_in_the_order_asked(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """Parts come in any order, and a message stored under another's id is lost twice."""
        ids = [owner.deliver(subject=f"Message {number}", text="é" * number) for number in range(500)]
        random.Random(3).shuffle(ids)  # noqa: S311 - repeatable, no secret
        outcomes = open_client().client.get_raw(ids)
        assert [outcome.provider_message_id for outcome in outcomes] == ids
        assert [outcome.rfc822 for outcome in outcomes if isinstance(outcome, Fetched)] == list(
            map(owner.rfc822_of, ids)
        )
        # Refused parts are asked for again, and nothing else is.
        refused = gmail.calls.count("refused part")
        assert gmail.calls.count("messages.get") == 500
        assert gmail.calls.count("batch") < 500 / 10
        assert refused < 500 / 4

    def test_the_same_id_twice_is_asked_once(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """A record that adds and relabels a message names it twice; it would be paid for twice."""
        outcomes = open_client().client.get_raw([mail[0], mail[1], mail[0]])
        assert fetched(outcomes) == [mail[0], mail[1], mail[0]]
        assert gmail.calls.count("messages.get") == 2

    def test_nothing_asked_nothing_done(self, open_client: Opener, gmail: Gmail) -> None:
        """An empty batch is an error to Gmail."""
        assert open_client().client.get_raw([]) == []
        assert gmail.calls.count() == gmail.calls.count("token")

    def test_a_message_that_vanished(self, open_client: Opener, gmail: Gmail, owner: User, mail: list[str]) -> None:
        """A deletion between listing and fetching would fail the whole sync."""
        owner.delete(mail[2])
        gmail.faults.next("messages.get", vanish=True)
        outcomes = open_client().client.get_raw(mail[:10])
        vanished = [outcome.provider_message_id for outcome in outcomes if isinstance(outcome, Vanished)]
        assert len(vanished) == 2
        assert mail[2] in vanished
        assert len(fetched(outcomes)) == 8

    @pytest.mark.parametrize(
        ("how", "reason"), [("missing", "no `raw`"), ("invalid_base64", "not base64"), ("oversized", "limit is")]
    )
    def test_a_message_that_cannot_be_read(
        self, open_client: Opener, gmail: Gmail, owner: User, mail: list[str], how: str, reason: str
    ) -> None:
        """One broken message would stop the mailbox, or be stored empty."""
        gmail.oversized_bytes = 3_000_000
        owner.break_raw(mail[4], how)
        opened = open_client(message_max_bytes=2_000_000)
        outcomes = opened.client.get_raw(mail[:10])
        refused = outcomes[4]
        assert isinstance(refused, Refused)
        assert reason in refused.reason
        assert len(fetched(outcomes)) == 9
        assert gmail.calls.count("messages.get") == 10

    def test_an_id_that_is_none(self, open_client: Opener, mail: list[str]) -> None:
        """A garbled id in the backlog would be asked for until the end of days."""
        outcomes = open_client().client.get_raw(["../../etc?x=1", mail[0]])
        assert isinstance(outcomes[0], Refused)
        assert fetched(outcomes) == [mail[0]]


class TestFailedParts:
    @pytest.mark.usefixtures("_no_refusals")
    @pytest.mark.parametrize("status", [429, 403, 500, 503])
    def test_only_the_failed_parts_are_asked_for_again(
        self, open_client: Opener, gmail: Gmail, mail: list[str], status: int
    ) -> None:
        """A refusal inside a batch that says 200 would lose a message; asking for all again costs twenty times."""
        gmail.faults.next("messages.get", times=3, after=5, status=status, reason="userRateLimitExceeded")
        opened = open_client()
        assert fetched(opened.client.get_raw(mail[:20])) == mail[:20]
        assert gmail.calls.count("messages.get") == 23
        assert opened.row["units_today"] == 23 * 20
        # At least a second lies between a failure and the next try.
        assert len(opened.naps) == 1
        assert opened.naps[0] >= 1

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_refusal_halves_the_batch_and_the_next_run_knows(
        self, open_client: Opener, gmail: Gmail, mail: list[str]
    ) -> None:
        """Batches of a size that Gmail refuses would be sent again and again."""
        gmail.faults.next("messages.get", status=429)
        opened = open_client()
        opened.client.get_raw(mail[:20])
        assert opened.row["batch_size"] == 10
        assert opened.row["throttled_at"] is not None
        # Some of the batch went through: the units are not to blame.
        assert opened.row["units_left"] == 1_000_000 - 21 * 20
        gmail.calls.clear()
        open_client().client.get_raw(mail[:20])
        assert gmail.calls.count("batch") == 2

    @pytest.mark.usefixtures("_no_refusals")
    def test_clean_batches_grow_to_fifty(self, open_client: Opener, gmail: Gmail, owner: User) -> None:
        """A batch size that once was halved would stay small for ever."""
        ids = [owner.deliver(subject=f"{number}") for number in range(700)]
        opened = open_client(gmail_batch_size=40)
        assert len(fetched(opened.client.get_raw(ids))) == 700
        assert opened.row["batch_size"] == 50
        sizes = [40, 42, 44, 46, 48] + [50] * 9
        assert gmail.calls.count("batch") == len(sizes) + (sum(sizes) < 700)

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_batch_that_is_not_full_teaches_nothing(self, open_client: Opener, mail: list[str]) -> None:
        """A quiet mailbox, two messages at a time, would end with batches nobody has tried."""
        opened = open_client()
        opened.client.get_raw(mail[:5])
        assert opened.row["batch_size"] == 20

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_part_that_keeps_failing_is_deferred(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """One message that Gmail cannot deliver would hold back all others."""
        gmail.faults.next("messages.get", times=100, status=500)
        opened = open_client()
        outcomes = opened.client.get_raw(mail[:1])
        assert outcomes == [Deferred(mail[0], "HTTP 500, backendError", 0.0, 4)]
        assert gmail.calls.count("messages.get") == 4
        assert len(opened.naps) == 3

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_wholly_refused_batch_backs_off_and_stops(
        self, open_client: Opener, gmail: Gmail, mail: list[str]
    ) -> None:
        """A mailbox that Gmail refuses would be hammered, 20 units a message."""
        gmail.faults.sometimes("messages.get", 1.0, status=429)
        opened = open_client()
        outcomes = opened.client.get_raw(mail)
        assert all(isinstance(outcome, Deferred) for outcome in outcomes)
        # 20, 10, 5 and 2 parts, and each time the bucket is emptied to the reserve.
        assert gmail.calls.count("messages.get") == 37
        assert opened.row["batch_size"] == 1
        tries = [(outcome.tries, outcome.is_rate) for outcome in outcomes if isinstance(outcome, Deferred)]
        assert tries == [(1, True)] * 37 + [(0, False)] * 23
        # One pause after each refusal but the last; shorter ones wait for the bucket's refill.
        assert [1 <= nap <= 9 for nap in opened.naps if nap >= 1] == [True] * 3

    def test_a_long_retry_after_inside_a_batch_ends_the_pass(
        self, open_client: Opener, gmail: Gmail, mail: list[str]
    ) -> None:
        """The claim would be kept for sleeping, or Gmail be asked earlier than it said."""
        gmail.faults.next("messages.get", after=5, status=429, retry_after=120)
        opened = open_client()
        outcomes = opened.client.get_raw(mail[:30])
        assert len(fetched(outcomes)) == 19
        deferred = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
        assert {outcome.retry_after_seconds for outcome in deferred} == {120}
        assert gmail.calls.count("batch") == 1
        with pytest.raises(RateLimitedError):
            open_client().client.get_raw(mail[:1])


class TestFailedBatches:
    @pytest.mark.usefixtures("_no_refusals")
    @pytest.mark.parametrize(
        "effects",
        [
            {"status": 503},
            {"status": 502, "html": True},
            {"status": 429},
            {"status": 400},
            {"reset": True},
            {"reset_after": True},
            {"reset_mid_body": True},
        ],
        ids=lambda effects: " ".join(map(str, effects)),
    )
    def test_a_failed_batch_is_asked_for_again(
        self, open_client: Opener, gmail: Gmail, mail: list[str], effects: dict[str, object]
    ) -> None:
        """A reset in the middle of a batch would lose its messages."""
        gmail.faults.next("batch", **effects)
        opened = open_client()
        assert fetched(opened.client.get_raw(mail)) == mail
        assert opened.naps[0] >= 1

    @pytest.mark.usefixtures("_no_refusals")
    def test_what_came_of_a_truncated_batch_is_kept(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """A message cut in half would be stored as if it were whole; the others would be paid for again."""
        gmail.faults.next("batch", truncate=True)
        outcomes = open_client().client.get_raw(mail[:20])
        assert [outcome.provider_message_id for outcome in outcomes] == mail[:20]
        assert len(fetched(outcomes)) == 20
        assert 25 < gmail.calls.count("messages.get") < 35

    @pytest.mark.usefixtures("_no_refusals")
    def test_missing_parts_are_asked_for_again(
        self, open_client: Opener, gmail: Gmail, owner: User, mail: list[str]
    ) -> None:
        """A part that Gmail leaves out would be taken for a message that is not there."""
        gmail.faults.next("batch", drop_parts=3)
        outcomes = open_client().client.get_raw(mail[:20])
        assert [outcome.rfc822 for outcome in outcomes if isinstance(outcome, Fetched)] == list(
            map(owner.rfc822_of, mail[:20])
        )
        assert gmail.calls.count("messages.get") == 23

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_batch_of_too_many_parts(
        self, open_client: Opener, mail: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Gmail's limit on parts may change; every batch would be refused until a release of ours."""
        monkeypatch.setattr(standin_batch, "MOST_PARTS", 6)
        opened = open_client()
        assert fetched(opened.client.get_raw(mail[:20])) == mail[:20]
        assert opened.row["batch_size"] < 10

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_page_instead_of_a_batch(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """A proxy's page with status 200 would be taken for a mailbox without messages."""
        answer, pages = gmail.answer, [Response(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})]
        gmail.answer = lambda request: pages.pop() if pages else answer(request)  # type: ignore[method-assign]
        with open_client().client as client:
            assert fetched(client.get_raw(mail[:20])) == mail[:20]
        assert pages == []

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_part_with_another_message(self, open_client: Opener, gmail: Gmail, owner: User, mail: list[str]) -> None:
        """A message would be stored under the id of another, for good."""
        answer, wrong = gmail.api.answer, [mail[3]]

        def mistaken(request: Request) -> Response:
            if wrong and request.path.endswith(wrong[0]):
                request.path = request.path.replace(wrong.pop(), mail[4])
            return answer(request)

        gmail.api.answer = mistaken  # type: ignore[method-assign]
        outcomes = open_client().client.get_raw(mail[:20])
        assert [outcome.rfc822 for outcome in outcomes if isinstance(outcome, Fetched)] == list(
            map(owner.rfc822_of, mail[:20])
        )

    def test_a_part_that_nobody_asked_for(
        self, open_client: Opener, monkeypatch: pytest.MonkeyPatch, mail: list[str]
    ) -> None:
        """An answer to something else would end the run with an error of ours."""
        read = fetching.parts_of
        monkeypatch.setattr(fetching, "parts_of", lambda *args: [Part(99, 200, {}, b"{}"), *read(*args)])
        assert fetched(open_client().client.get_raw(mail[:20])) == mail[:20]

    @pytest.mark.usefixtures("_no_refusals")
    def test_no_gmail_at_all(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """A failed read would look like an empty mailbox."""
        gmail.faults.sometimes("batch", 1.0, reset=True)
        opened = open_client()
        with pytest.raises(ProviderUnavailableError, match=r"messages\.get"):
            opened.client.get_raw(mail)
        assert len(opened.naps) == 3

    @pytest.mark.usefixtures("_no_refusals")
    def test_gmail_that_goes_away_after_a_while(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """What was fetched and paid for would be thrown away."""
        gmail.faults.next("batch", times=99, after=1, status=500)
        outcomes = open_client().client.get_raw(mail)
        assert fetched(outcomes) == mail[:20]
        assert all(isinstance(outcome, Deferred) for outcome in outcomes[20:])

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_message_that_breaks_its_batch_is_found(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """Every message beside it in a batch would share its fate for ever."""
        poison = mail[7]
        gmail.faults.clear()
        answer = gmail.api.answer

        def poisoned(request):  # type: ignore[no-untyped-def]
            response = answer(request)
            if poison in request.path:
                # As if it were cut: what comes after the part is lost, wherever the part is.
                response.status, response.body = 200, b"{"
            return response

        gmail.api.answer = poisoned  # type: ignore[method-assign]
        outcomes = open_client().client.get_raw(mail)
        assert fetched(outcomes) == [each for each in mail if each != poison]
        deferred = outcomes[7]
        assert isinstance(deferred, Deferred)
        assert deferred.tries == 4

    def test_a_host_without_batches(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """An emulator without the batch endpoint, or a proxy that forbids it, would leave the mailbox empty."""
        opened = open_client(gmail_batch_url=f"{gmail.url}/nowhere")
        assert fetched(opened.client.get_raw(mail)) == mail
        assert gmail.calls.count("messages.get") == 60

    def test_without_batches_a_refusal_stops_the_row(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """The rest of the row would be refused one by one."""
        gmail.faults.next("messages.get", after=3, status=429)
        opened = open_client(gmail_batch_url=f"{gmail.url}/nowhere")
        assert fetched(opened.client.get_raw(mail[:20])) == mail[:20]
        assert gmail.calls.count("messages.get") == 21

    def test_without_batches_a_reset_stops_the_row(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """With Gmail away, every message of the row would wait for its own time limit."""
        gmail.faults.next("messages.get", after=3, reset=True)
        opened = open_client(gmail_batch_url=f"{gmail.url}/nowhere")
        assert fetched(opened.client.get_raw(mail[:20])) == mail[:20]
        assert gmail.calls.count("messages.get") <= 22


class TestGrantAndQuota:
    @pytest.mark.usefixtures("_no_refusals")
    def test_a_token_that_expires_in_the_middle_of_a_batch(
        self, open_client: Opener, gmail: Gmail, mail: list[str]
    ) -> None:
        """Parts with 401 inside a batch that says 200 would become gaps."""
        gmail.faults.next("messages.get", times=5, after=10, status=401)
        opened = open_client()
        assert fetched(opened.client.get_raw(mail[:20])) == mail[:20]
        assert len(opened.tokens.rejected) == 1
        assert gmail.calls.count("batch") == 2
        assert opened.naps == []

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_token_refused_twice_asks_the_owner(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """A revoked grant would be refreshed for every message."""
        gmail.faults.sometimes("messages.get", 1.0, status=401)
        opened = open_client()
        with pytest.raises(ReconnectNeededError):
            opened.client.get_raw(mail[:20])
        assert len(opened.tokens.rejected) == 1

    def test_a_grant_too_narrow_for_messages(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """Every message of the mailbox would become a gap of its own."""
        gmail.faults.next("messages.get", status=403, reason="insufficientPermissions")
        with pytest.raises(ReconnectNeededError, match="insufficientPermissions"):
            open_client().client.get_raw(mail[:20])

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_bucket_that_runs_empty_keeps_what_was_fetched(self, open_client: Opener, mail: list[str]) -> None:
        """Messages that were paid for would be thrown away, and the run sleep with its claim."""
        opened = open_client()
        opened.client.profile()
        put_quota(opened.quota.engine, opened.quota.mailbox_id, units_left=250_000 + 45 * 20)
        outcomes = opened.client.get_raw(mail)
        # A batch of 20 and one of 22 are paid for; the next would wait for the minute to end.
        assert fetched(outcomes) == mail[:42]
        assert {type(outcome) for outcome in outcomes[42:]} == {Deferred}
        assert all(30 < outcome.retry_after_seconds < 61 for outcome in outcomes[42:] if isinstance(outcome, Deferred))
        assert all(outcome.tries == 0 for outcome in outcomes[42:] if isinstance(outcome, Deferred))

    def test_an_empty_bucket_asks_for_nothing(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """The slice would end with a thousand messages deferred instead of one error that says when."""
        opened = open_client()
        opened.client.profile()
        put_quota(opened.quota.engine, opened.quota.mailbox_id, units_left=0)
        with pytest.raises(RateLimitedError) as caught:
            opened.client.get_raw(mail)
        assert caught.value.retry_after_seconds > 30
        assert gmail.calls.count("batch") == 0

    def test_a_batch_is_no_dearer_than_the_bucket(self, open_client: Opener, gmail: Gmail, mail: list[str]) -> None:
        """With a small limit no batch would ever be paid for."""
        opened = open_client(gmail_quota_units_per_minute=160)
        assert fetched(opened.client.get_raw(mail)) == mail[:6]
        assert gmail.calls.count("batch") == 1

    @pytest.mark.usefixtures("_no_refusals")
    def test_a_pass_ends_after_its_time(
        self, open_client: Opener, mail: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A claim is a lease of 90 seconds that is extended between passes."""

        class Clock:
            looks = 0

            @property
            def is_over(self) -> bool:
                self.looks += 1
                return self.looks > 2

        monkeypatch.setattr(fetching, "PassClock", Clock)
        outcomes = open_client().client.get_raw(mail)
        assert fetched(outcomes) == mail[:42]
        assert isinstance(outcomes[42], Deferred)
        assert (outcomes[42].tries, outcomes[42].retry_after_seconds) == (0, 0.0)
