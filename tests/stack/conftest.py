"""A home folder for `rl-emails up`, and the command in processes that do not outlive their test."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.settings import Settings
from tests.stack.up_process import UpProcess


@pytest.fixture(scope="module")
def settings(cache_dir: Path) -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="rl-emails-up-"))
    home.chmod(0o755)
    yield Settings(home=home, cache=cache_dir, token=None, database_url=None)
    server = EmbeddedPostgres(home, cache_dir)
    if server.pid() is not None:
        server.attach()
        server.detach()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def start_up(settings: Settings) -> Iterator[Callable[[str], UpProcess]]:
    """Starts `rl-emails up`; what still runs after the test is killed."""
    started: list[UpProcess] = []

    def start(definitions: str) -> UpProcess:
        started.append(UpProcess(settings, definitions))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.process.send_signal(signal.SIGKILL)
            up.process.wait()
