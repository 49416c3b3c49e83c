"""Plots of the report as SVG: small, the same to the byte from run to run, readable on a light and on a dark page.

Text stays text and is set in the reader's own font. Each plot carries its own background and, for readers who prefer
dark pages, a style sheet that exchanges its colours, so it never stands dark on dark.
"""

from io import StringIO
from typing import TYPE_CHECKING, Any

from rl_emails_assets.evaluation.section import Plot, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT, _GROUND = "#1f2328", "#8b949e", "#ffffff"
# Told apart also by people who see fewer colours (Okabe and Ito, 2008).
_LINES = ("#0072b2", "#d55e00", "#009e73", "#9a4f80", "#8a6d00")
_DARK = {
    _INK: "#e6edf3",
    _FAINT: "#7d8590",
    _GROUND: "#0d1117",
    "#0072b2": "#58b4f0",
    "#d55e00": "#f08a4b",
    "#009e73": "#3fcf9f",
    "#9a4f80": "#e39ac9",
    "#8a6d00": "#d9bb4a",
}
_MARKERS = ("o", "s", "^", "D", "v")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))
_RC: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "rl-emails",
    "path.simplify": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.facecolor": _GROUND,
    "figure.facecolor": _GROUND,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_WIDTH, _HEIGHT, _BAR_HEIGHT = 5.4, 3.4, 0.2
_MANY_BARS_RATIO = 6
_MARKED_POINTS = 25


def svg(plot: Plot) -> str:
    """The drawing."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra; only the report needs it
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_RC):
        figure = Figure(figsize=(_WIDTH, _height(plot)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.set_title(plot.title, loc="left", fontsize=10)
        _DRAWN[plot.kind](axes, plot)
        if len(plot.series) > 1 or plot.kind == "reliability":
            handles, labels = axes.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=min(3, len(labels)), fontsize=8)
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Title": plot.title})
    # matplotlib leaves blanks at line ends.
    drawn = "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"
    return drawn.replace(" <defs>\n", f" <defs>\n  <style>{_dark_style()}</style>\n", 1)


def in_words(plot: Plot) -> str:
    """What somebody is told who cannot see the drawing."""
    if plot.kind == "bars":
        said = [f"{series.name}: {_ends(series, named=True)}" for series in plot.series]
    else:
        said = [f"{series.name}, {plot.y_label} from {_ends(series, named=False)}" for series in plot.series]
    return f"{plot.title}. {'; '.join(said)}."


def _ends(series: Series, *, named: bool) -> str:
    if named:
        return ", ".join(f"{x} {y:.3g}" for x, y in zip(series.x, series.y, strict=True))
    return f"{series.y[0]:.3g} to {series.y[-1]:.3g}"


def _height(plot: Plot) -> float:
    if plot.kind != "bars":
        return _HEIGHT
    bars = len(_names(plot)) * (len(plot.series) + 0.6)
    return 1.1 + _BAR_HEIGHT * bars


def _names(plot: Plot) -> list[str]:
    return list(dict.fromkeys(str(x) for series in plot.series for x in series.x))


def _lines(axes: "Axes", plot: Plot) -> None:
    for index, series in enumerate(plot.series):
        axes.plot(
            [float(x) for x in series.x],
            series.y,
            label=series.name,
            color=_LINES[index % len(_LINES)],
            linestyle=_DASHES[index % len(_DASHES)],
            marker=_MARKERS[index % len(_MARKERS)] if len(series.x) <= _MARKED_POINTS else None,
            markersize=4,
            linewidth=1.5,
        )
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    axes.grid(visible=True, color=_FAINT, alpha=0.25, linewidth=0.6)


def _reliability(axes: "Axes", plot: Plot) -> None:
    highest = max(max(map(float, (*series.x, *series.y))) for series in plot.series)
    end = min(1.0, 1.1 * highest) or 1.0
    axes.plot([0, end], [0, end], color=_FAINT, linestyle="--", linewidth=1, label="as stated")
    _lines(axes, plot)
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)


def _precision_recall(axes: "Axes", plot: Plot) -> None:
    _lines(axes, plot)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)


def _learning_curve(axes: "Axes", plot: Plot) -> None:
    _lines(axes, plot)
    counts = [float(x) for series in plot.series for x in series.x]
    if min(counts) > 0 and max(counts) / min(counts) > _MANY_BARS_RATIO:
        from matplotlib.ticker import FuncFormatter, NullLocator  # noqa: PLC0415 - an extra

        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(sorted(set(counts)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,.0f}"))


def _bars(axes: "Axes", plot: Plot) -> None:
    names = _names(plot)
    thick = 1 / (len(plot.series) + 0.6)
    for index, series in enumerate(plot.series):
        places = [names.index(str(x)) + (index - (len(plot.series) - 1) / 2) * thick for x in series.x]
        drawn = axes.barh(places, series.y, height=0.9 * thick, color=_LINES[index % len(_LINES)], label=series.name)
        axes.bar_label(drawn, fmt="%.3g", padding=2, fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    # Bars are named beside the axis, so what plot calls x (the names) stands upright here.
    axes.set_xlabel(plot.y_label)
    axes.set_ylabel(plot.x_label)


_DRAWN: dict[str, Any] = {
    "reliability": _reliability,
    "precision_recall": _precision_recall,
    "learning_curve": _learning_curve,
    "bars": _bars,
}


def _dark_style() -> str:
    rules = [
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme: dark){{{''.join(rules)}}}"
