"""From settings to databases: embedded or external, made where they are missing, refused in words where unusable."""

import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from rl_emails_assets.db import engine as databases
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.errors import DatabaseUnavailableError, SettingsError
from rl_emails_assets.settings import Settings


@pytest.fixture
def home(cache_dir: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rl-emails-databases-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def external(server: EmbeddedPostgres, name: str) -> Settings:
    return Settings(home=Path("/nonexistent"), database_url=server.url(name), dagster_database_url=None)


def test_an_external_database_is_used_and_dagsters_made_beside_it(
    postgres_server: EmbeddedPostgres, database_url: str
) -> None:
    """Dagster's tables must not land in the product's database, nor need a second setting."""
    settings = Settings(database_url=database_url.replace("postgresql://", "postgresql+psycopg://"))
    found = databases.open_databases(settings)
    assert found.embedded is None
    assert found.product_url == database_url
    assert make_url(found.dagster_url).database == f"{make_url(database_url).database}_dagster"
    assert databases.open_databases(settings) == found, "the second time they are there"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        name = make_url(found.dagster_url).database or ""
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def test_a_named_dagster_database_is_left_alone(database_url: str) -> None:
    """Who may not create databases names one that is there."""
    elsewhere = "postgresql://someone@elsewhere/dagster"
    found = databases.open_databases(Settings(database_url=database_url, dagster_database_url=elsewhere))
    assert found.dagster_url == elsewhere


def test_the_embedded_databases_are_made_and_the_server_belongs_to_the_process(home: Path, cache_dir: Path) -> None:
    """Opening twice in one process must not leave a lock that nobody returns."""
    settings = Settings(home=home, cache=cache_dir, database_url=None, dagster_database_url=None)
    found = databases.open_databases(settings)
    assert databases.open_databases(settings).embedded is found.embedded
    made = databases.make_engine(found.product_url, "test", pool_size=1)
    with made.connect() as connection:
        assert connection.execute(text("select current_setting('application_name')")).scalar_one() == "rl-emails test"
    made.dispose()
    with psycopg.connect(found.dagster_url) as direct:
        assert direct.info.dbname == "rl_emails_dagster"
    assert found.embedded is not None
    assert found.embedded.detach()
    assert not found.embedded.is_running()


def test_a_failed_opening_does_not_leave_the_server_running(
    home: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that fails at the start must not leave a server behind; one that uses it already must keep it."""
    settings = Settings(home=home, cache=cache_dir, database_url=None, dagster_database_url=None)
    server = databases.embedded_postgres(home, cache_dir)
    with monkeypatch.context() as broken:
        broken.setattr(databases, "MINIMUM_SERVER_VERSION", 990000)
        with pytest.raises(SettingsError, match="too old"):
            databases.open_databases(settings)
        assert not server.is_running()
        server.attach()
        with pytest.raises(SettingsError, match="too old"):
            databases.open_databases(settings)
        assert server.is_running()
    assert server.detach()


def test_a_server_without_pgvector_is_refused(
    postgres_server: EmbeddedPostgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this the first migration fails with words about an extension file."""
    user = f"plain_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        # A view of the same name, found first by this user, stands for a server that lacks the extension.
        connection.execute(sql.SQL("create role {} login superuser password 'p'").format(sql.Identifier(user)))
        connection.execute("create schema bare; create view bare.pg_available_extensions as select ''::text as name")
        connection.execute(sql.SQL("alter role {} set search_path = bare, pg_catalog").format(sql.Identifier(user)))
    url = make_url(database_url).set(username=user, password="p").render_as_string(hide_password=False)
    with pytest.raises(SettingsError, match="pgvector"):
        databases.open_databases(Settings(database_url=url))
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(user)))


def test_a_user_that_may_not_create_dagsters_database_is_told_how_to_go_on(
    postgres_server: EmbeddedPostgres, database_url: str
) -> None:
    """Managed databases often give no right to create others."""
    user = f"poor_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password 'p'").format(sql.Identifier(user)))
    url = make_url(database_url).set(username=user, password="p").render_as_string(hide_password=False)
    with pytest.raises(SettingsError, match="RL_EMAILS_DAGSTER_DATABASE_URL"):
        databases.open_databases(Settings(database_url=url, dagster_database_url=None))
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(user)))


def test_an_unreachable_database_is_named_without_its_password() -> None:
    """The error is printed and logged; the password must not be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"postgresql://someone:secret@127.0.0.1:{port}/mail"
    for attempt in (
        lambda: databases.open_databases(Settings(database_url=url)),
        lambda: databases.create_database(url, "other"),
    ):
        with pytest.raises(DatabaseUnavailableError, match="someone:\\*\\*\\*@") as raised:
            attempt()
        assert "secret" not in str(raised.value)


def test_another_kind_of_database_is_refused() -> None:
    """A mistyped URL must not fail deep in a driver."""
    with pytest.raises(SettingsError, match="mysql"):
        databases.open_databases(Settings(database_url="mysql://localhost/mail"))


def test_two_processes_may_create_a_database_at_once(postgres_server: EmbeddedPostgres) -> None:
    """Every process that starts makes sure of the databases; the slower one must not fail."""
    name = f"race_{uuid.uuid4().hex[:8]}"
    failures: list[BaseException] = []

    def create() -> None:
        try:
            databases.create_database(postgres_server.url(), name)
        except BaseException as error:  # noqa: BLE001 - carried to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
