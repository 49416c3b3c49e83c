"""What a message needs from the owner, who can handle it, and the sentence that proves it."""

import math
from dataclasses import dataclass

from rl_emails_assets.classification.categories import Finding
from rl_emails_assets.classification.cues import IMPERATIVES
from rl_emails_assets.classification.need_words import (
    CHOICE_PHRASES,
    DUTY_PHRASES,
    ERRANDS,
    INDIRECT_PHRASES,
    OFFERS,
    OPEN_QUESTION,
    VOCATIVE,
    WISH_PHRASES,
)
from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.requests import RequestModel
from rl_emails_assets.classification.verdict import Category, Evidence, Handler, Needs
from rl_emails_assets.classification.words import (
    ACKNOWLEDGEMENTS,
    ACTION_PHRASES,
    BOILERPLATE_REQUESTS,
    DECISION_PHRASES,
    DECISION_WORDS,
    DELEGABLE_WORDS,
    HEAVY_VERBS,
    REPLY_PHRASES,
    REQUEST_PHRASES,
    REQUEST_TRIGGERS,
    REQUEST_WORDS,
    word_set,
)

_TROUBLE = word_set("failed declined expired unable overdue problem unsuccessful failure")
_MANY_RECIPIENTS = 6
_MOST_ASKED = 6
_CONTEXT_CAP = 2.5
_MOST_LOG_ODDS = 4.0
_STANDING = -3.0
_INDIRECT = 2.5
_ASKED_OUTRIGHT = 1.0
_NOT_THE_READER = -4.0
_SHORT_TOKENS = 5
_WORK = HEAVY_VERBS | ERRANDS
_FACTS = word_set("what when where who why how which whose what's how's")
_YOU = word_set(
    """you your u sie du dich dir ihr euch ihnen vous tu te toi usted ustedes tú ti lei tu você vocês je u jij
    jullie"""
)


