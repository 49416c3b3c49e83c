"""What every section owes its reader; what it does not give is a fault, shown in the report, and the command fails.

A number without its split, its baselines and its interval can be made to say anything.
"""

import re
from collections.abc import Iterator
from math import isfinite, isnan

from rl_emails_assets.evaluation.section import Figure, Plot, Section, Table
from rl_emails_assets.evaluation.sections import KEYS

BASELINES = {
    "categories": ("majority", "keyword"),
    "requests": ("majority", "keyword", "bag of words"),
    "ranking": ("majority", "sender", "recency"),
    "dates": ("",),
}
"""Words of the baselines that must stand beside at least one figure of a section; "" is any."""

_LONGEST_KIND = 160
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w")
_LINE_KINDS = ("reliability", "precision_recall", "learning_curve")


def faults(section: Section) -> Iterator[str]:
    """What is missing or wrong, a sentence each."""
    for fault in _of_section(section):
        yield f"{section.key}: {fault}"


def _of_section(section: Section) -> Iterator[str]:
    if section.key not in KEYS:
        yield "the key is none of the report's sections"
    if not section.method.strip():
        yield "the method is not told"
    if not section.figures:
        yield "there is no figure"
    names = [figure.name for figure in section.figures]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two figures are called {name!r}"
    for figure in section.figures:
        yield from (f"{figure.name!r} {fault}" for fault in _of_figure(figure))
    said = {name.lower() for figure in section.figures for name in figure.baselines}
    for word in BASELINES.get(section.key, ()):
        if not any(word in name for name in said):
            yield f"no figure has a baseline {word!r}" if word else "no figure has a baseline"
    plots = [plot.name for plot in section.plots]
    if len(set(plots)) < len(plots):
        yield "two plots have one name"
    for plot in section.plots:
        yield from (f"plot {plot.name!r} {fault}" for fault in plot_faults(plot))
    for table in section.tables:
        yield from (f"table {table.title!r} {fault}" for fault in _of_table(table))
    for kind, count in section.failures.items():
        if count < 0 or len(kind) > _LONGEST_KIND or "\n" in kind or _ADDRESS.search(kind):
            # A kind is a few words; anything longer, or with an address in it, is somebody's mail.
            yield "a failure is not named by its kind"


def _of_figure(figure: Figure) -> Iterator[str]:
    if not figure.split.strip():
        yield "does not say how it was split"
    if not isfinite(figure.value):
        yield "is not a number"
    if figure.count < 1:
        yield "was measured on nothing"
    if (figure.low is None) != (figure.high is None):
        yield "has one bound only"
    elif figure.low is not None and figure.high is not None and figure.low > figure.high:
        yield "has its bounds the wrong way round"
    if not all(name.strip() and not isnan(value) for name, value in figure.baselines.items()):
        yield "has a baseline without a name or a number"


def plot_faults(plot: Plot) -> Iterator[str]:
    """Why a plot cannot be drawn."""
    if not re.fullmatch(r"[a-z0-9_-]+", plot.name):
        yield "has a name that is no file name"
    if not plot.series or not all(series.x for series in plot.series):
        yield "has no points"
    for series in plot.series:
        if len(series.x) != len(series.y):
            yield f"has {len(series.x)} x and {len(series.y)} y in {series.name!r}"
        elif plot.kind in _LINE_KINDS and not all(isinstance(x, (int, float)) for x in series.x):
            yield f"has words for numbers in {series.name!r}"


def _of_table(table: Table) -> Iterator[str]:
    if any(len(row) != len(table.headings) for row in table.rows):
        yield "has a row that is not as long as its headings"
    if any(
        isinstance(cell, str) and (len(cell) > _LONGEST_KIND or _ADDRESS.search(cell))
        for row in table.rows
        for cell in row
    ):
        yield "has a cell that is too long, or has an address in it, to be no mail"
