"""The life of a sync request."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from rl_emails_assets.errors import LeaseLostError
from rl_emails_assets.sync_queue import queue
from tests.queue.conftest import MakeMailbox


def _state(connection: Connection, request_id: uuid.UUID) -> str:
    query = text(
        "select state from sync_queue.requests where request_id = :id "
        "union all select state from sync_queue.ended_requests where request_id = :id"
    )
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
    error = connection.execute(text("select error from sync_queue.ended_requests")).scalar_one()
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
    error = connection.execute(text("select error from sync_queue.ended_requests")).scalar_one()
    assert error == "Its run died 3 times without reporting an error; the last one was run-2."


def _live(connection: Connection) -> dict[str, Any]:
    query = text("select *, run_after - now() as wait from sync_queue.requests where state = 'todo'")
    return dict(connection.execute(query).mappings().one())


def test_the_more_thorough_kind_wins_when_requests_join(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A full sync that joined a partial one and stayed partial would never find what history has lost."""
    for kind, expected in (("partial", "partial"), ("full", "full"), ("partial", "full"), ("disconnect", "disconnect")):
        queue.enqueue(connection, mailbox_id, asked_by=kind, kind=kind)
        assert (_live(connection)["kind"], _live(connection)["asked_by"]) == (expected, expected)
    queue.enqueue(connection, mailbox_id, asked_by="poll", kind="full")
    assert _live(connection)["kind"] == "disconnect"


