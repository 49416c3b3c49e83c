"""The evaluation in time, on mailboxes made here: what it learns from, and that its report is whole."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rl_emails_assets.errors import SourceError
from rl_emails_assets.evaluation import ranking
from rl_emails_assets.evaluation.contract import faults
from rl_emails_assets.ranking import train
from rl_emails_assets.ranking.training_data import Mailbox, load_mailboxes
from tests.evaluation.packed_mailbox import busy_year, packed


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested does not get surer with more of them."""
    monkeypatch.setattr(ranking, "_ROUNDS", 20)
    monkeypatch.setattr(ranking, "LEARNED_FROM", (0, 20))


@pytest.fixture(scope="module")
def mailboxes(tmp_path_factory: pytest.TempPathFactory) -> list[Mailbox]:
    folder: Path = tmp_path_factory.mktemp("mailboxes")
    for seed, name in enumerate(("doe-j", "roe-k", "low-m")):
        packed(folder / f"enron-{name}.tar.gz", busy_year(seed, days=60))
    return list(load_mailboxes(folder))


def test_the_report_is_whole_and_the_same_again(mailboxes: list[Mailbox]) -> None:
    """Prevents a figure without its baselines or interval, and one that nobody can reproduce."""
    section = ranking.measured(mailboxes, seed=7)
    assert list(faults(section)) == []
    figures = {figure.name: figure for figure in section.figures}
    auc = figures["mean AUC"]
    assert auc.low is not None
    assert auc.high is not None
    assert auc.low <= auc.value <= auc.high
    assert auc.value > auc.baselines["sender's reply rate"] > 0.5
    assert auc.baselines["majority"] == 0.5
    assert figures["calibration error over all"].value <= figures["calibration error, mean of the mailboxes"].value
    assert figures["calibration error, mean of the mailboxes"].value < 0.25, "8 messages in a bin"
    assert [len(table.rows) for table in section.tables] == [3, 6]
    assert section == ranking.measured(mailboxes, seed=7)


def test_a_mailbox_without_a_reply_to_test_on_is_counted_not_hidden(mailboxes: list[Mailbox]) -> None:
    """Prevents the mailboxes that are hard to measure from vanishing."""
    quiet = replace(
        mailboxes[0],
        name="enron-quiet-q",
        rows=mailboxes[0].rows.with_columns(
            pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("answered_at"), is_replied=pl.lit(value=False)
        ),
    )
    section = ranking.measured([mailboxes[0], mailboxes[1], quiet], seed=7)
    assert list(section.failures.values()) == [1]
    assert len(section.tables[0].rows) == 2


def test_what_was_not_known_at_the_cut_is_not_learned(mailboxes: list[Mailbox]) -> None:
    """Prevents an answer that came after the cut from being a label before it."""
    box = train.taught("m", mailboxes[0].rows)
    cut = box.cut
    now = box.received_at[cut]
    y, weight = box.known(cut)
    late = [row for row in range(cut) if (at := box.answered_at[row]) is not None and at >= now]
    assert late
    assert not y[late].any()
    early = [row for row in range(cut) if (at := box.answered_at[row]) is not None and at < now]
    assert y[early].all()
    assert (weight[early] == 1).all()
    young = [row for row in range(cut) if now - box.received_at[row] < timedelta(hours=20) and row not in early]
    assert (weight[young] < 0.75).all()
    outcomes = box.outcomes(cut)
    assert [each.acted for each in outcomes] == y.tolist()
    assert [each.weight for each in outcomes] == weight.tolist()
    assert box.known(len(box.y))[0].tolist() == box.y.tolist()


def test_later_labels_move_no_score_of_the_evaluation(mailboxes: list[Mailbox]) -> None:
    """Prevents the test's own answers from reaching the weights that are tested."""
    boxes = [train.taught(box.name, box.rows) for box in mailboxes]
    told = ranking._tested(boxes)
    changed = []
    for box in boxes:
        now = box.received_at[box.cut]
        answered = [None if at is not None and at >= now else at for at in box.answered_at]
        changed.append(train.of_messages(box.name, box.messages, box.received_at, answered, box.threads))
    for before, after in zip(told, ranking._tested(changed), strict=True):
        assert before.y.sum() > after.y.sum()
        for way, score in before.log_odds.items():
            assert np.array_equal(score, after.log_odds[way]), way
        assert before.threshold == after.threshold


def test_left_out_weights_know_nothing_of_the_mailbox(mailboxes: list[Mailbox]) -> None:
    """Prevents "by the weights of others" from having seen the mailbox, under another of its owners too."""
    boxes = [train.taught(f"list/{n}" if n < 2 else "other", box.rows) for n, box in enumerate(mailboxes)]
    weights = train.left_out(boxes, 0.7)
    assert weights.keys() == {"list", "other"}
    assert np.array_equal(weights["list"], train.fitted([boxes[2]], 0.7))
    assert np.array_equal(weights["other"], train.fitted(boxes[:2], 0.7))


def test_no_mailboxes_is_said(tmp_path: Path) -> None:
    """Prevents an empty folder from passing as a measurement."""
    with pytest.raises(SourceError, match="no mailbox"):
        ranking.evaluate(tmp_path)
