"""The supervisor's decisions, with small programs in the place of Dagster and the API. The real ones: tests/stack."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from rl_emails_assets.db.engine import Databases
from rl_emails_assets.errors import DatabaseUnavailableError
from rl_emails_assets.instance import logs, processes, stack, supervisor
from rl_emails_assets.instance.processes import Program
from rl_emails_assets.instance.supervisor import Supervisor, Tone
from rl_emails_assets.instance.up_file import Links, read_status
from rl_emails_assets.settings import Settings

PROGRAMS = """
import os, pathlib, signal, sys, time
def wait():
    pathlib.Path(sys.argv[1]).touch()
    time.sleep(600)
def fail():
    sys.exit("ValueError: on purpose")
def with_worker():
    import subprocess
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600) # spawn_main"])
    wait()
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()
"""


class FakeServer:
    """An embedded server, as far as the supervisor sees one."""

    def __init__(self, *, can_start: bool = True) -> None:
        self.can_start = can_start
        self.is_up = True
        self.port = 1
        self.attach_count = 0

    def pid(self) -> int | None:
        return 1 if self.is_up else None

    def attach(self) -> None:
        self.attach_count += 1
        if not self.can_start:
            raise DatabaseUnavailableError("It did not start.")
        self.is_up = True

    def url(self) -> str:
        return f"postgresql://127.0.0.1:{self.port}/postgres"

    def detach(self) -> bool:
        return False


class Stage:
    """A supervisor whose programs are chosen by the test."""

    def __init__(self, home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.said: list[tuple[Tone, str]] = []
        self.links: list[Links] = []
        self.functions = dict.fromkeys(("code_server", "worker", "daemon", "webserver", "api"), "wait")
        self.stop_seconds = 20.0
        self.server: FakeServer | None = None
        self.on_ready: Callable[[], None] = self.stop
        self.settings = Settings(home=home, database_url=database_url, port=0, dagster_port=0, token="t")
        (home / "some_programs.py").write_text(PROGRAMS)
        monkeypatch.setenv("PYTHONPATH", str(home))
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        monkeypatch.setattr(processes, "FIRST_DELAY_SECONDS", 0.001)
        monkeypatch.setattr(supervisor, "TICK_SECONDS", 0.05)
        for name in self.functions.keys() - {"worker"}:
            monkeypatch.setattr(stack, name, self._maker(name))
        worker = self._maker("worker")
        monkeypatch.setattr(stack, "workers", lambda *arguments: [worker(*arguments)])
        monkeypatch.setattr(
            supervisor,
            "open_databases",
            lambda _: Databases(database_url, database_url, self.server),  # type: ignore[arg-type]
        )

    def _maker(self, name: str) -> Callable[..., Program]:
        mark = self.home / f"{name}.ready"

        def make(*_arguments: object) -> Program:
            return Program(
                name=name,
                title=name,
                target=f"some_programs:{self.functions[name]}",
                arguments=(str(mark),),
                is_ready=lambda _: mark.exists(),
                stop_seconds=self.stop_seconds,
            )

        return make

    def run(self) -> bool:
        def ready(links: Links) -> None:
            self.links.append(links)
            self.on_ready()

        self.supervisor = Supervisor(self.settings, lambda line, tone: self.said.append((tone, line)), ready)
        return self.supervisor.run()

    @staticmethod
    def stop(number: int = signal.SIGTERM) -> None:
        os.kill(os.getpid(), number)

    def lines(self) -> str:
        return "\n".join(line for _, line in self.said)


@pytest.fixture
def stage(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, database_url, monkeypatch)


def test_all_is_announced_when_all_is_ready_and_stopped_in_order(stage: Stage) -> None:
    """The link must not be shown before what it leads to answers."""
    seen = []

    def look() -> None:
        seen.append(read_status(stage.home))
        stage.stop(signal.SIGINT)

    stage.on_ready = look
    assert stage.run()
    (status,) = seen
    assert status is not None
    assert status.is_ready
    assert all(pid is not None for pid in status.pids.values())
    assert status.links == stage.links[0]
    lines = stage.lines()
    order = ["Database (external) runs", "Tables are up to date", "code_server is ready", "daemon is ready"]
    assert [lines.index(line) for line in order] == sorted(lines.index(line) for line in order)
    assert "Everything runs" in lines
    assert lines.endswith(stage.said[-1][1])
    assert stage.said[-1][1].startswith("Stopped")
    assert not [line for tone, line in stage.said if tone is Tone.TROUBLE]


def test_a_part_that_cannot_start_is_named_and_the_rest_goes_on(stage: Stage) -> None:
    """A broken code location must not keep a person from the inbox; but the end says that something was broken."""
    stage.functions["code_server"] = "fail"
    assert not stage.run()
    assert "code_server ended with exit code 1, too often" in stage.lines()
    assert "ValueError: on purpose" in stage.lines()
    assert "api is ready" in stage.lines()
    assert "Everything runs" not in stage.lines()
    assert len(stage.links) == 1, "what runs is shown nevertheless"


def test_a_part_that_does_not_stop_is_killed_and_named(stage: Stage) -> None:
    """A stop must end."""
    stage.functions["api"] = "deaf"
    stage.stop_seconds = 0.3
    assert stage.run()
    assert "api was killed: it had not ended after 0 s" in stage.lines()


def test_runs_are_interrupted_before_their_code_server_ends(stage: Stage) -> None:
    """A code server waits for its runs; one that is asked first would wait until it is killed with them."""
    stage.functions["code_server"] = "with_worker"

    def stop_when_it_works() -> None:
        code_server = stage.supervisor._children[0]
        while not code_server.run_workers():
            pass
        stage.stop()

    stage.on_ready = stop_when_it_works
    assert stage.run()
    assert "Interrupting 1 run(s)" in stage.lines()


def test_a_second_request_hurries(stage: Stage) -> None:
    """Who presses Ctrl-C twice does not want to wait."""
    stage.functions["daemon"] = "deaf"
    stage.stop_seconds = 600.0

    def twice() -> None:
        stage.stop()
        stage.stop()

    stage.on_ready = twice
    assert stage.run()
    assert "daemon was killed: in a hurry" in stage.lines()


def test_a_stop_before_anything_started_starts_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while Postgres is unpacked must not be forgotten."""
    opened = supervisor.open_databases

    def interrupted(settings: Settings) -> Databases:
        stage.stop()
        return opened(settings)

    monkeypatch.setattr(supervisor, "open_databases", interrupted)
    assert stage.run()
    assert "Tables" not in stage.lines()
    assert not (stage.home / "up.json").exists()


