"""A story against a real, running stack: `make chaos` plays many."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.chaos.stack_arena import stack_on

pytestmark = pytest.mark.stack

SEED = "RL_EMAILS_CHAOS_SEED"
SEEDS = (3,)


def test_a_stack_whose_processes_are_killed_serves_what_the_provider_has(cache_dir: Path) -> None:
    """Parts that each survive may still not survive together: claim, run and worker are words of three."""
    home = Path(tempfile.mkdtemp(prefix="rl-emails-chaos-"))
    home.chmod(0o755)
    only = os.environ.get(SEED)
    try:
        with stack_on(home, cache_dir, print) as stack:
            for seed in SEEDS if only is None else (int(only),):
                outcome = stack.play(seed)
                story = "\n".join(outcome.did)
                assert outcome.has_converged, f"Seed {seed}: {outcome.wrong}\n{story}\nReplay: {SEED}={seed}"
    finally:
        shutil.rmtree(home, ignore_errors=True)
