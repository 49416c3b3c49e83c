"""What a subject says besides its words: whether it answers or forwards, and the key that a conversation shares."""

import re

_LONGEST_SUBJECT = 1000
"""Characters that are looked at; a longer subject is cut."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split("|"))


_REPLY_WORDS = _words(
    "re|aw|antw|antwort|sv|svar|res|resp|r|rif|rép|odp|atb|ynt|yanıt|cevap|vá|válasz|ats|απ|σχετ|на|отв|ответ|הש|תגובה|رد",
    "回复|回覆|答复|答覆|返信|회신|답장|bls|balas|trả lời",
)
"""Folded words of programs for an answer; Finnish "VS" is left to the Danish and Norwegian forward."""

_FORWARD_WORDS = _words(
    "fw|fwd|forward|wg|tr|transf|doorst|enc|i|rv|vb|vs|vl|pd|fs|ilt|i̇lt|πρθ|пер|переслано|הועבר|إعادة توجيه",
    "转发|轉寄|転送|전달|trs|teruskan",
)

GENERIC_SUBJECTS = _words(
    "|hi|hi!|hi there|hello|hello!|hey|hey!|hallo|hola|bonjour|ciao|hej|none|untitled|fyi|test|question|questions",
    "(no subject)|no subject|<no subject>|[no subject]|(none)|kein betreff|(kein betreff)|(sin asunto)|(sans objet)",
    "(nessun oggetto)|(sem assunto)|(geen onderwerp)|thanks|thanks!|thank you|update|info|information|urgent|important",
    "message|mail|email|e-mail|document|documents|file|attachment|reply|help|note|news|meeting|call",
)
"""Subject keys that many unrelated messages share."""
_WORDS = "|".join(sorted(map(re.escape, _REPLY_WORDS | _FORWARD_WORDS), key=len, reverse=True))

_PREFIX = re.compile(rf"({_WORDS})\s{{0,3}}(?:[\[(^*]?\s{{0,2}}\d{{1,4}}\s{{0,2}}[\])]?)?\s{{0,3}}[:：](?!//)")
"""One "Re:", with or without a count: "Re[2]:", "RE (3):", "Re^2:", "Re2:"."""

_TAG = re.compile(r"\[[^\[\]]{1,60}\]")
"""A mailing list's tag."""

_FORWARD_END = re.compile(r"\s*\((?:fwd|forwarded|fw)\)\s*$")
_SPACE = re.compile(r"\s+")


def _prefixes(subject: str) -> tuple[list[str], str]:
    """The prefix words in front of a folded subject, and what is left."""
    rest = _SPACE.sub(" ", subject[:_LONGEST_SUBJECT].casefold()).strip()
    found: list[str] = []
    while True:
        match = _PREFIX.match(rest)
        if match is not None:
            found.append(match[1])
            rest = rest[match.end() :].lstrip()
            continue
        tag = _TAG.match(rest)
        after = rest[tag.end() :].lstrip() if tag is not None else ""
        if not after:
            return found, rest
        rest = after


def subject_key(subject: str) -> str:
    """The subject without reply and forward prefixes, list tags and odd spaces, in folded case; "" when none is left.

    A tag alone, "[draft]", is the subject.
    """
    _, rest = _prefixes(subject)
    return _FORWARD_END.sub("", rest)


def is_reply(subject: str) -> bool:
    """Whether the outermost prefix says that the message answers another one."""
    found, _ = _prefixes(subject)
    return bool(found) and found[0] in _REPLY_WORDS


def is_forward(subject: str) -> bool:
    """Whether the outermost prefix, or "(fwd)" at the end, says that the message forwards another one."""
    found, rest = _prefixes(subject)
    if found:
        return found[0] in _FORWARD_WORDS
    return _FORWARD_END.search(rest) is not None
