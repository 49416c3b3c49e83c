"""The figures of docs/reference/extraction.md, measured on the labelled sets beside the repository.

Run with -s to see them. The floors keep a change of the patterns from losing what the documentation promises.
"""

import csv
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rl_emails_assets.extraction.deadlines import find_deadlines
from rl_emails_assets.extraction.phrases import find_speech

DATA = Path(__file__).parents[2].parent / "shared" / "data"
DATES = DATA / "dates" / "recognizers-english.tar.gz"
INTENT = DATA / "labelled" / "intent-parakweet-ask0729.txt"
ACTIONABLE = DATA / "labelled" / "actionable-sentences.csv"


def _cases() -> Iterator[dict[str, Any]]:
    with tarfile.open(DATES) as archive:
        for member in archive:
            if member.name.endswith(("/DateTimeModel.json", "/MergedParser.json")):
                content = archive.extractfile(member)
                assert content is not None
                yield from json.loads(content.read().decode("utf-8-sig"))


def _expected(case: dict[str, Any], reference: datetime) -> Iterator[tuple[str, datetime]]:
    """The days and times of a case that lie ahead, each by its latest reading."""
    for result in case["Results"]:
        readings = (result.get("Value") or result.get("Resolution") or {}).get("values") or [{}]
        kind, value = readings[-1].get("type", ""), readings[-1].get("value", "")
        if kind in ("date", "datetime") and value[:1].isdigit() and "Mod" not in readings[-1]:
            at = datetime.fromisoformat(value).replace(tzinfo=UTC)
            if reference < at <= reference + timedelta(days=1000):
                yield kind, at


@pytest.mark.skipif(not DATES.exists(), reason="needs the date cases of the shared data")
def test_dates_agree_with_the_recognizers_cases() -> None:
    right = dict.fromkeys(("date", "datetime", "none"), 0)
    total = dict(right)
    for case in _cases():
        if "ReferenceDateTime" not in case.get("Context", {}):
            continue
        reference = datetime.fromisoformat(case["Context"]["ReferenceDateTime"]).replace(tzinfo=UTC)
        found = [deadline.at for deadline in find_deadlines(case["Input"], reference)]
        if not case["Results"]:
            total["none"] += 1
            right["none"] += not found
        for kind, at in _expected(case, reference):
            total[kind] += 1
            right[kind] += any(one == at if kind == "datetime" else one.date() == at.date() for one in found)
    print({kind: f"{right[kind]} of {total[kind]}" for kind in total})
    assert right["none"] == total["none"] > 0
    assert right["date"] / total["date"] > 0.5
    assert right["datetime"] / total["datetime"] > 0.5


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
