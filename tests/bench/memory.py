"""The memory of every process of the stack, while `up` runs and a mailbox is imported."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rl_emails_assets.instance.up_file import status_path
from tests.bench.generate_mailbox import OWNER_ADDRESS
from tests.bench.workplace import Workplace

GOAL_MIB = 2_048
COMMAND = [sys.executable, "-c", "from rl_emails_assets.cli import main; main()"]


def measure(place: Workplace, path: Path) -> dict[str, Any]:
    """Peak proportional set size (MiB) of each process and of all together, at rest and during an import."""
    home = place.folder / "bench_up"
    home.mkdir()
    home.chmod(0o755)
    environment = {
        **os.environ,
        "RL_EMAILS_HOME": str(home),
        "RL_EMAILS_CACHE": str(place.cache),
        "RL_EMAILS_PORT": "0",
        "RL_EMAILS_DAGSTER_PORT": "0",
    }
    up = subprocess.Popen([*COMMAND, "up"], env=environment, stdout=subprocess.DEVNULL)
    try:
        started = time.perf_counter()
        _wait_until_ready(home, up)
        start_seconds = time.perf_counter() - started
        pids = json.loads(status_path(home).read_text())["pids"]
        postgres = int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        named = {**pids, "supervisor": up.pid, "postgres": postgres}
        at_rest = _measured(named)
        importing = subprocess.Popen(
            [*COMMAND, "import", str(path), "--mailbox", OWNER_ADDRESS, "--json"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        peaks: dict[str, float] = {}
        peak_total = 0.0
        while importing.poll() is None:
            now = _measured({**named, "import": importing.pid})
            peaks = {name: max(now[name], peaks.get(name, 0.0)) for name in now}
            peak_total = max(peak_total, sum(now.values()))
            time.sleep(0.25)
        return {
            "start_seconds": round(start_seconds, 1),
            "at_rest_mib": {name: round(value) for name, value in at_rest.items()},
            "at_rest_total_mib": round(sum(at_rest.values())),
            "peak_mib": {name: round(value) for name, value in peaks.items()},
            "peak_total_mib": round(peak_total),
            "goal_mib": GOAL_MIB,
        }
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(120)


def _wait_until_ready(home: Path, up: "subprocess.Popen[bytes]") -> None:
    while up.poll() is None:
        try:
            if json.loads(status_path(home).read_text())["is_ready"]:
                return
        except FileNotFoundError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"`rl-emails up` ended with {up.returncode}; its logs are in {home / 'logs'}")


def _measured(named: dict[str, int | None]) -> dict[str, float]:
    """Each part with its descendants; the supervisor's are the other parts."""
    return {name: _tree_mib(pid, with_children=name != "supervisor") for name, pid in named.items() if pid}


def _tree_mib(pid: int, *, with_children: bool) -> float:
    """Proportional set size of a process and all its descendants: shared pages counted once over all processes."""
    total = 0.0
    todo = [pid]
    while todo:
        current = todo.pop()
        try:
            for line in Path(f"/proc/{current}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1024
            if not with_children:
                break
            for thread in Path(f"/proc/{current}/task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue  # it ended meanwhile
    return total
