"""The quota bucket: what it may never allow, and what it remembers."""

import multiprocessing
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.errors import NotFoundError, RateLimitedError
from rl_emails_assets.providers.gmail.pacing import Pacing
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from rl_emails_assets.settings import Settings
from tests.gmail.mailbox_clients import add_mailbox, put_quota, quota_row

CAPACITY = 6_000


@pytest.fixture
def mailbox_id(engine: Engine) -> uuid.UUID:
    """A mailbox without a bucket yet."""
    return add_mailbox(engine, "owner@example.org")


def bucket(
    engine: Engine, mailbox_id: uuid.UUID, capacity: int = CAPACITY, reserve: float = 0.25, **more: Any
) -> QuotaBucket:
    """The mailbox's bucket with these settings."""
    limits = {"gmail_quota_units_per_minute": capacity, "gmail_quota_reserve": reserve}
    return QuotaBucket(engine, Settings(**limits), mailbox_id, **more)


def pass_time(engine: Engine, mailbox_id: uuid.UUID, seconds: float) -> None:
    """As if the bucket had last been counted that much earlier."""
    put_quota(engine, mailbox_id, counted_at=quota_row(engine, mailbox_id)["counted_at"] - timedelta(seconds=seconds))


class TestSpending:
    def test_units_are_taken_and_counted(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A call that is not paid for would be made without end."""
        quota = bucket(engine, mailbox_id)
        assert quota.spend(400) == 0
        assert quota.spend(5) == 0
        row = quota_row(engine, mailbox_id)
        assert (row["units_left"], row["units_today"]) == (CAPACITY - 405, 405)
        assert row["day"] == datetime.now(UTC).date()

    def test_a_refused_spend_takes_nothing_and_says_how_long(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """Taking units that are then not used starves the next call; a wrong wait asks too early or sleeps too long."""
        quota = bucket(engine, mailbox_id)
        assert quota.spend(4_000) == 0
        pass_time(engine, mailbox_id, 120)
        put_quota(engine, mailbox_id, units_left=1_600, counted_at=datetime.now(UTC))
        wait = quota.spend(400)
        # 300 units are missing above the reserve of 1,500; 75 come back each second.
        assert 3 < wait <= 4
        row = quota_row(engine, mailbox_id)
        assert row["units_today"] == 4_000
        assert 1_600 <= row["units_left"] < 1_800
        pass_time(engine, mailbox_id, wait)
        assert quota.spend(400) == 0

    def test_a_full_bucket_is_not_refilled_in_the_minute_it_is_emptied(
        self, engine: Engine, mailbox_id: uuid.UUID
    ) -> None:
        """A large sync would spend twice the limit in its first minute and be refused by Gmail."""
        quota = bucket(engine, mailbox_id)
        assert quota.spend(4_500) == 0
        wait = quota.spend(400)
        assert 60 < wait <= 60 + 400 / 75
        pass_time(engine, mailbox_id, 50)
        assert quota.spend(1) > 0
        pass_time(engine, mailbox_id, 17)
        assert quota.spend(400) == 0

    def test_a_call_dearer_than_the_bucket_is_made_when_it_is_full(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """With a small limit, a watch (100 units) would never be renewed."""
        quota = bucket(engine, mailbox_id, capacity=80)
        assert quota.spend(100) == 0
        assert quota_row(engine, mailbox_id)["units_left"] == -20
        assert quota.spend(1) > 60
        pass_time(engine, mailbox_id, 60 + 99)
        assert 0 < quota.spend(100) <= 1.01

    def test_the_reserve_is_left_to_calls_somebody_waits_for(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A first sync would make the person who presses a button wait until it is over."""
        sync, person = bucket(engine, mailbox_id), bucket(engine, mailbox_id, is_interactive=True)
        assert sync.spend(4_500) == 0
        assert sync.spend(1) > 0
        assert person.spend(1_500) == 0
        assert person.spend(1) > 0

    def test_a_day_is_counted_from_its_beginning(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """The admin's figure of today would grow for ever."""
        quota = bucket(engine, mailbox_id)
        quota.spend(7)
        put_quota(engine, mailbox_id, day=datetime.now(UTC).date() - timedelta(days=1), units_today=9_000)
        quota.spend(8)
        assert quota_row(engine, mailbox_id)["units_today"] == 8

    def test_a_clock_that_goes_back_refills_nothing(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A negative time would take units away, or a corrected clock give them twice."""
        quota = bucket(engine, mailbox_id)
        quota.spend(1_000)
        put_quota(engine, mailbox_id, counted_at=datetime.now(UTC) + timedelta(seconds=30))
        assert quota.spend(10) == 0
        assert quota_row(engine, mailbox_id)["units_left"] == CAPACITY - 1_010

    def test_a_mailbox_that_was_erased_spends_nothing(self, engine: Engine) -> None:
        """A run that outlives its mailbox would go on asking for its mail."""
        with pytest.raises(NotFoundError, match="Connect it again"):
            bucket(engine, uuid.uuid4()).spend(1)

    def test_no_more_calls_are_paid_at_once_than_the_bucket_holds(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A batch dearer than the bucket would never be sent."""
        assert bucket(engine, mailbox_id).most_calls("messages.get") == 225
        assert bucket(engine, mailbox_id, is_interactive=True).most_calls("messages.get") == 300
        assert bucket(engine, mailbox_id, capacity=19).most_calls("messages.get") == 1


class TestRefusals:
    def test_a_refusal_of_everything_empties_the_bucket(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """Asking on at full speed after a 429 keeps the mailbox refused."""
        quota = bucket(engine, mailbox_id)
        quota.spend(100)
        quota.refused(is_empty=True, retry_after_seconds=30)
        row = quota_row(engine, mailbox_id)
        assert row["units_left"] == 1_500
        assert row["throttled_at"] is not None
        assert 30 < quota.spend(75) <= 31

    def test_a_refusal_of_some_parts_keeps_the_units(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A batch that was a little too large would stop the sync for a quarter of a minute."""
        quota = bucket(engine, mailbox_id)
        quota.spend(100)
        quota.refused(is_empty=False)
        assert quota_row(engine, mailbox_id)["throttled_at"] is not None
        assert quota.spend(400) == 0

    def test_a_shorter_wait_does_not_end_a_longer_one(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """Of two processes refused at once, the one that was told nothing would wake the one that was told to wait."""
        quota = bucket(engine, mailbox_id)
        quota.refused(is_empty=True, retry_after_seconds=40)
        quota.refused(is_empty=True)
        assert quota.spend(75) > 35

    def test_what_batches_taught_is_kept(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """Every run would learn Gmail's limit again by being refused."""
        quota = bucket(engine, mailbox_id)
        assert quota.batch_size() == 20
        quota.keep_batch_size(7)
        quota.spend(1)
        assert bucket(engine, mailbox_id).batch_size() == 7


class TestWaiting:
    def test_a_short_wait_is_slept(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A sync that ends at each lack of units would be started anew every few seconds."""
        quota = bucket(engine, mailbox_id)
        quota.spend(1)
        put_quota(engine, mailbox_id, units_left=1_500, counted_at=datetime.now(UTC))
        naps: list[float] = []

        def sleep(seconds: float) -> None:
            naps.append(seconds)
            pass_time(engine, mailbox_id, seconds)

        Pacing(sleep=sleep).pay(quota, "messages.get", 20)
        assert len(naps) == 1
        assert 5 < naps[0] <= 400 / 75

    def test_a_long_wait_ends_the_slice(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A claim and a worker would be kept for sleeping."""
        quota = bucket(engine, mailbox_id)
        quota.spend(4_500)
        with pytest.raises(RateLimitedError) as caught:
            Pacing(sleep=pytest.fail).pay(quota, "history.list")
        assert 59 < caught.value.retry_after_seconds < 61

    def test_short_waits_do_not_add_up_without_end(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """A bucket that others keep emptying would hold the run for ever."""
        quota = bucket(engine, mailbox_id)
        quota.spend(1)
        put_quota(engine, mailbox_id, units_left=900, counted_at=datetime.now(UTC))
        naps: list[float] = []
        with pytest.raises(RateLimitedError):
            Pacing(sleep=naps.append).pay(quota, "getProfile")
        assert sum(naps) <= 20


class TestBounds:
    @hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        acts=st.lists(
            st.tuples(
                st.floats(min_value=0, max_value=70),
                st.sampled_from([1, 40, 100, 400, 1_000]),
                st.booleans(),
            ),
            min_size=1,
            max_size=15,
        ),
        reserve=st.sampled_from([0.0, 0.25, 0.5]),
    )
    def test_never_more_than_the_capacity_and_a_minutes_refill(
        self, engine: Engine, acts: list[tuple[float, int, bool]], reserve: float
    ) -> None:
        """Whatever the order of calls, Gmail's limit would be exceeded without bound; the reserve would be a word."""
        mailbox_id = add_mailbox(engine, f"{uuid.uuid4().hex}@example.org")
        buckets = {
            person: bucket(engine, mailbox_id, 1_000, reserve, is_interactive=person) for person in (False, True)
        }
        began = datetime.now(UTC)
        moved, spent = 0.0, []
        for pause, units, is_interactive in acts:
            if spent:
                pass_time(engine, mailbox_id, pause)
                moved += pause
            while buckets[is_interactive].spend(units) == 0:
                if not is_interactive and units <= 1_000 * (1 - reserve):
                    assert quota_row(engine, mailbox_id)["units_left"] >= 1_000 * reserve
                at = moved + (datetime.now(UTC) - began).total_seconds()
                spent.append((at, units))
                if units == 1 or len(spent) > 80:
                    break
        refill = buckets[False].units_a_second
        for at, _ in spent:
            in_minute = sum(units for when, units in spent if at <= when < at + 60)
            # A call dearer than the bucket may leave it below zero, once.
            assert in_minute <= 1_000 + refill * 61 + 1

    def test_a_busy_first_minute_stays_within_the_limit(self, engine: Engine, mailbox_id: uuid.UUID) -> None:
        """The first sync of every mailbox would be refused by Gmail half a minute after it began."""
        sync, person = bucket(engine, mailbox_id), bucket(engine, mailbox_id, is_interactive=True)
        spent: list[tuple[float, int]] = []
        began = datetime.now(UTC)
        for second in range(90):
            for quota, units in ((sync, 400), (person, 20)):
                while quota.spend(units) == 0:
                    spent.append((float(second), units))
                    if quota is person:
                        break
            pass_time(engine, mailbox_id, 1)
        # The real clock ran on while the test moved the bucket's.
        more = 75 * (1 + (datetime.now(UTC) - began).total_seconds())
        for at, _ in spent:
            assert sum(units for when, units in spent if at <= when < at + 60) <= CAPACITY + more

    def test_two_processes_share_one_bucket(self, engine: Engine, mailbox_id: uuid.UUID, database_url: str) -> None:
        """Two workers that each count for themselves spend the double."""
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            counts = pool.starmap(spend_all, [(database_url, str(mailbox_id))] * 2)
        assert sum(counts) == 4_500 // 20
        row = quota_row(engine, mailbox_id)
        assert (row["units_left"], row["units_today"]) == (1_500, 4_500)


def spend_all(database_url: str, mailbox_id: str) -> int:
    """Spend until the bucket says no; returns how often it said yes."""
    engine = make_engine(database_url, "spender")
    quota = bucket(engine, uuid.UUID(mailbox_id))
    count = 0
    while quota.spend(20) == 0:
        count += 1
    engine.dispose()
    return count
