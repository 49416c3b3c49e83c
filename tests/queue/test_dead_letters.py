"""What was given up: explained, and given another life."""

import uuid

import pytest
from sqlalchemy import Connection, text

from rl_emails_assets.errors import NotFoundError, ReconnectNeededError
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.dead_letters import dead_letters, redrive, redrive_all


def _die(
    connection: Connection, mailbox_id: uuid.UUID, *, error: str = "no answer", kind: str = "partial", **how: bool
) -> uuid.UUID:
    request_id = queue.enqueue(connection, mailbox_id, asked_by="poll", kind=kind)
    assert request_id is not None
    for attempt in range(queue.MOST_ATTEMPTS):
        connection.execute(text("update sync_queue.requests set run_after = now()"))
        run_id = f"{request_id}-{attempt}"
        if queue.claim(connection, mailbox_id, run_id, is_disconnect=kind == "disconnect") is not None:
            queue.fail(connection, mailbox_id, run_id, error=error, is_permanent=how.get("is_permanent", False))
    return request_id


def test_a_dead_letter_says_what_failed_how_often_and_what_to_do(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """ "Failed" alone leaves an administrator with nothing to do but to try again."""
    request_id = _die(connection, mailbox_id)
    (letter,) = dead_letters(connection)
    assert (letter.request_id, letter.address, letter.error) == (request_id, "a@example.org", "no answer")
    assert (letter.attempts, letter.is_permanent) == (queue.MOST_ATTEMPTS, False)
    assert letter.run_id == f"{request_id}-{queue.MOST_ATTEMPTS - 1}"
    assert "tries again" in letter.next_step
    permanent = _die(connection, mailbox_id, error="damaged", is_permanent=True)
    (letter,) = dead_letters(connection, mailbox_id=mailbox_id)
    assert (letter.request_id, letter.attempts) == (permanent, 1), "the latest stands for the mailbox"
    assert "Mend" in letter.next_step
    connection.execute(text("update sync_queue.ended_requests set deaths = 3, is_permanent = false"))
    assert "killed" in dead_letters(connection)[0].next_step
    connection.execute(text("update mailboxes.connections set state = 'reconnect_needed'"))
    assert "Connect the mailbox again" in dead_letters(connection)[0].next_step
    assert dead_letters(connection, mailbox_id=uuid.uuid4()) == []


def test_redriving_makes_a_new_request_of_the_same_kind_with_all_its_tries(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """Dagster never forgets a run key: the old request, with the old tries, would never get a run again."""
    request_id = _die(connection, mailbox_id, kind="full")
    again = redrive(connection, request_id)
    assert again != request_id
    (due,) = queue.due(connection)
    assert (due.request_id, due.kind, due.attempts, due.asked_by) == (again, "full", 0, "button")
    assert dead_letters(connection) == []
    error = connection.execute(
        text("select error from sync_queue.ended_requests where request_id = :id"), {"id": request_id}
    ).scalar_one()
    assert error == "no answer It was redriven."
    with pytest.raises(NotFoundError, match="rl-emails queue"):
        redrive(connection, request_id)


def test_redriving_joins_what_waits_already(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """Two waiting requests are forbidden by an index; a redrive that failed on it would say nothing helpful."""
    request_id = _die(connection, mailbox_id, kind="full")
    waiting = queue.enqueue(connection, mailbox_id, asked_by="webhook", delay_seconds=60)
    assert redrive(connection, request_id) == waiting
    assert [(due.request_id, due.kind) for due in queue.due(connection)] == [(waiting, "full")]


def test_a_mailbox_that_must_be_reconnected_first_is_not_redriven(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """Redriven, it would only die again; the words must say what helps instead."""
    request_id = _die(connection, mailbox_id)
    connection.execute(text("update mailboxes.connections set state = 'reconnect_needed'"))
    with pytest.raises(ReconnectNeededError, match="Connect it again"):
        redrive(connection, request_id)
    assert redrive_all(connection) == []
    assert len(dead_letters(connection)) == 1
    connection.execute(text("update mailboxes.connections set state = 'connected'"))
    assert len(redrive_all(connection)) == 1


def test_all_dead_letters_of_a_mailbox_become_one_request(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A partial and a full one are two letters, and one waiting request is all that a mailbox can have."""
    _die(connection, mailbox_id, kind="partial")
    _die(connection, mailbox_id, kind="full")
    assert len(dead_letters(connection)) == 2
    assert redrive_all(connection, mailbox_id=uuid.uuid4()) == []
    assert len(redrive_all(connection, mailbox_id=mailbox_id)) == 1
    assert [due.kind for due in queue.due(connection)] == ["full"]


@pytest.mark.parametrize(("done", "left"), [("partial", ["full"]), ("full", [])])
def test_a_later_success_makes_up_for_what_it_covers(
    connection: Connection, mailbox_id: uuid.UUID, done: str, left: list[str]
) -> None:
    """A letter that stays when its work is done is an alarm that people learn to ignore."""
    _die(connection, mailbox_id, kind="partial")
    _die(connection, mailbox_id, kind="full")
    queue.enqueue(connection, mailbox_id, asked_by="button", kind=done)
    queue.claim(connection, mailbox_id, "good")
    assert queue.succeed(connection, mailbox_id, "good")
    assert [letter.kind for letter in dead_letters(connection)] == left


def test_a_dead_disconnection_can_be_redriven_although_its_mailbox_is_not_connected(
    connection: Connection, mailbox_id: uuid.UUID
) -> None:
    """A mailbox whose erasure failed would stay, half erased, for ever."""
    connection.execute(text("update mailboxes.connections set state = 'disconnecting'"))
    request_id = _die(connection, mailbox_id, kind="disconnect")
    assert dead_letters(connection)[0].next_step.startswith("It may work later")
    redrive(connection, request_id)
    assert [due.kind for due in queue.due(connection)] == ["disconnect"]
