"""What a sentence does: asks, promises, proposes, or nothing of these."""

import re
from dataclasses import dataclass

from rl_emails_assets.extraction.action_verbs import ACTIONS, IMPERATIVES, NOUN_LIKE, PROMISED
from rl_emails_assets.extraction.phrase_list import (
    COURTESY,
    FOREIGN,
    PROMISES,
    PROPOSALS,
    REQUESTS,
    Kind,
    Phrase,
)

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "\n": " ", "\t": " ", "\r": " ", "\xa0": " "})

_IMPERATIVE = re.compile(
    r"^(?:\W{0,4}(?:\(?\d{1,2}[.)]\s)?)(?:(?i:also|then|and|so|next|first|second|finally|otherwise"
    r"|ok|okay|yes|no|just|kindly|if possible|when you can|when you get a chance|asap|fyi),? "
    r"(?:then |just |please )?)?"
    r"(?:(?P<name>[A-Z][\w'-]{1,20}(?:(?: and |/|, | & )[A-Z][\w'-]{1,20})?)\s?[,:–—-]{1,2}\s{0,2})?"
    r"(?P<action>[A-Za-z][a-z-]{1,12})\b"
)
_NOT_IMPERATIVE_NEXT = re.compile(
    r"\s(?:is|was|are|were|has|had|will|of|from|ing|who|which|should|would|could|must|may|might"
    r"|can|does|did|&)\b|[,.!?:;]|$|-\w|\s[-:(]|\s\d"
)


@dataclass(frozen=True, slots=True)
class Speech:
    """What a sentence does: `action_start` is where its verb stands, in the sentence."""

    kind: Kind
    confidence: float
    action_start: int
    is_proposal: bool = False


_BREAKS = str.maketrans(dict.fromkeys('.,;:!?()[]<>"/*“”¿¡', " "))
_PHRASES = (*REQUESTS, *PROMISES, *FOREIGN, *PROPOSALS)
_NOUN_OBJECT = re.compile(r" (?:me|us|him|her|them|it|the|this|that|these|those|your|my|our|up|back|out|with|all)\b")
_HAS_OBJECT = re.compile(
    r" (?:me|us|him|her|them|it|the|this|that|these|your|my|our|up|back|out|with|if|whether|all|on|to|for|a|an|into)\b"
)


def plain(sentence: str) -> str:
    """The sentence with typewriter apostrophes and without line breaks, character for character."""
    return sentence.translate(_APOSTROPHES)


def find_speech(sentence: str, *, with_imperatives: bool = True) -> Speech | None:
    """What the sentence asks or promises, by its surest phrase; None for most sentences."""
    text = plain(sentence)
    tokens = text.lower().translate(_BREAKS).split()
    best: Speech | None = None
    for phrase in _PHRASES:
        if phrase.triggers.isdisjoint(tokens) or (best is not None and phrase.confidence <= best.confidence):
            continue
        best = _speech(phrase, text) or best
    if best is None and with_imperatives:
        best = _imperative(text, tokens)
    return None if best is None or COURTESY.search(text) else best


def _speech(phrase: Phrase, text: str) -> Speech | None:
    match = phrase.pattern.search(text)
    if match is None:
        return None
    start = next(match.start(name) for name in phrase.pattern.groupindex if match.start(name) >= 0)
    if phrase.needs_action_verb and match["action"].lower() not in (ACTIONS if phrase.kind == "request" else PROMISED):
        return None
    return Speech(phrase.kind, phrase.confidence, start, phrase.is_proposal)


def _imperative(text: str, tokens: list[str]) -> Speech | None:
    """ "Send me the file." and "Tom, call Ann." """
    if IMPERATIVES.isdisjoint(tokens[:8]):
        return None
    match = _IMPERATIVE.match(text)
    if match is None or match["action"].lower() not in IMPERATIVES:
        return None
    if not match["name"] and match["action"][0].islower() and match.start("action") == 0:
        # A fragment: the rest of a line, or notes in lower case, where nouns and verbs look the same.
        return Speech("request", 0.55, match.start("action")) if _HAS_OBJECT.match(text, match.end()) else None
    if _NOT_IMPERATIVE_NEXT.match(text, match.end()):
        return None
    if match["action"].lower() in NOUN_LIKE and not _NOUN_OBJECT.match(text, match.end()):
        return None
    return Speech("request", 0.65, match.start("action"))
