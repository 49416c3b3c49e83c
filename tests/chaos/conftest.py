"""One arena for all schedules that a process plays."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.settings import Settings
from tests.chaos.arena import Arena, arena_on
from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import serving

DATABASE = "chaos"


@pytest.fixture(scope="session")
def arena(postgres_server: EmbeddedPostgres, template_database: str, cache_dir: Path) -> Iterator[Arena]:
    """A database, a stand-in and forked workers."""
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(DATABASE), sql.Identifier(template_database)
            )
        )
    url = make_url(postgres_server.url()).set(database=DATABASE).render_as_string(hide_password=False)
    engine = make_engine(url, "chaos")
    gmail = Gmail()
    gmail.quota.units_per_minute = 1_000_000
    with tempfile.TemporaryDirectory(prefix="rl-emails-chaos-") as folder, serving(gmail):
        home = Path(folder)
        settings = Settings(home=home, cache=cache_dir, database_url=url, batch_size=50)
        with arena_on(engine, settings, url, gmail, home / "workers.log") as made:
            yield made
    engine.dispose()
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(DATABASE)))
