"""Labels that are tosses of a coin cannot be learned: what is measured above chance on them is a leak.

Copies of a text with one tossed label show whether a copy is trained on and tested on; one tossed label for all that a
sender wrote shows whether a sender is on both sides.
"""

from pathlib import Path

import numpy as np

from rl_emails_assets.classification.corpus import Document
from rl_emails_assets.classification.document import GENRES
from rl_emails_assets.classification.requests import REQUESTS_FILE
from rl_emails_assets.classification.train import distinct_documents, fit_genres
from rl_emails_assets.classification.train_requests import design
from rl_emails_assets.classification.train_unwanted import UnwantedData, out_of_fold
from rl_emails_assets.classification.unwanted_corpus import labelled_mails
from rl_emails_assets.evaluation import requests
from rl_emails_assets.ranking.measures import auc
from tests.evaluation import coin_toss

MARGIN = 0.15
"""Of some hundred cases, whose AUC and accuracy differ by 0.04 from toss to toss; a leak would give nearly 1."""


def test_tossed_requests_give_chance_though_they_are_repeated(tmp_path: Path) -> None:
    """Sentences that occur twice would be remembered from the training part."""
    coin_toss.parakweet(tmp_path, coin_toss.sentences(2, 200, copies=3))
    coin_toss.actionable(tmp_path, coin_toss.sentences(3, 200, copies=2))
    found = requests.labelled(tmp_path)
    assert (len(found.first), len(found.second)) == (200, 200)
    with np.load(REQUESTS_FILE) as arrays:
        voices = {name: arrays[name] for name in ("prior_rows", "prior_scale", "prior_bias")}
    for rows in (design(found.texts, voices), requests.bag_of_words(found.texts)):
        inside = requests.out_of_fold(rows, found, found.first, 1)
        across = requests.scored(rows, found, found.first, found.second, 1)
        for scored, of in ((inside, found.first), (across, found.second)):
            value = auc(scored.log_odds, found.labels[of])
            assert value is not None
            assert abs(value - 0.5) < MARGIN


def test_no_tested_sentence_is_trained_on_and_near_ones_stay_together(tmp_path: Path) -> None:
    """A sentence with one word changed is the same sentence to a bag of words."""
    words = coin_toss.Words(3)
    rows = []
    for _ in range(40):
        sentence, label = words.sentence(), words.toss()
        rows += [(sentence, label), (f"{sentence} {words.sentence(1)}", label), (sentence.upper(), label)]
    coin_toss.parakweet(tmp_path, iter(rows))
    coin_toss.actionable(tmp_path, iter(rows[:30]))
    found = requests.labelled(tmp_path)
    assert len(found.first) == 80
    groups_of: dict[tuple[str, ...], set[int]] = {}
    for text, group in zip(found.texts, found.groups.tolist(), strict=True):
        groups_of.setdefault(tuple(text.lower().split()[:9]), set()).add(group)
    assert len(groups_of) == 40
    assert all(len(groups) == 1 for groups in groups_of.values())
    assert len(set(found.groups.tolist())) == 40


def above_chance(data: Path, *, is_grouped: bool) -> list[float]:
    """How much more often than the commoner label the model and its words alone are right, out of fold."""
    known = UnwantedData(labelled_mails(data, seed=1))
    labels = known.labels[known.tested] == 1
    share = float(labels.mean())
    assert 0.35 < share < 0.65
    scores = out_of_fold(known, is_grouped=is_grouped, seed=1)
    return [float(np.mean((score > 0) == labels)) - max(share, 1 - share) for score in scores]


def test_tossed_spam_that_is_there_three_times_gives_chance(tmp_path: Path) -> None:
    """Copies in several folders would be remembered from the training part."""
    coin_toss.spamassassin(tmp_path, coin_toss.mails(4, 120, 1, copies=3))
    assert len([mail for mail in labelled_mails(tmp_path, seed=1) if mail.source == "spamassassin"]) == 120
    assert max(above_chance(tmp_path, is_grouped=False)) < MARGIN


def test_tossed_senders_give_chance_where_no_sender_is_on_both_sides(tmp_path: Path) -> None:
    """What one sender always writes would be remembered."""
    coin_toss.spamassassin(tmp_path, coin_toss.mails(5, 80, 3, is_label_of_sender=True))
    assert max(above_chance(tmp_path, is_grouped=True)) < MARGIN


def test_tossed_genres_give_chance_for_copies_and_for_senders_alike() -> None:
    """A newsletter's second issue in the tested part: its words alone would tell the genre that its first one had."""
    words = coin_toss.Words(6)
    documents = []
    for sender in range(80):
        genre, says = words.chance.choice(GENRES), words.sentence(12)
        for copy in range(4):
            text = says if copy < 2 else f"{says} {words.sentence(4)}"
            documents.append(Document("", text, genre, f"news@sender{sender}.example", "tossed"))
    _, report = fit_genres(distinct_documents(documents))
    assert sum(report["messages"].values()) == 240
    assert report["accuracy"] < 1 / len(GENRES) + MARGIN
