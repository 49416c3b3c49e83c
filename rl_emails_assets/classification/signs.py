"""The category of mail that no single header decides: many signs, each with its log odds, summed and normalized.

The trained genre model is one voice among them, bounded, because it was trained on the mail of other people and
another time; sender, history and headers are the others. The weights are judgements checked on held-out sets (see
docs/reference/classification.md); each sign that speaks for the winner becomes evidence with its weight.
"""

import math
from collections.abc import Iterable

from rl_emails_assets.classification.categories import Finding
from rl_emails_assets.classification.document import document_tokens
from rl_emails_assets.classification.labels import sign_of
from rl_emails_assets.classification.model import Model
from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.verdict import Category, Evidence
from rl_emails_assets.classification.words import (
    NEWS_PHRASES,
    NEWS_WORDS,
    NOTIFICATION_PHRASES,
    NOTIFICATION_WORDS,
    PROMOTION_PHRASES,
    PROMOTION_WORDS,
    RECEIPT_PHRASES,
    RECEIPT_WORDS,
)

SCORED: tuple[Category, ...] = ("person", "newsletter", "promotion", "notification", "receipt")
_MOST_EVIDENCE = 6
_SURE = 0.95
_PHRASE_CHARS = 2_000
"""Where the phrases are looked for: what a mail is, it says early."""
_TEMPERATURE = 0.7
"""Fitted on senders that the genre model had not seen (docs/reference/classification.md)."""

_SENDER_SIGNS: dict[str, dict[Category, float]] = {
    "notifier": {"person": -2.0, "notification": 2.2, "newsletter": 0.3, "receipt": 0.3},
    "news": {"person": -2.5, "newsletter": 2.5},
    "seller": {"person": -2.0, "promotion": 1.8, "newsletter": 0.6},
    "billing": {"person": -1.5, "receipt": 2.4},
    "announcer": {"person": -2.5, "newsletter": 2.6, "notification": 0.6},
    "role": {"person": -0.8, "newsletter": 0.3, "promotion": 0.3, "notification": 0.3},
}


class _Tally:
    """Sums per category, with what was said for whom."""

    def __init__(self) -> None:
        self.sums: dict[Category, float] = dict.fromkeys(SCORED, 0.0)
        self.said: list[tuple[dict[Category, float], str, str]] = []

    def add(self, source: str, quote: str, weights: dict[Category, float]) -> None:
        self.said.append((weights, source, quote))
        for category, weight in weights.items():
            self.sums[category] += weight

    def evidence_for(self, winner: Category) -> Iterable[Evidence]:
        """What favoured the winner over the mean of the others, strongest first."""
        others = len(SCORED) - 1
        weighed = []
        for weights, source, quote in self.said:
            own = weights.get(winner, 0.0)
            rest = sum(weights.values()) - own
            weighed.append((own - rest / others, source, quote))
        weighed.sort(key=lambda item: -item[0])
        for weight, source, quote in weighed[:_MOST_EVIDENCE]:
            if weight > 0:
                yield evidence("category", source, quote, round(weight, 3))


def weigh(reading: Reading, model: Model) -> Finding:
    """The most likely of `SCORED`, with its probability and the signs for it."""
    tally = _Tally()
    _add_genre(reading, model, tally)
    _add_sender(reading, tally)
    _add_history(reading, tally)
    _add_headers(reading, tally)
    _add_words(reading, tally)
    highest = max(tally.sums.values())
    parts = {category: math.exp((value - highest) / _TEMPERATURE) for category, value in tally.sums.items()}
    winner = max(SCORED, key=lambda category: parts[category])
    certainty = parts[winner] / math.fsum(parts.values())
    found = tuple(tally.evidence_for(winner))
    return Finding(winner, certainty, found or (evidence("category", "model", "nothing speaks for another"),), "")


def is_unsolicited(reading: Reading, model: Model) -> bool:
    """Mail that sells and only came over a list: nobody's answer, and the model is as good as sure."""
    given = reading.given
    if given.sender_replied_count or given.is_reply_to_owner or reading.language != "en" or len(reading.tokens) < 20:
        return False
    if "re:" in reading.low_subject[:60]:
        return False
    tokens = document_tokens(reading.lexer, reading.subject, reading.tokens)
    return model.genre_probabilities(reading.plain_subject, tokens)["promotion"] > _SURE


def _add_genre(reading: Reading, model: Model, tally: _Tally) -> None:
    if reading.language != "en" or len(reading.tokens) < 4:
        return
    likely = model.genre_probabilities(
        reading.plain_subject, document_tokens(reading.lexer, reading.subject, reading.tokens)
    )
    logs = {genre: max(-3.0, math.log(max(value, 1e-6))) for genre, value in likely.items()}
    transaction = max(-2.2, logs["transaction"])
    genre = max(likely, key=lambda name: likely[name])
    tally.add(
        "model",
        f"reads like {genre} ({likely[genre]:.2f})",
        {
            "person": 0.9 * logs["person"],
            "newsletter": 0.9 * logs["newsletter"],
            "promotion": 0.9 * logs["promotion"],
            "notification": 0.9 * transaction,
            "receipt": 0.9 * transaction,
        },
    )


