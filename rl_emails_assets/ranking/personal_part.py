"""One person's own part of the ranker: how this person differs from all people, as it is stored and served.

Priority is what all people share plus what is this person's own (Aberdeen, Pacovsky and Slater, "The Learning Behind
Gmail Priority Inbox", 2010). The own part deviates from the shared weights, term by term, and knows senders, domains,
lists and words of subjects; its parts are log odds like all others, so contributions still add up to the score.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Self

from rl_emails_assets.errors import ModelFileError
from rl_emails_assets.ranking.rank_input import RankInput
from rl_emails_assets.ranking.terms import Value

FORMAT = 1
KINDS = ("sender", "domain", "list", "subject", "text")
WORD_KINDS = ("subject", "text")
"""Kinds of which a message has many keys: words, each counting for a part."""
MAX_SHOWN_WORDS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What was learned of one sender, domain, list or word: its log odds, and on how many messages of how many the
    person had acted."""

    log_odds: float
    acted_count: int
    count: int

    @property
    def share(self) -> str:
        """In words: "7 of 9"."""
        return f"{self.acted_count or 'none'} of {self.count}"


def keys_of(message: RankInput, kind: str) -> tuple[str, ...]:
    """What of a kind a message has: its sender, its domain (unless it is the sender itself), its list, or its words."""
    if kind in WORD_KINDS:
        return message.subject_words if kind == "subject" else message.text_words
    key = {"sender": message.sender, "domain": message.domain, "list": message.list_id}[kind]
    return (key,) if key and not (kind == "domain" and key == message.sender) else ()


def word_share(count: int) -> float:
    """How much each of a subject's words counts: a long subject says no more than a short one."""
    return 1.0 / math.sqrt(count) if count else 0.0


@dataclass(frozen=True)
class PersonalPart:
    """`base_log_odds` is added to the shared base, `terms` to the weights of each shared term (in the order of its
    columns), `known` are the effects of keys by kind. Scores from `threshold` on are important to this person. The part
    rests on `outcome_count` messages, the newest received at `until` (ISO 8601)."""

    base_log_odds: float
    threshold: float
    terms: Mapping[str, Sequence[float]] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)
    outcome_count: int = 0
    acted_count: int = 0
    until: str = ""

    @cached_property
    def version(self) -> str:
        """Names the content: equal parts have equal versions."""
        written = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(written.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """For storage; `from_json` reads it."""
        return {
            "format": FORMAT,
            "base_log_odds": self.base_log_odds,
            "threshold": self.threshold,
            "terms": {name: list(weights) for name, weights in self.terms.items()},
            "known": {
                kind: {key: [each.log_odds, each.acted_count, each.count] for key, each in known.items()}
                for kind, known in self.known.items()
            },
            "outcome_count": self.outcome_count,
            "acted_count": self.acted_count,
            "until": self.until,
        }

    @classmethod
    def from_json(cls, mapping: Mapping[str, Any]) -> Self:
        """From what `to_json` gave.

        Raises:
            ModelFileError: It is of another format, or damaged.
        """
        if mapping.get("format") != FORMAT:
            raise ModelFileError(
                f"A person's own part of the ranker is of format {mapping.get('format')!r}, not {FORMAT}; learn it "
                "again with the job 'learn'."
            )
        try:
            return cls(
                base_log_odds=_finite(mapping["base_log_odds"]),
                threshold=_finite(mapping["threshold"]),
                terms={name: tuple(map(_finite, weights)) for name, weights in mapping["terms"].items()},
                known={
                    kind: {
                        key: Known(_finite(one), int(acted), int(count)) for key, (one, acted, count) in keys.items()
                    }
                    for kind, keys in mapping["known"].items()
                },
                outcome_count=int(mapping["outcome_count"]),
                acted_count=int(mapping["acted_count"]),
                until=str(mapping["until"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(
                f"A person's own part of the ranker cannot be read ({error!r}); learn it again with the job 'learn'."
            ) from error

    def deviated(self, term: str, shared: Sequence[float]) -> Sequence[float]:
        """The shared weights of a term as they are for this person. A part that was learned by a release whose term had
        other columns says nothing about it."""
        own = self.terms.get(term, ())
        if len(own) != len(shared):
            return shared
        return tuple(both + deviation for both, deviation in zip(shared, own, strict=True))

    def readers(self) -> list[tuple[str, Callable[[RankInput], tuple[Value, float]]]]:
        """Each reads (value to show, log odds) of what this person's own part alone knows."""
        return [(f"personal_{kind}", partial(self._words if kind in WORD_KINDS else self._key, kind)) for kind in KINDS]

    def _key(self, kind: str, message: RankInput) -> tuple[Value, float]:
        for key in keys_of(message, kind):
            known = self.known.get(kind, {}).get(key)
            if known is not None:
                return known.share, known.log_odds
        return None, 0.0

    def _words(self, kind: str, message: RankInput) -> tuple[Value, float]:
        words = keys_of(message, kind)
        known = self.known.get(kind, {})
        found = {word: known[word].log_odds for word in words if word in known}
        total = math.fsum(found.values()) * word_share(len(words))
        # Those that point the way the sum goes, strongest first.
        strongest = sorted(found, key=lambda word: (-found[word] if total > 0 else found[word], word))
        return ", ".join(word for word in strongest[:MAX_SHOWN_WORDS] if found[word] * total > 0) or None, total


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a weight of {number}")
    return number
