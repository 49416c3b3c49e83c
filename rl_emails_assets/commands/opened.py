"""The product's database, opened for a command and left as it was found."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.settings import Settings


@contextmanager
def opened(settings: Settings, name: str) -> Iterator[Engine]:
    """An engine on the migrated database; an embedded server that nobody else uses is stopped afterwards."""
    databases = open_databases(settings)
    engine = make_engine(databases.product_url, name)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
        if databases.embedded is not None:
            databases.embedded.detach()
