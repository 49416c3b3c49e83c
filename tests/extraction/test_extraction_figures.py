"""The figures of docs/reference/extraction.md, measured on the labelled sets beside the repository.

Run with -s to see them. The floors keep a change of the patterns from losing what the documentation promises.
"""

import csv
from pathlib import Path

import pytest

from rl_emails_assets.evaluation.date_cases import MERGED, load_cases
from rl_emails_assets.evaluation.dates import answers
from rl_emails_assets.evaluation.dates import evaluate as evaluate_dates
from rl_emails_assets.extraction.phrases import find_speech

DATA = Path(__file__).parents[2].parent / "shared" / "data"
DATES = DATA / "dates" / "recognizers-english.tar.gz"
INTENT = DATA / "labelled" / "intent-parakweet-ask0729.txt"
ACTIONABLE = DATA / "labelled" / "actionable-sentences.csv"


@pytest.mark.skipif(not DATES.exists(), reason="needs the date cases of the shared data")
def test_dates_agree_with_the_recognizers_cases() -> None:
    """The floors are below what is measured, so that another split by seed does not fail them."""
    section = evaluate_dates(DATA)
    figures = {(figure.name, figure.split): figure.value for figure in section.figures}
    print({f"{name}, {split}": round(value, 3) for (name, split), value in figures.items()})
    assert figures["merged cases right: all", "all"] > 0.8
    assert all(value <= 0.02 for (name, _), value in figures.items() if name.startswith("false dates"))
    none = [case for case in load_cases(DATA, MERGED) if not case.wanted]
    assert sum(bool(answers(case)) for case in none) <= 0.05 * len(none)


def _precision_and_recall(sentences: list[tuple[bool, str]]) -> tuple[float, float]:
    found = [(is_request, _is_request(sentence)) for is_request, sentence in sentences]
    right = sum(is_request and is_found for is_request, is_found in found)
    return right / sum(is_found for _, is_found in found), right / sum(is_request for is_request, _ in found)


def _is_request(sentence: str) -> bool:
    speech = find_speech(sentence)
    return speech is not None and speech.kind == "request"


def _print_figures(name: str, precision: float, recall: float) -> None:
    f1 = 2 * precision * recall / (precision + recall)
    print(f"{name}: precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}")


@pytest.mark.skipif(not INTENT.exists(), reason="needs the labelled sentences of the shared data")
def test_requests_among_intent_sentences_are_found_with_precision() -> None:
    lines = INTENT.read_text("utf-8", errors="replace").splitlines()
    figures = _precision_and_recall([(line.startswith("Yes\t"), line.partition("\t")[2]) for line in lines])
    _print_figures("intent", *figures)
    assert figures[0] > 0.85
    assert figures[1] > 0.4


@pytest.mark.skipif(not ACTIONABLE.exists(), reason="needs the labelled sentences of the shared data")
def test_requests_among_actionable_sentences_are_found_with_precision() -> None:
    with ACTIONABLE.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    figures = _precision_and_recall([(row["class"] == "1", row["sentences"]) for row in rows])
    _print_figures("actionable", *figures)
    assert figures[0] > 0.85
    assert figures[1] > 0.65
