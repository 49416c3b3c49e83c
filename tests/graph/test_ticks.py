"""The ticks of the sensors that start runs: they only look, and ask for the right run once."""

import time
import uuid
from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.definitions import defs
from rl_emails_assets.defs import product_database
from rl_emails_assets.defs.automation import sensors
from rl_emails_assets.defs.automation.sensors import NAMES, SYNC_REQUESTS
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.queue.conftest import MakeMailbox
from tests.queue.conftest import make_mailbox as make_mailbox

FIRST, SECOND, THIRD = SYNC_REQUESTS


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ticks that do not wait long, and a process that remembers nothing."""
    monkeypatch.setattr(sensors, "WINDOW_SECONDS", 0.3)
    sensors._asked.clear()
    yield
    sensors._asked.clear()


def _tick(instance: dg.DagsterInstance, sensor: dg.SensorDefinition = FIRST) -> list[dg.RunRequest]:
    with dg.build_sensor_context(instance=instance, definitions=defs) as context:
        result = sensor(context)
    if isinstance(result, dg.SkipReason):
        return []
    assert isinstance(result, dg.SensorResult)
    return list(result.run_requests or [])


def _rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select r.*, r.xmin::text from sync_queue.requests r"))]


def _older(engine: Engine, seconds: float) -> None:
    """As if it had waited for so long."""
    with engine.begin() as connection:
        connection.execute(
            text("update sync_queue.requests set run_after = run_after - make_interval(secs => :seconds)"),
            {"seconds": seconds},
        )


def _run_of(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    """The run that the daemon would have made."""
    return instance.create_run_for_job(
        defs.resolve_job_def("redrive_dead_letters"), tags=dict(request.tags), status=status
    )


def test_a_tick_asks_for_a_run_of_each_waiting_mailbox_and_changes_nothing(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A tick is previewed in the UI and retried by the daemon."""
    assert _tick(instance) == []
    mailboxes = {make_mailbox("a"), make_mailbox("b")}
    with engine.begin() as connection:
        queue.enqueue_many(connection, list(mailboxes), asked_by="webhook")
    before = _rows(engine)
    first, second = _tick(instance), _tick(instance)
    assert {request.partition_key for request in first} == {str(mailbox_id) for mailbox_id in mailboxes}
    assert [request.run_key for request in first] == [request.run_key for request in second]
    assert {request.job_name for request in first} == {"sync"}
    assert {request.tags["rl_emails/asked_by"] for request in first} == {"webhook"}
    assert _rows(engine) == before
    assert instance.get_dynamic_partitions("mailboxes") == [], "the daemon adds them, not the tick"


def test_a_mailbox_that_dagster_has_not_seen_becomes_a_partition(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A run for a partition that is not there fails before it starts."""
    mailbox_id, leaving = make_mailbox("a"), make_mailbox("leaving", state="disconnecting")
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="webhook")
        queue.enqueue(connection, leaving, asked_by="button", kind="disconnect")
    with dg.build_sensor_context(instance=instance, definitions=defs) as context:
        result = FIRST(context)
    assert isinstance(result, dg.SensorResult)
    assert [list(request.partition_keys) for request in result.dynamic_partitions_requests or []] == [[str(mailbox_id)]]


def test_a_request_to_disconnect_starts_the_job_that_disconnects(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A sync would claim nothing and the mailbox would never be erased."""
    mailbox_id = make_mailbox("a", state="disconnecting")
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="button", kind="disconnect")
    (request,) = _tick(instance)
    assert (request.job_name, request.partition_key) == ("disconnect", None)
    assert request.run_config == {"ops": {"disconnect_mailbox": {"config": {"mailbox_id": str(mailbox_id)}}}}


def test_a_request_gets_one_run_and_another_one_when_it_is_tried_again(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """Dagster never forgets a run key: a fixed one would start the first run and no other, ever."""
    mailbox_id = make_mailbox("a")
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="webhook")
    (first,) = _tick(instance)
    with engine.begin() as connection:
        queue.claim(connection, mailbox_id, "run")
        queue.fail(connection, mailbox_id, "run", error="down", is_permanent=False)
        connection.execute(text("update sync_queue.requests set run_after = now()"))
    (again,) = _tick(instance)
    assert first.run_key != again.run_key


