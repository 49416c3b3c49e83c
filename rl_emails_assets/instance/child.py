"""What a child of the supervisor runs first: `python -m ...instance.child PARENT_PID MODULE:FUNCTION ARGUMENTS`.

It makes the process end with its parent, gives it back the signals that a shell may have taken away, and then calls the
program in the same process. Dagster's code server starts its run workers as new interpreters that import this module
once more (as `__mp_main__`); they too are made to end with their parent. Standard library only: it is in every process.
"""

import ctypes
import os
import pkgutil
import signal
import sys
import threading
import time

PARENT_CHECK_SECONDS = 1.0
ORPHAN_SECONDS = 15.0
"""How long a run worker that has lost its code server may take to report its run as interrupted."""
_PR_SET_PDEATHSIG = 1


def signal_at_parents_death(number: int) -> None:
    """Let the kernel send this process `number` when its parent dies; where it cannot (not Linux), nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def open_to_signals() -> None:
    """Take SIGINT and SIGTERM as a program started by hand does, whatever was inherited."""
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_when_orphaned(parent: int, check_seconds: float, grace_seconds: float) -> None:
    """Wait for the parent's death and give this process `grace_seconds` to end by itself, then kill it."""
    while os.getppid() == parent:
        time.sleep(check_seconds)
    time.sleep(grace_seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def become_run_worker() -> None:
    """Interrupt the run when the code server dies: it reports its end, and commits no further batch."""
    parent = os.getppid()
    signal_at_parents_death(signal.SIGTERM)
    threading.Thread(
        target=end_when_orphaned,
        args=(parent, PARENT_CHECK_SECONDS, ORPHAN_SECONDS),
        name="end-when-orphaned",
        daemon=True,
    ).start()


def main() -> None:
    """Become the program that the arguments name."""
    parent, target, *arguments = sys.argv[1:]
    open_to_signals()
    signal_at_parents_death(signal.SIGKILL)
    if os.getppid() != int(parent):
        # The parent died before the kernel was asked to watch it.
        sys.exit(1)
    sys.argv = [target, *arguments]
    program = pkgutil.resolve_name(target)
    program()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    become_run_worker()
