"""The category of mail that no single header decides: many signs, each with its log odds, summed and normalized.

The trained genre model is one voice among them, bounded, because it was trained on the mail of other people and
another time; sender, history and headers are the others. The weights are judgements checked on held-out sets (see
docs/reference/classification.md); each sign that speaks for the winner becomes evidence with its weight.
"""

import math
import re
from collections.abc import Iterable

from rl_emails_assets.classification.categories import Finding
from rl_emails_assets.classification.document import document_tokens
from rl_emails_assets.classification.model import Model
from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.shape import has_headers
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
_MOST_ODDS = 6.0
_TRAP_MIDDLE = 1.5
"""Unasked-for mail this far below the threshold of a trap is as likely a trap as an offer."""
_WORTH_SAYING = 0.3
_LEAST_TOKENS = 4
_ODDS_OF_NOTHING = -3.0
_PERSON_PRIOR = 0.3
_TRANSACTION_ODDS = 1.5
_PHRASE_CHARS = 2_000
"""Where the phrases are looked for: what a mail is, it says early."""
_TEMPERATURE = 0.45
"""Fitted on senders that the genre model had not seen (docs/reference/classification.md)."""

_PRICE_CUT = re.compile(r"\d ?%|\b(?:from|ab|dès|desde|da|vanaf|only|just|nur|under) ?[€$£]\d|[€$£] ?\d{1,4} off\b")

_SENDER_SIGNS: dict[str, dict[Category, float]] = {
    "notifier": {"person": -2.0, "notification": 2.2, "newsletter": 0.3, "receipt": 0.3},
    "news": {"person": -2.5, "newsletter": 2.2, "promotion": 0.3},
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

    @property
    def is_transaction(self) -> bool:
        """The strongest words are those of a receipt or of a notice."""
        spoken: dict[Category, float] = dict.fromkeys(SCORED, 0.0)
        for weights, source, _ in self.said:
            if source in ("subject", "text"):
                for category, weight in weights.items():
                    spoken[category] += weight
        best = max(SCORED, key=lambda category: spoken[category])
        return best in ("receipt", "notification") and spoken[best] > 1.0

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


def weigh(reading: Reading, model: Model, odds: float, trap_odds: float) -> Finding:
    """The most likely category of mail that no rule decided, with its probability and the signs for it.

    `odds` are the log odds that nobody asked for it (`unwanted_odds`), `trap_odds` those of `suspicion`. What nobody
    asked for sells or is a trap; what somebody asked for is what its signs say.
    """
    tally = _Tally()
    # Where nothing speaks, somebody wrote it.
    tally.sums["person"] += _PERSON_PRIOR
    _add_genre(reading, model, tally)
    _add_sender(reading, tally)
    _add_history(reading, tally)
    _add_headers(reading, tally)
    _add_words(reading, tally)
    highest = max(tally.sums.values())
    parts = {category: math.exp((value - highest) / _TEMPERATURE) for category, value in tally.sums.items()}
    whole = math.fsum(parts.values())
    if trap_odds < -_TRAP_MIDDLE and tally.is_transaction:
        # It tells of an order, a payment or an account, and asks for nothing that a lure asks for.
        odds -= _TRANSACTION_ODDS
    unasked = 1 / (1 + math.exp(-odds))
    traps = 1 / (1 + math.exp(-1.5 * (trap_odds + _TRAP_MIDDLE)))
    likely: dict[Category, float] = {category: (1 - unasked) * part / whole for category, part in parts.items()}
    likely["promotion"] += unasked * (1 - traps)
    likely["suspicious"] = unasked * traps
    winner = max(likely, key=lambda category: likely[category])
    found: list[Evidence] = []
    if winner in ("promotion", "suspicious") and unasked > _WORTH_SAYING:
        found.append(evidence("category", "model", f"reads like mail nobody asked for ({unasked:.2f})", round(odds, 3)))
    if winner != "suspicious":
        found += tally.evidence_for(winner)
    found = found[:_MOST_EVIDENCE] or [evidence("category", "model", "nothing speaks for another")]
    return Finding(winner, likely[winner], tuple(found), "", likely)


def unwanted_odds(reading: Reading, raw: float) -> float:
    """The unwanted-mail model's log odds `raw`, shifted by what the owner and their provider know of the sender."""
    given = reading.given
    # The model has read English; of other mail it knows the shape alone.
    odds = raw if raw < 0 or reading.language == "en" else raw * 0.4
    is_short = len(reading.tokens) + len(reading.subject_tokens) < _LEAST_TOKENS
    if is_short or not reading.language or not given.from_address:
        # Too little that it could read: what it says then is what it says of nothing.
        odds = min(_ODDS_OF_NOTHING, 0.4 * odds)
    elif not has_headers(reading):
        odds = 0.5 * odds - 0.5
    if _signs_its_name(reading) and "<url>" not in reading.words and not given.link_count:
        odds -= 1.0
    if given.sender_replied_count:
        odds -= 3.0
    if given.is_reply_to_owner:
        odds -= 2.5
    if given.owner_domain and reading.sender.domain == given.owner_domain and not reading.sender.is_free_domain:
        odds -= 2.0
    results = reading.header("authentication-results")
    if "dmarc=fail" in results or "spf=fail" in results or "dkim=fail" in results:
        odds += 1.0
    elif "dmarc=pass" in results or "dkim=pass" in results:
        odds -= 1.5
    if reading.header("list-unsubscribe") and (reading.header("feedback-id") or "pass" in results):
        odds -= 1.5
    if reading.header("x-spam-flag").startswith("yes"):
        odds += 2.0
    return max(-_MOST_ODDS, min(_MOST_ODDS, odds))


def _signs_its_name(reading: Reading) -> bool:
    """The address is made of the name: anna.berg, aberg, berg; those who write in bulk seldom trouble."""
    if not reading.sender.has_person_name:
        return False
    words = [word for word in reading.given.from_name[:100].lower().split() if len(word) > 2]
    return any(word in reading.sender.local for word in words)


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
            # Its promotions are mostly spam, which has a model of its own.
            "promotion": 0.9 * logs["promotion"] - 0.5,
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
    if given.to_count + given.cc_count > 25:
        tally.add("header", f"{given.to_count + given.cc_count} recipients", {"newsletter": 0.8, "person": -0.3})
    if given.is_html_only and given.link_count > 5:
        tally.add("text", f"HTML only, {given.link_count} links", {"person": -1.0})


def _add_words(reading: Reading, tally: _Tally) -> None:
    if reading.is_from_machine and _PRICE_CUT.search(reading.low_subject):
        tally.add("subject", reading.subject, {"promotion": 3.0, "person": -1.0})
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
