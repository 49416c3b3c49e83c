"""What one person's corrections of categories say of the next mail of that sender, list or subject.

Counting, not training: every correction speaks for the sender it was made on, for its list and, quietly, for the
sender's company and for mail with the same subject. One is enough to move the next mail of the sender; for others a
voice grows only as different senders are corrected the same way (shrinkage), and a later correction silences an earlier
one. Keys are kept as hashes: what was learned holds no address and no subject.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from rl_emails_assets.classification.document import plain_subject
from rl_emails_assets.classification.senders import FREE_DOMAINS
from rl_emails_assets.classification.verdict import CATEGORIES, Category

SENDER_WEIGHT = 4.4
"""Log odds of one correction for the next mail of the sender; the category that was wrong loses half as much."""
LIST_WEIGHT = 4.4
DOMAIN_WEIGHT = 2.4
SUBJECT_WEIGHT = 2.4
"""What many senders corrected the same way say of another; one alone says a third of it."""
REPEATED_WEIGHT = 1.0
"""Of each further correction of the sender, up to `MOST_REPEATED`."""
MOST_REPEATED = 3.0
PRIOR_SENDERS = 2.0
"""How many senders' worth of doubt stands against what was learned from other senders."""
OVERRULED = 0.25
"""What is left of a correction's voice when a later one of the same sender says another category."""
MAX_WEIGHT = 7.0
_LIST_ID = re.compile(r"<([^<>]{1,300})>")
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_MIN_SUBJECT_WORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """One message whose category a person changed: what it was called, what it is, and when they said so."""

    from_address: str
    list_id: str
    subject: str
    was: Category
    now: Category
    at: datetime


@dataclass(frozen=True)
class LearnedSigns:
    """Log odds by category for each key that a correction was made on."""

    weights: Mapping[str, Mapping[Category, float]]

    @classmethod
    def from_corrections(cls, rows: Iterable[Corrected]) -> Self:
        """What the corrections teach; their order does not matter, their times do."""
        ordered = sorted(rows, key=lambda row: (row.at, row.from_address, row.list_id, row.subject, row.was, row.now))
        own: dict[str, list[Corrected]] = {}
        shared: dict[str, dict[str, Corrected]] = {}
        for row in ordered:
            sender, *others = _keys(row.from_address, row.list_id, row.subject)
            for key in (sender, *(other for other in others if other.startswith("l"))):
                own.setdefault(key, []).append(row)
            for key in others:
                if not key.startswith("l"):
                    # The last word on each sender: one busy sender is one witness.
                    shared.setdefault(key, {})[sender] = row
        weights = {key: _of_sender(found, _weight_of(key)) for key, found in own.items()}
        weights |= {key: _of_others(list(found.values()), _weight_of(key)) for key, found in shared.items()}
        return cls({key: weights[key] for key in sorted(weights) if weights[key]})

    @classmethod
    def from_json(cls, mapping: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; categories that this version does not know are left out."""
        weights: dict[str, dict[Category, float]] = {}
        for key, found in mapping.get("weights", {}).items():
            weights[key] = {category: float(found[category]) for category in CATEGORIES if category in found}
        return cls(weights)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold, without a word of mail."""
        return {"weights": {key: dict(found) for key, found in self.weights.items()}}

    @cached_property
    def version(self) -> str:
        """The start of a hash of all that was learned; the same corrections give the same."""
        content = json.dumps(self.to_json(), sort_keys=True).encode()
        return hashlib.sha256(content).hexdigest()[:12]

    def signs_for(self, from_address: str, list_id: str, subject: str) -> dict[Category, float]:
        """Log odds for the categories of a message of this sender, list and subject; {} when nothing was learned."""
        total: dict[Category, float] = {}
        keys = _keys(from_address, list_id, subject)
        for key in keys:
            if key.startswith("d") and keys[0] in self.weights:
                continue  # What the company's mail is, this sender's own tells better.
            for category, weight in self.weights.get(key, {}).items():
                total[category] = total.get(category, 0.0) + weight
        return {
            category: max(-MAX_WEIGHT, min(MAX_WEIGHT, round(total[category], 6)))
            for category in CATEGORIES
            if abs(total.get(category, 0.0)) > 1e-9
        }


def _of_sender(rows: list[Corrected], weight: float) -> dict[Category, float]:
    last = rows[-1].now
    agreeing = sum(1 for row in rows if row.now == last)
    strength = weight + min(MOST_REPEATED, REPEATED_WEIGHT * (agreeing - 1))
    found: dict[Category, float] = {last: strength}
    for row in rows:
        if row.now != last:
            found[row.now] = weight * OVERRULED
    wrong = rows[-1].was
    if wrong != last:
        found[wrong] = found.get(wrong, 0.0) - strength / 2
    return found


def _of_others(rows: list[Corrected], weight: float) -> dict[Category, float]:
    found: dict[Category, float] = {}
    for category in {row.now for row in rows}:
        count = sum(1 for row in rows if row.now == category)
        found[category] = weight * count / (len(rows) + PRIOR_SENDERS)
    return {category: found[category] for category in CATEGORIES if category in found}


def _keys(from_address: str, list_id: str, subject: str) -> tuple[str, ...]:
    """The sender's key first, then those of its list, company and subject, as far as there are such."""
    address = from_address.strip().lower()[:320]
    found = [_hashed("s", address)]
    named = _LIST_ID.search(list_id[:1_000])
    listed = (named[1] if named else list_id).strip().lower()[:300]
    if listed:
        found.append(_hashed("l", listed))
    domain = address.rpartition("@")[2]
    if domain and domain not in FREE_DOMAINS:
        found.append(_hashed("d", domain))
    words = _NOT_A_LETTER.sub(" ", plain_subject(subject).lower()).split()
    if len(words) >= _MIN_SUBJECT_WORDS:
        found.append(_hashed("w", " ".join(words)))
    return tuple(found)


def _hashed(kind: str, value: str) -> str:
    return kind + hashlib.blake2s(value.encode("utf-8", "replace"), digest_size=10, person=b"rl-learn").hexdigest()


def _weight_of(key: str) -> float:
    return {"s": SENDER_WEIGHT, "l": LIST_WEIGHT, "d": DOMAIN_WEIGHT, "w": SUBJECT_WEIGHT}[key[0]]
