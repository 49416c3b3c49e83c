"""What happens in a schedule: everything is drawn from its seed before it begins, so that a seed can be replayed."""

import random
from dataclasses import dataclass, field
from typing import Any

MAILBOX_ACTS = (
    ("deliver", 8), ("copy", 2), ("reply", 2), ("relabel", 5), ("file", 2), ("rename_label", 1), ("drop_label", 1),
    ("delete", 6), ("delete_original", 2), ("trash", 1), ("add_and_delete", 1), ("ghost", 1), ("break_raw", 2),
    ("mend", 1),
)  # fmt: skip
"""What happens at the provider, and how often compared with the others."""

HTTP_FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("messages.get", {"status": 429}), ("messages.get", {"status": 500}), ("messages.get", {"vanish": True}),
    ("messages.get", {"raw": "missing"}), ("messages.get", {"raw": "invalid_base64"}),
    ("batch", {"status": 503}), ("batch", {"reset": True}), ("batch", {"reset_mid_body": True}),
    ("batch", {"drop_parts": 1}), ("batch", {"hang": 0.3}), ("batch", {"status": 429}), ("batch", {"truncate": True}),
    ("history.list", {"status": 500}), ("history.list", {"expired": True}), ("history.list", {"empty_page": True}),
    ("history.list", {"replay": True}), ("history.list", {"arrive": 2}), ("history.list", {"reset_after": True}),
    ("history.list", {"status": 403, "reason": "userRateLimitExceeded"}), ("history.list", {"hang": 0.3}),
    ("messages.list", {"status": 500}), ("messages.list", {"arrive": 1}), ("messages.list", {"truncate": True}),
    ("getProfile", {"status": 503}), ("labels.list", {"reset": True}),
    ("token", {"status": 500}), ("token", {"reset": True}),
)  # fmt: skip

JUMPS_SECONDS = (0, 40, 40, 40, 3_600, 3_600, 8 * 86_400)
"""How much time passes between two rounds, on our side and on the provider's."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker ends, if not by itself."""

    at: str = ""
    """`commit` or `call`: at the nth of these; `ms`: after so many milliseconds; "" for never."""
    number: int = 0
    is_after: bool = False
    """After the commit or the answer, instead of before it."""
    is_stall: bool = False
    """It stops there, until the other workers of its round have ended or wait for it, and goes on."""

    def as_json(self) -> dict[str, Any]:
        """For the process that dies."""
        return {"at": self.at, "number": self.number, "is_after": self.is_after, "is_stall": self.is_stall}


@dataclass(frozen=True, slots=True)
class Round:
    """What happens at once."""

    acts: tuple[tuple[str, int], ...]
    """Acts at the provider, each with a number that chooses what it is done to."""
    faults: tuple[tuple[str, dict[str, Any]], ...]
    pushes: tuple[str, ...]
    """How what happened is told: once, twice, late (in the next round), lost, garbage, for each act."""
    workers: tuple[Death, ...]
    peeks: int
    """How often a sensor looks at the queue meanwhile."""
    cuts: bool
    """Whether the database ends the workers' connections while they work."""
    upset: str
    """`revoke`, `forget_tokens`, `full` (somebody asks for a full sync), or "" for none."""
    jump_seconds: int
    """How much time passes afterwards."""
    is_jump_one_sided: bool
    """Only our clock jumps."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One seed's story."""

    seed: int
    first_mail: int
    """Messages that are there before the mailbox is connected."""
    batch_size: int
    slice_messages: int
    page_size: int
    """Ids or changes on a page; Gmail has 500."""
    pages_shift: bool
    """Whether what arrives or goes while a listing is read moves its later pages."""
    rounds: tuple[Round, ...] = field(default=())


def schedule_of(seed: int) -> Schedule:
    """The schedule of a seed; the same in every process and release of Python."""
    dice = random.Random(f"chaos {seed}")  # noqa: S311 - repeatable, guards nothing
    rounds = tuple(_round(dice) for _ in range(dice.choice((2, 2, 3))))
    return Schedule(
        seed=seed,
        first_mail=dice.randint(0, 14),
        batch_size=dice.randint(2, 8),
        slice_messages=dice.randint(3, 12),
        page_size=dice.choice((4, 500, 500)),
        pages_shift=dice.random() < 0.5,
        rounds=rounds,
    )


def _round(dice: random.Random) -> Round:
    names, weights = zip(*MAILBOX_ACTS, strict=True)
    acts = tuple((name, dice.randrange(10_000)) for name in dice.choices(names, weights=weights, k=dice.randint(0, 6)))
    workers = [_death(dice) for _ in range(dice.choice((1, 1, 1, 2)))]
    return Round(
        acts=acts,
        faults=tuple(
            (method, {**effects, "times": dice.choice((1, 1, 2, 4)), "after": dice.choice((0, 0, 1, 2))})
            for method, effects in dice.choices(HTTP_FAULTS, k=dice.choice((0, 0, 1, 1, 2, 3)))
        ),
        pushes=tuple(dice.choices(("once", "twice", "late", "lost", "garbage"), (6, 2, 2, 2, 1), k=len(acts))),
        workers=tuple(workers),
        peeks=dice.choice((0, 1, 3)),
        cuts=dice.random() < 0.08,
        upset=dice.choices(("", "revoke", "forget_tokens", "full"), (16, 1, 2, 2))[0],
        jump_seconds=dice.choice(JUMPS_SECONDS),
        is_jump_one_sided=dice.random() < 0.3,
    )


def _death(dice: random.Random) -> Death:
    kind = dice.choices(("", "commit", "call", "ms", "stall"), (3, 5, 2, 2, 1))[0]
    if kind == "":
        return Death()
    if kind == "ms":
        return Death("ms", dice.randint(1, 120))
    is_after = dice.random() < 0.5
    if kind == "stall":
        return Death("commit", dice.randint(3, 30), is_after=True, is_stall=True)
    return Death(kind, dice.randint(1, 36 if kind == "commit" else 7), is_after=is_after)
