"""Benchmarks: `make bench`, or `python -m tests.bench.run [--mailbox PATH --address ADDRESS] [--count N] [--large N]`.

Prints rates, ratios, latencies and memory, and writes them with the machine and the command to bench-results/. No test
asserts a time; goals stand beside the figures, and what falls short is marked.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import latency, memory, push_to_served, queue_rates, rates, webhook_latency
from tests.bench.generate_mailbox import OWNER_ADDRESS
from tests.bench.workplace import machine, workplace

PARTS = ("rates", "encoder", "memory", "scale", "latency", "webhook", "queue", "live")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailbox", type=Path, help="mail to measure on; a mailbox is generated unless given")
    parser.add_argument("--address", default=OWNER_ADDRESS, help="whose mail it is")
    parser.add_argument("--count", type=int, default=2_000, help="messages to generate for the rates")
    parser.add_argument("--small", type=int, default=1_000, help="the small one of the two sizes that are compared")
    parser.add_argument("--large", type=int, default=100_000, help="the large one; 0 leaves the comparison out")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--open-seconds", type=float, default=60, help="how long another transaction stays open")
    parser.add_argument("--live-messages", type=int, default=300, help="messages in the mailbox that mail is pushed to")
    parser.add_argument("--output", type=Path, default=Path("bench-results"))
    arguments = parser.parse_args()
    parts = arguments.only or PARTS
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "-m", "tests.bench.run", *sys.argv[1:]]),
        "machine": machine(),
    }
    with workplace() as place:
        if "rates" in parts:
            path = arguments.mailbox or place.mailbox(arguments.count)
            result["rates"] = _shown("rates", rates.measure(place, path, arguments.address))
        if "encoder" in parts:
            result["encoder"] = _shown("encoder", rates.measure_encoder())
        if "memory" in parts:
            result["memory"] = _shown("memory", memory.measure(place, place.mailbox(arguments.count)))
        if "webhook" in parts:
            result["webhook"] = _shown("webhook", webhook_latency.measure(place))
        if "queue" in parts:
            result["queue"] = _shown("queue", queue_rates.measure(place, open_seconds=arguments.open_seconds))
        if "live" in parts:
            result["live"] = _shown("live", push_to_served.measure(place, mailbox_size=arguments.live_messages))
        if {"scale", "latency"} & set(parts) and arguments.large:
            sizes = (arguments.small, 10_000, arguments.large)
            result["scale"], result["latency"] = latency.measure(place, sizes)
            _shown("scale", result["scale"])
            _shown("latency", result["latency"])
    arguments.output.mkdir(exist_ok=True)
    target = arguments.output / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    target.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {target}")


def _shown(name: str, values: Any) -> Any:
    print(f"== {name}")
    print(json.dumps(values, indent=2))
    return values


if __name__ == "__main__":
    main()
