"""Dagster's CeleryRunLauncher in the place of ours: a setting, no code."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import yaml
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue
from tests.small_mailbox import conversation
from tests.worker.redis_server import NoRedisError, running_redis
from tests.worker.worker_process import CodeServer, Runs, eventually

REAL = "rl_emails_assets.definitions"


@pytest.fixture
def celery_worker(environment: Settings, cache_dir: Path, folder: Path) -> Iterator[None]:
    """A broker, `dagster.yaml` with the launcher that uses it, and a worker, as in docs/how-to/run-workers.md."""
    try:
        with running_redis(cache_dir, folder) as url:
            broker = {"broker": f"{url}/0", "backend": f"{url}/1"}
            home = dagster_home(environment.home)
            settings = yaml.safe_load((home / "dagster.yaml").read_text())
            settings["run_launcher"] = {
                "module": "dagster_celery.launcher",
                "class": "CeleryRunLauncher",
                "config": broker,
            }
            (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
            (folder / "celery.yaml").write_text(yaml.safe_dump({"execution": {"config": broker}}))
            command = [str(Path(sys.executable).parent / "dagster-celery"), "worker", "start"]
            options = ["-A", "dagster_celery.app", "-y", str(folder / "celery.yaml"), "--", "--pool", "solo"]
            with (folder / "celery.txt").open("wb") as output:
                worker = subprocess.Popen(
                    [*command, *options],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
                )
            try:
                said = folder / "celery.txt"
                eventually(lambda: worker.poll() is not None or "ready." in said.read_text(), "the worker is ready")
                assert worker.poll() is None, said.read_text()
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
    except NoRedisError as error:
        pytest.skip(str(error))


def test_a_sync_runs_on_celery_as_it_is(celery_worker: None, environment: Settings, folder: Path) -> None:
    """Whoever has a cluster with Celery is not to need code of theirs, or of ours, for it."""
    mail = folder / "mail" / "inbox"
    mail.mkdir(parents=True)
    for number, content in enumerate(conversation()):
        (mail / f"{number}.eml").write_bytes(content)
    engine = make_engine(str(environment.database_url), "test")
    with engine.begin() as connection:
        source = {"path": str(mail.parent), "kind": "folder"}
        mailbox = connect_files(connection, "owner@example.org", source, aliases=())
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="test")
    engine.dispose()
    server = CodeServer(environment, REAL).start()
    target = GrpcServerTarget(host="127.0.0.1", port=server.port, socket=None, location_name="small")
    try:
        with dg.DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as process_context:
            instance.add_dynamic_partitions("mailboxes", [str(mailbox.mailbox_id)])
            runs = Runs(instance, process_context, folder)
            run_id = runs.launch("sync", dagster__partition=str(mailbox.mailbox_id))
            assert runs.wait(run_id) is dg.DagsterRunStatus.SUCCESS, runs.said(run_id)
            run = instance.get_run_by_id(run_id)
            assert run is not None
            assert "dagster-celery/task_id" in run.tags
            # Our coordinator queues for a launcher that is not ours.
            queued = runs.submit("sync", dagster__partition=str(mailbox.mailbox_id))
            assert runs.status(queued) is dg.DagsterRunStatus.QUEUED
            assert runs.queue_limit() == 2, "what dagster.yaml says"
    finally:
        server.stop()
    with psycopg.connect(str(environment.database_url)) as connection:
        ranked = connection.execute("select count(*) from priorities.messages").fetchone()
        left = connection.execute("select count(*) from sync_queue.requests").fetchone()
    assert ranked == (len(conversation()),)
    assert left == (0,)