def test_a_hang_up_that_was_ignored_stays_ignored(stage: Stage) -> None:
    """Under nohup the terminal may be closed."""
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def hang_up_then_stop() -> None:
        stage.stop(signal.SIGHUP)
        stage.stop()

    stage.on_ready = hang_up_then_stop
    try:
        assert stage.run()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)
    assert "hurry" not in stage.lines().replace("Ctrl-C again hurries", "")


def test_a_dead_postgres_is_started_again_and_its_new_port_reaches_everybody(stage: Stage) -> None:
    """Whoever holds the old address would fail until the next start."""
    server = stage.server = FakeServer()
    before: dict[str, int | None] = {}

    def kill_postgres() -> None:
        status = read_status(stage.home)
        assert status is not None
        before.update(status.pids)
        server.is_up = False
        server.port = 2
        threading.Thread(target=stop_when_restarted).start()

    def stop_when_restarted() -> None:
        turn = threading.Event()
        for _ in range(600):
            status = read_status(stage.home)
            if server.attach_count and status is not None and status.is_ready and status.pids != before:
                break
            turn.wait(0.05)
        stage.stop()

    stage.on_ready = kill_postgres
    assert stage.run()
    assert server.attach_count == 1
    lines = stage.lines()
    assert "Postgres runs again" in lines
    assert lines.count("api is ready") == 2
    assert "Postgres goes on: another command uses it" in lines


@pytest.mark.parametrize("can_start", [True, False])
def test_a_postgres_that_does_not_stay_up_ends_everything(stage: Stage, *, can_start: bool) -> None:
    """Without its database nothing works, and it must not look as if it did."""
    server = stage.server = FakeServer(can_start=can_start)

    class Dying(FakeServer):
        def pid(self) -> int | None:
            return None

    def kill_postgres() -> None:
        server.__class__ = Dying

    stage.on_ready = kill_postgres
    assert not stage.run()
    assert "Postgres does not stay up" in stage.lines()
    assert "Stopped" in stage.said[-1][1]


def test_taken_ports_are_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bookmark that leads to another program needs an explanation."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stage.settings = stage.settings.model_copy(update={"port": port})
        assert stage.run()
    assert f"{port} is taken" in stage.lines()


def test_the_code_server_keeps_its_port_and_a_damaged_note_is_no_port(stage: Stage) -> None:
    """Runs that were launched through it are looked for under it."""
    assert stage.run()
    noted = int((stage.home / "dagster" / "code-server.port").read_text())
    assert stage.run()
    assert int((stage.home / "dagster" / "code-server.port").read_text()) == noted
    for damaged in ("", "port", "70000"):
        (stage.home / "dagster" / "code-server.port").write_text(damaged)
        assert supervisor._kept_port(stage.home / "dagster" / "code-server.port") == 0


def test_logs_are_looked_at_while_it_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that complains for months must not fill the disk."""
    looked: list[Path] = []
    monkeypatch.setattr(supervisor, "LOG_CHECK_SECONDS", 0.0)
    monkeypatch.setattr(logs, "truncate", looked.append)
    assert stage.run()
    assert {path.name for path in looked} == {"code_server.log", "worker.log", "daemon.log", "webserver.log", "api.log"}
    assert (stage.home / "logs").stat().st_mode & 0o077 == 0


def test_a_database_that_is_away_at_the_end_does_not_spoil_it(database_url: str) -> None:
    """The leases lapse by themselves; a stop must not fail for them."""
    away = Databases("postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@127.0.0.1:1/none", None)
    assert supervisor.hand_back_runs(away, 1) == 0
    with psycopg.connect(database_url):
        here = Databases(database_url, away.dagster_url, None)
        assert supervisor.hand_back_runs(here, 1) == 0
