"""From settings to connections: which databases there are, and engines on them."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.errors import DatabaseUnavailableError, SettingsError
from rl_emails_assets.settings import Settings

PRODUCT_DATABASE = "rl_emails"
DAGSTER_SUFFIX = "_dagster"
MINIMUM_SERVER_VERSION = 150000


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the product's tables and Dagster's are, as URLs with no driver named (`postgresql://...`)."""

    product_url: str
    dagster_url: str
    embedded: EmbeddedPostgres | None
    """The server this process attached to; None when the databases are elsewhere."""


def open_databases(settings: Settings) -> Databases:
    """The databases of these settings, started and created where they are not there yet.

    Raises DatabaseUnavailableError when the server cannot be reached, SettingsError when it is not one we can use.
    """
    if settings.database_url is not None:
        return _create(settings, without_driver(settings.database_url), None)
    embedded = embedded_postgres(settings.home, settings.cache_dir)
    was_attached = embedded.is_attached
    embedded.attach()
    try:
        create_database(embedded.url(), PRODUCT_DATABASE)
        return _create(settings, embedded.url(PRODUCT_DATABASE), embedded)
    except BaseException:
        if not was_attached:
            embedded.detach()
        raise


def _create(settings: Settings, product_url: str, embedded: EmbeddedPostgres | None) -> Databases:
    _require_usable(product_url)
    if settings.dagster_database_url is not None:
        dagster_url = without_driver(settings.dagster_database_url)
    else:
        parsed = make_url(product_url)
        name = f"{parsed.database}{DAGSTER_SUFFIX}"
        dagster_url = parsed.set(database=name).render_as_string(hide_password=False)
        create_database(product_url, name)
    return Databases(product_url, dagster_url, embedded)


_embedded: dict[Path, EmbeddedPostgres] = {}


def embedded_postgres(home: Path, cache: Path) -> EmbeddedPostgres:
    """This process's one handle on the server below `home`: the lock it holds belongs to the process."""
    return _embedded.setdefault(home, EmbeddedPostgres(home, cache))


def make_engine(url: str, name: str, *, pool_size: int = 2) -> Engine:
    """An engine on `url` through psycopg 3, its connections named after `name` in pg_stat_activity."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=8,
        pool_pre_ping=True,
        # Parameters are mail; an error must not carry them into a log.
        hide_parameters=True,
        connect_args={
            "application_name": f"rl-emails {name}",
            "connect_timeout": 10,
            # Whatever zone the server is set to: times come back in UTC, and hash alike.
            "options": "-c timezone=UTC",
        },
    )


def without_driver(url: str) -> str:
    """The URL as libpq reads it: `postgresql://`, whatever driver it named."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError(f"RL_EMAILS_DATABASE_URL names {parsed.get_backend_name()}; it must be postgresql://...")
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def create_database(server_url: str, name: str) -> None:
    """Create the database unless it is there; two processes may do so at once."""
    try:
        with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return
            except psycopg.errors.InsufficientPrivilege as error:
                raise SettingsError(
                    f"The database {name} is not there and this user may not create it. Create it, "
                    "or set RL_EMAILS_DAGSTER_DATABASE_URL to one that exists."
                ) from error
    except psycopg.OperationalError as error:
        raise _unavailable(server_url, error) from error


def _require_usable(url: str) -> None:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
            if version < MINIMUM_SERVER_VERSION:
                raise SettingsError(f"Postgres {version // 10000} is too old; rl-emails needs 15 or later.")
            if not connection.execute("select 1 from pg_available_extensions where name = 'vector'").fetchone():
                raise SettingsError("This Postgres has no pgvector. Install it on the server, then start again.")
            try:
                connection.execute("create extension if not exists vector")
            except psycopg.errors.UniqueViolation:
                # Another process made it at the same moment, which "if not exists" does not wait for.
                connection.rollback()
            except psycopg.errors.InsufficientPrivilege as error:
                raise SettingsError(
                    f"This user may not create the extension pgvector in the database {connection.info.dbname}. "
                    "Have an administrator run there: create extension vector. Then start again."
                ) from error
    except psycopg.OperationalError as error:
        raise _unavailable(url, error) from error


def _unavailable(url: str, error: psycopg.OperationalError) -> DatabaseUnavailableError:
    shown = make_url(url).render_as_string(hide_password=True)
    return DatabaseUnavailableError(
        f"The database {shown} cannot be reached: {str(error).strip()}. "
        "Check RL_EMAILS_DATABASE_URL and that the server runs, then start again."
    )