def test_the_earlier_time_wins_when_requests_join(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A backlog that goes on in an hour must not hold back the push that came now, nor a push be put off by it."""
    queue.enqueue(connection, mailbox_id, asked_by="backlog", delay_seconds=3600)
    assert queue.due(connection) == []
    assert queue.next_due_at(connection) == _live(connection)["run_after"]
    queue.enqueue(connection, mailbox_id, asked_by="webhook")
    assert [item.asked_by for item in queue.due(connection)] == ["backlog"]
    queue.enqueue(connection, mailbox_id, asked_by="backlog", delay_seconds=3600)
    assert len(queue.due(connection)) == 1
    assert queue.next_due_at(connection) is None


def test_a_machine_does_not_cut_short_the_wait_after_a_failure_and_a_person_does(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A provider that is down would be asked again by every push and poll, as if there were no backoff."""
    queue.enqueue(connection, mailbox_id, asked_by="poll")
    queue.claim(connection, mailbox_id, "run")
    queue.fail(connection, mailbox_id, "run", error="down", is_permanent=False, retry_after_seconds=600)
    assert _live(connection)["wait"].total_seconds() > 500
    for machine in ("webhook", "poll", "schedule", "backlog"):
        queue.enqueue(connection, mailbox_id, asked_by=machine)
    assert queue.due(connection) == []
    queue.enqueue(connection, mailbox_id, asked_by="button")
    assert len(queue.due(connection)) == 1


@pytest.mark.parametrize("state", ["reconnect_needed", "disconnecting"])
def test_a_mailbox_that_is_not_connected_takes_no_request_but_to_disconnect(
    engine: Engine, make_mailbox: MakeMailbox, state: str
) -> None:
    """Each try of a mailbox whose grant is gone fails, and each failure would be a dead letter."""
    gone, there = make_mailbox("gone", state=state), make_mailbox("there")
    with engine.begin() as connection:
        assert queue.enqueue(connection, gone, asked_by="poll") is None
        assert queue.enqueue(connection, uuid.uuid4(), asked_by="poll") is None
        assert set(queue.enqueue_many(connection, [gone, there], asked_by="poll")) == {there}
        assert queue.enqueue(connection, gone, asked_by="button", kind="disconnect") is not None
        assert {item.mailbox_id for item in queue.due(connection)} == {gone, there}


def test_what_waited_when_the_grant_went_is_not_tried(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """The run that found the grant gone ends; a request that came meanwhile would start another one in vain."""
    queue.enqueue(connection, mailbox_id, asked_by="webhook")
    connection.execute(text("update mailboxes.connections set state = 'reconnect_needed'"))
    assert queue.due(connection) == []


def test_only_the_job_that_disconnects_claims_a_request_to_disconnect(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A sync that took it would end it as done, and the mailbox would never be erased."""
    queue.enqueue(connection, mailbox_id, asked_by="button", kind="disconnect")
    assert queue.claim(connection, mailbox_id, "sync") is None
    assert queue.claim(connection, mailbox_id, "erase", is_disconnect=True) is not None


def test_one_statement_claims_for_many_mailboxes_what_each_of_them_has(
    engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A batch that stopped at the first mailbox that is held would starve the others."""
    free, held, idle = (make_mailbox(name) for name in ("free", "held", "idle"))
    with engine.begin() as connection:
        queue.enqueue_many(connection, [free, held], asked_by="poll")
        assert queue.claim(connection, held, "other") is not None
        claims = queue.claim_all(connection, [free, held, idle], "run")
        assert [claim.mailbox_id for claim in claims] == [free]
        assert queue.held_mailboxes(connection, "run") == [free]


def test_a_retry_that_gives_way_takes_its_kind_its_tries_and_its_wait_along(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """With pushes coming in, a failed full sync would be forgotten, and a broken mailbox never given up."""
    queue.enqueue(connection, mailbox_id, asked_by="schedule", kind="full")
    queue.claim(connection, mailbox_id, "run")
    queue.enqueue(connection, mailbox_id, asked_by="webhook")
    queue.fail(connection, mailbox_id, "run", error="down", is_permanent=False, retry_after_seconds=60)
    waiting = _live(connection)
    assert (waiting["kind"], waiting["asked_by"], waiting["attempts"]) == ("full", "webhook", 1)
    assert waiting["wait"].total_seconds() > 50


def test_a_run_that_died_is_tried_less_often_than_one_that_says_why(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """Mail that kills its process would kill it eight times; a provider that is down would be given up after three."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="poll")
    assert request_id is not None
    for attempt in range(queue.MOST_SILENT_DEATHS):
        # A failure with a reason before each death is none.
        for run_id, is_death in ((f"says-{attempt}", False), (f"dies-{attempt}", True)):
            assert _state(connection, request_id) == "todo"
            connection.execute(text("update sync_queue.requests set run_after = now()"))
            assert queue.claim(connection, mailbox_id, run_id) is not None
            queue.fail(connection, mailbox_id, run_id, error="gone", is_permanent=False, is_death=is_death)
    assert _state(connection, request_id) == "failed"


def test_a_run_that_ended_before_its_claim_is_a_try_as_well(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A request whose runs cannot start would be asked a run for every few seconds, for ever."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="poll")
    assert request_id is not None
    for attempt in range(queue.MOST_ATTEMPTS):
        assert queue.fail_unclaimed(connection, request_id, attempt, error="no start")
        assert not queue.fail_unclaimed(connection, request_id, attempt, error="the same run, told twice")
    assert _state(connection, request_id) == "failed"
    again = queue.enqueue(connection, mailbox_id, asked_by="button")
    assert again is not None
    queue.claim(connection, mailbox_id, "run")
    assert not queue.fail_unclaimed(connection, again, 0, error="another run has claimed it since")
    assert _state(connection, again) == "doing"


def test_a_cancelled_run_ends_its_request_and_nothing_takes_its_place(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A person who cancels a run and sees it start again loses trust, or pulls the plug."""
    request_id = queue.enqueue(connection, mailbox_id, asked_by="poll")
    assert request_id is not None
    queue.claim(connection, mailbox_id, "run")
    assert queue.cancel(connection, "another") == []
    assert queue.cancel(connection, "run") == [mailbox_id]
    assert _state(connection, request_id) == "cancelled"
    assert queue.live(connection) == []
    waiting = queue.enqueue(connection, mailbox_id, asked_by="poll")
    assert waiting is not None
    assert not queue.cancel_waiting(connection, waiting, 1)
    assert queue.cancel_waiting(connection, waiting, 0)
    assert _state(connection, waiting) == "cancelled"


def test_the_hot_table_holds_only_what_waits_or_runs(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """History in the table that every claim reads makes claims slow, a little more every day."""
    for attempt in range(5):
        queue.enqueue(connection, mailbox_id, asked_by="poll")
        queue.claim(connection, mailbox_id, f"run-{attempt}")
        queue.succeed(connection, mailbox_id, f"run-{attempt}")
    assert connection.execute(text("select count(*) from sync_queue.requests")).scalar_one() == 0
    assert connection.execute(text("select count(*) from sync_queue.ended_requests")).scalar_one() == 5
    queue.enqueue(connection, mailbox_id, asked_by="poll")
    assert [(item.address, item.state) for item in queue.live(connection)] == [("a@example.org", "todo")]


@given(st.integers(min_value=0, max_value=10_000))
def test_the_delay_is_within_its_bounds(attempts: int) -> None:
    """An overflow or a negative delay would stop retries, or make them a busy loop."""
    assert 0 <= queue.delay_seconds(min(attempts, 60)) <= queue.LONGEST_DELAY_SECONDS


def test_every_statement_is_used_by_its_name() -> None:
    """A renamed statement would be found only when it is needed, and one that nothing uses is never checked."""
    folder = Path(queue.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    assert set(queue.statements()) == set(re.findall(r'execute\(\s*connection, "(\w+)"', source))
