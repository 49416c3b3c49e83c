"""A Dagster instance with our launcher, a code server with small jobs, and workers that do not outlive their test.

All but the workers are shared by a file's tests: each makes runs of its own.
"""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from psycopg import sql
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.settings import Settings
from tests.worker.worker_process import CodeServer, Runs, WorkerProcess

HERE = Path(__file__).parent
DEFINITIONS = "quick_definitions"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the small jobs leave their marks, with a copy of them to be changed."""
    path = Path(tempfile.mkdtemp(prefix="rl-emails-worker-"))
    path.chmod(0o755)
    shutil.copy(HERE / f"{DEFINITIONS}.py", path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def environment(
    postgres_server: EmbeddedPostgres, template_database: str, cache_dir: Path, folder: Path
) -> Iterator[Settings]:
    """What the processes of a test find their settings and small jobs in."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    url = make_url(postgres_server.url()).set(database=name).render_as_string(hide_password=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RL_EMAILS_HOME", str(folder / "home"))
        patch.setenv("RL_EMAILS_CACHE", str(cache_dir))
        patch.setenv("RL_EMAILS_DATABASE_URL", url)
        patch.setenv("WORKER_TEST_FOLDER", str(folder))
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{HERE.parent.parent}")
        patch.setenv("DAGSTER_HOME", "")
        settings = Settings()
        dagster_home(settings.home)
        yield settings
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        for database in (name, f"{name}_dagster"):
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


@pytest.fixture(scope="module")
def instance(environment: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture(scope="module")
def code_server(environment: Settings) -> Iterator[CodeServer]:
    """A code server with the small jobs."""
    server = CodeServer(environment, DEFINITIONS)
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def runs(instance: dg.DagsterInstance, code_server: CodeServer, folder: Path) -> Iterator[Runs]:
    """Makes runs of the small jobs and has the instance launch them."""
    target = GrpcServerTarget(host="127.0.0.1", port=code_server.port, socket=None, location_name="small")
    with WorkspaceProcessContext(instance, target) as process_context:
        yield Runs(instance, process_context, folder)


@pytest.fixture
def start_worker(environment: Settings) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers: `start_worker(slots=2)` returns when their slots are warm."""
    started: list[WorkerProcess] = []

    def start(definitions: str = DEFINITIONS, **options: object) -> WorkerProcess:
        started.append(WorkerProcess(environment, definitions, **options))
        return started[-1].wait_warm()

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()


@pytest.fixture
def product(environment: Settings) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The product's database."""
    with psycopg.connect(str(environment.database_url), autocommit=True) as connection:
        yield connection
