"""What a running `rl-emails up` leaves in the home folder for other commands: a lock, a status file and the token."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from rl_emails_assets.errors import SettingsError
from rl_emails_assets.settings import Settings

LOCK_TRIES = 10


class AlreadyUpError(SettingsError):
    """Another `rl-emails up` runs on this home folder."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the parts can be reached. `page` carries the access token: whoever has it can read the mail."""

    page: str
    api: str
    dagster: str


@dataclass(frozen=True, slots=True)
class UpStatus:
    """The content of `up.json`."""

    pid: int
    """Of the supervisor."""
    links: Links
    ports: dict[str, int]
    pids: dict[str, int | None]
    states: dict[str, str]
    is_ready: bool

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


def status_path(home: Path) -> Path:
    """The file is there while `rl-emails up` runs, and is readable by its user only."""
    return home / "up.json"


def write_status(home: Path, status: UpStatus) -> None:
    """Write in one step; readers never see a half."""
    path = status_path(home)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    write_private(scratch, json.dumps(status.as_json(), indent=2) + "\n")
    scratch.replace(path)


def read_status(home: Path) -> UpStatus | None:
    """What runs on this home folder; None when nothing does, also when its supervisor was killed."""
    if not is_up(home):
        return None
    try:
        content = json.loads(status_path(home).read_text())
        return UpStatus(**{**content, "links": Links(**content["links"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_up(home: Path) -> bool:
    """Whether a supervisor holds the lock of this home folder."""
    try:
        with _lock_path(home).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def sole_supervisor(home: Path) -> Iterator[None]:
    """Be the one supervisor of this home folder. Raises AlreadyUpError, SettingsError when it cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = _lock_path(home).open("a")
    except OSError as error:
        raise SettingsError(
            f"The home folder {home} cannot be written: {error.strerror}. Set RL_EMAILS_HOME to a folder of yours."
        ) from error
    with lock:
        if not _take(lock):
            raise AlreadyUpError(_already_up(home))
        try:
            yield
        finally:
            status_path(home).unlink(missing_ok=True)


def access_token(settings: Settings) -> str:
    """The token of the API and the page: the one set, else the one kept in the home folder, made on first use."""
    if settings.token:
        return settings.token
    path = settings.home / "token"
    try:
        kept = path.read_text().strip()
    except FileNotFoundError:
        kept = ""
    if not kept:
        kept = secrets.token_urlsafe(32)
        write_private(path, kept)
    return kept


def write_private(path: Path, content: str) -> None:
    """Write a file that only its user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def _take(lock: IO[str]) -> bool:
    # Whoever asks whether it is up holds the lock for a moment, so one refusal proves nothing.
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _already_up(home: Path) -> str:
    status = read_status(home)
    where = f" It is process {status.pid}; its page is {status.links.page}." if status is not None else ""
    return (
        f"rl-emails is already up on {home}.{where} Use that one, stop it first, "
        "or set RL_EMAILS_HOME to another folder for a second one."
    )


def _lock_path(home: Path) -> Path:
    return home / "up.lock"
