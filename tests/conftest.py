"""A real Postgres for every test that asks: one server a session, a template with the real migrations, a clone a test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import create_database, make_engine
from rl_emails_assets.db.migrate import migrate

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
    server = EmbeddedPostgres(home, cache_dir)
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
