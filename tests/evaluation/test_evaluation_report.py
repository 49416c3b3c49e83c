"""The frame: what a section owes its reader, and how the report tells it."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rl_emails_assets.errors import SettingsError, SourceError
from rl_emails_assets.evaluation import report, run, sections
from rl_emails_assets.evaluation.contract import faults
from rl_emails_assets.evaluation.plots import in_words, svg
from rl_emails_assets.evaluation.provenance import Provenance, provenance
from rl_emails_assets.evaluation.run import Evaluation
from rl_emails_assets.evaluation.section import Figure, Plot, Section, Series, Table

SPLIT = "whole threads"
GOOD = Figure(
    name="F1", value=0.912345678, split=SPLIT, count=1200, low=0.9, high=0.92, goal=0.9, baselines={"all": 0.5}
)
RELIABILITY = Plot(
    kind="reliability", name="calibration", title="Stated and seen", x_label="stated", y_label="seen",
    series=(Series(name="model", x=(0.1, 0.4), y=(0.12, 0.35)),),
)  # fmt: skip
BARS = Plot(
    kind="bars", name="sets", title="By set", x_label="set", y_label="share",
    series=(Series(name="ours", x=("one", "two"), y=(0.9, 0.8)), Series(name="theirs", x=("one", "two"), y=(0.7, 1.0))),
)  # fmt: skip
CURVE = Plot(
    kind="learning_curve", name="curve", title="More mail, $5 & <b>", x_label="rows", y_label="F1",
    series=(Series(name="model", x=(10, 100, 1000), y=(0.5, 0.7, 0.8)),),
)  # fmt: skip
PRECISION = replace(RELIABILITY, kind="precision_recall", name="precision")
ZONING = Section(key="zoning", title="Zoning", method="What was done.", figures=(GOOD,))


def section(**changes: object) -> Section:
    return replace(ZONING, **changes)


THERE = Provenance(
    command="rl-emails eval --data DIR", release="1", engines={"ranking.ranker": "1"}, models={}, data={}, machine={}
)


def evaluation(*made: Section, **changes: object) -> Evaluation:
    return replace(Evaluation(sections=made, provenance=THERE), **changes)


def page_of(made: Evaluation) -> str:
    """As it is written: made from the document."""
    return report.page(Evaluation.from_json(json.loads(json.dumps(made.as_json(), allow_nan=False))))


def rows_of(page: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line.startswith("| ")
    ]


def test_a_section_that_keeps_its_contract_has_no_fault() -> None:
    """A checker that always finds something is switched off."""
    full = section(
        plots=(RELIABILITY, BARS, CURVE, PRECISION),
        tables=(Table(title="Sets", headings=("set", "share"), rows=(("one", 0.5), ("two", None))),),
        failures={"no marker at all": 3},
    )
    assert list(faults(full)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (section(key="zonning"), "the key is none"),
        (section(method=" "), "the method is not told"),
        (section(figures=()), "there is no figure"),
        (section(figures=(GOOD, GOOD)), "two figures are called 'F1'"),
        (section(figures=(replace(GOOD, split=""),)), "does not say how it was split"),
        (section(figures=(replace(GOOD, value=math.nan),)), "is not a number"),
        (section(figures=(replace(GOOD, count=0),)), "was measured on nothing"),
        (section(figures=(replace(GOOD, low=None),)), "has one bound only"),
        (section(figures=(replace(GOOD, low=0.95),)), "wrong way round"),
        (section(figures=(replace(GOOD, baselines={"": 0.1}),)), "a baseline without"),
        (section(figures=(replace(GOOD, baselines={"all": math.nan}),)), "a baseline without"),
        (section(key="ranking"), "no figure has a baseline 'sender'"),
        (section(key="dates", figures=(replace(GOOD, baselines={}),)), "no figure has a baseline"),
        (section(plots=(BARS, BARS)), "two plots have one name"),
        (section(plots=(replace(BARS, name="../x"),)), "no file name"),
        (section(plots=(replace(BARS, series=()),)), "has no points"),
        (section(plots=(replace(BARS, series=(Series(name="a", x=("b",), y=(1, 2)),)),)), "has 1 x and 2 y"),
        (section(plots=(replace(BARS, kind="learning_curve"),)), "words for numbers"),
        (section(tables=(Table(title="T", headings=("a",), rows=(("b", "c"),)),)), "not as long as its headings"),
        (section(tables=(Table(title="T", headings=("a",), rows=(("bo@x.example",),)),)), "has an address in it"),
        (section(tables=(Table(title="T", headings=("a",), rows=(("words " * 40,),)),)), "too long"),
        (section(failures={"Dear Bo,\nplease": 1}), "not named by its kind"),
        (section(failures={"mail of bo@x.example": 1}), "not named by its kind"),
        (section(failures={"long " * 40: 1}), "not named by its kind"),
    ],
)  # fmt: skip
def test_what_a_section_owes_and_does_not_give_is_a_fault(wrong: Section, said: str, tmp_path: Path) -> None:
    """A number without split, baseline or interval, and mail in a report, must not pass; nor end in a traceback."""
    found = list(faults(wrong))
    assert any(said in fault for fault in found), found
    assert all(fault.startswith(wrong.key) for fault in found)
    assert report.write(evaluation(wrong, faults=tuple(found)), tmp_path)
    assert said in (tmp_path / "evaluation.md").read_text()


def test_goals_come_first_with_their_verdicts_in_words() -> None:
    """A reader must see what is not met before anything else, and how sure that is."""
    made = evaluation(
        section(
            figures=(
                GOOD,
                replace(GOOD, name="sure", value=0.95, low=0.93, high=0.97),
                replace(GOOD, name="missed", value=0.8, low=0.7, high=0.85, baselines={"all": 0.5, "words": 0.6}),
                replace(GOOD, name="narrowly", value=0.8996, low=0.8, high=0.95),
                replace(GOOD, name="false dates", value=0.01, low=None, high=None, goal=0.02, is_more_better=False,
                        baselines={"a": 0.3, "b": 0.2}),
                replace(GOOD, name="no goal", goal=None),
                replace(GOOD, name="one user", low=math.nan, high=math.nan),
            )
        )
    )  # fmt: skip
    page = page_of(made)
    assert (
        "**4 of 6 goals are met.** Not met:\n\n* [zoning](#zoning): missed (0.800, at least 0.900); narrowly (0.8996, "
        in page
    )
    rows = {row[1]: row[2:] for row in rows_of(page.partition("## Zoning")[0])}
    assert "no goal" not in rows
    assert rows["F1"] == ["at least 0.900", "0.912", "0.900 to 0.920", "met", "0.500 (all)"]
    assert rows["sure"][3] == "met"
    assert rows["missed"] == ["at least 0.900", "0.800", "0.700 to 0.850", "**not met**", "0.600 (words)"]
    assert rows["narrowly"][1:4] == ["0.8996", "0.800 to 0.950", "**not met**, the goal is inside the interval"]
    assert rows["false dates"] == ["at most 0.020", "0.010", "exact", "met", "0.200 (b)"]
    assert rows["one user"][2] == "too few groups to tell"


def test_a_section_tells_its_method_splits_tables_plots_and_failures() -> None:
    """What is measured and not shown might as well not be measured."""
    table = Table(title="Sets", headings=("set", "cases", "share"), rows=(("one", 1200, 0.25), ("a|b", None, 1.0)))
    long = Table(title="Mailboxes", headings=("mailbox",), rows=tuple((f"box {index}",) for index in range(20)))
    other = replace(GOOD, name="across", split="trained on the other set", goal=None)
    made = section(
        figures=(GOOD, other, replace(GOOD, name="F2")),
        tables=(table, long),
        plots=(RELIABILITY,),
        failures={"rare": 1, "often": 1500},
    )
    page = page_of(evaluation(made)).partition("## Zoning")[2]
    assert "What was done." in page
    assert "* across: trained on the other set\n* all others: whole threads" in page
    assert "| one | 1,200 | 0.250 |\n| a\\|b |  | 1.000 |" in page
    assert "<details><summary>Mailboxes (20 rows)</summary>" in page
    assert "![Stated and seen. model, seen from 0.12 to 0.35.](images/evaluation/zoning-calibration.svg)" in page
    assert page.index("| often | 1,500 |") < page.index("| rare | 1 |")
    assert page_of(evaluation(section(figures=(GOOD,)))).count("Split: whole threads") == 1


def test_what_was_not_measured_is_said_and_has_no_number() -> None:
    """A missing set must never look like a zero, nor a section left out like one that passed."""
    made = evaluation(
        missing={"zoning": "replies/ is not there; get it"}, left_out=("people", "tasks"), faults=("a fault",)
    )
    page = page_of(made)
    assert "No goal was measured." in page
    assert "* zoning: its data is missing. replies/ is not there; get it" in page
    assert "* people, tasks: not asked for in this run." in page
    assert "## Faults of this report" in page
    assert "0.000" not in page


def test_the_document_has_every_number_and_no_other() -> None:
    """JSON that cannot be read elsewhere (NaN), or digits that differ from machine to machine."""
    unknown = replace(GOOD, name="one user", low=math.nan, high=math.nan)
    made = evaluation(section(figures=(GOOD, unknown, replace(GOOD, name="exact", low=None, high=None, goal=None))))
    first, second, third = made.as_json()["sections"][0]["figures"]
    assert (first["value"], first["is_met"], first["is_exact"]) == (0.912346, True, False)
    assert (second["low"], second["is_exact"]) == (None, False)
    assert (third["is_met"], third["is_exact"]) == (None, True)
    assert json.dumps(Evaluation.from_json(made.as_json()).as_json()) == json.dumps(made.as_json())


@pytest.mark.parametrize("plot", [RELIABILITY, PRECISION, CURVE, BARS], ids=lambda plot: plot.kind)
def test_a_plot_is_the_same_every_time_small_and_readable_on_light_and_dark(plot: Plot) -> None:
    """A picture that changes with every run hides what changed; dark ink on a dark page hides everything."""
    drawn = svg(plot)
    assert drawn == svg(plot)
    assert len(drawn) < 40_000
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert plot.title in words
    assert all(series.name in words for series in plot.series) or len(plot.series) == 1
    dark = drawn.partition("prefers-color-scheme: dark")[2].partition("</style>")[0]
    changed = {part.lower() for part in re.findall(r'\*="(?:fill|stroke): (#[0-9a-f]{6})"', dark)}
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", drawn.replace(dark, "")))
    assert used <= changed
    assert "date" not in drawn.lower()


def test_plots_are_told_in_words() -> None:
    """Who cannot see the picture gets its numbers."""
    assert in_words(BARS) == "By set. ours: one 0.9, two 0.8; theirs: one 0.7, two 1."
    assert "F1 from 0.5 to 0.8" in in_words(CURVE)


def test_a_report_twice_is_the_same_and_old_pictures_go(tmp_path: Path) -> None:
    """A diff of two reports must show what changed in the engines and nothing else."""
    made = evaluation(section(plots=(RELIABILITY, BARS)))
    written = {path: path.read_bytes() for path in report.write(made, tmp_path)}
    assert {path.name for path in written} == {
        "evaluation.json", "evaluation.md", "zoning-calibration.svg", "zoning-sets.svg",
    }  # fmt: skip
    (tmp_path / report.IMAGES / "gone-old.svg").write_text("old")
    assert {path: path.read_bytes() for path in report.write(made, tmp_path)} == written
    assert not (tmp_path / report.IMAGES / "gone-old.svg").exists()


def test_sections_run_in_order_and_missing_data_is_their_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One absent file must not cost the whole report, and a bug in a section must not pass for absent data."""
    (tmp_path / "labelled").mkdir()

    def measured(key: str, data: Path, *, seed: int) -> Section:
        assert (data, seed) == (tmp_path, 7)
        if key == "dates":
            raise SourceError("dates/x.tar.gz is not there; download it")
        return section(key=key, title=key.title())

    told: list[str] = []
    monkeypatch.setattr(run, "evaluate_section", measured)
    made = run.run(tmp_path, ("zoning", "dates", "tasks"), seed=7, on_section=told.append)
    assert told == ["zoning", "dates", "tasks"]
    assert [item.key for item in made.sections] == ["zoning", "tasks"]
    assert dict(made.missing) == {"dates": "dates/x.tar.gz is not there; download it"}
    assert made.left_out == ("categories", "requests", "people", "projects", "ranking", "injection")
    assert made.seed == 7

    def broken(key: str, data: Path, *, seed: int) -> Section:
        raise ZeroDivisionError

    monkeypatch.setattr(run, "evaluate_section", broken)
    with pytest.raises(ZeroDivisionError):
        run.run(tmp_path, ("zoning",))


