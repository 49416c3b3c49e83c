"""`rl-emails eval` as somebody runs it, on a folder of our own making."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rl_emails_assets.cli import app
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.evaluation import run as measuring
from rl_emails_assets.evaluation.report import page
from rl_emails_assets.evaluation.run import Evaluation
from rl_emails_assets.evaluation.section import Section
from rl_emails_assets.evaluation.sections import KEYS
from tests.evaluation import coin_toss

COMMAND = Path(sys.executable).with_name("rl-emails")
SECTIONS = "ranking,injection"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small mailboxes whose owners answer half of their senders, and nothing else."""
    folder = tmp_path_factory.mktemp("data")
    coin_toss.mailboxes(folder, 5, 2, 50, lambda words, sender: words.toss(0.8 if sender < 6 else 0.05))
    return folder


def run(data: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a process of its own."""
    command = [str(COMMAND), "eval", "--data", str(data), "--out", str(out), *more]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.fixture(scope="module")
def report(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """What a run of two sections said, and where it wrote."""
    out = tmp_path_factory.mktemp("report")
    return run(data, out, "--only", SECTIONS, "--json"), out


def written(out: Path) -> dict[str, bytes]:
    """Every file of a report."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_report_has_figures_splits_baselines_intervals_and_plots(
    report: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """Somebody who points it at their own mail must get numbers that can be judged."""
    done, out = report
    assert done.returncode == ExitCode.OK, done.stderr
    assert "ranking: measuring" in done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((out / "evaluation.json").read_text())
    assert [section["key"] for section in document["sections"]] == SECTIONS.split(",")
    for figure in (figure for section in document["sections"] for figure in section["figures"]):
        assert figure["split"]
        assert figure["is_exact"] or {"low", "high"} <= figure.keys()
    assert document["faults"] == []
    assert document["left_out"] == [key for key in KEYS if key not in SECTIONS.split(",")]
    assert set(document["provenance"]["data"]) == {f"mailboxes/enron-doe{name}-j.tar.gz" for name in "ab"}
    assert list(out.glob("images/evaluation/ranking-*.svg"))
    assert (out / "evaluation.md").read_text() == page(Evaluation.from_json(document))


def test_the_same_run_twice_is_the_same_to_the_byte(
    data: Path, report: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    """A report that differs from run to run cannot show what a change did."""
    assert run(data, tmp_path, "--only", "injection,ranking").returncode == ExitCode.OK
    assert written(tmp_path) == written(report[1])


def test_no_word_of_the_mail_is_in_the_report(report: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """A report is shown around; the mail that it was made from is not."""
    everything = b"\n".join(written(report[1]).values()).decode() + report[0].stderr
    mail = coin_toss.mailbox(5, 50, lambda words, sender: words.toss(0.8 if sender < 6 else 0.05))
    said = {word for message in mail for word in message.subject.split() if len(word) > 5 and word.isalpha()}
    assert len(said) > 50
    assert not {word for word in said if word in everything}
    assert "corp.example" not in everything


def test_missing_data_is_said_and_is_no_zero(data: Path, tmp_path: Path) -> None:
    """A number for what was not measured would be an invention."""
    done = run(data, tmp_path, "--only", "zoning,requests")
    assert done.returncode == ExitCode.INCOMPLETE, done.stderr
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert document["sections"] == []
    assert "replies" in document["missing"]["zoning"]
    assert "labelled" in document["missing"]["requests"]
    assert "missing: zoning" in done.stderr


def test_people_are_told_what_is_met_what_is_missing_and_where_the_report_is(data: Path, tmp_path: Path) -> None:
    """Who waited for it should not have to read JSON."""
    arguments = ["eval", "--data", str(data), "--only", "zoning,injection", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == ExitCode.INCOMPLETE
    assert "side effects 0.000 met" in done.stdout
    assert "2 files in" in done.stdout
    assert "zoning: data missing" in done.stderr
    assert "missing: zoning: " in done.stderr
    assert "injection: " in done.stderr


def test_wrong_use_is_told_at_once(data: Path, tmp_path: Path) -> None:
    """Minutes later would be too late."""
    invoke = CliRunner().invoke
    unknown = invoke(app, ["eval", "--data", str(data), "--only", "rankings"])
    assert unknown.exit_code == ExitCode.USAGE
    assert "rankings" in unknown.stderr
    nothing = invoke(app, ["eval", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert nothing.exit_code == ExitCode.FAILED
    assert "mailboxes/" in nothing.stderr
    (tmp_path / "file").write_text("in the way")
    blocked = invoke(app, ["eval", "--data", str(data), "--only", "injection", "--out", str(tmp_path / "file")])
    assert blocked.exit_code == ExitCode.FAILED
    assert "give --out another folder" in blocked.stderr


def test_a_section_without_its_interval_or_baseline_fails_the_command(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that measures must stop at a number that nobody can judge."""
    empty = Section(key="ranking", title="Ranking", method="None.", figures=())
    monkeypatch.setattr(measuring, "evaluate_section", lambda *_, **__: empty)
    done = CliRunner().invoke(app, ["eval", "--data", str(data), "--only", "ranking", "--out", str(tmp_path)])
    assert done.exit_code == ExitCode.FAILED
    assert "fault: ranking: there is no figure" in " ".join(done.stderr.split())
    assert "## Faults of this report" in (tmp_path / "evaluation.md").read_text()
