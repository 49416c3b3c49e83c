"""Which of a message's labels the classifier reads, and what they say of the message.

A provider has many labels that say nothing of what a message is: where it lies, whether it was read. What is not read
here must make no verdict outdated when it changes (see steps/removal.py).
"""

from collections.abc import Iterable

from rl_emails_assets.classification.verdict import Category

LABEL_SIGNS: dict[str, dict[Category, float]] = {
    "promotions": {"promotion": 2.0, "newsletter": 0.8, "person": -1.5},
    "updates": {"notification": 1.2, "receipt": 1.0, "person": -1.0},
    "personal": {"person": 1.2},
    "spam": {"promotion": 2.5, "person": -2.0},
    "junk": {"promotion": 2.5, "person": -2.0},
}
"""Log odds by the last word of a label: that of CATEGORY_PROMOTIONS, `Category Promotions` and `Mail/Promotions`."""


def sign_of(label: str) -> dict[Category, float] | None:
    """What a label's name adds to the categories; None when it adds nothing."""
    name = label.lower().rpartition("_")[2].rpartition(" ")[2].rpartition("/")[2]
    return LABEL_SIGNS.get(name)


def is_social(label: str) -> bool:
    """Whether the provider filed the message under social mail."""
    name = label.lower()
    return "social" in name and "category" in name


def labels_read(labels: Iterable[str]) -> tuple[str, ...]:
    """Those of the labels that can change a verdict, sorted."""
    return tuple(sorted({label for label in labels if is_social(label) or sign_of(label) is not None}))
