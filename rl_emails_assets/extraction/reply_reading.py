"""What a later message of a conversation does to what is open in it: delivers, promises, declines, asks back, thanks.

Read from its new text alone, sentence by sentence. One sentence may do several things; a message does what its
sentences do. Everything is bounded: the first MAX_SENTENCES sentences of the first MAX_CHARS characters.
"""

import re
from dataclasses import dataclass
from enum import Flag, auto

from rl_emails_assets.extraction import reply_patterns as patterns
from rl_emails_assets.extraction.phrases import find_speech, plain
from rl_emails_assets.extraction.sentences import split_sentences

MAX_CHARS = 4_000
MAX_SENTENCES = 40


class Act(Flag):
    """What a sentence does."""

    NONE = 0
    DELIVERS = auto()
    """Hands something over: "attached", "here it is", a link, a file."""
    DONE = auto()
    """Says that something has been done."""
    PROMISES = auto()
    """Says that it will be done, or looked at."""
    AGREES = auto()
    """ "Sure", "OK", "will do": an answer to a question, and to a request no more than a promise."""
    DECLINES = auto()
    """Will not or cannot."""
    ASKS = auto()
    """Asks something, or asks for something."""
    THANKS = auto()
    ACCEPTS = auto()
    """Says that what was asked for has come: "got it", "thanks for sending", "that works"."""
    WITHDRAWS = auto()
    """Says that it is not needed any more, or has solved itself."""
    COMPLAINS = auto()
    """Says that it has not come or is not right: "wrong file", "any news", "I still need"."""
    EXCUSES = auto()
    """An absence notice, or nothing but an apology."""
    SAYS = auto()
    """Says anything else."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a message does: each act with the first sentence that does it ("" for an attachment)."""

    sentences: dict[Act, str]

    def does(self, act: Act) -> bool:
        """Whether a sentence does this."""
        return act in self.sentences

    def proof(self, *acts: Act) -> str:
        """The sentence of the first of these acts that there is, or ""."""
        return next((self.sentences[act] for act in acts if act in self.sentences), "")


def read_reply(new_text: str, *, has_attachment: bool) -> Reply:
    """What the message with this new text does."""
    found: dict[Act, str] = {}
    for sentence in split_sentences(new_text[:MAX_CHARS])[:MAX_SENTENCES]:
        if sentence.text.startswith(">"):
            continue
        for act in _acts(plain(sentence.text)):
            found.setdefault(act, sentence.text)
    if has_attachment and not found.keys() & {Act.COMPLAINS}:
        found.setdefault(Act.DELIVERS, "")
    return Reply(found)


_SAID = tuple(
    (act, patterns.TRIGGERS[name], getattr(patterns, name), unsays)
    for act, name, unsays in (
        (Act.EXCUSES, "EXCUSES", None),
        (Act.COMPLAINS, "COMPLAINS", None),
        (Act.WITHDRAWS, "WITHDRAWS", None),
        (Act.ACCEPTS, "ACCEPTS", patterns.COMPLAINS),
        (Act.DELIVERS, "DELIVERS", patterns.NOT_DELIVERED),
        (Act.PROMISES, "WORKING", None),
        (Act.DONE, "DONE", patterns.NOT_DONE),
        (Act.DECLINES, "DECLINES", None),
    )
)
"""Acts with the words without which they are not said, what says them and what unsays them, in the same sentence."""
_WORDS = re.compile(r"[\w']+")
_IN_A_QUESTION = Act.COMPLAINS | Act.AGREES
_IN_A_REQUEST = Act.COMPLAINS | Act.WITHDRAWS | Act.ACCEPTS | Act.THANKS | Act.DELIVERS


def _acts(text: str) -> Act:
    """The acts of one sentence; nothing for a greeting or a name."""
    acts = Act.NONE
    words = _WORDS.findall(text.lower())
    for act, triggers, says, unsays in _SAID:
        if not triggers.isdisjoint(words) and says.search(text) and (unsays is None or not unsays.search(text)):
            acts |= act
    if patterns.THANKS.match(text):
        acts |= Act.THANKS
    if patterns.AGREES.match(text):
        acts |= Act.AGREES
    if Act.EXCUSES in acts:
        return Act.EXCUSES
    if text.rstrip("\"')] \t").endswith("?"):
        return acts & _IN_A_QUESTION | Act.ASKS
    speech = find_speech(text)
    if speech is not None and speech.kind == "request":
        return acts & _IN_A_REQUEST | Act.ASKS
    if speech is not None:
        acts |= Act.PROMISES
    if acts & (Act.THANKS | Act.ACCEPTS):
        acts &= ~Act.AGREES
    if not acts and len(text) > 1 and not patterns.GREETING.match(text):
        return Act.SAYS
    return acts
