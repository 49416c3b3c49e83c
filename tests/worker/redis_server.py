"""Debian's redis-server, installed or only unpacked, for one test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rl_emails_assets.instance import probes
from tests.worker.worker_process import eventually

PACKAGES = ("redis-tools", "libjemalloc2", "liblzf1")
"""redis-server's program is in redis-tools; the libraries are what it needs beyond a plain Debian."""


class NoRedisError(Exception):
    """Neither installed nor to be had; the message says why."""


def find_redis(cache_dir: Path) -> tuple[str, dict[str, str]]:
    """The program, and the environment that it needs. Raises NoRedisError."""
    installed = shutil.which("redis-server")
    if installed is not None:
        return installed, {}
    root = cache_dir / "redis"
    program = root / "usr" / "bin" / "redis-check-rdb"
    if not program.exists():
        _unpack(root)
    libraries = [str(path) for path in (root / "usr" / "lib").glob("*-linux-gnu")]
    server = root / "redis-server"
    if not server.exists():
        # One program that goes by its name.
        server.symlink_to(program)
    return str(server), {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def _unpack(root: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NoRedisError("redis-server is not installed, and this is no Debian")
    folder = root.with_name(f"redis.{os.getpid()}")
    folder.mkdir(parents=True)
    try:
        subprocess.run(
            ["apt-get", "download", *PACKAGES], cwd=folder, check=True, capture_output=True, text=True, timeout=120
        )
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True, capture_output=True)
            package.unlink()
        folder.rename(root)
    except (subprocess.SubprocessError, OSError) as error:
        raise NoRedisError(f"redis-server is not installed and cannot be downloaded: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_redis(cache_dir: Path, folder: Path) -> Iterator[str]:
    """The URL of a server of the test's own, without the number of a database. Raises NoRedisError."""
    program, environment = find_redis(cache_dir)
    port = probes.free_port(0)
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    with (folder / "redis.txt").open("wb") as output:
        process = subprocess.Popen([program, *options], env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        eventually(lambda: probes.accepts(port), "redis accepts connections")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
