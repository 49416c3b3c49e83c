"""The schedules and their jobs, run for real: what they do, what they record, and when a tick starts none."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation import run_pruning, upkeep_jobs
from rl_emails_assets.defs.automation.run_pruning import ended_among, has_old_runs, prune_runs
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext, StepResult
from rl_emails_assets.sync_queue import queue
from rl_emails_assets.sync_queue.dead_letters import dead_letters
from tests.queue.conftest import MakeMailbox
from tests.queue.conftest import make_mailbox as make_mailbox

UPKEEPS = ["watch_renewal", "full_sync", "poll", "stale_connections", "pruning", "maintenance"]
OTHER_UPKEEPS = ["erasures", "sealing"]
"""Run where what they do is tested."""


def _schedule(name: str) -> dg.ScheduleDefinition:
    return defs.resolve_schedule_def(name)


def _tick(instance: dg.DagsterInstance, name: str) -> bool:
    """Whether the schedule's tick starts a run."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime.now(UTC), repository_def=defs.get_repository_def()
    )
    data = _schedule(name).evaluate_tick(context)
    assert data.run_requests or data.skip_message
    return bool(data.run_requests)


def _run(instance: dg.DagsterInstance, name: str, **config: object) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def(name).execute_in_process(instance=instance, run_config=config or None)


@pytest.fixture
def topic(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that Gmail publishes to."""
    monkeypatch.setenv("RL_EMAILS_GMAIL_TOPIC", "projects/p/topics/t")


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The mailboxes whose watch is renewed; Gmail itself is not asked."""
    renewed: list[uuid.UUID] = []

    def renew(step: StepContext, *, days_left: float) -> StepResult:
        assert days_left == upkeep_jobs.RENEW_DAYS_LEFT
        renewed.append(step.mailbox_id)
        return StepResult(counts={"renewed": 1, "failed": 0})

    monkeypatch.setattr(upkeep_jobs.mailboxes_watches, "run", renew)
    return renewed


@pytest.mark.parametrize("name", UPKEEPS)
def test_every_schedules_job_runs_and_leaves_its_record(
    instance: dg.DagsterInstance, engine: Engine, topic: None, renewals: list[uuid.UUID], make_mailbox: MakeMailbox,
    name: str,
) -> None:  # fmt: skip
    """A schedule that fails at its first statement is found out months later, by what it should have done."""
    mailbox_id = make_mailbox("a", history_id="1")
    with engine.begin() as connection:
        connection.execute(
            text(
                "update mailboxes.connections set created_at = now() - interval '1 day'; "
                "update raw.cursors set started_at = now() - interval '100 days'; "
                "insert into sync_queue.pushes (push_id, received_at) values ('old', now() - interval '100 days'); "
                "insert into sync_queue.handovers (run_id, offered_at) values ('gone', now() - interval '1 day')"
            )
        )
    assert _tick(instance, name), "there is work"
    result = _run(instance, name)
    assert result.success
    with engine.connect() as connection:
        row = connection.execute(text("select name, run_id, counts, error from sync_queue.upkeep_runs")).one()
        done = {
            "watch_renewal": {"renewed": 1, "failed": 0},
            "full_sync": {"mailboxes": 1},
            "poll": {"mailboxes": 1},
            "stale_connections": {"raised": 2, "ended": 0, "disconnections": 0},
            "pruning": {"sync_queue.pushes": 1, "sync_queue.handovers": 1, "runs": 0},
        }.get(name, row.counts)
        live = [(item.mailbox_id, item.kind, item.asked_by) for item in queue.live(connection)]
    assert (row.name, row.run_id, row.error) == (name, result.run_id, None)
    assert row.counts == done
    assert live == {"full_sync": [(mailbox_id, "full", "schedule")], "poll": [(mailbox_id, "partial", "poll")]}.get(
        name, []
    )
    assert renewals == ([mailbox_id] if name == "watch_renewal" else [])
    metadata = next(event for event in result.all_events if event.is_successful_output).step_output_data.metadata
    assert {key: metadata[key].value for key in done} == done


@pytest.mark.parametrize("name", [name for name in [*UPKEEPS, *OTHER_UPKEEPS] if name != "maintenance"])
def test_a_tick_with_nothing_to_do_starts_no_run(instance: dg.DagsterInstance, engine: Engine, name: str) -> None:
    """A run a minute for nothing costs seconds of processor time each, and 18 KB of events."""
    assert not _tick(instance, name)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))


