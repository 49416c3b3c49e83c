"""A supervised process: how it is started, watched, restarted and stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from rl_emails_assets.instance.logs import rotate

MOST_CRASHES = 5
CRASH_WINDOW_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.25
START_TIMEOUT_SECONDS = 180.0
"""A child that is not ready by then is taken for crashed; importing Dagster takes seconds, on a busy machine many."""

_NAMES_AN_ERROR = re.compile(r"[A-Za-z_.]{1,200}(?:Error|Exception)\b")

Clock = Callable[[], float]


class State(StrEnum):
    """Where a supervised process is in its life."""

    IDLE = "idle"
    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"
    """Crashed; starts again after its delay."""
    GIVEN_UP = "given up"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run as a child."""

    name: str
    """Short, a file name: `api`. Its log is NAME.log."""
    title: str
    """As people read it: `API and page`."""
    target: str
    """The function that is the program, as `module:function`; it reads sys.argv."""
    arguments: tuple[str, ...]
    is_ready: Callable[[float], bool]
    """Whether the process that was started at this time (seconds since the epoch) does its work now; raises nothing."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 10.0
    """How long it may take to end when asked, before it is killed."""


class RestartPolicy:
    """When a process that crashed is started again: at once at first, then later and later, then not any more."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._crashed_at: list[float] = []

    def delay_seconds(self) -> float | None:
        """Count a crash. Returns the seconds to wait before the next start, None to give up."""
        now = self._clock()
        self._crashed_at = [at for at in self._crashed_at if now - at < CRASH_WINDOW_SECONDS] + [now]
        if len(self._crashed_at) >= MOST_CRASHES:
            return None
        return float(FIRST_DELAY_SECONDS * 4 ** (len(self._crashed_at) - 1))


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a child, to be told to people."""

    child: "Child"
    state: State
    what: str
    """Why, where it is not obvious: how the process ended."""
    seconds: float
    """Since its start for READY, until its next start for WAITING, otherwise 0."""


class Child:
    """One program and the process that runs it at the moment."""

    def __init__(self, program: Program, log_folder: Path, clock: Clock = time.monotonic) -> None:
        self.program = program
        self.log = log_folder / f"{program.name}.log"
        self.state = State.IDLE
        self.restart_count = 0
        self._clock = clock
        self._policy = RestartPolicy(clock)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._started_epoch = 0.0
        self._next_start_at = 0.0
        self._lingering: list[tuple[int, float]] = []

    @property
    def pid(self) -> int | None:
        """Of the living process; None when there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, in a session of its own, so that a terminal's Ctrl-C reaches the supervisor only."""
        rotate(self.log)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-m",
                    "rl_emails_assets.instance.child",
                    str(os.getpid()),
                    self.program.target,
                    *self.program.arguments,
                ],
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.state = State.STARTING
        self._started_at = self._clock()
        self._started_epoch = time.time()

    def step(self) -> Change | None:
        """Look once, do what is due, and tell what changed. Never waits for the process."""
        self._sweep()
        if self.state is State.WAITING and self._clock() >= self._next_start_at:
            self.restart_count += 1
            self.start()
            return None
        if self._process is None:
            return None
        code = self._process.poll()
        if code is not None:
            return self._crashed(how_it_ended(code))
        if self.state is State.STARTING:
            if self.program.is_ready(self._started_epoch):
                self.state = State.READY
                return Change(self, State.READY, "", self._clock() - self._started_at)
            if self._clock() - self._started_at > START_TIMEOUT_SECONDS:
                self.kill()
                return self._crashed(f"was not ready after {START_TIMEOUT_SECONDS:.0f} s")
        return None

    def restart(self) -> None:
        """End the process and start another, because what it depends on has changed; no crash is counted."""
        self.ask_to_stop()
        self.wait_until_stopped(self._clock() + self.program.stop_seconds)
        self.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM; what is not running is not started again either."""
        self.state = State.STOPPED
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self, deadline: float) -> bool:
        """Wait until it has ended, then end what is left of its group. Returns False when it had to be killed."""
        if self._process is None:
            return True
        is_graceful = True
        try:
            self._process.wait(max(deadline - self._clock(), 0.0))
        except subprocess.TimeoutExpired:
            is_graceful = False
        self.kill()
        self.state = State.STOPPED
        return is_graceful

    def kill(self) -> None:
        """Kill the process and everything in its group, now; also what former processes of this child left."""
        groups = [group for group, _ in self._lingering]
        self._lingering = []
        if self._process is not None:
            groups.append(self._process.pid)
        for group in groups:
            _signal_group(group, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def run_workers(self) -> list[int]:
        """The processes that a code server started for runs."""
        if self._process is None:
            return []
        return [pid for pid in group_members(self._process.pid) if pid != self._process.pid and _is_run_worker(pid)]

    def last_words(self, count: int = 6) -> list[str]:
        """The end of its log, and before it the errors that the last part of the log names."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(self.log.stat().st_size - 8192, 0))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        # A traceback's last lines are often of the outermost wrapper; the cause was named before it.
        errors = [line for line in lines[:-count] if _NAMES_AN_ERROR.match(line)]
        return [*list(dict.fromkeys(errors))[-3:], *lines[-count:]]

    def _crashed(self, what: str) -> Change:
        if self._process is not None:
            # Its run workers are told to report themselves as interrupted, and killed when they do not.
            if _signal_group(self._process.pid, signal.SIGTERM):
                self._lingering.append((self._process.pid, self._clock() + self.program.stop_seconds))
            self._process = None
        delay = self._policy.delay_seconds()
        if delay is None:
            self.state = State.GIVEN_UP
            return Change(self, State.GIVEN_UP, what, 0.0)
        self.state = State.WAITING
        self._next_start_at = self._clock() + delay
        return Change(self, State.WAITING, what, delay)

    def _sweep(self) -> None:
        remaining: list[tuple[int, float]] = []
        for group, deadline in self._lingering:
            # Its members are looked at, because a group of zombies can be signalled as well as a living one.
            if self._clock() > deadline:
                _signal_group(group, signal.SIGKILL)
            elif group_members(group):
                remaining.append((group, deadline))
        self._lingering = remaining


def how_it_ended(code: int) -> str:
    """A process's exit status in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def group_members(group: int) -> list[int]:
    """The living processes of a process group."""
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] not in {"Z", "X"}:
                members.append(int(folder.name))
    return members


def _is_run_worker(pid: int) -> bool:
    # Beside them is multiprocessing's resource tracker, which ends when the code server does.
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _signal_group(group: int, number: int) -> bool:
    """Whether there was a group to send the signal to."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
