"""A real Postgres for every test that asks: a server a session, a template with the real migrations, a clone a test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import create_database, make_engine
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.context import StepContext

TEMPLATE = "rl_emails_template"


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """Programs and converted models, kept between sessions: they depend on versions and hashes only."""
    path = Path(os.environ.get("RL_EMAILS_TEST_CACHE", Path(tempfile.gettempdir()) / "rl-emails-test-cache"))
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def postgres_server(cache_dir: Path) -> Iterator[EmbeddedPostgres]:
    """One server for the session, in a folder that the unprivileged user of a root session can enter."""
    home = Path(tempfile.mkdtemp(prefix="rl-emails-test-"))
    home.chmod(0o755)
    # A test's server need not outlive the machine: without fsync a clone and its removal take milliseconds.
    server = EmbeddedPostgres(home, cache_dir, {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"})
    server.attach()
    try:
        yield server
    finally:
        server.detach()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template_database(postgres_server: EmbeddedPostgres) -> str:
    """A migrated database that tests clone."""
    create_database(postgres_server.url(), TEMPLATE)
    engine = make_engine(postgres_server.url(TEMPLATE), "template")
    migrate(engine)
    engine.dispose()
    return TEMPLATE


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[str]:
    """A fresh migrated database of the test's own, without a driver in its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    url = make_url(postgres_server.url()).set(database=name).render_as_string(hide_password=False)
    yield url
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's own database."""
    made = make_engine(database_url, "test")
    yield made
    made.dispose()


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder that the unprivileged user of a root session can enter; pytest's own folders are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="rl-emails-home-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def settings(home: Path, cache_dir: Path, database_url: str) -> Settings:
    """Settings on the test's own database and home."""
    return Settings(home=home, cache=cache_dir, database_url=database_url, batch_size=7)


@pytest.fixture
def steps_on(engine: Engine, settings: Settings) -> Callable[..., StepContext]:
    """Connects a source to a mailbox and returns what its steps get: `steps_on(path, address, run_id=..., ...)`."""

    def connect(path: Path, address: str = "owner@example.org", *, run_id: str = "run-1", **more: Any) -> StepContext:
        with engine.begin() as connection:
            mailbox = connect_files(connection, address, {"path": str(path), "kind": "folder"}, aliases=())
        return StepContext(engine, mailbox.mailbox_id, run_id, more.pop("settings", settings), **more)

    return connect


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes messages as a folder of files: `write_folder(messages, name="inbox")`; returns the tree's root."""

    def write(messages: list[bytes], *, root: str = "mail", name: str = "inbox", first: int = 0) -> Path:
        folder = tmp_path / root / name
        folder.mkdir(parents=True, exist_ok=True)
        for index, content in enumerate(messages, start=first):
            (folder / f"{index:04}.eml").write_bytes(content)
        return tmp_path / root

    return write
