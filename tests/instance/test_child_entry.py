"""What every child runs first: it ends with its parent, hears signals, and becomes the program it was asked to be."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CHILD = "rl_emails_assets.instance.child"
PARENT = """
import subprocess, sys, time, os
subprocess.Popen([sys.executable, "-m", "rl_emails_assets.instance.child", str(os.getpid()), "sleeper:main"])
time.sleep(600)
"""
SLEEPER = """
import os, time
def main():
    print(os.getpid(), flush=True)
    time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} lives on"
        time.sleep(0.01)


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """A supervisor that is killed must not leave servers that hold ports and claims."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        wait_for_end(child)


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    """The parent may die between the start and the request to the kernel; then nothing would end the child."""
    ended = subprocess.run([sys.executable, "-m", CHILD, "1", "no_such_module:main"], check=False, capture_output=True)
    assert ended.returncode == 1
    assert b"no_such_module" not in ended.stderr


def test_a_child_hears_the_signals_that_a_shell_took_away(tmp_path: Path) -> None:
    """Started with & from a script, SIGINT is ignored, and Dagster would then have to be killed."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)

    def deaf() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            [sys.executable, "-m", CHILD, str(os.getpid()), "sleeper:main"],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=deaf,  # noqa: PLW1509 - the test has one thread
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(number)
            assert child.wait(30) != 0


def test_a_run_worker_is_interrupted_and_then_killed_when_its_code_server_dies(tmp_path: Path) -> None:
    """multiprocessing's workers import the entry again: that is where they learn to end with their server."""
    (tmp_path / "worker.py").write_text(
        """
import multiprocessing, os, signal, time
def work(pids):
    signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"interrupted\\n"))
    pids.put(os.getpid())
    while True:
        time.sleep(0.05)
def main():
    context = multiprocessing.get_context("spawn")
    pids = context.Queue()
    context.Process(target=work, args=[pids]).start()
    print(pids.get(), flush=True)
    time.sleep(600)
"""
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", CHILD, str(os.getpid()), "worker:main"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout is not None
        worker = int(server.stdout.readline())
        server.kill()
        assert server.stdout.readline() == b"interrupted\n"
        # It ignores the interruption, as a stuck one does; the test need not wait for its 15 s.
        assert is_alive(worker)
        os.kill(worker, signal.SIGKILL)
        wait_for_end(worker)


def test_an_orphan_that_does_not_end_by_itself_is_killed() -> None:
    """A worker stuck in a computation never sees its interruption."""
    script = (
        "import os, threading, time\n"
        "from rl_emails_assets.instance.child import end_when_orphaned\n"
        "print(os.getpid(), flush=True)\n"
        "threading.Thread(target=end_when_orphaned, args=(-1, 0.01, 0.01)).start()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as orphan:
        assert orphan.wait(30) == -signal.SIGKILL
