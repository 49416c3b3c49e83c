"""What the change feed's triggers cost an import: `python -m tests.bench.feed_cost --count 10000`.

The same generated mailbox is imported with and without the triggers, in turn, everything but the encoder (which would
make any share look small). Printed are the processor-independent share, the time spent in the trigger function by
Postgres' own count, and the wall seconds of both.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import psycopg

from rl_emails_assets.db.change_feed import FOLLOWED
from rl_emails_assets.steps import embeddings_messages
from rl_emails_assets.steps.flow import run_flow
from tests.bench.workplace import StandInEncoder, Workplace, workplace


def measure(place: Workplace, path: Path, rounds: int) -> dict[str, object]:
    """Seconds of whole imports, with and without the feed, and of the triggers themselves."""
    walls: dict[bool, list[float]] = {True: [], False: []}
    inside: list[float] = []
    rows = 0
    embeddings_messages.encoder_of = lambda _: StandInEncoder()  # type: ignore[assignment]
    for number in range(rounds * 2):
        is_followed = number % 2 == 0
        settings = place.settings("bench_feed")
        with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
            connection.execute("alter database bench_feed set track_functions = 'pl'")
            if not is_followed:
                for table in (*FOLLOWED, "mailboxes.connections"):
                    connection.execute(f"alter table {table} disable trigger user".encode())
        step = place.context(settings, path)
        started = time.perf_counter()
        run_flow(step)
        walls[is_followed].append(time.perf_counter() - started)
        step.engine.dispose()
        if is_followed:
            with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
                (milliseconds,) = connection.execute(
                    "select total_time from pg_stat_user_functions where funcname = 'log_changes'"
                ).fetchone() or (0.0,)
                (rows,) = connection.execute("select count(*) from app.changes").fetchone() or (0,)
                inside.append(milliseconds / 1000)
    followed = statistics.median(walls[True])
    return {
        "rows": rows,
        "import_seconds": {"with": round(followed, 2), "without": round(statistics.median(walls[False]), 2)},
        "trigger_seconds": round(statistics.median(inside), 2),
        "trigger_share": f"{100 * statistics.median(inside) / followed:.1f} %",
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="messages")
    parser.add_argument("--rounds", type=int, default=2, help="imports of each kind")
    arguments = parser.parse_args()
    with workplace() as place:
        print(json.dumps(measure(place, place.mailbox(arguments.count), arguments.rounds), indent=2))


if __name__ == "__main__":
    main()
