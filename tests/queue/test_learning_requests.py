"""A request because another model serves: it reads no source, and gives way to whoever wants more."""

import uuid

import pytest
from sqlalchemy import Connection

from rl_emails_assets.sync_queue import dead_letters, queue
from tests.queue.conftest import connection as connection
from tests.queue.conftest import mailbox_id as mailbox_id
from tests.queue.conftest import make_mailbox as make_mailbox


def _asked_by(connection: Connection) -> list[tuple[str, str]]:
    return sorted((item.state, item.asked_by) for item in queue.live(connection))


@pytest.mark.parametrize("other", ["import", "button", "webhook", "poll", "schedule"])
def test_whoever_joins_it_gets_a_run_that_reads(connection: Connection, mailbox_id: uuid.UUID, other: str) -> None:
    """New mail that joined a request that reads nothing would wait for the next push."""
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    queue.enqueue(connection, mailbox_id, asked_by=other)
    assert _asked_by(connection) == [("todo", other)]
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    assert _asked_by(connection) == [("todo", other)], "a request that reads ranks everything anew as well"
    claim = queue.claim(connection, mailbox_id, "run")
    assert claim is not None
    assert claim.asked_by == other


def test_a_failed_read_that_gives_way_to_it_still_reads(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """The retry of a push would become a run that reads nothing, and succeed."""
    queue.enqueue(connection, mailbox_id, asked_by="webhook")
    queue.claim(connection, mailbox_id, "run")
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    queue.fail(connection, mailbox_id, "run", error="down", is_permanent=False)
    assert _asked_by(connection) == [("todo", "webhook")]


def test_a_stopped_read_that_gives_way_to_it_still_reads(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """The same where the run was stopped on purpose."""
    queue.enqueue(connection, mailbox_id, asked_by="webhook")
    queue.claim(connection, mailbox_id, "run")
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    queue.hand_back(connection, ["run"])
    assert _asked_by(connection) == [("todo", "webhook")]


def test_its_success_makes_up_for_no_dead_letter(connection: Connection, mailbox_id: uuid.UUID) -> None:
    """A read that was given up is not done by a run that read nothing; redriven, it reads."""
    queue.enqueue(connection, mailbox_id, asked_by="import")
    queue.claim(connection, mailbox_id, "run")
    queue.fail(connection, mailbox_id, "run", error="gone", is_permanent=True)
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    queue.claim(connection, mailbox_id, "next")
    assert queue.succeed(connection, mailbox_id, "next")
    (letter,) = dead_letters.dead_letters(connection)
    queue.enqueue(connection, mailbox_id, asked_by=queue.LEARNING)
    dead_letters.redrive(connection, letter.request_id)
    assert _asked_by(connection) == [("todo", "button")]
