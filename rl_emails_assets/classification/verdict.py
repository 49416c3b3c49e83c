"""The verdict on a message: what it is, what it needs, how soon, who can handle it, and what that rests on."""

from dataclasses import dataclass
from typing import Literal, get_args

Category = Literal[
    "person",
    "newsletter",
    "promotion",
    "notification",
    "receipt",
    "calendar",
    "social",
    "mailing_list",
    "automatic",
    "suspicious",
]
Needs = Literal["reply", "decision", "task", "read", "nothing"]
Urgency = Literal["now", "today", "this_week", "whenever"]
Handler = Literal["owner", "delegate", "machine", "nobody"]

CATEGORIES: tuple[Category, ...] = get_args(Category)
NEEDS: tuple[Needs, ...] = get_args(Needs)
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)
HANDLERS: tuple[Handler, ...] = get_args(Handler)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a verdict rests on.

    `supports` names the part of the verdict ("category", "needs", "urgency", "handler"), `source` where it was seen
    ("header", "sender", "subject", "text", "calendar", "model"), `quote` the words or the header, `weight` its log odds
    for that part (0 for a rule that decides alone).
    """

    supports: str
    source: str
    quote: str
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence` is the probability (0-1) that category and needs are both right."""

    category: Category
    needs: Needs
    urgency: Urgency
    handler: Handler
    confidence: float
    evidence: tuple[Evidence, ...]
