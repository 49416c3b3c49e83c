"""A process that has imported everything and forks a worker whenever it is told: a worker is there in milliseconds.

Reads one JSON object a line, forks, says `started <pid>`, and `ended <pid> <status>` when the child is gone. It has one
thread, so that forking it is safe, which forking the test process with its servers' threads would not be. A job that is
marked `warm_up` it does itself: then every cache is filled in its children.
"""

import functools
import gc
import json
import os
import select
import signal
import ssl

from tests.chaos import worker


def main() -> None:
    """Serves until its standard input ends."""
    # To read the certificate authorities takes 0.1 s, each time.
    ssl.create_default_context = functools.cache(ssl.create_default_context)
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
            _report_ended()
        if 0 in ready:
            received = os.read(0, 65_536)
            if not received:
                return
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                _start(json.loads(line), (reading, writing))


def _start(job: dict[str, object], pipe: tuple[int, int]) -> None:
    if job.pop("warm_up", False):
        print(f"ended 0 {worker.main(job)}", flush=True)
        # What is there is left alone by the collector, and so stays shared with the children.
        gc.collect()
        gc.freeze()
        return
    pid = os.fork()
    if pid == 0:
        gc.disable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (0, *pipe):
            os.close(end)
        os._exit(worker.main(job))
    print(f"started {pid}", flush=True)


def _report_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        print(f"ended {pid} {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