def test_the_mailbox_of_a_run_that_was_killed_gets_another_run(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A claim that died with its run would keep the mailbox waiting for ever."""
    mailbox_id = make_mailbox("a")
    with engine.begin() as connection:
        queue.enqueue(connection, mailbox_id, asked_by="webhook")
        queue.claim(connection, mailbox_id, "killed")
    assert _tick(instance) == []
    with engine.begin() as connection:
        connection.execute(text("update sync_queue.requests set leased_until = now() - interval '1 s'"))
    assert [request.partition_key for request in _tick(instance)] == [str(mailbox_id)]


def test_another_of_the_sensors_does_not_ask_for_the_run_that_is_just_being_made(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """Dagster knows a run key for each sensor alone: three sensors would start three runs of one request."""
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    (request,) = _tick(instance, FIRST)
    assert _tick(instance, SECOND) == []
    _run_of(instance, request, dg.DagsterRunStatus.STARTING)
    sensors._asked.clear()
    _older(engine, 2 * sensors.IN_CREATION_SECONDS)
    assert [_tick(instance, sensor) for sensor in SYNC_REQUESTS] == [[], [], []], "the run is on its way"


def test_a_run_that_was_never_made_is_asked_for_by_another_sensor(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick that the daemon dropped after it was evaluated must not leave its requests to nobody."""
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    (request,) = _tick(instance, FIRST)
    monkeypatch.setattr(sensors, "IN_CREATION_SECONDS", 0.0)
    assert [again.run_key for again in _tick(instance, SECOND)] == [request.run_key]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS])
def test_a_request_whose_run_ended_without_claiming_it_gets_another_key(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox, status: dg.DagsterRunStatus
) -> None:
    """The same key would be dropped by Dagster without a word, and the mailbox never synced again."""
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    (first,) = _tick(instance)
    _older(engine, 2 * sensors.IN_CREATION_SECONDS)
    _run_of(instance, first, status)
    (second,) = _tick(instance)
    assert second.run_key == f"{first.run_key}:1"
    _run_of(instance, second, status)
    assert [request.run_key for request in _tick(instance)] == [f"{first.run_key}:2"]


def test_a_cancelled_run_is_not_replaced_before_its_request_could_be_ended(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person cancels a waiting run, and the next tick starts it again; but one that nobody ends must not be lost."""
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    (first,) = _tick(instance)
    _older(engine, 2 * sensors.IN_CREATION_SECONDS)
    run = _run_of(instance, first, dg.DagsterRunStatus.STARTED)
    instance.report_run_canceled(run)
    assert _tick(instance) == []
    monkeypatch.setattr(sensors, "CANCELLED_SECONDS", 0.0)
    assert [request.run_key for request in _tick(instance)] == [f"{first.run_key}:1"]


def test_a_tick_asks_for_no_more_runs_than_it_can_in_its_time(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage every mailbox waits at once; a tick that asked for all would be cut at 60 s and start over."""
    monkeypatch.setattr(sensors, "MOST_REQUESTS", 2)
    mailboxes = [make_mailbox(name) for name in "abc"]
    with engine.begin() as connection:
        for mailbox_id in mailboxes:
            queue.enqueue(connection, mailbox_id, asked_by="webhook")
    first = _tick(instance)
    assert len(first) == 2
    for request in first:
        _run_of(instance, request, dg.DagsterRunStatus.STARTING)
    assert len(_tick(instance)) == 1, "those whose run is on its way do not hold the others up"


def test_a_database_that_is_not_migrated_or_away_is_said_and_looked_for_again(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor that took a broken database for an empty queue would look as if no mail came."""
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))
    with dg.build_sensor_context(instance=instance, definitions=defs) as context:
        skipped = FIRST(context)
        assert isinstance(skipped, dg.SkipReason)
        assert "not migrated" in str(skipped.skip_message)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0002'"))
    assert _tick(instance) == []
    assert product_database._known, "found once, and not at each tick"
    key = product_database._key(environment)
    product_database._known[key] = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(Exception, match="connection"):
        _tick(instance)
    assert key not in product_database._known
    assert _tick(instance) == []


def test_the_tick_remembers_asked_keys_for_an_hour_only(
    instance: dg.DagsterInstance, engine: Engine, make_mailbox: MakeMailbox
) -> None:
    """A process that lives for months would keep every key it ever asked for."""
    sensors._asked["old"] = (NAMES[0], time.monotonic() - 4000)
    with engine.begin() as connection:
        queue.enqueue(connection, make_mailbox("a"), asked_by="webhook")
    (request,) = _tick(instance)
    assert set(sensors._asked) == {request.run_key}


def test_no_mailbox_id_is_part_of_a_run_key() -> None:
    """Dedupe is for ever: a key of the mailbox would start one run and no other."""
    item = queue.Due(uuid.uuid4(), uuid.uuid4(), "partial", "poll", 3, since=sensors.datetime.now(sensors.UTC))
    assert sensors.run_key_of(item) == f"{item.request_id}:3"