def test_a_folder_without_data_and_a_lacking_package_are_said_before_minutes_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody should wait for a report that cannot be made."""
    with pytest.raises(SourceError, match="none of the folders mailboxes/, labelled/, dates/, replies/"):
        run.run(tmp_path)
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "sklearn" else name)
    with pytest.raises(SettingsError, match=r"needs scikit-learn, .*rl-emails\[eval\]"):
        run.run(tmp_path)


@pytest.mark.parametrize("key", sections.KEYS)
def test_every_section_of_the_report_is_there(key: str) -> None:
    """A section that is listed and cannot be run."""
    assert callable(sections.module(key).evaluate)


def test_provenance_names_code_models_data_and_machine(tmp_path: Path) -> None:
    """A figure that nobody can make again proves nothing."""
    (tmp_path / "labelled").mkdir()
    (tmp_path / "labelled" / "set.csv").write_bytes(b"abc")
    (tmp_path / "private").mkdir()
    made = provenance(tmp_path, "rl-emails eval")
    assert made.data == {"labelled/set.csv": "ba7816bf8f01"}
    assert made.engines["ranking.ranker"]
    assert "steps.priorities threads" in made.engines
    assert re.fullmatch(r"[0-9a-f]{12}", made.models["ranking/model.json"])
    assert made.machine["numpy"]
