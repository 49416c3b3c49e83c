"""The life of a sync request."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.sync_queue import queue


@pytest.fixture
def mailbox_id(engine: Engine) -> uuid.UUID:
    with engine.begin() as connection:
        return connect_files(connection, "a@example.org", {"path": "/x", "kind": "mbox"}, aliases=()).mailbox_id


@pytest.fixture
def connection(engine: Engine, mailbox_id: uuid.UUID) -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened


def _state(connection: Connection, request_id: uuid.UUID) -> str:
    query = text("select state from sync_queue.requests where request_id = :id")
    return str(connection.execute(query, {"id": request_id}).scalar_one())


def _lapse(connection: Connection) -> None:
    connection.execute(text("update sync_queue.requests set leased_until = now() - interval '1 s' where state='doing'"))


def test_a_second_request_joins_the_one_that_waits(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Two waiting requests for one mailbox would do the same work twice."""
    first = queue.enqueue(connection, mailbox_id, asked_by="button")
    assert queue.enqueue(connection, mailbox_id, asked_by="webhook") == first
    assert [item.request_count for item in queue.summary(connection)] == [1]


def test_a_request_that_arrives_while_one_runs_waits_and_is_not_dropped(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """Joined to the running one, a change that came after its listing would be missed."""
    queue.enqueue(connection, mailbox_id, asked_by="button")
    assert queue.claim(connection, mailbox_id, "run-1") is not None
    second = queue.enqueue(connection, mailbox_id, asked_by="button")
    assert queue.due(connection) == []
    assert queue.claim(connection, mailbox_id, "run-2") is None
    assert queue.succeed(connection, mailbox_id, "run-1")
    assert [due.request_id for due in queue.due(connection)] == [second]


def test_peeking_changes_nothing(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A tick is previewed in the UI and repeated; one that claimed would take requests from runs that never start."""
    queue.enqueue(connection, mailbox_id, asked_by="button")
    assert queue.due(connection) == queue.due(connection) != []


def test_many_claimers_get_one_claim(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """Two runs that held one mailbox would write its tables at once."""
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="button")

    def claim(number: int) -> bool:
        with engine.begin() as own:
            return queue.claim(own, mailbox_id, f"run-{number}") is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_a_lapsed_claim_goes_to_another_run_and_the_first_one_can_change_nothing(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A run that was only slow must not finish a request that another one holds."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="button")
    queue.claim(connection, mailbox_id, "slow")
    assert queue.heartbeat(connection, mailbox_id, "slow")
    assert queue.due(connection) == []
    _lapse(connection)
    claimed = queue.claim(connection, mailbox_id, "quick")
    assert claimed is not None
    assert (claimed.request_id, claimed.attempts) == (request_id, 2)
    assert not queue.heartbeat(connection, mailbox_id, "slow")
    assert not queue.succeed(connection, mailbox_id, "slow")
    with pytest.raises(LeaseLostError, match="slow"):
        queue.fail(connection, mailbox_id, "slow", error="late", is_permanent=False)
    assert _state(connection, request_id) == "doing"
    assert queue.succeed(connection, mailbox_id, "quick")
    assert _state(connection, request_id) == "succeeded"


def test_a_transient_failure_waits_before_the_next_try_and_ends_as_a_dead_letter(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A request that is tried at once for ever would hammer a provider that is down."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="button")
    for attempt in range(1, queue.MOST_ATTEMPTS + 1):
        connection.execute(text("update sync_queue.requests set run_after = now()"))
        claimed = queue.claim(connection, mailbox_id, f"run-{attempt}")
        assert claimed is not None
        queue.fail(connection, mailbox_id, f"run-{attempt}", error="no answer", is_permanent=False)
        expected = "todo" if attempt < queue.MOST_ATTEMPTS else "failed"
        assert _state(connection, request_id) == expected
    error = connection.execute(text("select error from sync_queue.requests")).scalar_one()
    assert error == "no answer"


def test_a_permanent_failure_is_not_tried_again(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A missing path or a revoked grant does not come back by trying."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="button")
    queue.claim(connection, mailbox_id, "run")
    queue.fail(connection, mailbox_id, "run", error="the path is gone", is_permanent=True)
    assert _state(connection, request_id) == "failed"
    assert queue.due(connection) == []


def test_a_failed_try_ends_when_another_request_waits_already(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Two waiting requests are forbidden by an index; the retry must give way instead of failing on it."""
    first = queue.enqueue(connection, mailbox_id, asked_by="button")
    queue.claim(connection, mailbox_id, "run")
    second = queue.enqueue(connection, mailbox_id, asked_by="button")
    queue.fail(connection, mailbox_id, "run", error="no answer", is_permanent=False)
    assert (_state(connection, first), _state(connection, second)) == ("cancelled", "todo")


def test_a_request_that_keeps_killing_its_runs_is_buried_and_says_so(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A poison request that is handed out for ever would stop the mailbox and waste a worker."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="button")
    for attempt in range(queue.MOST_SILENT_DEATHS):
        assert queue.bury_poison(connection) == []
        assert queue.claim(connection, mailbox_id, f"run-{attempt}") is not None
        _lapse(connection)
    assert queue.bury_poison(connection) == [request_id]
    assert _state(connection, request_id) == "failed"
    error = connection.execute(text("select error from sync_queue.requests")).scalar_one()
    assert error == "Its run died 3 times without reporting an error; the last one was run-2."


@given(st.integers(min_value=0, max_value=10_000))
def test_the_delay_is_within_its_bounds(attempts: int) -> None:
    """An overflow or a negative delay would stop retries, or make them a busy loop."""
    assert 0 <= queue.delay_seconds(min(attempts, 60)) <= queue.LONGEST_DELAY_SECONDS


def test_every_statement_is_used_by_its_name() -> None:
    """A renamed statement would be found only when it is needed."""
    assert set(queue.statements()) == {
        "enqueue", "due", "claim", "heartbeat", "succeed", "held", "retry", "bury", "bury_poison", "summary",
        "held_runs", "hand_back",
    }  # fmt: skip
