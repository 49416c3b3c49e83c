"""`rl-emails down`: stop an embedded Postgres that nobody uses."""

from rl_emails_assets.commands.output import ExitCode, console
from rl_emails_assets.db.engine import embedded_postgres
from rl_emails_assets.settings import Settings


def down(settings: Settings) -> ExitCode:
    """Stop the embedded server below the home folder, unless another process uses it."""
    out = console()
    if settings.database_url is not None:
        out.print("RL_EMAILS_DATABASE_URL names a Postgres that is not ours to stop.")
        return ExitCode.OK
    server = embedded_postgres(settings.home, settings.cache_dir)
    if server.pid() is None:
        out.print("No embedded Postgres runs.")
        return ExitCode.OK
    server.attach()
    if server.detach():
        out.print("Stopped.")
        return ExitCode.OK
    out.print("Another process uses it, `rl-emails up` perhaps; stop that first.")
    return ExitCode.UNAVAILABLE
