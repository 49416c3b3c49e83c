"""`make chaos`: stories of faults and kills against a real, running stack; a summary as JSON on standard output."""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.chaos.stack_arena import Outcome, stack_on


def main() -> int:
    """Plays the seeds one after the other; 0 when every one has converged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first one")
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="rl-emails-chaos-"))
    home.chmod(0o755)
    cache = Path(os.environ.get("RL_EMAILS_TEST_CACHE", Path(tempfile.gettempdir()) / "rl-emails-test-cache"))
    cache.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with stack_on(home, cache, _say) as stack:
        for seed in range(asked.first, asked.first + asked.seeds):
            outcome = stack.play(seed)
            outcomes.append(outcome)
            _tell(outcome)
    shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(summary(outcomes), indent=2))
    return 0 if all(outcome.has_converged for outcome in outcomes) else 1


def summary(outcomes: list[Outcome]) -> dict[str, object]:
    """The seeds together."""
    recoveries = sorted(outcome.recovery_seconds for outcome in outcomes if outcome.has_converged)
    return {
        "seeds": len(outcomes),
        "converged": len(recoveries),
        "failed_seeds": [outcome.seed for outcome in outcomes if not outcome.has_converged],
        "recovery_seconds": {
            "p50": round(statistics.median(recoveries), 1) if recoveries else None,
            "p95": round(recoveries[int(0.95 * (len(recoveries) - 1))], 1) if recoveries else None,
            "max": round(recoveries[-1], 1) if recoveries else None,
        },
        "outcomes": [outcome.as_json() for outcome in outcomes],
    }


def _tell(outcome: Outcome) -> None:
    state = f"right after {outcome.recovery_seconds:.1f} s" if outcome.has_converged else f"WRONG: {outcome.wrong}"
    _say(f"seed {outcome.seed}: {state}, {outcome.message_count} messages")
    for line in outcome.did:
        _say(f"    {line}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
