"""Training and measuring the request model: the same file twice, no leak over folds, features as the model has them."""

import gzip
import io
import json
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest

from rl_emails_assets.classification import train_requests as training
from rl_emails_assets.classification.corpus import Sentence
from rl_emails_assets.classification.lexer import Lexer
from rl_emails_assets.classification.request_corpus import distinct_sentences, near_groups, unlabelled
from rl_emails_assets.classification.requests import RequestModel
from rl_emails_assets.evaluation import requests as measured
from rl_emails_assets.evaluation.contract import faults

pytest.importorskip("sklearn", reason="scikit-learn is needed to train, and comes with the dev extra only")

_LETTERS = random.Random(5)  # noqa: S311 - words, not secrets


def _words(count: int) -> str:
    return " ".join("".join(_LETTERS.choices("abcdefghijklmnoprstuv", k=5)) for _ in range(count))


# Words that no two sentences share: else they would be near-duplicates, and of one group.
ASKS = [f"Can you please send me {_words(6)}?" for _ in range(60)]
TELLS = [f"Yesterday we saw the {_words(6)}" for _ in range(60)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Both labelled sets and a mailbox, in words of our own."""
    labelled, mailboxes = tmp_path / "labelled", tmp_path / "mailboxes"
    labelled.mkdir()
    mailboxes.mkdir()
    lines = [f"Yes\t{text}" for text in ASKS] + [f"No\t{text}" for text in TELLS]
    (labelled / "intent-parakweet-ask0729.txt").write_text("\n".join(lines))
    rows = [f'"{text} Ole",{int(text in ASKS)}\n' for text in (*ASKS, *TELLS)]
    (labelled / "actionable-sentences.csv").write_text("sentences,class\n" + "".join(rows))
    body = "Please move the buoy.\n\nThe buoy was moved.\n\nWhere is the buoy?\n\nLet me know.\n\n> quoted words\n"
    with tarfile.open(mailboxes / "enron-x.tar.gz", "w:gz") as archive:
        for name in ("x/inbox/1_", "x/all_documents/1_"):
            content = f"From: a@b.example\nSubject: s\n\n{body}".encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    mbox = f"From a at b.example  Mon Mar  4 09:30:00 2002\nSubject: s\n\n{TELLS[0]}\n\nThe tide was low.\n"
    (mailboxes / "list.mbox.gz").write_bytes(gzip.compress(mbox.encode()))
    return tmp_path


def test_unlabelled_mail_holds_no_labelled_sentence_and_no_copy(data: Path) -> None:
    """A test sentence learned from before it is tested, or a folder's copies counted twice."""
    found = [" ".join(tokens) for tokens in unlabelled(data, TELLS)]
    assert sorted(found) == sorted(
        ["please move the buoy", "the buoy was moved", "where is the buoy ?", "let me know", "the tide was low"]
    )


def test_the_same_data_gives_the_same_file_and_the_features_weigh_as_trained(data: Path, tmp_path: Path) -> None:
    """A file that cannot be reproduced, or weights learned for features that the model computes another way."""
    said: list[str] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert training.main(["--data", str(data), "--out", str(tmp_path / name)], say=said.append) == 0
    first = tmp_path / "one" / "requests.npz"
    assert first.read_bytes() == (tmp_path / "two" / "requests.npz").read_bytes()
    assert json.loads(said[0])["sha256"] == json.loads((tmp_path / "one" / "requests.json").read_text())["sha256"]
    model = RequestModel.load(first, tmp_path / "one" / "requests.json")
    with np.load(first) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    texts = [ASKS[0], TELLS[3], "Ole?"]
    whole = np.concatenate(
        [
            weights["rows"] * float(weights["scale"][0]),
            weights["pairs"] * float(weights["scale"][1]),
            weights["cues"],
            weights["voices"],
        ]
    ).astype(np.float64)
    slope, offset = weights["calibration"].tolist()
    expected = slope * (training.design(texts, weights) @ whole + float(weights["bias"][0])) + offset
    lexer = Lexer()
    assert [model.log_odds(text, lexer.tokens(text)) for text in texts] == pytest.approx(expected.tolist(), abs=1e-4)
    assert model.log_odds("", lexer.tokens(ASKS[9])) > model.log_odds("", lexer.tokens(TELLS[9]))


def test_near_duplicates_are_of_one_group() -> None:
    """The same sentence with another name on both sides of a split."""
    groups = near_groups(["please send the tide table to ole now", "please send the tide table to jo now", "the tide"])
    assert groups[0] == groups[1] != groups[2]
    twice = [Sentence("Send it!", is_request=True), Sentence("send  it!", is_request=False), Sentence("...", True)]
    assert distinct_sentences(twice) == twice[:1]


def test_the_best_threshold_of_known_scores() -> None:
    """A threshold one place off."""
    scores, labels = np.array([3.0, 2.0, 1.0, -1.0]), np.array([1, 1, 0, 0])
    assert training.best_threshold(scores, labels) == 1.5
    assert training.best_threshold(np.array([1.0, 0.0]), np.array([1, 1])) == 0.0


def test_permuted_labels_teach_nothing(data: Path) -> None:
    """A leak of the answer into the features or over the folds: chance labels would score above chance."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    found = measured.labelled(data)
    permuted = measured.Labelled(
        texts=found.texts, labels=np.random.default_rng(4).permutation(found.labels), groups=found.groups,
        is_first=found.is_first,
    )  # fmt: skip
    rows = measured.bag_of_words(found.texts)
    said = measured.out_of_fold(rows, permuted, permuted.first, 1)
    assert 0.2 < roc_auc_score(permuted.labels[permuted.first], said.log_odds) < 0.8
    honest = measured.out_of_fold(rows, found, found.first, 1)
    assert roc_auc_score(found.labels[found.first], honest.log_odds) > 0.95


def test_the_section_keeps_its_contract(data: Path) -> None:
    """A figure without its baselines, a plot that cannot be drawn, a word of somebody's mail in the report."""
    section = measured.evaluate(data, seed=1)
    assert list(faults(section)) == []
    assert section.figures[0].value > 0.9
    assert section.figures[0].goal == measured.F1_GOAL
    assert {plot.kind for plot in section.plots} == {"reliability", "precision_recall", "learning_curve"}


def test_keywords_and_kinds() -> None:
    """A baseline made weak by a mistake, or an error counted under the wrong kind."""
    assert [measured.asks_by_keywords(text) for text in ("Send it", "let me know", "is it?", "pls", "it is")] == [
        True, True, True, True, False]  # fmt: skip
    kinds = measured.error_kinds(["is it?", "the tide"], np.array([1, 0]), np.array([False, True]))
    assert kinds["question mark"] == (1, 0, 1)
    assert kinds["none of these"] == (1, 1, 0)


def test_calibration_error_of_known_cases() -> None:
    """A calibration figure that flatters."""
    assert measured.calibration_error(np.zeros(4), np.array([1, 1, 0, 0])) == 0
    assert measured.calibration_error(np.full(4, 9.0), np.zeros(4, dtype=np.int64)) == pytest.approx(1.0, abs=1e-3)


def test_a_confusion_table_counts_rows_as_meant() -> None:
    """Rows and columns exchanged."""
    table = measured.confusion("t", ("a", "b"), [("a", "b"), ("a", "b"), ("b", "b")])
    assert table.rows == (("a", 0, 2), ("b", 0, 1))
