"""Watches, and what owners are told: once, and until it is over."""

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.errors import ProviderUnavailableError
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.upkeep import stale, watches
from rl_emails_assets.steps.upkeep.record import UpkeepRecord, recorded
from rl_emails_assets.sync_queue import queue
from tests.queue.conftest import MakeMailbox

TOPIC = "projects/p/topics/t"
DAY = 86400


@pytest.fixture
def pushed(settings: Settings) -> Settings:
    """Settings with a topic that Gmail publishes to."""
    return settings.model_copy(update={"gmail_topic": TOPIC})


def _set(engine: Engine, statement: str, **parameters: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), parameters)


def _watch(
    engine: Engine, mailbox_id: uuid.UUID, *, left: float, age: float = 0, topic: str = TOPIC, error: str | None = None
) -> None:
    _set(
        engine,
        "insert into mailboxes.watches (mailbox_id, topic, expires_at, renewed_at, error) values (:id, :topic, "
        "now() + make_interval(secs => :left), now() - make_interval(secs => :age), :error) on conflict (mailbox_id) "
        "do update set expires_at = excluded.expires_at, error = excluded.error",
        id=mailbox_id,
        topic=topic,
        left=left,
        age=age,
        error=error,
    )


def test_a_watch_is_renewed_in_time_and_not_more_often(
    engine: Engine, settings: Settings, pushed: Settings, make_mailbox: MakeMailbox
) -> None:
    """A watch that is missed once lapses without a word; one that is renewed each hour costs quota for nothing."""
    fresh, old, ending, none, moved = (make_mailbox(name) for name in ("fresh", "old", "ending", "none", "moved"))
    make_mailbox("gone", state="reconnect_needed")
    make_mailbox("files", provider="files")
    _watch(engine, fresh, left=6.5 * DAY, age=DAY / 2)
    _watch(engine, old, left=5.9 * DAY, age=1.1 * DAY)
    _watch(engine, ending, left=1.9 * DAY, age=DAY / 2)
    _watch(engine, moved, left=6.5 * DAY, topic="projects/p/topics/older")
    with engine.connect() as connection:
        assert set(watches.watches_to_renew(connection, pushed)) == {old, ending, none, moved}
        assert watches.watches_to_renew(connection, settings) == [], "without a topic there is no push"


def test_one_mailbox_whose_watch_fails_stops_no_other(
    engine: Engine, pushed: Settings, make_mailbox: MakeMailbox
) -> None:
    """One revoked grant would let all the watches behind it lapse."""
    refused, broken, good = (make_mailbox(name) for name in ("refused", "broken", "good"))
    tried: list[uuid.UUID] = []

    def renew(mailbox_id: uuid.UUID) -> Mapping[str, int]:
        tried.append(mailbox_id)
        if mailbox_id == refused:
            return {"renewed": 0, "failed": 1}
        if mailbox_id == broken:
            raise ProviderUnavailableError("Gmail does not answer.")
        return {"renewed": 1, "failed": 0}

    record = UpkeepRecord()
    with pytest.raises(ExceptionGroup, match="1 watches") as raised:
        watches.renew_watches(engine, pushed, renew, record)
    assert isinstance(raised.value.exceptions[0], ProviderUnavailableError)
    assert set(tried) == {refused, broken, good}
    assert record.counts == {"renewed": 1, "failed": 2}
    assert {str(refused), str(broken)} == {problem.split()[1] for problem in record.problems}
    with engine.connect() as connection:
        rows = connection.execute(text("select mailbox_id, error from mailboxes.watches")).all()
    assert [tuple(row) for row in rows] == [(broken, "Gmail does not answer.")]


