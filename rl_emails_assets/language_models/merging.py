"""How far a language model's answer may move a verdict.

The mail that is judged may have written the answer. So an answer chooses among what the offline engine holds possible
and no further: a category only within its group, nothing into or out of suspicious; a demand on the owner only where
the quoted sentence asks for something by the offline model's own reckoning; haste by one step and never to `now`. And
what would move a verdict has to be said of each half of the mail as well: an instruction that hides in one place of it
does not reach the half without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rl_emails_assets.classification.verdict import URGENCIES, Category, Evidence, Needs, Urgency, Verdict
from rl_emails_assets.language_models.answer import Answer

SOURCE = "language_model"
AGREED_CONFIDENCE = 0.9
MOVED_CONFIDENCE = 0.75
"""Set by hand: no labelled set tells how often a model that disagrees is right."""
LEAST_ASKING = 0.2
"""The least probability, by the request model, that a sentence asks for something, to make a demand of it."""

GROUPS: tuple[frozenset[Category], ...] = (
    frozenset(("person", "mailing_list")),
    frozenset(("newsletter", "promotion")),
    frozenset(("notification", "receipt")),
)
"""Categories that the offline engine confuses, and that a reader would not call a trap if confused."""
_DEMANDS: frozenset[Needs] = frozenset(("reply", "decision", "task"))
_MAY_DEMAND: frozenset[Category] = frozenset(("person", "mailing_list", "notification"))
_NEVER_ASKED: frozenset[Category] = frozenset(("suspicious", "calendar", "social", "automatic"))


def allowed_categories(verdict: Verdict) -> tuple[Category, ...]:
    """The categories that an answer may name; none where no model is to be asked at all."""
    if verdict.category in _NEVER_ASKED:
        return ()
    group = next((group for group in GROUPS if verdict.category in group), frozenset((verdict.category,)))
    return tuple(sorted(group))


def merged(verdict: Verdict, answer: Answer, asks: Callable[[str], float]) -> Verdict:
    """The verdict after the answer. `asks` gives the probability that a sentence asks for something."""
    category = answer.category if answer.category in allowed_categories(verdict) else verdict.category
    is_proven = bool(answer.quote) and asks(answer.quote) >= LEAST_ASKING
    needs = _needs(verdict, answer.needs, category, is_proven=is_proven)
    urgency = _urgency(verdict.urgency, answer.urgency, is_proven=is_proven)
    is_agreed = (category, needs) == (verdict.category, verdict.needs)
    evidence = [
        Evidence(part, SOURCE, quote, 0.0)
        for part, quote, is_moved in (
            ("category", f"{answer.category}", category != verdict.category),
            ("needs", answer.quote or answer.needs, needs != verdict.needs),
            ("urgency", answer.quote or answer.urgency, urgency != verdict.urgency),
        )
        if is_moved
    ] or [Evidence("category", SOURCE, "agrees" if is_agreed and _is_all(answer, verdict) else "not followed", 0.0)]
    confidence = max(verdict.confidence, AGREED_CONFIDENCE) if _is_all(answer, verdict) else verdict.confidence
    if not is_agreed:
        confidence = MOVED_CONFIDENCE
    return replace(
        verdict,
        category=category,
        needs=needs,
        urgency=urgency,
        confidence=confidence,
        evidence=(*verdict.evidence, *evidence),
    )


def labels(verdict: Verdict) -> tuple[Category, Needs, Urgency]:
    """What an answer can move."""
    return verdict.category, verdict.needs, verdict.urgency


def agreed(verdict: Verdict, answers: Sequence[Answer]) -> tuple[Answer, tuple[str, ...]]:
    """The first answer as far as all the others say the same; elsewhere the offline verdict. And what was dropped."""
    first = answers[0]
    dropped = tuple(
        name
        for name in ("category", "needs", "urgency")
        if any(getattr(answer, name) != getattr(first, name) for answer in answers)
    )
    return first.model_copy(update={name: getattr(verdict, name) for name in dropped}), dropped


def _is_all(answer: Answer, verdict: Verdict) -> bool:
    return (answer.category, answer.needs) == (verdict.category, verdict.needs)


def _needs(verdict: Verdict, told: Needs, category: Category, *, is_proven: bool) -> Needs:
    if told in _DEMANDS:
        return told if is_proven and category in _MAY_DEMAND else verdict.needs
    # A demand that the offline engine found is not talked away into nothing; at most it is to be read.
    if verdict.needs in _DEMANDS and told == "nothing":
        return "read"
    return told


def _urgency(held: Urgency, told: Urgency, *, is_proven: bool) -> Urgency:
    now, was = URGENCIES.index(told), URGENCIES.index(held)
    if now >= was:
        return told
    if not is_proven or told == "now":
        return held
    return URGENCIES[max(now, was - 1)]
