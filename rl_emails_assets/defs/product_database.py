"""The product's database for what ticks and runs: found and checked once a process, not once a tick or run.

Starting an embedded server, creating databases and comparing schema versions takes several connections; a sensor that
did it each second would cost more than the work it looks for.
"""

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.db.migrate import is_at_head
from rl_emails_assets.settings import Settings

_known: dict[tuple[str, ...], str] = {}


def migrated_database(settings: Settings) -> str | None:
    """The database's URL once its schema is this release's; None before. Raises what `open_databases` does."""
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
    """Look again next time: it could not be reached, and may be elsewhere now."""
    _known.pop(_key(settings), None)


def _key(settings: Settings) -> tuple[str, ...]:
    return str(settings.home), settings.database_url or "", settings.dagster_database_url or ""
