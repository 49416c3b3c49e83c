"""What happens to a running stack: drawn from a seed before it begins."""

import random
from dataclasses import dataclass
from typing import Any

VICTIMS = ("slot", "worker", "daemon", "code-server", "api", "postgres", "run")
"""What is killed: a worker's slot, its parent, and so on; `run` is whatever process executes a run at that moment."""

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("messages.get", {"status": 429, "times": 3}),
    ("messages.get", {"vanish": True}),
    ("batch", {"status": 503, "times": 2}),
    ("batch", {"reset": True, "times": 2}),
    ("batch", {"hang": 3.0}),
    ("history.list", {"status": 500, "times": 2}),
    ("history.list", {"expired": True}),
    ("history.list", {"reset_mid_body": True}),
    ("messages.list", {"status": 500}),
    ("token", {"status": 500}),
    ("push", {"lose": True, "times": 3}),
    ("push", {"duplicate": 2, "times": 2}),
    ("push", {"late": 4.0, "times": 2}),
)


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happens, and how long nothing does afterwards."""

    what: str
    """deliver, delete, relabel, fault, kill or jump."""
    choice: int
    """To whom or what, where that is a choice."""
    then_seconds: float

    @property
    def victim(self) -> str:
        """Who is killed."""
        return VICTIMS[self.choice % len(VICTIMS)]

    @property
    def fault(self) -> tuple[str, dict[str, Any]]:
        """What goes wrong."""
        return FAULTS[self.choice % len(FAULTS)]

    def __str__(self) -> str:
        """For whoever reads what a seed did."""
        detail = {"kill": self.victim, "fault": f"{self.fault[0]} {self.fault[1]}"}.get(self.what, str(self.choice))
        return f"{self.what} {detail}"


def story_of(seed: int) -> tuple[int, tuple[Beat, ...]]:
    """The mail that is there at first, and what happens then; the same for a seed in every process."""
    dice = random.Random(f"stack {seed}")  # noqa: S311 - repeatable, guards nothing
    beats = [
        Beat(what, dice.randrange(10_000), dice.choice((0.0, 0.1, 0.5, 1.5, 3.0)))
        for what in dice.choices(
            ("deliver", "delete", "relabel", "fault", "jump"), (8, 2, 3, 5, 1), k=dice.randint(8, 16)
        )
    ]
    for _ in range(dice.randint(2, 4)):
        beats.insert(dice.randrange(len(beats)), Beat("kill", dice.randrange(10_000), dice.choice((0.1, 1.0, 3.0))))
    return dice.randint(0, 60), tuple(beats)