@dataclass(frozen=True, slots=True)
class Need:
    """What is needed, how sure that is (0-1), why, and the sentences that ask (most certain first)."""

    needs: Needs
    certainty: float
    evidence: tuple[Evidence, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asking:
    sentence: str
    tokens: list[str]
    log_odds: float


def need_of(reading: Reading, finding: Finding, model: RequestModel) -> Need:
    """What the message needs, by its category."""
    category = finding.category
    if reading.given.is_from_owner:
        return _plain("nothing", 0.98, "sender", "the owner wrote it")
    if category == "calendar":
        return _of_calendar(reading)
    if category in ("person", "mailing_list"):
        return _of_letter(reading, category, model)
    if category in ("notification", "receipt"):
        return _of_notice(reading, category)
    if category == "automatic":
        return _plain("read", 0.7, "subject", reading.subject or "a program wrote it")
    if category == "newsletter":
        return _plain("read", 0.8, "text", "newsletter: to be read, nothing is asked of the owner")
    if category == "social":
        return _plain("nothing", 0.75, "sender", reading.given.from_address or "a social network")
    return _plain("nothing", 0.9, "text", f"{category}: nothing is owed to its sender")


def _plain(needs: Needs, certainty: float, source: str, quote: str) -> Need:
    return Need(needs, certainty, (evidence("needs", source, quote),), ())


def _of_calendar(reading: Reading) -> Need:
    method, subject = reading.given.calendar_method, reading.low_subject
    answered = ("accepted", "declined", "tentative", "zugesagt", "abgelehnt", "accept", "refus", "acept", "rechaz",
                "accett", "rifiut", "aceito", "recusado", "geaccepteerd", "geweigerd")  # fmt: skip
    withdrawn = ("cancel", "abgesagt", "annul", "geannuleerd", "cancelad")
    if method == "REPLY" or (not method and subject.startswith(answered)):
        return _plain("nothing", 0.85, "calendar", method or reading.subject)
    if method == "CANCEL" or (not method and subject.startswith(withdrawn)):
        return _plain("read", 0.9, "calendar", method or reading.subject)
    if method in ("REQUEST", "COUNTER") or subject.startswith(
        ("invitation", "einladung", "invit", "convite", "uitnod")
    ):
        return _plain("decision", 0.9, "calendar", f"{method or 'invitation'}: {reading.subject}")
    if not method and reading.low.startswith(("when:", "wann:", "quand", "cuándo", "quando:", "wanneer:")):
        is_change = subject.startswith(("re:", "fw", "updated", "aktualisiert"))
        return _plain("read" if is_change else "decision", 0.65, "text", reading.body)
    return _plain("read", 0.75, "calendar", reading.subject or "a calendar entry")


def _of_notice(reading: Reading, category: Category) -> Need:
    whole = f"{reading.low_subject}\n{reading.low}"
    phrase = phrase_in(whole, ACTION_PHRASES)
    if category == "receipt" and phrase and _is_settled(reading, phrase, whole):
        return _plain("nothing", 0.8, "text", f"paid: {phrase} is a standing line")
    if not phrase:
        needs: Needs = "nothing" if category == "receipt" else "read"
        return _plain(needs, 0.8, "text", f"{category}: it tells, and asks nothing")
    sentence = next((one for one in reading.sentences if phrase in one.lower()), reading.subject)
    is_decision = "approv" in phrase or "review" in phrase
    return Need(
        "decision" if is_decision else "task", 0.75, (evidence("needs", "text", sentence or phrase),), (sentence,)
    )


def _is_settled(reading: Reading, phrase: str, whole: str) -> bool:
    """A receipt whose words of action only stand there for another time."""
    if "no payment is due" in whole:
        return True
    return phrase == "update your payment" and _TROUBLE.isdisjoint(reading.words)


def _of_letter(reading: Reading, category: Category, model: RequestModel) -> Need:
    asking = _askings(reading, model)
    context = _context(reading, category)
    total = math.fsum(weight for weight, _, _ in context)
    total = max(-_CONTEXT_CAP, min(_CONTEXT_CAP, total))
    likely = sorted((one for one in asking if one.log_odds + total > 0), key=lambda one: -one.log_odds)[:_MOST_ASKED]
    if not likely:
        highest = max((one.log_odds for one in asking), default=-2.5) + total
        return _unasked(reading, 1 / (1 + math.exp(highest)))
    kinds: dict[Needs, float] = {}
    for one in likely:
        kind = _kind(one)
        kinds[kind] = kinds.get(kind, 0.0) + max(0.1, one.log_odds + total)
    # A choice the owner must make comes before an answer, an answer before work, where they weigh the same.
    order: tuple[Needs, ...] = ("decision", "reply", "task")
    needs = max((kind for kind in order if kind in kinds), key=lambda kind: kinds[kind])
    best = next(one for one in likely if _kind(one) == needs)
    asked = _sigmoid(likely[0].log_odds + total)
    share = kinds[needs] / math.fsum(kinds.values())
    proof = [evidence("needs", "text", best.sentence, round(best.log_odds, 3))]
    proof += [evidence("needs", source, quote, round(weight, 3)) for weight, source, quote in context]
    return Need(needs, asked * (0.55 + 0.45 * share), tuple(proof), tuple(one.sentence for one in likely))


def _unasked(reading: Reading, certainty: float) -> Need:
    tokens = reading.tokens
    is_short = 0 < len(tokens) <= 14 and "?" not in reading.words
    # "Thanks for your patience" at the end of a notice acknowledges nothing.
    head = tokens if len(tokens) <= _SHORT_TOKENS else tokens[:3]
    if is_short and (not ACKNOWLEDGEMENTS.isdisjoint(head) or phrase_in(reading.low, WISH_PHRASES)):
        return _plain("nothing", 0.8 * certainty, "text", reading.body)
    if not tokens and not reading.subject and not reading.given.attachment_names:
        return _plain("nothing", 0.6, "text", "it is empty")
    quote = reading.sentences[0] if reading.sentences else reading.subject or "no text"
    return _plain("read", 0.9 * certainty, "text", quote)


def _askings(reading: Reading, model: RequestModel) -> list[_Asking]:
    found = []
    language = reading.language
    pairs = list(zip(reading.sentences, reading.sentence_tokens, strict=True))
    if not pairs or len(reading.tokens) < 4 or "?" in reading.subject_words:
        pairs.insert(0, (reading.plain_subject, reading.subject_tokens))
    for sentence, tokens in pairs:
        if not _may_ask(sentence, tokens, language):
            continue
        log_odds = model.log_odds(sentence, tokens) if language == "en" else _foreign_log_odds(sentence, tokens)
        log_odds = max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, log_odds))
        found.append(_Asking(sentence, tokens, _corrected(reading, sentence, tokens, log_odds)))
    return found


