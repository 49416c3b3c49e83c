"""Pushes: lossy, repeated and out of order by contract; each leaves the right request, or a count of why not."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.pushes import PushOutcome, count_garbage, record_push
from tests.queue.conftest import MakeMailbox


def _push(connection: Connection, push_id: str, history_id: int, address: str = "a@example.org") -> PushOutcome:
    return record_push(connection, push_id=push_id, address=address, history_id=history_id)


def _counts(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text("select outcome, push_count from sync_queue.push_counts where day = (now() at time zone 'UTC')::date")
    )
    return {row.outcome: row.push_count for row in rows}


def test_a_push_becomes_one_request_whatever_comes_after_it(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A push that is lost, or that starts a run each time it is repeated."""
    assert _push(connection, "1", 100) is PushOutcome.QUEUED
    assert _push(connection, "1", 100) is PushOutcome.DUPLICATE
    assert _push(connection, "2", 90, address="A@Example.org") is PushOutcome.JOINED
    (due,) = queue.due(connection)
    assert (due.mailbox_id, due.kind, due.asked_by) == (mailbox_id, "partial", "webhook")
    queue.claim(connection, mailbox_id, "run")
    assert _push(connection, "3", 110) is PushOutcome.QUEUED, "what comes while a run reads may be too late for it"
    assert _counts(connection) == {"queued": 2, "duplicate": 1, "joined": 1}


def test_what_has_been_read_already_starts_no_run(engine: Engine, make_mailbox: MakeMailbox) -> None:
    """Our own label changes are pushed back to us; each would start a run in vain. As text, 99 is later than 100."""
    make_mailbox("read", history_id="100")
    with engine.begin() as connection:
        assert _push(connection, "1", 99, "read@example.org") is PushOutcome.KNOWN
        assert _push(connection, "2", 100, "read@example.org") is PushOutcome.KNOWN
        assert queue.due(connection) == []
        assert _push(connection, "3", 101, "read@example.org") is PushOutcome.QUEUED


@pytest.mark.parametrize(
    ("provider", "state"), [("gmail", "reconnect_needed"), ("gmail", "disconnecting"), ("files", "connected")]
)
def test_a_push_for_a_mailbox_that_is_not_connected_is_counted_and_changes_nothing(
    engine: Engine, make_mailbox: MakeMailbox, provider: str, state: str
) -> None:
    """A push must not choose a mailbox that has no subscription of ours, nor wake one whose grant is gone."""
    make_mailbox("gone", provider=provider, state=state)
    with engine.begin() as connection:
        assert _push(connection, "1", 1, "gone@example.org") is PushOutcome.UNKNOWN
        assert _push(connection, "2", 1, "nobody@example.org") is PushOutcome.UNKNOWN
        assert _push(connection, "2", 1, "nobody@example.org") is PushOutcome.DUPLICATE
        assert queue.live(connection) == []
        assert _counts(connection) == {"unknown": 2, "duplicate": 1}


