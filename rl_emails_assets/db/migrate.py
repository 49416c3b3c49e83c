"""Bringing a database's schema to the one this release needs."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from rl_emails_assets.errors import SchemaVersionError

# Any fixed number; whoever migrates holds this advisory lock, so that two starting processes take turns.
_LOCK = 7_410_031


def migrate(engine: Engine) -> None:
    """Apply every migration that is missing. Raises SchemaVersionError for a database of a newer release."""
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            config = _config()
            current = _current(engine)
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            if current is not None and current not in known:
                raise SchemaVersionError(
                    f"The database is at revision {current}, which this release does not know: a newer one migrated "
                    "it. Install that release, or restore a backup from before."
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()


def is_at_head(engine: Engine) -> bool:
    """Whether the database's schema is the one this release needs."""
    return _current(engine) == _head()


@cache
def _head() -> str | None:
    """The newest revision of this release; reading the scripts takes longer than asking the database."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _current(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
