"""`rl-emails up` in a process that can be signalled, and what can be seen of it."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from rl_emails_assets.instance.processes import group_members
from rl_emails_assets.instance.up_file import UpStatus, read_status
from rl_emails_assets.settings import Settings

REAL = "rl_emails_assets.definitions"
SLOW = "slow_definitions"
HERE = Path(__file__).parent
PATIENCE_SECONDS = 120.0


def eventually(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is so; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


class UpProcess:
    """One run of `rl-emails up`."""

    def __init__(self, settings: Settings, definitions: str) -> None:
        self.settings = settings
        environment = {
            **os.environ,
            "RL_EMAILS_HOME": str(settings.home),
            "RL_EMAILS_CACHE": str(settings.cache_dir),
            "RL_EMAILS_PORT": "0",
            "RL_EMAILS_DAGSTER_PORT": "0",
            "PYTHONPATH": str(HERE),
        }
        self.output = settings.home / f"up-{time.monotonic_ns()}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "run_up.py"), definitions],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def status(self) -> UpStatus | None:
        return read_status(self.settings.home)

    def running(self) -> UpStatus:
        status = self.status()
        assert status is not None, self.said()
        return status

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        status = self.status()
        return status is not None and status.is_ready

    def wait_ready(self) -> "UpProcess":
        eventually(self.is_ready, "everything ready")
        return self

    def said(self) -> str:
        return self.output.read_text()

    def groups(self) -> list[int]:
        return [pid for pid in self.running().pids.values() if pid is not None]


def survivors(groups: list[int]) -> list[int]:
    return [pid for group in groups for pid in group_members(group)]


def http_status(url: str, token: str = "") -> int:
    """How the page or the API answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - a link that `up` printed
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