def _add_sender(reading: Reading, tally: _Tally) -> None:
    given, sender = reading.given, reading.sender
    shown = f"{given.from_name} <{given.from_address}>" if given.from_name else given.from_address
    is_colleague = bool(given.owner_domain) and sender.domain == given.owner_domain and not sender.is_free_domain
    kind = "announcer" if is_colleague and sender.is_no_reply and not sender.kind else sender.kind
    if kind in _SENDER_SIGNS:
        tally.add("sender", shown, _SENDER_SIGNS[kind])
    if sender.is_no_reply and kind != "announcer":
        tally.add("sender", shown, {"person": -4.0, "notification": 0.8, "receipt": 0.4, "newsletter": 0.4})
    if sender.has_person_name:
        tally.add("sender", shown, {"person": 1.3})
    if is_colleague:
        own_domain: dict[Category, float] = {"promotion": -1.5}
        if not sender.is_no_reply and kind != "announcer":
            own_domain["person"] = 1.8
        tally.add("sender", f"same domain as the owner: {sender.domain}", own_domain)
    elif sender.is_free_domain and not sender.kind:
        tally.add("sender", shown, {"person": 0.7})
    if sender.is_mailing_domain and not is_colleague:
        tally.add("sender", shown, {"person": -1.6, "newsletter": 0.5, "promotion": 0.5, "notification": 0.2})
    if sender.has_serial_address:
        tally.add("sender", shown, {"person": -1.5, "promotion": 0.6})


def _add_history(reading: Reading, tally: _Tally) -> None:
    given = reading.given
    if given.sender_replied_count > 0:
        weight = min(4.0, 2.0 + math.log2(given.sender_replied_count) / 2)
        tally.add("sender", f"answered {given.sender_replied_count} times before", {"person": weight})
    elif given.sender_sent_count >= 10:
        tally.add("sender", f"{given.sender_sent_count} messages, never answered", {"person": -0.6})
    if given.is_reply_to_owner:
        tally.add("header", "answers a message of the owner", {"person": 3.5})
    elif reading.low_subject.startswith(("re:", "aw:", "sv:", "antw:")):
        tally.add("subject", reading.subject, {"person": 1.2})
    elif reading.low_subject.startswith(("fw:", "fwd:", "wg:", "tr:", "rv:", "doorst:")):
        tally.add("subject", reading.subject, {"person": 1.5})


def _add_headers(reading: Reading, tally: _Tally) -> None:
    given = reading.given
    if reading.header("list-unsubscribe"):
        quote = f"List-Unsubscribe: {reading.header('list-unsubscribe')}"
        tally.add("header", quote, {"person": -3.0, "newsletter": 0.9, "promotion": 0.9})
    elif reading.has_unsubscribe_words:
        tally.add("text", "tells how to unsubscribe", {"person": -2.0, "newsletter": 0.7, "promotion": 0.7})
    if reading.header("list-id"):
        quote = f"List-Id: {reading.header('list-id')}"
        tally.add("header", quote, {"person": -1.5, "newsletter": 0.8, "promotion": 0.2})
    for name in ("feedback-id", "x-campaign", "x-campaignid", "x-bulk"):
        if reading.header(name):
            weights: dict[Category, float] = {"person": -2.5, "promotion": 0.4, "newsletter": 0.4}
            tally.add("header", f"{name}: {reading.header(name)}", weights)
            break
    precedence = reading.header("precedence")
    if precedence in ("bulk", "list", "junk"):
        tally.add("header", f"Precedence: {precedence}", {"person": -2.0, "newsletter": 0.6})
    submitted = reading.header("auto-submitted")
    if submitted.startswith("auto-generated"):
        tally.add("header", f"Auto-Submitted: {submitted}", {"person": -4.0, "notification": 1.8, "receipt": 0.5})
    if reading.header("x-spam-flag").startswith("yes"):
        tally.add("header", "X-Spam-Flag: yes", {"person": -1.5, "promotion": 1.5})
    for label in given.labels[:50]:
        sign = sign_of(label)
        if sign is not None:
            tally.add("header", f"label: {label[:60]}", sign)
    if given.to_count + given.cc_count > 25:
        tally.add("header", f"{given.to_count + given.cc_count} recipients", {"newsletter": 0.8, "person": -0.3})
    if given.is_html_only and given.link_count > 5:
        tally.add("text", f"HTML only, {given.link_count} links", {"person": -1.0})


def _add_words(reading: Reading, tally: _Tally) -> None:
    whole = f"{reading.low_subject}\n{reading.low[:_PHRASE_CHARS]}"
    money = reading.has_money
    subject_ok = not reading.low_subject.startswith(("re:", "aw:", "fw:", "fwd:"))
    person_like = bool(reading.given.sender_replied_count) or (
        reading.sender.has_person_name and not reading.given.link_count
    )
    # The words of a trade or a sale say less in a colleague's letter than in a shop's.
    scale = 0.45 if person_like else 1.0
    for words, phrases, category, subject_weight, phrase_weight in (
        (RECEIPT_WORDS, RECEIPT_PHRASES, "receipt", 1.8, 1.5),
        (PROMOTION_WORDS, PROMOTION_PHRASES, "promotion", 1.4, 1.0),
        (NEWS_WORDS, NEWS_PHRASES, "newsletter", 1.5, 1.0),
        (NOTIFICATION_WORDS, NOTIFICATION_PHRASES, "notification", 1.6, 1.3),
    ):
        chosen: Category = category  # type: ignore[assignment]
        hits = sorted(words & reading.subject_words) if subject_ok else []
        if hits:
            weight = min(2.6, subject_weight + 0.4 * (len(hits) - 1)) * scale
            tally.add("subject", " ".join(hits), {chosen: weight, "person": -0.5 * scale})
        phrase = phrase_in(whole, phrases)
        if phrase:
            tally.add("text", phrase, {chosen: phrase_weight * scale})
        if chosen == "receipt" and (hits or phrase) and money:
            tally.add("text", "an amount of money", {"receipt": 1.0 * scale})