def _corrected(reading: Reading, sentence: str, tokens: list[str], log_odds: float) -> float:
    """With what the model cannot know of a sentence: that it stands in a letter, and whom it speaks to."""
    low = sentence.lower()
    if phrase_in(low, OFFERS) or phrase_in(low, WISH_PHRASES):
        log_odds = min(log_odds, 0.0) + _STANDING
    elif phrase_in(low, BOILERPLATE_REQUESTS):
        log_odds += _STANDING
    elif phrase_in(low, INDIRECT_PHRASES) or phrase_in(low, DUTY_PHRASES):
        log_odds += _INDIRECT
    elif "?" in tokens and len(tokens) > 2:
        # The labelled sentences hold many an advertiser's question; in a letter it is the reader who is asked.
        log_odds = max(log_odds, 0.0 if _YOU.isdisjoint(tokens) else _ASKED_OUTRIGHT)
    if reading.given.is_owner_in_cc and not reading.given.is_owner_in_to and VOCATIVE.match(sentence):
        log_odds += _NOT_THE_READER
    return log_odds


def _may_ask(sentence: str, tokens: list[str], language: str) -> bool:
    """A cheap look that spares most sentences the model."""
    if not tokens:
        return False
    if not REQUEST_TRIGGERS.isdisjoint(tokens) or not IMPERATIVES.isdisjoint(tokens[:3]):
        return True
    low = sentence.lower()
    if phrase_in(low, INDIRECT_PHRASES) or phrase_in(low, DUTY_PHRASES):
        return True
    return language != "en" and bool(phrase_in(low, REQUEST_PHRASES))


def _foreign_log_odds(sentence: str, tokens: list[str]) -> float:
    """Rules in place of the model, which read English only: a question, somebody addressed, a word of asking."""
    words = frozenset(tokens)
    log_odds = -1.8
    if "?" in words:
        log_odds += 1.9
    if not _YOU.isdisjoint(words):
        log_odds += 0.4
    if not REQUEST_WORDS.isdisjoint(words) or phrase_in(sentence.lower(), REQUEST_PHRASES):
        log_odds += 1.9
    if "bitte" in words:
        log_odds += 1.9
    return log_odds


def _context(reading: Reading, category: Category) -> list[tuple[float, str, str]]:
    given = reading.given
    found: list[tuple[float, str, str]] = []
    recipients = given.to_count + given.cc_count
    if given.is_owner_only_recipient:
        found.append((0.6, "header", "the owner is its only recipient"))
    elif given.is_owner_in_cc and not given.is_owner_in_to:
        found.append((-2.0, "header", "the owner is in Cc"))
    elif recipients and not given.is_owner_in_to:
        found.append((-0.9, "header", "the owner is not named as a recipient"))
    elif recipients >= _MANY_RECIPIENTS:
        found.append((-1.0 if recipients > 3 * _MANY_RECIPIENTS else -0.6, "header", f"{recipients} recipients"))
    if category == "mailing_list":
        found.append((-1.4, "header", "it came over a list"))
    if given.is_reply_to_owner:
        found.append((0.7, "header", "it answers the owner"))
    if given.sender_replied_count:
        found.append((0.3, "sender", "the owner has answered this sender before"))
    return found


def _kind(asking: _Asking) -> Needs:
    words = frozenset(asking.tokens)
    low = asking.sentence.lower()
    is_choice = bool(phrase_in(low, DECISION_PHRASES) or phrase_in(low, CHOICE_PHRASES))
    if not DECISION_WORDS.isdisjoint(words) or (is_choice and not OPEN_QUESTION.search(low)):
        return "decision"
    if phrase_in(low, REPLY_PHRASES):
        return "reply"
    if "?" in words:
        is_work = _FACTS.isdisjoint(asking.tokens[:3]) and not _WORK.isdisjoint(words)
        return "task" if is_work else "reply"
    return "reply" if phrase_in(low, INDIRECT_PHRASES) else "task"


def handler_of(reading: Reading, category: Category, need: Need) -> tuple[Handler, Evidence]:
    """Who can handle it: the owner, somebody for the owner, a program (file, summarize), or nobody need."""
    if need.needs == "nothing":
        if category in ("receipt", "notification"):
            return "machine", evidence("handler", "text", f"a program can file a {category}")
        return "nobody", evidence("handler", "text", "nothing is to be done")
    if need.needs == "read" and category in ("newsletter", "notification", "automatic", "mailing_list", "calendar"):
        return "machine", evidence("handler", "text", f"a program can sum up or file this {category}")
    if need.needs == "task":
        words = frozenset(reading.lexer.tokens(need.asked[0])) if need.asked else frozenset()
        hits = sorted(DELEGABLE_WORDS & words)
        if hits:
            return "delegate", evidence("handler", "text", f"{hits[0]}: work that somebody else can do")
        if not (reading.given.is_owner_in_to or reading.given.is_owner_only_recipient) and reading.given.to_count:
            return "delegate", evidence("handler", "header", "asked of others, the owner is not in To")
    return "owner", evidence("handler", "text", f"{need.needs} is asked of the owner")


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
