"""Runs the sections over a data folder and keeps what they say, as one JSON document."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from math import isfinite, nan
from pathlib import Path
from typing import Any

from rl_emails_assets.errors import SettingsError, SourceError
from rl_emails_assets.evaluation.contract import faults
from rl_emails_assets.evaluation.provenance import DATA_FOLDERS, Provenance, provenance
from rl_emails_assets.evaluation.section import SEED, Figure, Plot, Section, Series, Table
from rl_emails_assets.evaluation.sections import KEYS, evaluate_section

FORMAT = 1
"""Of the document; a change that a reader would notice raises it."""
_DIGITS = 6
_NEEDED = {"matplotlib": "matplotlib", "sklearn": "scikit-learn", "selectolax": "selectolax"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured. `missing` says of each section without data what to get, `left_out` names those not asked
    for, `faults` is what a section owes the reader (an interval, a baseline) and does not give."""

    sections: tuple[Section, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    seed: int = SEED
    provenance: Provenance

    def as_json(self) -> dict[str, Any]:
        """The document. Numbers are rounded to six digits, which sums in another order do not reach; a bound that
        cannot be known is null with `is_bounded` true."""
        document: dict[str, Any] = _plain(asdict(self))
        for section, measured in zip(document["sections"], self.sections, strict=True):
            for figure, told in zip(section["figures"], measured.figures, strict=True):
                figure["is_met"] = told.is_met
                figure["is_exact"] = told.low is None and told.high is None
        return {"format": FORMAT, **document}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Evaluation":
        """What `as_json` made."""
        return cls(
            sections=tuple(_section(item) for item in document["sections"]),
            missing=dict(document["missing"]),
            left_out=tuple(document["left_out"]),
            faults=tuple(document["faults"]),
            seed=document["seed"],
            provenance=Provenance(**document["provenance"]),
        )


def run(
    data: Path,
    keys: Sequence[str] = KEYS,
    *,
    seed: int = SEED,
    command: str = "",
    on_section: Callable[[str], None] = lambda _: None,
    on_result: Callable[[str, Section | None], None] = lambda *_: None,
) -> Evaluation:
    """Measure the sections of `keys`, in the order of the report. `on_section` is told each key before, `on_result`
    the section after, or None when its data is missing.

    Raises:
        SettingsError: What the evaluation needs is not installed.
        SourceError: `data` is no folder with anything to measure on.
    """
    _require(data)
    sections: list[Section] = []
    missing: dict[str, str] = {}
    for key in KEYS:
        if key not in keys:
            continue
        on_section(key)
        section = None
        try:
            section = evaluate_section(key, data, seed=seed)
        except SourceError as error:
            missing[key] = str(error)
        else:
            sections.append(section)
        on_result(key, section)
    return Evaluation(
        sections=tuple(sections),
        missing=missing,
        left_out=tuple(key for key in KEYS if key not in keys),
        faults=tuple(fault for section in sections for fault in faults(section)),
        seed=seed,
        provenance=provenance(data, command),
    )


def _require(data: Path) -> None:
    lacking = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if lacking:
        raise SettingsError(
            f"The evaluation needs {', '.join(lacking)}, which is not installed; install rl-emails with its extra "
            "`eval` (pip install 'rl-emails[eval]')."
        )
    if not any((data / folder).is_dir() for folder in DATA_FOLDERS):
        raise SourceError(
            f"{data} has none of the folders {', '.join(f'{name}/' for name in DATA_FOLDERS)}; give --data the folder "
            "that holds them (docs/how-to/evaluate.md says what goes into each)."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # NumPy's numbers are none of JSON's.
    return _plain(value.item()) if hasattr(value, "item") else value


def _section(item: Mapping[str, Any]) -> Section:
    return Section(
        key=item["key"],
        title=item["title"],
        method=item["method"],
        figures=tuple(_figure(figure) for figure in item["figures"]),
        tables=tuple(
            Table(
                title=table["title"], headings=tuple(table["headings"]), rows=tuple(tuple(row) for row in table["rows"])
            )
            for table in item["tables"]
        ),
        plots=tuple(
            Plot(**{**plot, "series": tuple(_series(series) for series in plot["series"])}) for plot in item["plots"]
        ),
        failures=item["failures"],
    )


def _figure(item: Mapping[str, Any]) -> Figure:
    told = {name: value for name, value in item.items() if name not in ("is_met", "is_exact", "baselines")}
    unknown = ("value",) if item["is_exact"] else ("value", "low", "high")
    told.update({name: nan for name in unknown if told[name] is None})
    baselines = {name: nan if value is None else value for name, value in item["baselines"].items()}
    return Figure(**told, baselines=baselines)


def _series(item: Mapping[str, Any]) -> Series:
    return Series(name=item["name"], x=tuple(item["x"]), y=tuple(item["y"]))
