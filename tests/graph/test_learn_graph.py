"""Learning over the real graph: from a correction posted to the API to another score, and every way it may stop."""

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, text

from rl_emails_api.app import create_app
from rl_emails_assets.db.mailbox_rows import Mailbox, connect_files
from rl_emails_assets.definitions import defs
from rl_emails_assets.defs.automation import learning
from rl_emails_assets.defs.automation.learning import EVIDENCE_TAG, PARTITION_TAG, corrections
from rl_emails_assets.instance.runs import RunOutcome, run_job
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import models_gate
from rl_emails_assets.steps.upkeep import learning as due
from rl_emails_assets.sync_queue import queue
from tests.small_mailbox import conversation

TOKEN = "let-me-in"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for."""
    monkeypatch.setattr(learning, "mailboxes_with_news", _without_debounce)


def _without_debounce(connection: Any, *, most: int) -> list[due.DueMailbox]:
    return due.mailboxes_with_news(connection, most=most, debounce_seconds=0.0)


@contextmanager
def _api(engine: Engine) -> Iterator[httpx.Client]:
    """The real API on a free loopback port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(engine, Settings(token=TOKEN)), log_level="critical", access_log=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client
    server.should_exit = True
    thread.join()
    listening.close()


def _connect(engine: Engine, path: Path) -> Mailbox:
    with engine.begin() as connection:
        mailbox = connect_files(connection, "owner@example.org", {"path": str(path), "kind": "folder"}, aliases=())
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="import")
    return mailbox


def _run(environment: Settings, job: str, mailbox_id: uuid.UUID) -> RunOutcome:
    return run_job(environment.home, job, mailbox_id, lambda _: None)


def _tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    with dg.build_sensor_context(instance=instance, definitions=defs) as context:
        result = corrections(context)
    if isinstance(result, dg.SkipReason):
        return []
    assert isinstance(result, dg.SensorResult)
    (partitions,) = result.dynamic_partitions_requests or []
    assert list(partitions.partition_keys) == [request.partition_key for request in result.run_requests or []]
    return list(result.run_requests or [])


def _scores(engine: Engine) -> dict[str, tuple[uuid.UUID, str, float]]:
    query = (
        "select m.rfc822_message_id, m.message_id, m.from_address, p.score "
        "from priorities.messages p join mail.messages m using (message_id)"
    )
    with engine.connect() as connection:
        return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(text(query))}


