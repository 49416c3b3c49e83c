"""From the sentence that asks to one line that says what to do, in the imperative."""

import re

from rl_emails_assets.extraction.action_verbs import ACTIONS
from rl_emails_assets.extraction.phrases import plain

MAX_DESCRIPTION_CHARS = 140

_TRAILING = re.compile(
    r"(?:[\s,.;:!?\"')\-–—]|\b(?:please|pls|thanks|thank you|thx|ok|okay|bitte|danke|merci|svp"
    r"|s'il vous pla[iî]t|gracias|por favor)\b){1,12}$",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"^(\w{2,20}) (me|you)\b", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


def describe(sentence: str, action_start: int, *, other_name: str, other_pronoun: str) -> str:
    """The words of `sentence` from its verb on, as one capitalized line of at most MAX_DESCRIPTION_CHARS.

    `other_pronoun` is how the sentence calls the other person right after the verb ("me" in what somebody asks of the
    owner, "you" in what the owner promises); it is replaced by `other_name` when that is known.
    """
    words = _SPACES.sub(" ", plain(sentence[action_start:])).strip()
    words = _TRAILING.sub("", words)
    if not words:
        return ""
    first, space, rest = words.partition(" ")
    words = _base_form(first) + space + rest
    match = _FIRST_PERSON.match(words)
    if match is not None and other_name and match[2].lower() == other_pronoun:
        words = f"{match[1]} {other_name}{words[match.end() :]}"
    return _shortened(words[0].upper() + words[1:])


def _base_form(verb: str) -> str:
    """ "sending" becomes "send"; a verb that is not known stays as it is."""
    lowered = verb.lower()
    if not lowered.endswith("ing"):
        return verb
    stem = lowered[:-3]
    for candidate in (stem, stem + "e", stem[:-1]):
        if candidate in ACTIONS:
            return candidate
    return verb


def _shortened(words: str) -> str:
    if len(words) <= MAX_DESCRIPTION_CHARS:
        return words
    cut = words.rfind(" ", MAX_DESCRIPTION_CHARS // 2, MAX_DESCRIPTION_CHARS - 1)
    return words[: cut if cut > 0 else MAX_DESCRIPTION_CHARS - 1].rstrip(" ,;:") + "…"
