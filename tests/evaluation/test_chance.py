"""Labels that are tosses of a coin cannot be learned: what is measured above chance on them is a leak.

Copies of a text with one tossed label show whether a copy is trained on and tested on; one tossed label for all that a
sender wrote shows whether a sender is on both sides.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl_emails_assets.evaluation import sections
from rl_emails_assets.evaluation.section import Figure
from tests.evaluation import coin_toss

CHANCE_F1 = 2 / 3
"""Of choosing everything, with as many of one as of the other: the best F1 of who knows nothing."""
MARGIN = 0.1
"""Of a few hundred cases; a leak of copies or senders gives F1 above 0.85 on these sets (seen when it was built in)."""


def measured(key: str, data: Path) -> Iterator[Figure]:
    """The section's F1 and AUC figures."""
    found = [one for one in sections.module(key).evaluate(data).figures if "F1" in one.name or "AUC" in one.name]
    assert found, f"{key} measures neither F1 nor AUC"
    yield from found


def assert_chance(figures: Iterator[Figure]) -> None:
    for figure in figures:
        if "AUC" in figure.name:
            assert abs(figure.value - 0.5) < MARGIN, figure
        else:
            assert figure.value < CHANCE_F1 + MARGIN, figure


@pytest.mark.parametrize("copies", [1, 3])
def test_tossed_requests_give_chance_whether_or_not_they_are_repeated(tmp_path: Path, copies: int) -> None:
    """Sentences that occur twice would be remembered from the training part."""
    coin_toss.parakweet(tmp_path, coin_toss.sentences(1, 400, copies))
    coin_toss.actionable(tmp_path, coin_toss.sentences(2, 400, copies))
    assert_chance(measured("requests", tmp_path))


MAILS: dict[str, Callable[[], Iterator[tuple[bool, bytes]]]] = {
    "each message": lambda: coin_toss.mails(3, 200, 2),
    "copies": lambda: coin_toss.mails(4, 200, 1, copies=3),
    "senders": lambda: coin_toss.mails(5, 100, 4, is_label_of_sender=True),
}


@pytest.mark.parametrize("kind", MAILS)
def test_tossed_categories_give_chance(tmp_path: Path, kind: str) -> None:
    """Copies in several folders, or what one sender always writes, would be remembered from the training part."""
    coin_toss.spamassassin(tmp_path, MAILS[kind]())
    assert_chance(measured("categories", tmp_path))