def test_a_correction_moves_similar_mail_that_waits_and_no_other_and_its_owner_is_told(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A button that is noted and changes nothing teaches people not to press it."""
    root = write_folder(conversation())
    mailbox = _connect(engine, root)
    assert _run(environment, "sync", mailbox.mailbox_id).is_success
    before = _scores(engine)
    assert _tick(instance) == []
    with _api(engine) as client:
        message_id = before["m4@example.org"][0]
        posted = client.post(f"/v1/messages/{message_id}/feedback", json={"kind": "importance", "value": "important"})
        assert posted.status_code == 201
        (request,) = _tick(instance)
        assert (request.partition_key, request.job_name or "learn") == (str(mailbox.mailbox_id), "learn")
        # The files may be gone by now: nothing of them is read again.
        root.rename(root.with_name("elsewhere"))
        learned = _run(environment, "learn", mailbox.mailbox_id)
        assert learned.is_success, learned.error
        assert learned.metadata["models/serving"]["promoted_ranker"] == 1
        assert _tick(instance) == []
        synced = _run(environment, "sync", mailbox.mailbox_id)
        assert synced.is_success, synced.error
    after = _scores(engine)
    similar = {name for name, row in before.items() if row[1] == "news@three.example"}
    assert len(similar) == 6
    assert all(after[name][2] > before[name][2] for name in similar)
    assert all(after[name] == before[name] for name in before if name not in similar)
    with engine.connect() as connection:
        assert queue.live(connection) == []


def test_a_tick_only_looks_and_asks_once_for_the_same_evidence(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """A tick is previewed and retried; a run key that never changed would start one run and no other, ever."""
    mailbox = _connect(engine, write_folder(conversation()[:5]))
    assert _run(environment, "sync", mailbox.mailbox_id).is_success
    _say(engine, mailbox)
    first, again = _tick(instance), _tick(instance)
    assert [request.run_key for request in first] == [request.run_key for request in again]
    job = defs.resolve_job_def("redrive_dead_letters")
    tags = {**first[0].tags, PARTITION_TAG: str(mailbox.mailbox_id)}
    run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    _as_learn(instance, run)
    assert _tick(instance) == [], "a run is on its way"
    instance.report_run_failed(run)
    (second,) = _tick(instance)
    assert second.run_key != first[0].run_key
    assert second.tags[EVIDENCE_TAG] == first[0].tags[EVIDENCE_TAG]
    for _ in range(learning.MOST_TRIES - 1):
        lost = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.FAILURE)
        _as_learn(instance, lost)
    assert _tick(instance) == [], "what breaks every run is not tried for ever"
    _say(engine, mailbox)
    (fresh,) = _tick(instance)
    assert fresh.tags[EVIDENCE_TAG] != first[0].tags[EVIDENCE_TAG]


def _say(engine: Engine, mailbox: Mailbox, value: str = "important") -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into app.feedback (feedback_id, mailbox_id, message_id, kind, value, was, created_at) "
                "select gen_random_uuid(), mailbox_id, message_id, 'importance', :value, '{}', clock_timestamp() "
                "from mail.messages where mailbox_id = :mailbox_id and rfc822_message_id = 'm4@example.org'"
            ),
            {"mailbox_id": mailbox.mailbox_id, "value": value},
        )


def _as_learn(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """The run, as if it were one of `learn`: making a real one takes the whole plan."""
    storage: Any = instance.run_storage
    with storage.connect() as connection:
        connection.execute(
            text("update runs set pipeline_name = 'learn' where run_id = :run_id"), {"run_id": run.run_id}
        )
        connection.commit()


def test_a_refused_candidate_fails_its_check_with_the_reason_and_does_not_serve(
    instance: dg.DagsterInstance,
    environment: Settings,
    engine: Engine,
    write_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gate that nobody sees closed is no gate; one that does not block is none either."""
    mailbox = _connect(engine, write_folder(conversation()[:5]))
    assert _run(environment, "sync", mailbox.mailbox_id).is_success
    _say(engine, mailbox)
    monkeypatch.setattr(models_gate, "is_sound", lambda *_: False)
    outcome = _run(environment, "learn", mailbox.mailbox_id)
    assert not outcome.is_success
    assert "models/serving" not in outcome.metadata
    check = dg.AssetCheckKey(dg.AssetKey(["models", "ranker"]), "better_than_serving")
    (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    evaluation: Any = record.event.dagster_event.event_specific_data
    assert not evaluation.passed
    assert "not a number" in str(evaluation.metadata["reason"].value)
    with engine.connect() as connection:
        assert connection.execute(text("select state from models.versions")).scalar_one() == "rejected"
        assert queue.live(connection) == []
    assert _tick(instance) == [], "the same evidence would be refused again"


def test_the_nightly_schedule_learns_where_messages_settled(
    instance: dg.DagsterInstance, environment: Settings, engine: Engine, write_folder: Callable[..., Path]
) -> None:
    """Mail that nobody corrects teaches too, once it is known what became of it."""
    mailbox = _connect(engine, write_folder(conversation()))

    def night() -> list[str]:
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 11, 22, 2, 37, tzinfo=UTC)
        ) as context:
            found = learning.learning(context)
        return [str(request.partition_key) for request in found] if isinstance(found, list) else []

    assert night() == [], "nothing of it is stored yet"
    assert _run(environment, "sync", mailbox.mailbox_id).is_success
    assert night() == [str(mailbox.mailbox_id)]
    outcome = _run(environment, "learn", mailbox.mailbox_id)
    assert outcome.is_success, outcome.error
    # Three came after the owner's last word: silence about them says nothing.
    assert outcome.metadata["models/behaviour"]["settled"] == 21
    assert night() == []
