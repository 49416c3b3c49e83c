"""The evaluation as a page: all goals first, then each section with its figures, plots and failures.

It is made from the document alone, so a page can be held against the document it came with.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import isnan
from operator import itemgetter
from pathlib import Path

from rl_emails_assets.evaluation import plots
from rl_emails_assets.evaluation.contract import plot_faults
from rl_emails_assets.evaluation.run import Evaluation
from rl_emails_assets.evaluation.section import Figure, Plot, Section, Table

DOCUMENT, PAGE, IMAGES = "evaluation.json", "evaluation.md", Path("images") / "evaluation"

_HEAD = """\
# Evaluation

How good the engines are, on mail that they were not made from. Made by `{command}`; do not edit it by hand.
[How to make it again, or from your own mail](how-to/evaluate.md). No word of anybody's mail is in it.
"""
_READING = """\
Intervals hold the true value with 95 % confidence: from drawing whole users, senders, lists or threads again (cluster
bootstrap), or, of cases that have nothing to do with one another, from their number (Wilson). *exact* is a count that
has no interval. A baseline is a simpler way, measured on the same cases.
"""
_DIGITS = 3
_MOST_DIGITS = 6
_WIDE_TABLE = 12


def write(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the document, the page and its images into a folder; images of an earlier run go. Returns what was
    written."""
    document = evaluation.as_json()
    told = Evaluation.from_json(document)
    images = folder / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    written = {folder / DOCUMENT: json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"}
    written[folder / PAGE] = page(told)
    for section in told.sections:
        for plot in _drawable(section):
            written[images / image_name(section, plot)] = plots.svg(plot)
    for old in images.glob("*.svg"):
        if old not in written:
            old.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return list(written)


def image_name(section: Section, plot: Plot) -> str:
    """The file of a plot."""
    own = plot.name.removeprefix(section.key).lstrip("-_") or plot.kind
    return f"{section.key}-{own.replace('_', '-')}.svg"


def page(evaluation: Evaluation) -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD.format(command=evaluation.provenance.command), *_summary(evaluation), _READING]
    parts += [f"## Not measured\n\n{_list(_not_measured(evaluation))}\n"] if _not_measured(evaluation) else []
    if evaluation.faults:
        parts.append(
            f"## Faults of this report\n\nWhat a section owes and does not give:\n\n{_list(evaluation.faults)}\n"
        )
    for section in evaluation.sections:
        parts += _of_section(section)
    parts.append(_made_with(evaluation))
    return "\n".join(parts)


def verdict(figure: Figure) -> str:
    """Whether the goal is reached, in words; "" without a goal."""
    if figure.is_met is None or figure.goal is None:
        return ""
    word = "met" if figure.is_met else "**not met**"
    if figure.low is None or figure.high is None or not figure.low < figure.goal < figure.high:
        return word
    return f"{word}, the goal is inside the interval"


def _summary(evaluation: Evaluation) -> Iterator[str]:
    goals = [
        (section, figure) for section in evaluation.sections for figure in section.figures if figure.goal is not None
    ]
    missed = [(section, figure) for section, figure in goals if not figure.is_met]
    if not goals:
        yield "No goal was measured.\n"
        return
    said = f"**{len(goals) - len(missed)} of {len(goals)} goals are met.**"
    if missed:
        said += f" Not met:\n\n{_list(_by_section(missed))}"
    yield f"{said}\n"
    rows = [
        (
            f"[{section.key}]({_anchor(section.title)})",
            figure.name,
            _goal(figure),
            _value(figure),
            _interval(figure),
            verdict(figure),
            _best_baseline(figure),
        )
        for section, figure in goals
    ]
    yield _grid(("engine", "figure", "goal", "measured", "95 % interval", "", "best baseline"), rows)


def _by_section(missed: Sequence[tuple[Section, Figure]]) -> Iterator[str]:
    for section, all_missed in groupby(missed, key=itemgetter(0)):
        named = "; ".join(f"{figure.name} ({_value(figure)}, {_goal(figure)})" for _, figure in all_missed)
        yield f"[{section.key}]({_anchor(section.title)}): {named}"


def _not_measured(evaluation: Evaluation) -> list[str]:
    said = [f"{key}: its data is missing. {reason}" for key, reason in evaluation.missing.items()]
    if evaluation.left_out:
        said.append(f"{', '.join(evaluation.left_out)}: not asked for in this run.")
    return said


