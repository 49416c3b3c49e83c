"""The product's database for what ticks and runs: found and checked once a process, not once a tick or run.

Starting an embedded server, creating databases and comparing schema versions takes several connections; a sensor that
did it each second would cost more than the work it looks for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import is_at_head
from rl_emails_assets.settings import Settings

_known: dict[tuple[str, ...], str] = {}


NOT_MIGRATED = "The database is not migrated yet; the first run or `rl-emails up` does it."


@contextmanager
def migrated_database(settings: Settings) -> Iterator[str | None]:
    """The database's URL once its schema is this release's; None before. Raises what `open_databases` does.

    What fails in the block makes the next one look anew: the database may be elsewhere now.
    """
    try:
        yield _find(settings)
    except Exception:
        forget_database(settings)
        raise


def _find(settings: Settings) -> str | None:
    key = _key(settings)
    if key not in _known:
        url = open_databases(settings).product_url
        engine = make_engine(url, "tick")
        try:
            if not is_at_head(engine):
                return None
        finally:
            engine.dispose()
        _known[key] = url
    return _known[key]


def forget_database(settings: Settings) -> None:
    """Look again next time."""
    _known.pop(_key(settings), None)


def _key(settings: Settings) -> tuple[str, ...]:
    return str(settings.home), settings.database_url or "", settings.dagster_database_url or ""
