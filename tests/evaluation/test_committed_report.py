"""The report in docs/ is the one that the command makes, of this release, and lacks nothing."""

import json
from pathlib import Path

import pytest

from rl_emails_assets.evaluation import provenance, report
from rl_emails_assets.evaluation.contract import faults
from rl_emails_assets.evaluation.run import Evaluation
from rl_emails_assets.evaluation.section import SEED
from rl_emails_assets.evaluation.sections import KEYS

DOCS = Path(__file__).parents[2] / "docs"
AGAIN = "run `make eval` and commit what it wrote"


@pytest.fixture(scope="module")
def committed() -> Evaluation:
    """The document in docs/."""
    return Evaluation.from_json(json.loads((DOCS / report.DOCUMENT).read_text()))


def test_the_page_and_its_pictures_are_those_of_the_document(committed: Evaluation) -> None:
    """A number that was mended by hand."""
    assert (DOCS / report.PAGE).read_text() == report.page(committed), AGAIN
    drawn = {report.image_name(section, plot) for section in committed.sections for plot in section.plots}
    assert {path.name for path in (DOCS / report.IMAGES).iterdir()} == drawn, AGAIN


def test_every_section_was_measured_and_keeps_its_contract(committed: Evaluation) -> None:
    """A report of what happened to work."""
    assert [section.key for section in committed.sections] == list(KEYS)
    assert not committed.missing
    assert [fault for section in committed.sections for fault in faults(section)] == []
    assert committed.seed == SEED


def test_the_report_is_of_these_engines_and_models(committed: Evaluation) -> None:
    """Figures of weights that are no longer shipped."""
    assert committed.provenance.models == dict(provenance.model_files()), AGAIN
    assert committed.provenance.engines == dict(provenance.engine_versions()), AGAIN
