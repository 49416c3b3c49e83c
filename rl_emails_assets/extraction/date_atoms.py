"""What a match of `date_patterns` says: a day, a time of day, a stretch of either, or how far from another day."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from rl_emails_assets.extraction import date_words as words


@dataclass(slots=True)
class Atom:
    """A day, a time of day, or both, at `start`-`end` of a sentence; a range has `from_day` or `from_minutes` too.

    `minutes` are after midnight; `instant` is set for durations in hours. `every` is how a repetition repeats. `shift`
    is (unit, count) pairs to add to the day that follows, negative for "before"; `week_of` the unit around it.
    `is_weak` atoms count only beside another atom or behind a cue; `needs_forward` ones only in a sentence that does
    not look back; `is_part` is a part of a day, `is_vague` a time that a part of the day stands for, `is_open` a time
    whose half of the day is not said. `is_period` is the end of a week or longer, `is_week` a whole week, `is_rejected`
    a day that is said to be past, or a habit. `has_year` is a day that cannot be another year's. `zone` is the
    time zone written after the time, or "". `off_by` is "week" or "month" for a day so many of these from another.
    """

    start: int = 0
    end: int = 0
    day: date | None = None
    minutes: int | None = None
    from_day: date | None = None
    from_minutes: int | None = None
    instant: datetime | None = None
    from_instant: datetime | None = None
    every: str = ""
    shift: tuple[tuple[str, int], ...] = ()
    week_of: str = ""
    is_weak: bool = False
    needs_forward: bool = False
    is_part: bool = False
    is_vague: bool = False
    is_open: bool = False
    is_rejected: bool = False
    is_weekday: bool = False
    is_period: bool = False
    is_week: bool = False
    is_end_of_day: bool = False
    is_range_only: bool = False
    is_nothing: bool = False
    has_year: bool = False
    zone: str = ""
    off_by: str = ""


@dataclass(frozen=True)
class Context:
    """One sentence as written and as the patterns read it; `now` is aware, in the writer's zone. `is_day_first`: the
    writer is known to put the day before the month, or the month before the day."""

    now: datetime
    sentence: str
    low: str
    is_day_first: bool | None = None

    @property
    def today(self) -> date:
        """The writer's day."""
        return self.now.date()

    @cached_property
    def direction(self) -> tuple[bool, bool]:
        """Whether the sentence looks ahead, and whether it looks back."""
        return words.direction(self.low)

    @property
    def is_forward(self) -> bool:
        """Whether the sentence looks ahead and not back."""
        is_ahead, is_back = self.direction
        return is_ahead and not is_back


def a_day(day: date, *, is_weak: bool = False, needs_forward: bool = False, has_year: bool = False) -> Atom:
    """A single day."""
    return Atom(day=day, is_weak=is_weak, needs_forward=needs_forward, has_year=has_year)


def a_time(minutes: int, *, is_weak: bool = False, is_open: bool = False) -> Atom | None:
    """A time of day; 24:00 is the day's last minute, and what is later is none."""
    if not 0 <= minutes <= 24 * 60:
        return None
    return Atom(minutes=min(minutes, 24 * 60 - 1), is_weak=is_weak, is_open=is_open)


def moved(atom: Atom, days: int) -> Atom:
    """The same so many days later."""
    by = timedelta(days=days)
    return replace(
        atom, day=atom.day + by if atom.day else None, from_day=atom.from_day + by if atom.from_day else None
    )
