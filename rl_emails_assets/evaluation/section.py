"""What an evaluation reports: figures with their split, baselines and intervals, plots, and what went wrong.

Each module of this package that measures something has `evaluate(data, *, seed) -> Section`; the report puts the
sections together. A section holds no word of anybody's mail: failures are counted and named by their kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SEED = 20_261_122
"""Of every split and every resampling, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number on what was not trained on.

    `low` and `high` bound it with 95 % confidence (None for an exact count). `goal` is what was set out for; with
    `is_more_better` false the goal is a most. `split` says how the tested was kept from the trained-on, `count` how
    many cases were tested, `baselines` the same measure of simpler ways on the same cases.
    """

    name: str
    value: float
    split: str
    count: int
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    is_more_better: bool = True
    baselines: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.is_more_better else self.value <= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one line or one group of bars, in order; `x` may be words for bars."""

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing: `reliability` (stated against observed), `precision_recall`, `learning_curve` or `bars`."""

    kind: Literal["reliability", "precision_recall", "learning_curve", "bars"]
    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under headings, for what is many figures of one kind (one row a mailbox, one row a set)."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One engine's evaluation. `method` says in a paragraph what was done; `failures` counts what went wrong, by
    kind."""

    key: str
    title: str
    method: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
