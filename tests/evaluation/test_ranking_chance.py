"""Replies that are tosses of a coin teach the ranker nothing: above chance on them is a leak of the answer."""

from pathlib import Path

import numpy as np
import pytest

from rl_emails_assets.evaluation import ranking
from rl_emails_assets.evaluation.statistics import bootstrap
from rl_emails_assets.ranking.measures import auc
from rl_emails_assets.ranking.personal import Outcome, fit_person
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.ranker import Ranker
from tests.evaluation import coin_toss
from tests.evaluation.coin_toss import Words, mailbox
from tests.evaluation.packed_mailbox import mailbox_of

RANKER = Ranker.load()


def personal_auc(folder: Path, seed: int, rate_of: tuple[float, float]) -> tuple[float, float, float]:
    """AUC with its interval on the last 30 % of a mailbox, the personal part learned from the first 70 %; `rate_of`
    are the shares of mail answered of the first and of the other six senders."""

    def replies(words: Words, sender: int) -> bool:
        return words.toss(rate_of[sender >= 6])

    rows = mailbox_of(folder, mailbox(seed, 160, replies)).rows
    messages = [RankInput.from_row(row) for row in rows.iter_rows(named=True)]
    outcomes = [
        Outcome(message=message, acted=float(row["is_replied"]), weight=1.0, received_at=row["received_at"])
        for message, row in zip(messages, rows.iter_rows(named=True), strict=True)
    ]
    cut = int(0.7 * len(messages))
    ranker = RANKER.with_person(fit_person(RANKER, outcomes[:cut]))
    score = np.array([ranker.rank(message).score for message in messages[cut:]])
    happened = rows["is_replied"].to_numpy()[cut:]

    def measure(drawn: np.ndarray) -> float:
        found = auc(score[drawn], happened[drawn])
        return np.nan if found is None else found

    low, high = bootstrap(measure, range(len(score)), seed=seed, rounds=400)
    return measure(np.arange(len(score))), low, high


@pytest.mark.parametrize("seed", [1, 2])
def test_tossed_replies_give_chance(tmp_path: Path, seed: int) -> None:
    """A ranker that does better than 0.5 on a coin has seen the coin."""
    value, low, high = personal_auc(tmp_path, seed, (0.4, 0.4))
    # Twice the 95 % interval's half: once in ten thousand by chance, where the interval itself is left once in twenty.
    assert value - (high - low) <= 0.5 <= value + (high - low)


def test_the_section_measures_chance_on_tossed_replies(tmp_path: Path) -> None:
    """The same for all that the report does: shared weights, own parts, calibration."""
    coin_toss.mailboxes(tmp_path, 11, 2, 120, lambda words, _: words.toss(0.4))
    figures = {figure.name: figure for figure in ranking.evaluate(tmp_path).figures}
    aucs = [figure for name, figure in figures.items() if "AUC" in name]
    assert len(aucs) >= 3
    for figure in aucs:
        width = figure.high - figure.low
        assert figure.value - width <= 0.5 <= figure.value + width, figure.name
        assert width < 0.25
    assert figures["calibration error over all"].value < 0.15


def test_replies_that_follow_the_sender_are_learned(tmp_path: Path) -> None:
    """A ranker that finds nothing where there is something would pass the test above for the wrong reason."""
    value, low, _ = personal_auc(tmp_path, 4, (0.7, 0.1))
    assert value > low > 0.6
