"""Marks that name one process of one machine for good: no later process has the same. Standard library only."""

import os
import socket
from pathlib import Path


def this_process() -> str:
    """This process's mark."""
    return process_mark(os.getpid()) or ""


def process_mark(pid: int) -> str | None:
    """The mark of a living process of this machine: host, boot, pid and start time; None when there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else f"{socket.gethostname()} {boot} {pid} {fields[19]}"


def is_gone(mark: str) -> bool:
    """Whether the process with this mark has ended. One of another machine cannot be seen, and counts as alive."""
    host, _, rest = mark.partition(" ")
    pid = rest.split(" ")[1] if rest.count(" ") == 2 else ""
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return process_mark(int(pid)) != mark


def host_of(mark: str) -> str:
    """The machine that a mark names."""
    return mark.partition(" ")[0]


def resident_bytes(pid: int) -> int:
    """The memory a living process of this machine holds (RSS); 0 when there is none."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