def _of_section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n\n{section.method}\n"
    with_goals = any(figure.goal is not None for figure in section.figures)
    headings = ("figure", "measured", "95 % interval", *(("goal", "") if with_goals else ()), "baselines", "cases")
    rows = [
        (
            figure.name,
            _value(figure),
            _interval(figure),
            *((_goal(figure), verdict(figure)) if with_goals else ()),
            ", ".join(f"{_words(name)} {_number(value)}" for name, value in figure.baselines.items()),
            f"{figure.count:,}",
        )
        for figure in section.figures
    ]
    yield _grid(headings, rows)
    yield from _splits(section.figures)
    for plot in _drawable(section):
        yield f"![{_cell(plots.in_words(plot))}]({(IMAGES / image_name(section, plot)).as_posix()})\n"
    yield from (_table(table) for table in section.tables)
    if section.failures:
        ordered = sorted(section.failures.items(), key=lambda item: (-item[1], item[0]))
        yield "What went wrong, by kind:\n\n" + _grid(
            ("kind", "count"), [(kind, f"{count:,}") for kind, count in ordered]
        )


def _drawable(section: Section) -> list[Plot]:
    """A plot that breaks its contract is told of among the faults."""
    return [plot for plot in section.plots if not list(plot_faults(plot))]


def _splits(figures: Sequence[Figure]) -> Iterator[str]:
    named: dict[str, list[str]] = {}
    for figure in figures:
        named.setdefault(figure.split, []).append(figure.name)
    if not named:
        return
    # The commonest stands for all that are not named.
    common, *others = sorted(named, key=lambda split: -len(named[split]))
    if not others:
        yield f"Split: {common}\n"
    else:
        told = [f"{'; '.join(named[split])}: {split}" for split in named if split in others]
        yield f"Splits:\n\n{_list([*told, f'all others: {common}'])}\n"


def _table(table: Table) -> str:
    rows = [
        tuple("" if cell is None else cell if isinstance(cell, str) else _number(cell) for cell in row)
        for row in table.rows
    ]
    grid = _grid(table.headings, rows)
    if len(rows) <= _WIDE_TABLE:
        return f"{table.title}:\n\n{grid}"
    return f"<details><summary>{table.title} ({len(rows)} rows)</summary>\n\n{grid}\n</details>\n"


def _made_with(evaluation: Evaluation) -> str:
    made = evaluation.provenance
    grids = [
        ("code", ("module", "version"), made.engines),
        ("model files", ("file", "SHA-256 begins"), made.models),
        ("data", ("file", "SHA-256 begins"), made.data),
        ("machine", ("", ""), made.machine),
    ]
    details = "\n".join(
        f"<details><summary>{name}</summary>\n\n{_grid(headings, list(rows.items()))}\n</details>\n"
        for name, headings, rows in grids
    )
    return (
        f"## Made with\n\nrl-emails {made.release}, seed {evaluation.seed}. [`{DOCUMENT}`]({DOCUMENT}) has every "
        f"number of this page.\n\n{details}"
    )


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"at {'least' if figure.is_more_better else 'most'} {_number(figure.goal)}"


def _value(figure: Figure) -> str:
    """With as many digits as it takes to see on which side of the goal it is."""
    digits = _DIGITS
    while figure.goal is not None and digits < _MOST_DIGITS and figure.value != figure.goal:
        if round(figure.value, digits) != round(figure.goal, digits):
            break
        digits += 1
    return _number(figure.value, digits)


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "exact"
    if isnan(figure.low) or isnan(figure.high):
        return "too few groups to tell"
    return f"{_number(figure.low)} to {_number(figure.high)}"


def _best_baseline(figure: Figure) -> str:
    if not figure.baselines:
        return ""
    best = max if figure.is_more_better else min
    name, value = best(figure.baselines.items(), key=lambda item: item[1])
    return f"{_number(value)} ({_words(name)})"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float, digits: int = _DIGITS) -> str:
    if isinstance(value, int) or (abs(value) > 1 and float(value).is_integer()):
        return f"{int(value):,}"
    return f"{value:,.{digits}f}"


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(map(_cell, headings))} |", f"|{'---|' * len(headings)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"* {' '.join(item.split())}" for item in items)


def _anchor(title: str) -> str:
    """As GitHub makes it of a heading."""
    return "#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
