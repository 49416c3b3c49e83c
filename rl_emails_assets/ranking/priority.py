"""What the ranker says of a message: the score, and everything that adds up to it."""

from dataclasses import dataclass

from rl_emails_assets.ranking.terms import Value


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one term added: `value` is what it read (None when there was nothing to measure), `words` says it as it is
    said to a person ("" where it is too weak to be a reason, or says nothing)."""

    feature: str
    value: Value
    log_odds: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Priority:
    """`score` is the probability (0-1) that the owner acts on the message. Its log odds are `base_log_odds` plus those
    of `contributions`, which are ordered strongest first and leave out what is exactly 0. `reasons` are the strongest
    in words."""

    score: float
    base_log_odds: float
    contributions: tuple[Contribution, ...]
    reasons: tuple[str, ...]
