"""Starts everything, keeps it running, and stops it: the work of `rl-emails up`.

One thread, one loop. It waits for signals (a child's death is one) and looks at each child; children are started by
this thread only, because the kernel ends them with the thread that started them.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from rl_emails_assets.db.engine import Databases, make_engine, open_databases
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.errors import DatabaseUnavailableError
from rl_emails_assets.instance import logs, stack
from rl_emails_assets.instance.home import dagster_home, write_workspace
from rl_emails_assets.instance.interrupted_runs import hand_back_runs, runs_at_workers_here
from rl_emails_assets.instance.processes import Change, Child, RestartPolicy, State
from rl_emails_assets.instance.up_file import (
    Links,
    UpStatus,
    access_token,
    sole_supervisor,
    write_private,
    write_status,
)
from rl_emails_assets.settings import Settings

STARTING_TICK_SECONDS = 0.1
TICK_SECONDS = 1.0
LOG_CHECK_SECONDS = 60.0
RUN_STOP_SECONDS = 15.0


class Tone(StrEnum):
    """How a line is meant."""

    DONE = "done"
    NOTE = "note"
    TROUBLE = "trouble"


Say = Callable[[str, Tone], None]


class Supervisor:
    """Everything below one home folder. `run` returns when it has been asked to stop and everything has."""

    def __init__(
        self,
        settings: Settings,
        say: Say,
        on_ready: Callable[[Links], None],
        *,
        definitions: str = stack.DEFINITIONS,
    ) -> None:
        self._settings = settings
        self._home = settings.home
        self._say = say
        self._on_ready = on_ready
        self._definitions = definitions
        self._children: list[Child] = []
        self._stop_requests = 0
        self._is_announced = False
        self._is_degraded = False
        self._database_policy = RestartPolicy()
        self._server_url = ""

    def run(self) -> bool:
        """Start, watch and stop everything. Returns whether all parts held out: False when one was given up.

        Raises SettingsError or DatabaseUnavailableError when it cannot be started at all; AlreadyUpError when it is up.
        """
        with sole_supervisor(self._home), self._listening() as self._signals:
            started_at = time.monotonic()
            databases = self._start_database()
            try:
                if not self._stop_requests:
                    self._prepare(databases)
                    self._watch(databases, started_at)
            finally:
                self._stop(databases)
        return not self._is_degraded

    # -- starting ------------------------------------------------------------------------------------------------

    def _start_database(self) -> Databases:
        at = time.monotonic()
        databases = open_databases(self._settings)
        if databases.embedded is not None:
            self._server_url = databases.embedded.url()
        kind = "Postgres" if databases.embedded is not None else "Database (external)"
        self._say(f"{kind} runs ({_seconds(at)})", Tone.DONE)
        return databases

    def _prepare(self, databases: Databases) -> None:
        at = time.monotonic()
        engine = make_engine(databases.product_url, "up")
        try:
            migrate(engine)
        finally:
            engine.dispose()
        self._say(f"Tables are up to date ({_seconds(at)})", Tone.DONE)
        folder = dagster_home(self._home)
        port_file = folder / "code-server.port"
        self._ports = stack.Ports.choose(self._settings, _kept_port(port_file))
        write_private(port_file, str(self._ports.code_server))
        self._tell_moved_ports()
        workspace = write_workspace(folder, self._ports.code_server)
        log_folder = self._home / "logs"
        log_folder.mkdir(exist_ok=True)
        log_folder.chmod(0o700)
        token = access_token(self._settings)
        self._links = stack.links(self._settings, self._ports, token)
        programs = (
            stack.code_server(self._ports, self._definitions),
            stack.daemon(workspace, databases),
            stack.webserver(workspace, self._ports),
            stack.api(self._settings, self._ports, token),
            *stack.workers(self._settings, databases, self._definitions),
        )
        self._children = [Child(program, log_folder) for program in programs]

    def _tell_moved_ports(self) -> None:
        for name, wanted, got in (
            ("The page", self._settings.port, self._ports.api),
            ("Dagster's UI", self._settings.dagster_port, self._ports.dagster),
        ):
            if wanted not in {0, got}:
                self._say(f"{name} takes port {got}: {wanted} is taken", Tone.NOTE)

    # -- watching ------------------------------------------------------------------------------------------------

    def _watch(self, databases: Databases, started_at: float) -> None:
        code_server, daemon, webserver, api, *workers = self._children
        code_server.start()
        api.start()
        logs_checked_at = time.monotonic()
        while not self._stop_requests:
            if not self._keep_database(databases):
                return
            changes = [change for child in self._children if (change := child.step()) is not None]
            for change in changes:
                self._tell(change)
            if daemon.state is State.IDLE and code_server.state in {State.READY, State.GIVEN_UP}:
                # They ask it for the definitions, and try again only after a minute when it does not answer yet.
                daemon.start()
                webserver.start()
                # Not at once with the code server: both import the same for seconds, and only one is waited for.
                for worker in workers:
                    worker.start()
                changes.append(Change(daemon, daemon.state, "", 0.0))
            self._announce(started_at)
            if changes:
                self._write_status()
            if time.monotonic() - logs_checked_at > LOG_CHECK_SECONDS:
                logs_checked_at = time.monotonic()
                for child in self._children:
                    logs.truncate(child.log)
            self._wait()

    def _keep_database(self, databases: Databases) -> bool:
        """Start the embedded Postgres again when it died. Returns False when it cannot be kept up."""
        embedded = databases.embedded
        if embedded is None or embedded.pid() is not None:
            return True
        delay = self._database_policy.delay_seconds()
        if delay is not None:
            self._say("Postgres was killed or stopped; starting it again", Tone.TROUBLE)
            at = time.monotonic()
            try:
                embedded.attach()
            except DatabaseUnavailableError as error:
                self._say(str(error), Tone.TROUBLE)
                return self._database_is_lost()
            self._say(f"Postgres runs again ({_seconds(at)}); it has recovered what was committed", Tone.DONE)
            if embedded.url() != self._server_url:
                self._server_url = embedded.url()
                for child in self._children:
                    if child.pid is not None:
                        child.restart()
            return True
        return self._database_is_lost()

    def _database_is_lost(self) -> bool:
        self._say("Postgres does not stay up, and without it nothing works; stopping. See postgres.log.", Tone.TROUBLE)
        self._is_degraded = True
        return False

    def _tell(self, change: Change) -> None:
        child = change.child
        title = child.program.title
        if change.state is State.READY:
            again = " again" if child.restart_count else ""
            self._say(f"{title} is ready{again} ({change.seconds:.1f} s)", Tone.DONE)
        elif change.state is State.WAITING:
            self._say(f"{title} {change.what}; it starts again in {change.seconds:.2g} s", Tone.TROUBLE)
        else:
            self._is_degraded = True
            lines = "\n".join(f"    {line}" for line in child.last_words())
            self._say(
                f"{title} {change.what}, too often to start it again; the rest goes on without it. "
                f"The end of {child.log}:\n{lines}",
                Tone.TROUBLE,
            )

    def _announce(self, started_at: float) -> None:
        """Say once that everything runs, or that everything that can does."""
        states = {child.state for child in self._children}
        if self._is_announced or states - {State.READY, State.GIVEN_UP}:
            return
        self._is_announced = True
        if states == {State.READY}:
            self._say(f"Everything runs ({_seconds(started_at)}). Ctrl-C stops it.", Tone.DONE)
        self._write_status()
        self._on_ready(self._links)

    def _write_status(self) -> None:
        write_status(
            self._home,
            UpStatus(
                pid=os.getpid(),
                links=self._links,
                ports={
                    "api": self._ports.api,
                    "dagster": self._ports.dagster,
                    "code_server": self._ports.code_server,
                },
                pids={child.program.name: child.pid for child in self._children},
                states={child.program.name: child.state.value for child in self._children},
                is_ready=all(child.state is State.READY for child in self._children),
            ),
        )

    # -- stopping ------------------------------------------------------------------------------------------------

    def _stop(self, databases: Databases) -> None:
        at = time.monotonic()
        try:
            if self._children:
                self._say("Stopping; Ctrl-C again hurries", Tone.NOTE)
                self._stop_children(databases)
        finally:
            if databases.embedded is not None and not databases.embedded.detach():
                self._say("Postgres goes on: another command uses it, and stops it when it ends", Tone.NOTE)
        self._say(f"Stopped ({_seconds(at)})", Tone.DONE)

    def _stop_children(self, databases: Databases) -> None:
        """In reverse order. The daemon ends before the runs are interrupted, so that it launches no other ones."""
        code_server, daemon, webserver, api, *workers = self._children
        self._end([api, webserver, daemon])
        at_workers = runs_at_workers_here(databases) if any(worker.is_alive() for worker in workers) else []
        for worker in workers:
            worker.ask_to_stop()
        self._interrupt_runs(code_server)
        self._end([code_server, *workers])
        handed_back = hand_back_runs(databases, self._ports.code_server, at_workers)
        if handed_back:
            self._say(f"{handed_back} interrupted sync(s) go on at the next start", Tone.NOTE)

    def _end(self, children: Sequence[Child]) -> None:
        """Ask all at once, then see to each."""
        for child in children:
            child.ask_to_stop()
        for child in children:
            seconds = child.program.stop_seconds
            deadline = time.monotonic() + seconds
            while child.is_alive() and time.monotonic() < deadline and not self._is_hurried():
                self._wait(STARTING_TICK_SECONDS)
            if not child.wait_until_stopped(time.monotonic()):
                why = "in a hurry" if self._is_hurried() else f"it had not ended after {seconds:.0f} s"
                self._say(f"{child.program.title} was killed: {why}", Tone.TROUBLE)

    def _interrupt_runs(self, code_server: Child) -> None:
        """Let the runs end after what they are at: each reports itself, and what it has committed stays."""
        workers = code_server.run_workers()
        if not workers:
            return
        self._say(f"Interrupting {len(workers)} run(s); what is done is kept", Tone.NOTE)
        for pid in workers:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + RUN_STOP_SECONDS
        while code_server.run_workers() and time.monotonic() < deadline and not self._is_hurried():
            self._wait(STARTING_TICK_SECONDS)

    # -- signals -------------------------------------------------------------------------------------------------

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        """Count requests to stop, and wake the loop for every signal."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        former = {number: signal.getsignal(number) for number in numbers}
        reader, writer = socket.socketpair()
        with reader, writer:
            reader.setblocking(False)
            writer.setblocking(False)
            former_descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            try:
                for number, handler in former.items():
                    # Under nohup a hang-up is ignored, and stays so.
                    if (number, handler) != (signal.SIGHUP, signal.SIG_IGN):
                        signal.signal(number, self._on_signal)
                yield reader
            finally:
                for number, handler in former.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(former_descriptor)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._stop_requests += 1

    def _is_hurried(self) -> bool:
        return self._stop_requests > 1

    def _wait(self, seconds: float | None = None) -> None:
        if seconds is None:
            is_busy = any(child.state is not State.READY for child in self._children)
            seconds = STARTING_TICK_SECONDS if is_busy else TICK_SECONDS
        select.select([self._signals], [], [], seconds)
        try:
            while self._signals.recv(4096):
                pass
        except BlockingIOError:
            return


def _kept_port(path: Path) -> int:
    """The code server's last port: what was launched from it is found again under it."""
    try:
        port = int(path.read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 65536 else 0


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.1f} s"
