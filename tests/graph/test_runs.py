"""Real Dagster runs on a real instance in Postgres."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
from sqlalchemy import Engine, text

from rl_emails_assets.db.mailbox_rows import Mailbox, connect_files
from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation.learning_checks import GATES
from rl_emails_assets.instance.runs import BackfillRange, run_job
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import Progress
from rl_emails_assets.sync_queue import queue
from tests.small_mailbox import START, conversation

ASSETS_OF_A_MAILBOX = 17


def _connect(engine: Engine, path: Path) -> Mailbox:
    with engine.begin() as connection:
        mailbox = connect_files(connection, "owner@example.org", {"path": str(path), "kind": "folder"}, aliases=())
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="import")
    return mailbox


def _count(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_a_sync_run_materializes_everything_reports_it_and_ends_its_request(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """The UI shows what a run says of each asset; a claim that outlived its run would block the mailbox."""
    mailbox = _connect(engine, write_folder(conversation()))
    seen: list[Progress] = []
    outcome = run_job(environment.home, "sync", mailbox.mailbox_id, seen.append)
    assert outcome.is_success, outcome.error
    assert len(outcome.metadata) == ASSETS_OF_A_MAILBOX
    for values in outcome.metadata.values():
        assert {"dagster/partition_row_count", "rows_written", "rows_per_second", "seconds", "cost_usd"} <= set(values)
    assert outcome.metadata["priorities/messages"]["dagster/partition_row_count"] == len(conversation())
    assert {progress.step for progress in seen} >= {"raw.messages", "mail.messages", "priorities.messages"}
    assert all(0 <= progress.done <= progress.total for progress in seen)
    run = instance.get_run_by_id(outcome.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert _count(engine, "select count(*) from sync_queue.ended_requests where state = 'succeeded'") == 1


def test_the_checks_pass_on_a_mailbox_that_is_well(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A check that is red while all is well is one that nobody looks at; one that is not run is no check."""
    mailbox = _connect(engine, write_folder(conversation()))
    assert run_job(environment.home, "sync", mailbox.mailbox_id, lambda _: None).is_success
    result = defs.resolve_job_def("checks").execute_in_process(instance=instance)
    evaluations = result.get_asset_check_evaluations()
    # Not those that only a run that learns asks, of what it made.
    assert len(evaluations) == len(defs.resolve_asset_graph().asset_check_keys) - len(GATES)
    assert all(evaluation.passed for evaluation in evaluations)


def test_a_failing_run_returns_its_claim_with_the_reason(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A source that is gone must become a dead letter with its reason, not a request that waits for its lease."""
    root = write_folder(conversation())
    mailbox = _connect(engine, root)
    root.rename(root.with_name("elsewhere"))
    outcome = run_job(environment.home, "sync", mailbox.mailbox_id, lambda _: None)
    assert not outcome.is_success
    assert "does not exist" in outcome.error
    with engine.connect() as connection:
        request = connection.execute(text("select state, error from sync_queue.ended_requests")).one()
    assert request.state == "failed"
    assert "does not exist" in request.error


def test_a_backfill_of_a_range_of_dates_computes_that_range_again_and_nothing_else(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A backfill that ignored its range would spend hours on years that nobody asked for."""
    mailbox = _connect(engine, write_folder(conversation()))
    assert run_job(environment.home, "sync", mailbox.mailbox_id, lambda _: None).is_success
    until = START.replace(day=8)
    outcome = run_job(
        environment.home,
        "recompute",
        mailbox.mailbox_id,
        lambda _: None,
        backfill=BackfillRange(until=until, force=True),
    )
    assert outcome.is_success, outcome.error
    with engine.connect() as connection:
        query = text(
            "select bool_and(m.received_at < :until), count(*) from priorities.messages p join mail.messages m "
            "using (message_id) where p.run_id = :run_id"
        )
        is_in_range, row_count = connection.execute(query, {"until": until, "run_id": outcome.run_id}).one()
        total = connection.execute(
            text("select count(*) from mail.messages where received_at < :until"), {"until": until}
        ).scalar_one()
    assert is_in_range
    assert row_count == total > 0


def test_a_new_version_of_an_engine_makes_its_rows_pending_without_any_flag(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """After an upgrade, old verdicts that stayed would be explained by rules that no longer exist."""
    mailbox = _connect(engine, write_folder(conversation()))
    assert run_job(environment.home, "sync", mailbox.mailbox_id, lambda _: None).is_success
    with engine.begin() as connection:
        connection.execute(text("update classifications.messages set version = 'older'"))
    outcome = run_job(environment.home, "recompute", mailbox.mailbox_id, lambda _: None)
    written = {asset: values["rows_written"] for asset, values in outcome.metadata.items()}
    assert written["classifications/messages"] == len(conversation())
    assert written["priorities/messages"] == len(conversation())
    assert written["embeddings/messages"] == 0
    assert _count(engine, "select count(*) from classifications.messages where version = 'older'") == 0
