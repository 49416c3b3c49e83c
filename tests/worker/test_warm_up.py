"""What a slot finds open when its first run comes, also where it is the first that ever starts."""

import threading
import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import is_at_head
from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.instance import dagster_internals
from rl_emails_assets.instance.sources import fingerprint
from rl_emails_assets.instance.warm_up import open_instance, warm_up
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import embeddings_messages


@pytest.fixture
def empty(postgres_server: EmbeddedPostgres, environment: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server's database that nobody has used yet."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = make_url(postgres_server.url()).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("RL_EMAILS_DATABASE_URL", url)
    return url


def test_a_worker_that_comes_first_makes_the_tables(empty: str) -> None:
    """On a machine of its own there is no `up` that would have."""
    opened = open_instance()
    engine = make_engine(opened.databases.product_url, "test")
    assert is_at_head(engine)
    engine.dispose()
    pools = {pool.name: pool.limit for pool in opened.instance.event_log_storage.get_pool_limits()}
    assert pools == {"gmail": opened.settings.gmail_concurrency, "models": opened.settings.model_concurrency}
    opened.instance.dispose()


def test_slots_that_open_a_new_database_at_once_do_not_fail_one_another(empty: str) -> None:
    """Two slots start together, and both make what is missing."""
    settings, errors = Settings(), []
    barrier = threading.Barrier(4)

    def open_together() -> None:
        barrier.wait()
        try:
            open_databases(settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=open_together) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_missing_model_does_not_keep_runs_from_a_worker(
    environment: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the step that needs it fails, with its message; a worker that does not start fails every run."""

    def no_encoder(_name: str, _folder: Path) -> None:
        raise ModelFileError("no weights")

    monkeypatch.setattr(embeddings_messages, "_loaded", no_encoder)
    monkeypatch.setattr(dagster_internals, "preload", lambda _module: None)
    warm_up("any", environment)
    assert "The encoder is not loaded yet: no weights" in capsys.readouterr().err


def test_the_code_is_told_by_its_files() -> None:
    """A module that cannot be found has no files that could change."""
    assert fingerprint("no_such_package_anywhere") == ""
    assert fingerprint("rl_emails_assets.definitions") == fingerprint("rl_emails_assets.settings") != ""
