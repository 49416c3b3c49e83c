"""The stand-in as a process of its own: `python -m tests.gmail.standin.serve --port 0 --state-file F`."""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from tests.gmail.standin.gmail import Gmail
from tests.gmail.standin.server import listen


def main() -> None:
    """Listens until SIGTERM or SIGINT; writes where, and the settings that point at it, into the state file."""
    parser = argparse.ArgumentParser(description="Gmail, Google's OAuth and Pub/Sub push, on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state-file", type=Path, help="written when it listens: url, pid, settings, environment")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--user", action="append", default=[], help="an account to start with; may be repeated")
    parser.add_argument("--push-endpoint", help="where notifications are posted")
    parser.add_argument("--units-per-minute", type=int, help="quota of a user")
    asked = parser.parse_args()

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    gmail = Gmail(seed=asked.seed)
    gmail.pubsub.endpoint = asked.push_endpoint
    if asked.units_per_minute:
        gmail.quota.units_per_minute = asked.units_per_minute
    for address in asked.user:
        gmail.add_user(address)
    server = listen(gmail, port=asked.port)
    if asked.state_file:
        state = {
            "url": gmail.url,
            "pid": os.getpid(),
            "settings": gmail.settings_overrides(),
            "environment": gmail.environment(),
        }
        # Renamed into place: who waits for the file never reads half of it.
        part = asked.state_file.with_name(asked.state_file.name + ".part")
        part.write_text(json.dumps(state))
        part.rename(asked.state_file)
    print(gmail.url, flush=True)
    stopping.wait()
    gmail.close()
    server.close()


if __name__ == "__main__":
    main()
