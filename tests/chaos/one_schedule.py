"""A schedule as a test: played, brought to rest, and held against the invariants."""

import os

import pytest

from tests.chaos.arena import Arena
from tests.chaos.invariants import require_converged
from tests.chaos.schedules import schedule_of

SEED = "RL_EMAILS_CHAOS_SEED"
FILES = 4
SCHEDULES_A_FILE = 50


def seeds_of(file_number: int) -> list[int]:
    """The seeds that a test file plays: its share of all, or the one that the environment names, in the first file."""
    only = os.environ.get(SEED)
    if only is not None:
        return [int(only)] if file_number == 0 else []
    return list(range(file_number * SCHEDULES_A_FILE, (file_number + 1) * SCHEDULES_A_FILE))


def play(arena: Arena, seed: int) -> None:
    """Play a seed; when it does not converge, say how to replay it and what was to happen."""
    schedule = schedule_of(seed)
    arena.prepare(schedule)
    try:
        arena.play(schedule)
        require_converged(arena, with_full_sync=seed % 5 == 0, is_mended=seed % 2 == 0)
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed is told
        story = "\n".join(f"  {each}" for each in schedule.rounds)
        pytest.fail(
            f"Seed {seed} does not converge; replay it with {SEED}={seed} pytest tests/chaos.\n"
            f"{type(error).__name__}: {error}\n{schedule.first_mail} messages at first, then\n{story}\n"
            f"Its workers said:\n{arena.log.read_text()}",
            pytrace=os.environ.get(SEED) is not None,
        )