def _notices(engine: Engine) -> list[tuple[str, bool]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select kind, ended_at is not null from app.notices order by created_at, kind"))
        return [(row[0], row[1]) for row in rows]


def _tell(engine: Engine, settings: Settings) -> dict[str, int]:
    with engine.connect() as connection:
        has_work = bool(stale.stale_connections(connection, settings))
    with engine.begin() as connection:
        counts = stale.tell_owners(connection, settings)
    assert has_work == any(counts.values()), "the tick must see what the run would do"
    return counts


@pytest.fixture
def current(engine: Engine, make_mailbox: MakeMailbox) -> uuid.UUID:
    """A mailbox about which there is nothing to tell."""
    mailbox_id = make_mailbox("a")
    _watch(engine, mailbox_id, left=DAY)
    _set(engine, "update mailboxes.connections set current_as_of = now()")
    return mailbox_id


def test_a_mailbox_that_is_well_gives_nothing_to_tell(engine: Engine, pushed: Settings, current: uuid.UUID) -> None:
    """Notices that come for nothing are not read when it matters."""
    assert _tell(engine, pushed) == {"raised": 0, "ended": 0, "disconnections": 0}


@pytest.mark.parametrize(
    ("kind", "break_it", "mend_it"),
    [
        (
            "watch_lapsed",
            "update mailboxes.watches set expires_at = now() - interval '1 s', error = 'No permission on the topic.'",
            "update mailboxes.watches set expires_at = now() + interval '1 day'",
        ),
        (
            "behind",
            "update mailboxes.connections set current_as_of = now() - interval '1 hour'",
            "update mailboxes.connections set current_as_of = now()",
        ),
        (
            "dead_letter",
            """
            insert into sync_queue.ended_requests (request_id, mailbox_id, kind, asked_by, state, error)
            select gen_random_uuid(), mailbox_id, 'full', 'poll', 'failed', 'Damaged.' from mailboxes.connections
            """,
            "update sync_queue.ended_requests set state = 'cancelled'",
        ),
    ],
)
def test_what_went_wrong_is_told_once_and_taken_back_when_it_is_over(
    engine: Engine, pushed: Settings, current: uuid.UUID, kind: str, break_it: str, mend_it: str
) -> None:
    """A quiet inbox and a broken one look alike; and an alarm that comes again after it was dismissed is a nuisance."""
    _set(engine, break_it)
    assert _tell(engine, pushed)["raised"] == 1
    assert _tell(engine, pushed) == {"raised": 0, "ended": 0, "disconnections": 0}
    _set(engine, "update app.notices set ended_at = now()")
    assert _tell(engine, pushed)["raised"] == 0, "its owner has dismissed it"
    _set(engine, "update app.notices set ended_at = null")
    _set(engine, mend_it)
    assert _tell(engine, pushed)["ended"] == 1
    assert _notices(engine) == [(kind, True)]
    _set(engine, "update app.notices set created_at = now() - interval '1 day'")
    _set(engine, break_it)
    assert _tell(engine, pushed)["raised"] == 1, "it is so anew"
    assert _notices(engine) == [(kind, True), (kind, False)]


def test_a_notice_of_another_kind_is_not_ended_here(engine: Engine, pushed: Settings, current: uuid.UUID) -> None:
    """Whether a mailbox must be reconnected is for the connection to say."""
    _set(
        engine,
        "insert into app.notices (notice_id, mailbox_id, kind, text) values (gen_random_uuid(), :id, "
        "'reconnect_needed', 'Connect it again.')",
        id=current,
    )
    assert _tell(engine, pushed)["ended"] == 0
    _set(
        engine, "update mailboxes.connections set state = 'reconnect_needed', current_as_of = now() - interval '1 day'"
    )
    assert _tell(engine, pushed) == {"raised": 0, "ended": 0, "disconnections": 0}, "one notice says it all"


def test_a_mailbox_that_was_connected_just_now_is_not_reported(
    engine: Engine, pushed: Settings, settings: Settings, make_mailbox: MakeMailbox
) -> None:
    """The first thing a new user would read is that something is broken."""
    mailbox_id = make_mailbox("new")
    assert not any(_tell(engine, pushed).values())
    _set(engine, "update mailboxes.connections set created_at = now() - interval '1 hour'")
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="connect", kind="full")
    assert not any(_tell(engine, settings).values()), "its first sync goes on"
    assert _tell(engine, pushed)["raised"] == 1, "but its watch is missing"
    _set(engine, "delete from sync_queue.requests")
    assert _tell(engine, pushed)["raised"] == 1, "and now nobody works on it"
    assert sorted(_notices(engine)) == [("behind", False), ("watch_lapsed", False)]


def test_a_disconnection_whose_request_is_lost_is_asked_for_again(
    engine: Engine, pushed: Settings, make_mailbox: MakeMailbox
) -> None:
    """Half erased, the mailbox would stay for ever."""
    mailbox_id = make_mailbox("leaving", state="disconnecting")
    assert _tell(engine, pushed)["disconnections"] == 1
    assert _tell(engine, pushed)["disconnections"] == 0
    with engine.connect() as connection:
        assert [(item.mailbox_id, item.kind) for item in queue.due(connection)] == [(mailbox_id, "disconnect")]


def test_the_record_of_a_run_says_what_it_did_and_why_it_failed(engine: Engine) -> None:
    """A schedule that fails every night would be seen in the Dagster UI only, if there."""
    with recorded(engine, "poll", "good") as record:
        record.add({"mailboxes": 2})
        record.add({"mailboxes": 1})

    def fail() -> None:
        with recorded(engine, "poll", "bad") as record:
            record.problems.append("One thing.")
            raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        fail()
    with engine.connect() as connection:
        rows = connection.execute(
            text("select run_id, counts, error, finished_at is null from sync_queue.upkeep_runs order by run_id")
        ).all()
    assert [tuple(row) for row in rows] == [
        ("bad", {}, "One thing. ZeroDivisionError: by zero", False),
        ("good", {"mailboxes": 3}, None, False),
    ]
