"""Promises 1 and 2 under seeded faults and deaths (tests/chaos/schedules.py); files share the seeds among processes."""

import pytest

from tests.chaos.arena import Arena
from tests.chaos.one_schedule import play, seeds_of


@pytest.mark.parametrize("seed", seeds_of(3))
def test_after_any_schedule_of_faults_and_deaths_the_mailbox_is_what_the_provider_has(arena: Arena, seed: int) -> None:
    """A death or a fault at the wrong moment would lose a message, keep a deleted one, or leave a request for ever."""
    play(arena, seed)
