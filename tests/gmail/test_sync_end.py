"""The end of a run: what is left is asked for, and how fresh the inbox is said to be."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.errors import NotFoundError, ReconnectNeededError
from rl_emails_assets.steps import priorities, raw_messages
from rl_emails_assets.steps.flow import run_flow
from rl_emails_assets.sync_queue import queue
from tests.gmail.sync_mailbox import Box, old_mail
from tests.small_mailbox import conversation, state


def _requests(box: Box) -> list[dict[str, object]]:
    return box.rows(
        "select kind, asked_by, state, extract(epoch from run_after - now())::float8 as seconds "
        "from sync_queue.requests"
    )


def test_a_slice_of_a_first_sync_is_ranked_and_asks_for_the_next(box: Box) -> None:
    """A first sync that stopped after its first slice would show a month of ten years for ever."""
    for message in conversation()[:8]:
        box.user.deliver(message, labels=("INBOX",))
    run_flow(box.step(gmail_slice_messages=5))
    assert box.column("select count(*) from priorities.messages") == [5]
    assert [(r["kind"], r["asked_by"], r["state"]) for r in _requests(box)] == [("partial", "backlog", "todo")]
    assert _requests(box)[0]["seconds"] <= 0  # type: ignore[operator]
    run_flow(box.step(gmail_slice_messages=5))
    assert box.column("select count(*) from priorities.messages") == [8]
    assert _requests(box) == []
    ended = box.column("select state from sync_queue.ended_requests")
    assert ended == ["succeeded", "succeeded"]


def test_what_must_wait_is_asked_for_no_earlier(box: Box) -> None:
    """Asking at once for what was refused for its rate would spin, and count as more of the same to Gmail."""
    box.user.fill(old_mail(3))
    box.sync()
    box.user.deliver(subject="New")
    box.gmail.faults.sometimes("messages.get", 1.0, status=429, reason="rateLimitedExceeded", retry_after=90)
    with box.engine.begin() as connection:
        queue.enqueue(connection, box.mailbox_id, asked_by="webhook")
    run_flow(box.step())
    (request,) = _requests(box)
    assert (request["asked_by"], request["state"]) == ("backlog", "todo")
    assert 30 < float(request["seconds"]) < 200  # type: ignore[arg-type]


@pytest.mark.parametrize(("pushed_seconds_ago", "looks_again"), [(2, True), (60, False)])
def test_after_a_push_another_look_follows(box: Box, pushed_seconds_ago: int, looks_again: bool) -> None:
    """Gmail drops all but one push a second: what changed right after it would wait ten minutes for the poll, and a
    look that always asked for another would never end."""
    box.user.fill(old_mail(1))
    run_flow(box.step())
    with box.engine.begin() as connection:
        connection.execute(
            text(
                "update mailboxes.watches set last_push_at = now() - make_interval(secs => :ago) "
                "where mailbox_id = :mailbox_id"
            ),
            {"mailbox_id": box.mailbox_id, "ago": pushed_seconds_ago},
        )
        connection.execute(text("delete from sync_queue.requests"))
        queue.enqueue(connection, box.mailbox_id, asked_by="webhook", kind="partial")
    run_flow(box.step())
    requests = _requests(box)
    assert [(request["asked_by"], request["state"]) for request in requests] == [("poll", "todo")] * looks_again
    assert all(5 < float(request["seconds"]) <= 10 for request in requests)  # type: ignore[arg-type]


def test_a_message_that_failed_is_asked_for_when_its_pause_is_over(box: Box) -> None:
    """A continuation that began at once would find nothing to do, again and again, until the pause is over."""
    box.user.fill(old_mail(2))
    box.gmail.faults.next("messages.get", status=500, times=4)
    run_flow(box.step(gmail_batch_size=1))
    (request,) = _requests(box)
    assert 1 < float(request["seconds"]) <= 4  # type: ignore[arg-type]


def test_the_inbox_is_as_fresh_as_the_history_that_this_run_read(box: Box) -> None:
    """A page that says it is current while new mail still waits to be fetched would be believed."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    box.user.fill(old_mail(2))
    run_flow(box.step())
    first = box.column("select current_as_of from mailboxes.connections")[0]
    assert before < first < datetime.now(UTC)
    box.user.deliver(subject="Cannot be had now")
    box.gmail.faults.next("messages.get", status=500, times=4)
    run_flow(box.step())
    assert box.column("select current_as_of from mailboxes.connections")[0] == first
    box.make_due()
    # A run that reads nothing says nothing new: it may not have seen what another run has read.
    priorities.run_threads(box.step())
    assert box.column("select current_as_of from mailboxes.connections")[0] == first
    run_flow(box.step())
    assert box.column("select current_as_of from mailboxes.connections")[0] > first


def test_deletions_and_labels_that_gmail_tells_of_leave_tables_as_if_they_had_always_been_so(
    box: Box, engine: Engine
) -> None:
    """What is made of a message must go with it, and what was counted with it must be counted again."""
    keys = [box.user.deliver(message, labels=("INBOX",)) for message in conversation()[:10]]
    run_flow(box.step())
    box.user.delete(keys[2], keys[3])
    box.user.relabel(keys[4], add=["STARRED"], remove=["INBOX"])
    run_flow(box.step())
    followed = _state(engine)
    box.forget()
    run_flow(box.step())
    fresh = _state(engine)
    for table in ("mail.messages", "raw.labels", "signals.messages", "priorities.messages", "entities.tasks"):
        assert _without_threads(followed[table]) == _without_threads(fresh[table]), table


def _state(engine: Engine) -> dict[str, list[dict[str, object]]]:
    return state(engine)


def _without_threads(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    # A conversation is named after its first stored message, and a full sync stores the newest first.
    return [{key: value for key, value in row.items() if key != "thread_id"} for row in rows]


@pytest.mark.parametrize("state_of_mailbox", ["reconnect_needed", "disconnecting"])
def test_a_mailbox_that_is_not_connected_is_not_asked_for(box: Box, state_of_mailbox: str) -> None:
    """A mailbox that is being erased must not be filled again behind the eraser's back."""
    box.execute("update mailboxes.connections set state = :state", state=state_of_mailbox)
    with pytest.raises(ReconnectNeededError, match=state_of_mailbox):
        raw_messages.run(box.step())
    assert box.gmail.calls.count("getProfile") == 0
    assert box.column("select state from mailboxes.connections") == [state_of_mailbox]


def test_a_mailbox_that_is_gone_or_of_a_later_release_is_an_error_that_says_so(box: Box) -> None:
    """A run that outlives its mailbox must end, and say why."""
    box.execute("update mailboxes.connections set provider = 'outlook'")
    with pytest.raises(NotFoundError, match="outlook"):
        raw_messages.run(box.step())
    box.execute("delete from mailboxes.connections")
    with pytest.raises(NotFoundError, match="disconnected"):
        raw_messages.run(box.step())