def test_a_failing_upkeep_fails_its_run_and_says_so_in_its_record(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status page shows the record; a failure that is only in Dagster's log is not seen."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(upkeep_jobs.syncs, "poll", fail)
    result = defs.resolve_job_def("poll").execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    with engine.connect() as connection:
        assert connection.execute(text("select error from sync_queue.upkeep_runs")).scalar_one().startswith("ZeroDiv")


def test_dead_letters_are_redriven_from_the_dagster_ui(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """Whoever sees the failed run is in the Dagster UI already."""
    for name in ("a", "b"):
        mailbox_id = make_mailbox(name)
        with engine.begin() as connection:
            queue.enqueue(connection, mailbox_id, asked_by="poll")
            queue.claim(connection, mailbox_id, name)
            queue.fail(connection, mailbox_id, name, error="damaged", is_permanent=True)
    with engine.connect() as connection:
        letters = dead_letters(connection)
    one = {"redrive": {"config": {"request_ids": [str(letters[0].request_id)]}}}
    assert _run(instance, "redrive_dead_letters", ops=one).success
    with engine.connect() as connection:
        assert [letter.request_id for letter in dead_letters(connection)] == [letters[1].request_id]
    assert _run(instance, "redrive_dead_letters", ops={"redrive": {"config": {"everything": True}}}).success
    with engine.connect() as connection:
        assert dead_letters(connection) == []
        assert len(queue.live(connection)) == 2


def test_the_job_that_disconnects_erases_the_mailbox_its_request_and_its_partition(
    instance: dg.DagsterInstance, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A partition that stays is offered for backfills of a mailbox that is gone; a request that stays is run again."""
    with engine.begin() as connection:
        mailbox_id = connect_files(connection, "a@example.org", {"path": "/x", "kind": "mbox"}, aliases=()).mailbox_id
        connection.execute(text("update mailboxes.connections set state = 'disconnecting'"))
        queue.enqueue(connection, mailbox_id, asked_by="button", kind="disconnect")
    instance.add_dynamic_partitions("mailboxes", [str(mailbox_id)])
    config = {"disconnect_mailbox": {"config": {"mailbox_id": str(mailbox_id)}}}
    assert _run(instance, "disconnect", ops=config).success
    assert instance.get_dynamic_partitions("mailboxes") == []
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from mailboxes.connections")).scalar_one() == 0
        assert queue.live(connection) == []
    assert _run(instance, "disconnect", ops=config).success, "done again, it does what is left: nothing"


def _age(database_url: str, engine: Engine, run_id: str, days: float) -> None:
    """As if the run had ended so many days ago; Dagster's tables have no other clock to turn."""
    import psycopg  # noqa: PLC0415

    url = f"{database_url}_dagster"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "update runs set update_timestamp = now() at time zone 'UTC' - make_interval(secs => %s) where run_id = %s",
            [days * 86400, run_id],
        )


def test_pruning_forgets_old_runs_and_keeps_those_that_are_young_run_or_stand_for_a_mailbox(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, database_url: str,
    write_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Without the last good run of a mailbox Dagster shows its assets as never made; a run at work must not vanish."""
    monkeypatch.setattr(run_pruning, "BATCH_RUNS", 2)
    job = defs.resolve_job_def("redrive_dead_letters")
    statuses = dg.DagsterRunStatus
    old, older = environment.keep_runs_days + 1, environment.keep_failed_runs_days + 1
    partition = {"dagster/partition": str(uuid.uuid4())}
    plans = {
        "success": (statuses.SUCCESS, old, {}, False),
        "recent success": (statuses.SUCCESS, 1.5, {}, True),
        "poll": (statuses.SUCCESS, 1.5, {"rl_emails/asked_by": "poll"}, False),
        "failure": (statuses.FAILURE, old, {}, True),
        "old failure": (statuses.FAILURE, older, {}, False),
        "old cancelled": (statuses.CANCELED, older, {}, False),
        "running": (statuses.STARTED, older, {}, True),
        "a mailbox, before": (statuses.SUCCESS, older, partition, False),
        "a mailbox, last": (statuses.SUCCESS, old, partition, True),
        "a mailbox, failed since": (statuses.FAILURE, old, partition, True),
        "another success": (statuses.SUCCESS, older, {}, False),
    }
    runs: dict[str, str] = {}
    for name, (status, days, tags, _) in plans.items():
        runs[name] = instance.create_run_for_job(job, tags=tags, status=status).run_id
        _age(database_url, engine, runs[name], days)
    assert has_old_runs(instance, environment)
    assert prune_runs(instance, environment) == {"runs": sum(not kept for *_, kept in plans.values())}
    assert {name for name, run_id in runs.items() if instance.has_run(run_id)} == {
        name for name, (*_, kept) in plans.items() if kept
    }
    assert prune_runs(instance, environment) == {"runs": 0}


def test_a_pruned_run_takes_its_events_along(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, database_url: str
) -> None:
    """The events are what grows: a run row is small, and its events are 18 KB and more."""
    result = _run(instance, "maintenance")
    assert instance.all_logs(result.run_id)
    _age(database_url, engine, result.run_id, environment.keep_runs_days + 1)
    assert prune_runs(instance, environment) == {"runs": 1}
    assert not instance.all_logs(result.run_id)


def test_pruning_ends_after_so_many_runs(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """After a year without pruning one run of it would take hours."""
    monkeypatch.setattr(run_pruning, "MOST_RUNS", 1)
    job = defs.resolve_job_def("redrive_dead_letters")
    for _ in range(3):
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
        _age(database_url, engine, run.run_id, 1000)
    assert [prune_runs(instance, environment)["runs"] for _ in range(4)] == [1, 1, 1, 0]


def test_a_handover_is_forgotten_only_when_its_run_has_ended(instance: dg.DagsterInstance, engine: Engine) -> None:
    """A run that works for hours is still at its worker."""
    job = defs.resolve_job_def("redrive_dead_letters")
    running = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
    ended = instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE).run_id
    assert ended_among(instance, [running, ended, "unknown"]) == [ended, "unknown"]
