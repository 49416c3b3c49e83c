"""The words of a message by which a person's own part learns what the person acts on: folded, each once, bounded."""

import re

MAX_SUBJECT_CHARS = 300
MAX_SUBJECT_WORDS = 12
_WORD = re.compile(r"[^\W\d_]{3,24}")

# Grammar, reply prefixes and courtesies: they are in every subject, and say nothing about the matter.
_COMMON = frozenset(
    "about all also and any are been but can could did does for from fwd get had has have help her here him his how "
    "its just let may more new not now off one our out please question questions regarding some thank thanks than that "
    "the their them then there these they this those too under very via was were what when where which who why will "
    "with would you your yours aber auch auf aus bei der die das dem den des ein eine einen mit nach nicht oder und "
    "von vom wie zum zur est les des une pour par sur avec dans qui que sont con del las los para por una uno".split()
)


def subject_words(subject: str) -> tuple[str, ...]:
    """The words of a subject that tell its matter: folded case, in order, each once, at most MAX_SUBJECT_WORDS."""
    words = (word for word in _WORD.findall(subject[:MAX_SUBJECT_CHARS].casefold()) if word not in _COMMON)
    return tuple(dict.fromkeys(words))[:MAX_SUBJECT_WORDS]