def test_the_watch_shows_when_the_last_push_came(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A watch that lapsed silently shows by nothing else."""
    connection.execute(text("insert into mailboxes.watches (mailbox_id, topic) values (:id, 't')"), {"id": mailbox_id})
    for push_id in ("1", "2", "2"):
        _push(connection, push_id, 5)
    row = connection.execute(text("select push_count, last_push_at = now() as is_now from mailboxes.watches")).one()
    assert tuple(row) == (2, True)


def test_garbage_is_counted(connection: Connection) -> None:
    """A subscription that sends something else altogether would go unnoticed."""
    count_garbage(connection)
    count_garbage(connection)
    assert _counts(connection) == {"garbage": 2}


def test_a_push_does_not_cut_short_the_wait_after_a_failure(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """While Gmail fails it goes on pushing; each push would be another try at once."""
    queue.enqueue(connection, mailbox_id, asked_by="poll")
    queue.claim(connection, mailbox_id, "run")
    queue.fail(connection, mailbox_id, "run", error="503", is_permanent=False, retry_after_seconds=600)
    assert _push(connection, "1", 5) is PushOutcome.JOINED
    assert queue.due(connection) == []


def _double(engine: Engine, mailbox_id: uuid.UUID) -> uuid.UUID:
    """A mailbox of the same address in another organization."""
    with engine.begin() as connection:
        return connection.execute(
            text(
                "with other as (insert into identity.organizations (organization_id, name) "
                "values (gen_random_uuid(), 'Kestrel') returning organization_id) "
                "insert into mailboxes.connections (mailbox_id, address, provider, organization_id) "
                "select gen_random_uuid(), address, provider, other.organization_id from mailboxes.connections, other "
                "where mailbox_id = :id returning mailbox_id"
            ),
            {"id": mailbox_id},
        ).scalar_one()


def test_a_push_goes_to_the_mailboxes_of_several_organizations(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """The same account in two organizations, of which one hears nothing of new mail, or a push that fails for both."""
    other = _double(engine, mailbox_id)
    with engine.begin() as connection:
        connection.execute(
            text("insert into mailboxes.watches (mailbox_id, topic) select mailbox_id, 't' from mailboxes.connections")
        )
        assert _push(connection, "1", 100) is PushOutcome.QUEUED
        assert {each.mailbox_id for each in queue.due(connection)} == {mailbox_id, other}
        assert _push(connection, "2", 101) is PushOutcome.JOINED
        assert queue.claim(connection, other, "run") is not None
        assert _push(connection, "3", 102) is PushOutcome.QUEUED, "for one of them it is news to a run that reads"
        counts = connection.execute(text("select push_count from mailboxes.watches")).scalars().all()
        assert counts == [3, 3]
        connection.execute(
            text("update mailboxes.connections set state = 'reconnect_needed' where mailbox_id = :id"), {"id": other}
        )
        connection.execute(text("delete from sync_queue.requests"))
        assert _push(connection, "4", 103) is PushOutcome.QUEUED
        assert [each.mailbox_id for each in queue.due(connection)] == [mailbox_id]


def test_pushes_for_two_mailboxes_of_one_address_never_wait_for_each_other_for_ever(
    engine: Engine, mailbox_id: uuid.UUID
) -> None:
    """Two pushes that lock the same two mailboxes in another order each: a deadlock, and a push that is lost."""
    _double(engine, mailbox_id)
    with engine.begin() as connection:
        connection.execute(
            text("insert into mailboxes.watches (mailbox_id, topic) select mailbox_id, 't' from mailboxes.connections")
        )

    def push(number: int) -> PushOutcome:
        with engine.begin() as connection:
            return _push(connection, str(number), number)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(push, range(40))) <= {PushOutcome.QUEUED, PushOutcome.JOINED}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pushes=st.lists(st.tuples(st.integers(0, 6), st.sampled_from([50, 99, 100, 101, 150, 10**20])), max_size=12),
    cursor=st.sampled_from([None, "100"]),
    claimed_after=st.integers(0, 12),
)
def test_any_order_and_repetition_of_pushes_leaves_the_right_request(
    engine: Engine,
    make_mailbox: MakeMailbox,
    pushes: list[tuple[int, int]],
    cursor: str | None,
    claimed_after: int,
) -> None:
    """Pub/Sub repeats and reorders; one order that lost the last push would lose a message until the next poll."""
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.connections"))
        connection.execute(text("delete from sync_queue.pushes"))
        connection.execute(text("delete from sync_queue.push_counts"))
    mailbox_id = make_mailbox("any", history_id=cursor)
    seen: set[int] = set()
    waits = runs = False
    with engine.begin() as connection:
        for index, (push_id, history_id) in enumerate(pushes):
            if index == claimed_after and waits:
                assert queue.claim(connection, mailbox_id, "run") is not None
                waits, runs = False, True
            is_news = cursor is None or history_id > int(cursor)
            outcome = _push(connection, str(push_id), history_id, "any@example.org")
            if push_id in seen:
                assert outcome is PushOutcome.DUPLICATE
            elif not is_news:
                assert outcome is PushOutcome.KNOWN
            else:
                assert outcome is (PushOutcome.JOINED if waits else PushOutcome.QUEUED)
                waits = True
            seen.add(push_id)
        states = sorted(item.state for item in queue.live(connection))
        assert states == ["doing"] * runs + ["todo"] * waits
        assert sum(_counts(connection).values()) == len(pushes)


def test_pushes_that_arrive_at_once_leave_one_request_and_lose_none(engine: Engine, make_mailbox: MakeMailbox) -> None:
    """Two webhook processes that met in the middle of a push would queue twice, deadlock, or miscount."""
    names = ("x", "y", "z")
    for name in names:
        mailbox_id = make_mailbox(name, history_id="10")
        with engine.begin() as connection:
            connection.execute(
                text("insert into mailboxes.watches (mailbox_id, topic) values (:id, 't')"), {"id": mailbox_id}
            )

    def push(number: int) -> PushOutcome:
        with engine.begin() as own:
            return _push(own, f"{number // 2}", 5 + number % 10, f"{names[number % 3]}@example.org")

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(push, range(90)))
    with engine.begin() as connection:
        counted = _counts(connection)
        waiting = [item.address for item in queue.live(connection)]
        pushes = connection.execute(text("select sum(push_count) from mailboxes.watches")).scalar_one()
    assert counted == {outcome.value: outcomes.count(outcome) for outcome in set(outcomes)}
    assert outcomes.count(PushOutcome.DUPLICATE) == 45
    assert sorted(waiting) == [f"{name}@example.org" for name in names]
    assert pushes == 45
