"""A supervised process: started, seen ready, restarted with growing delays, given up, stopped, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl_emails_assets.instance import logs, processes
from rl_emails_assets.instance.processes import Child, Program, RestartPolicy, State, group_members, how_it_ended

PROGRAMS = """
import os, signal, subprocess, sys, time
def wait():
    open("ready", "w").close()
    time.sleep(600)
def fail():
    print("ValueError: the cause", flush=True)
    print("\\n".join(f"frame {n}" for n in range(20)), flush=True)
    sys.exit(3)
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()
def parent():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600) # spawn_main"])
    wait()
"""


class Hands:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def make_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Child]]:
    (tmp_path / "some_programs.py").write_text(PROGRAMS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: list[Child] = []

    def make(function: str, *, clock: Callable[[], float] = time.monotonic, stop_seconds: float = 5.0) -> Child:
        program = Program(
            name=function,
            title=function,
            target=f"some_programs:{function}",
            arguments=(),
            is_ready=lambda _: (tmp_path / "ready").exists(),
            stop_seconds=stop_seconds,
        )
        made.append(Child(program, tmp_path / "logs", clock))
        return made[-1]

    yield make
    for child in made:
        child.kill()


def step_until(child: Child, state: State) -> processes.Change:
    """Look until it is so."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        change = child.step()
        if change is not None:
            assert change.state is state, change
            return change
        time.sleep(0.01)
    raise AssertionError(f"never {state}")


def test_crashes_are_answered_later_and_later_and_then_not_any_more() -> None:
    """A program that dies at once must not be started in a tight loop for ever."""
    clock = Hands()
    policy = RestartPolicy(clock)
    assert [policy.delay_seconds() for _ in range(5)] == [0.25, 1.0, 4.0, 16.0, None]


def test_crashes_of_long_ago_are_forgotten() -> None:
    """One crash a day must not add up to giving up."""
    clock = Hands()
    policy = RestartPolicy(clock)
    for _ in range(20):
        assert policy.delay_seconds() == 0.25
        clock.now += processes.CRASH_WINDOW_SECONDS


def test_a_child_that_is_killed_is_started_again(make_child: Callable[..., Child]) -> None:
    """kill -9 of a part must not take it away for good."""
    child = make_child("wait")
    assert child.step() is None, "nothing happens before it is started"
    child.start()
    step_until(child, State.READY)
    first = child.pid
    assert first is not None
    assert child.is_alive()
    os.kill(first, signal.SIGKILL)
    change = step_until(child, State.WAITING)
    assert change.what == "was killed by SIGKILL"
    assert child.pid is None
    step_until(child, State.READY)
    assert child.pid not in {None, first}
    assert child.restart_count == 1


def test_a_child_that_keeps_failing_is_given_up_with_its_last_words(make_child: Callable[..., Child]) -> None:
    """A person must read why from the terminal, the cause included, which wrappers push out of sight."""
    clock = Hands()
    child = make_child("fail", clock=clock)
    child.start()
    for delay in (0.25, 1.0, 4.0, 16.0):
        assert step_until(child, State.WAITING).seconds == delay
        clock.now += delay
    change = step_until(child, State.GIVEN_UP)
    assert change.what == "ended with exit code 3"
    assert child.step() is None
    assert child.last_words(3) == ["ValueError: the cause", "frame 17", "frame 18", "frame 19"]


def test_a_child_that_is_never_ready_counts_as_crashed(make_child: Callable[..., Child], tmp_path: Path) -> None:
    """A program that hangs at its start must be started again, not waited for."""
    clock = Hands()
    child = make_child("deaf", clock=clock)
    child.start()
    assert child.step() is None
    clock.now += processes.START_TIMEOUT_SECONDS + 1
    change = child.step()
    assert change is not None
    assert change.state is State.WAITING
    assert "not ready" in change.what
    assert child.pid is None


def test_a_stop_is_asked_for_first_and_forced_when_it_is_ignored(make_child: Callable[..., Child]) -> None:
    """A stop must be gentle where that works, and must end in any case."""
    gentle, deaf = make_child("wait"), make_child("deaf")
    for child in (gentle, deaf):
        child.start()
        step_until(child, State.READY)
        (Path.cwd() / "ready").unlink()
    for child, patience, is_graceful in ((gentle, 30.0, True), (deaf, 0.0, False)):
        child.ask_to_stop()
        assert child.step() is None or child is gentle
        assert child.wait_until_stopped(time.monotonic() + patience) is is_graceful
        assert child.state is State.STOPPED
        assert child.wait_until_stopped(time.monotonic()), "a second stop has nothing to do"


def test_restart_gives_another_process_and_counts_no_crash(make_child: Callable[..., Child]) -> None:
    """When Postgres moves to another port everything is started again, which is nobody's crash."""
    child = make_child("wait")
    child.start()
    step_until(child, State.READY)
    first = child.pid
    child.restart()
    assert child.pid not in {None, first}
    assert child.restart_count == 0


def test_what_a_killed_child_left_is_ended_too(make_child: Callable[..., Child]) -> None:
    """A run worker must not work on when its code server is gone."""
    child = make_child("parent")
    child.start()
    step_until(child, State.READY)
    group = child.pid
    assert group is not None
    deadline = time.monotonic() + 30
    while not child.run_workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(child.run_workers()) == 1
    os.kill(group, signal.SIGKILL)
    step_until(child, State.WAITING)
    assert child.run_workers() == []
    while group_members(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert group_members(group) == []
    child.step()
    assert child._lingering == []


def test_a_group_that_ignores_the_request_is_killed_after_its_time(make_child: Callable[..., Child]) -> None:
    """A worker that is stuck must not hold its mailbox's lock for ever."""
    clock = Hands()
    child = make_child("wait", clock=clock, stop_seconds=5.0)
    stuck = subprocess.Popen(
        [sys.executable, "-c", "import signal,time; signal.signal(15, 1); print(flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert stuck.stdout is not None
    stuck.stdout.readline()
    child._lingering = [(stuck.pid, clock.now + 5.0)]
    child.step()
    assert stuck.poll() is None
    clock.now += 6.0
    child.step()
    assert stuck.wait(30) == -signal.SIGKILL
    stuck.stdout.close()


def test_exits_are_told_in_words() -> None:
    """A number alone says nothing to the person who reads it."""
    assert how_it_ended(2) == "ended with exit code 2"
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(-99) == "was killed by signal 99"


def test_a_child_without_a_log_has_no_last_words(make_child: Callable[..., Child]) -> None:
    """The words are wanted when all else failed, so their absence must not raise."""
    child = make_child("wait")
    assert child.last_words() == []
    assert child.run_workers() == []


def test_logs_are_bounded(tmp_path: Path) -> None:
    """A part that complains for months must not fill the disk."""
    log = tmp_path / "logs" / "part.log"
    logs.rotate(log)
    logs.truncate(log)
    assert not log.exists()
    log.write_bytes(b"x" * logs.KEPT_BYTES + b"y")
    logs.rotate(log)
    assert not log.exists()
    assert logs.older(log).stat().st_size == logs.KEPT_BYTES + 1
    log.write_bytes(b"small")
    logs.rotate(log)
    logs.truncate(log)
    assert log.read_bytes() == b"small"
    with log.open("ab") as writer:
        writer.write(b"z" * logs.MAX_BYTES)
        writer.flush()
        logs.truncate(log)
        assert logs.older(log).read_bytes() == b"z" * logs.KEPT_BYTES
        writer.write(b"goes on")
    assert log.read_bytes() == b"goes on"
