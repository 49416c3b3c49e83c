"""Promise 2: crash anywhere, converge."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow
from rl_emails_assets.sync_queue import queue
from tests.small_mailbox import conversation, mail, state

# Runs the whole flow and kills itself, as the kernel would, at the Nth commit of a batch.
CHILD = """
import os, signal, sys, uuid
from contextlib import contextmanager
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.flow import run_flow

mailbox_id, batch_size, fatal, phase = uuid.UUID(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
settings = Settings(batch_size=batch_size)
commits = 0

class Dying(StepContext):
    @contextmanager
    def commit(self):
        global commits
        commits += 1
        with super().commit() as connection:
            yield connection
            if commits == fatal and phase == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if commits == fatal and phase == "after":
            os.kill(os.getpid(), signal.SIGKILL)

run_flow(Dying(make_engine(settings.database_url, "dying"), mailbox_id, "dying", settings))
print(commits)
"""


def _run_child(step: StepContext, url: str, *, fatal: int, phase: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "RL_EMAILS_DATABASE_URL": url,
        "RL_EMAILS_HOME": str(step.settings.home),
        "RL_EMAILS_CACHE": str(step.settings.cache_dir),
    }
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(step.mailbox_id), str(step.settings.batch_size), str(fatal), phase],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("fatal", "phase"),
    # The reading of mail, parsing, summaries, signals, vectors, verdicts, tasks, projects, people, scores.
    [(2, "before"), (4, "after"), (9, "before"), (13, "after"), (17, "before"), (22, "after"), (27, "before")],
)
def test_killed_at_a_commit_and_run_again_ends_as_if_nothing_had_happened(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    database_url: str,
    fatal: int,
    phase: str,
) -> None:
    """A step that trusted something other than its tables would leave a row out or write it twice."""
    root = write_folder(conversation())
    step = steps_on(root)
    died = _run_child(step, database_url, fatal=fatal, phase=phase)
    assert died.returncode == -signal.SIGKILL, died.stderr
    run_flow(step)
    after_crash = state(engine)
    _empty(engine)
    step = steps_on(root)
    run_flow(step)
    undisturbed = state(engine)
    assert after_crash == undisturbed


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from mailboxes.connections"))


def test_a_request_whose_run_was_killed_is_claimed_again_and_its_effect_happens_once(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine, database_url: str
) -> None:
    """A claim that died with its run would leave the mailbox waiting for ever."""
    messages = conversation()
    step = steps_on(write_folder(messages), run_id="second")
    with engine.begin() as connection:
        queue.enqueue(connection, step.mailbox_id, asked_by="import")
    died = _run_child(step, database_url, fatal=6, phase="before")
    assert died.returncode == -signal.SIGKILL, died.stderr
    with engine.begin() as connection:
        assert queue.due(connection) == []
        connection.execute(text("update sync_queue.requests set leased_until = now() - interval '1 second'"))
        assert [due.mailbox_id for due in queue.due(connection)] == [step.mailbox_id]
    run_flow(step)
    with engine.connect() as connection:
        request = connection.execute(text("select state, attempts, run_id from sync_queue.ended_requests")).one()
        stored = connection.execute(text("select count(*) from priorities.messages")).scalar_one()
    assert tuple(request) == ("succeeded", 2, "second")
    assert stored == len(messages)


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_result_does_not_depend_on_how_the_work_was_cut_into_batches(
    steps_on: Callable[..., StepContext],
    write_folder: Callable[..., Path],
    engine: Engine,
    settings: Settings,
    batch_size: int,
) -> None:
    """A batch boundary that showed in the result would make two machines disagree about one mailbox."""
    root = write_folder(conversation())
    run_flow(steps_on(root))
    expected = state(engine)
    _empty(engine)
    run_flow(steps_on(root, settings=settings.model_copy(update={"batch_size": batch_size})))
    assert state(engine) == expected


def test_mail_that_arrives_in_two_imports_ends_as_if_it_had_come_in_one(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Older mail that is imported later belongs to the past of what is there: its counts must be computed again."""
    messages = conversation()
    newer = write_folder(messages[15:], root="newer", first=15)
    run_flow(steps_on(newer))
    older = write_folder(messages[:15], root="older")
    run_flow(steps_on(older))
    in_two = state(engine)
    _empty(engine)
    for root in (older, newer):
        step = steps_on(root)
    run_flow(step)
    in_one = state(engine)
    for table in ("signals.messages", "signals.contacts", "priorities.messages", "classifications.messages"):
        # A conversation is named after its first stored message, which was another one here.
        strip = [{key: value for key, value in row.items() if key != "thread_id"} for row in in_two[table]]
        assert strip == [{key: value for key, value in row.items() if key != "thread_id"} for row in in_one[table]]


def test_a_folder_copy_with_another_id_is_kept_and_counted_once(
    steps_on: Callable[..., StepContext], write_folder: Callable[..., Path], engine: Engine
) -> None:
    """Programs that copy sent mail into other folders would show everything twice, and double every count."""
    original = mail(1, "ada@one.example", subject="Plan", body="The plan.")
    copy = original.replace(b"<m1@example.org>", b"<copy1@example.org>")
    write_folder([original], name="inbox")
    root = write_folder([copy], name="archive")
    run_flow(steps_on(root))
    with engine.connect() as connection:
        rows = connection.execute(text("select count(*), count(duplicate_of) from mail.messages")).one()
        ranked = connection.execute(text("select count(*) from priorities.messages")).scalar_one()
        labels = connection.execute(
            text("select array_agg(label order by label) from raw.labels join priorities.messages using (message_id)")
        ).scalar_one()
    assert tuple(rows) == (2, 1)
    assert ranked == 1
    assert "archive" in labels
    assert "inbox" in labels or "INBOX" in labels
