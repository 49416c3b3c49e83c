"""In which order a run does its steps, where it finds the database, and what ends its claim."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.defs import product_database
from rl_emails_assets.instance.runs import run_job
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import entities_people
from rl_emails_assets.steps.flow import STEPS
from rl_emails_assets.sync_queue import queue
from tests.small_mailbox import conversation


@pytest.fixture
def mailbox_id(engine: Engine, write_folder: Callable[..., Path]) -> object:
    path = write_folder(conversation()[:6])
    with engine.begin() as connection:
        mailbox = connect_files(connection, "owner@example.org", {"path": str(path), "kind": "folder"}, aliases=())
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="import")
    return mailbox.mailbox_id


def _states(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        query = "select state, coalesce(error, '') from sync_queue.{}"
        return [
            (row[0], row[1])
            for table in ("requests", "ended_requests")
            for row in connection.execute(text(query.format(table)))
        ]


def test_what_the_inbox_shows_does_not_wait_for_what_is_computed_from_the_whole_mailbox(
    instance: dg.DagsterInstance, environment: Settings, mailbox_id: object
) -> None:
    """Projects and people take seconds in a large mailbox; new mail was served after them."""
    outcome = run_job(environment.home, "sync", mailbox_id, lambda _: None)  # type: ignore[arg-type]
    assert outcome.is_success, outcome.error
    logs = instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    order = [str(entry.step_key) for entry in logs]
    served = order.index("priorities__threads")
    for later in ("mailboxes__watches", "signals__contacts", "embeddings__messages", "entities__projects"):
        assert served < order.index(later)
    assert order[-1] == "entities__people"
    assert list(STEPS)[-1] == ("entities", "people")


def test_the_claim_is_held_until_the_last_step_has_ended(
    instance: dg.DagsterInstance,
    environment: Settings,
    engine: Engine,
    mailbox_id: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A claim that ended with the inbox would leave a run that dies afterwards to nobody."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(entities_people, "merge_people", fail)
    assert not run_job(environment.home, "sync", mailbox_id, lambda _: None).is_success  # type: ignore[arg-type]
    ((state, error),) = _states(engine)
    assert state == "todo"
    assert "on purpose" in error
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from priorities.messages")).scalar_one() == 6


def test_a_database_that_has_moved_is_found_anew(
    instance: dg.DagsterInstance, environment: Settings, mailbox_id: object
) -> None:
    """A warm process would otherwise fail every run after the embedded server came back on another port."""
    product_database._known[product_database._key(environment)] = "postgresql://nobody@127.0.0.1:1/gone"
    outcome = run_job(environment.home, "sync", mailbox_id, lambda _: None)  # type: ignore[arg-type]
    assert outcome.is_success, outcome.error
    with product_database.migrated_database(environment) as url:
        assert url == environment.database_url
