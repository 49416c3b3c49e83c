"""`rl-emails doctor`: what is wrong with this installation, and how to mend it."""

from collections.abc import Callable
from dataclasses import asdict

from rich.markup import escape

from rl_emails_assets.commands.output import ExitCode, console, print_json
from rl_emails_assets.db.engine import Databases, make_engine, open_databases
from rl_emails_assets.errors import RlEmailsError
from rl_emails_assets.instance import checkup
from rl_emails_assets.instance.checkup import Finding
from rl_emails_assets.settings import Settings

_START_AGAIN = "Mend that, then run `rl-emails doctor` again."


def findings(settings: Settings) -> list[Finding]:
    """Every check's outcome, in an order in which a former one may be the cause of a later one.

    An embedded server that does not run is started for the checks, and stopped again. A check that fails in an
    unforeseen way is a finding, too.
    """
    found: list[Finding] = []
    for name, check in {
        "python": checkup.python,
        "locale": checkup.text_encoding,
        "home": lambda: checkup.home(settings),
        "disk": lambda: checkup.disk(settings),
        "postgres programs": lambda: checkup.postgres_programs(settings),
        "encoder": lambda: checkup.encoder(settings),
        "ports": lambda: checkup.ports(settings),
        "up": lambda: checkup.running(settings),
        "chromium": checkup.chromium,
    }.items():
        found.append(_attempt(name, check))
    try:
        databases = open_databases(settings)
    except RlEmailsError as error:
        return [*found, Finding("database", is_ok=False, what=str(error), mend=_START_AGAIN)]
    try:
        found += _of_database(settings, databases)
    finally:
        if databases.embedded is not None:
            databases.embedded.detach()
    return found


def doctor(settings: Settings, *, is_json: bool) -> ExitCode:
    """Print what was found. Returns INCOMPLETE when something is to be mended."""
    found = findings(settings)
    is_well = all(finding.is_ok for finding in found)
    if is_json:
        print_json({"is_well": is_well, "findings": [asdict(finding) for finding in found]})
    else:
        out = console()
        for finding in found:
            mark = "[green]✓[/]" if finding.is_ok else "[bold red]✗[/]"
            out.print(f"{mark} [bold]{finding.check}[/] {escape(finding.what)}", soft_wrap=True)
            if finding.mend:
                out.print(f"  → {escape(finding.mend)}", soft_wrap=True)
        out.print("All is well." if is_well else "Something is to be mended; see → above.")
    return ExitCode.OK if is_well else ExitCode.INCOMPLETE


def _of_database(settings: Settings, databases: Databases) -> list[Finding]:
    engine = make_engine(databases.product_url, "doctor")
    try:
        found = [_attempt("database", lambda: checkup.database(engine))]
        migrated = _attempt("tables", lambda: checkup.tables(engine))
        found.append(migrated)
        if migrated.is_ok:
            found += [
                _attempt("gaps", lambda: checkup.gaps(engine)),
                _attempt("queue", lambda: checkup.dead_letters(engine)),
            ]
        found += [
            _attempt("dagster", lambda: checkup.dagster_instance(settings)),
            _attempt("daemon", lambda: checkup.daemon(settings, databases.dagster_url)),
        ]
        return found
    finally:
        engine.dispose()


def _attempt(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a doctor that dies of what it should find helps nobody; it is recorded
        return Finding(name, is_ok=False, what=f"{type(error).__name__}: {error}", mend=_START_AGAIN)
