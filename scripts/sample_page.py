"""The sample mailbox's page, started for what looks at it from outside and stopped afterwards."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

START_SECONDS = 300
_LINK = re.compile(r"http://\S+/\?token=\S+")


@contextmanager
def sample_page(home: Path | None = None) -> Iterator[str]:
    """`rl-emails demo` in a folder of its own, which is left out of nobody's state; yields the link with the token.

    Raises TimeoutError when it prints no link within `START_SECONDS`; its last lines are in the message.
    """
    with tempfile.TemporaryDirectory(prefix="rl-emails-sample-") as made:
        folder = home or Path(made)
        # Postgres runs as a user of its own when we are root; that one has to get in.
        folder.chmod(0o755)
        environment = {
            **os.environ,
            "RL_EMAILS_HOME": str(folder),
            "RL_EMAILS_PORT": str(_free_port()),
            "RL_EMAILS_DAGSTER_PORT": str(_free_port()),
        }
        command = [str(Path(sys.executable).with_name("rl-emails")), "demo", "--no-browser"]
        running = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield _link_of(running)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def _link_of(running: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str | None] = queue.Queue()
    assert running.stdout is not None  # noqa: S101 - it was asked for
    threading.Thread(target=_forward, args=(running.stdout, lines), daemon=True).start()
    seen: list[str] = []
    while True:
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = None
        if line is None:
            raise TimeoutError("rl-emails demo printed no link. It said:\n" + "".join(seen[-20:]))
        seen.append(line)
        found = _LINK.search(line)
        if found:
            return found.group()


def _forward(source: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in source:
        lines.put(line)
    lines.put(None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
