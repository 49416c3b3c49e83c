"""The migrations make the tables that the code declares, from nothing and back."""

import threading
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from rl_emails_assets.db import migrate as migrations
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import create_database, make_engine
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables.base import SCHEMAS
from rl_emails_assets.errors import SchemaVersionError


@pytest.fixture
def empty(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    """An empty database."""
    create_database(postgres_server.url(), "empty")
    made = make_engine(postgres_server.url("empty"), "test")
    yield made
    made.dispose()
    admin = make_engine(postgres_server.url(), "test")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("drop database empty with (force)"))
    admin.dispose()


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    """A table that was changed without a migration would work in tests and fail at everybody who upgrades."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
                "compare_server_default": True,
            },
        )
        differences = compare_metadata(context, metadata)
    # What a column means is declared in the code and is no part of the schema.
    meaningful = [
        difference
        for difference in differences
        if not (isinstance(difference, list) and all(item[0] == "modify_comment" for item in difference))
        and difference[0] != "add_table_comment"
    ]
    assert meaningful == []


def test_the_first_migration_can_be_taken_back_and_applied_again(empty: Engine) -> None:
    """A migration that cannot be undone leaves an operator with a restore as the only way back."""
    migrations.migrate(empty)
    assert migrations.is_at_head(empty)
    with empty.connect() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    assert not migrations.is_at_head(empty)
    migrations.migrate(empty)
    assert migrations.is_at_head(empty)


def test_two_processes_that_start_at_once_migrate_once(empty: Engine) -> None:
    """`up` starts several processes that all find the database empty."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            migrations.migrate(empty)
        except BaseException as error:  # noqa: BLE001 - reported by the assertion
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert migrations.is_at_head(empty)


def test_a_database_of_a_newer_release_is_refused_with_the_way_out(engine: Engine) -> None:
    """An old release that wrote into newer tables would corrupt them."""
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaVersionError, match="newer one migrated it"):
        migrations.migrate(engine)
