"""The words of a message by which a person's own part learns what the person acts on: folded, each once, bounded."""

import re

MAX_SUBJECT_CHARS = 300
MAX_SUBJECT_WORDS = 12
MAX_TEXT_CHARS = 6_000
MAX_TEXT_WORDS = 80
_WORD = re.compile(r"[^\W\d_]{3,24}")

# Grammar, reply prefixes and courtesies: they are in every subject, and say nothing about the matter.
_COMMON_WORDS = """
about all also and any are been but can could did does for from fwd get had has have help her here him his how its just
let may more new not now off one our out please question questions regarding some thank thanks than that the their them
then there these they this those too under very via was were what when where which who why will with would you your
yours aber auch auf aus bei der die das dem den des ein eine einen mit nach nicht oder und von vom wie zum zur est les
des une pour par sur avec dans qui que sont con del las los para por una uno
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def subject_words(subject: str) -> tuple[str, ...]:
    """The words of a subject that tell its matter: folded case, in order, each once, at most MAX_SUBJECT_WORDS."""
    return _matter(subject[:MAX_SUBJECT_CHARS])[:MAX_SUBJECT_WORDS]


def text_words(new_text: str) -> tuple[str, ...]:
    """The same of the new text: its first MAX_TEXT_WORDS, of the first MAX_TEXT_CHARS characters."""
    return _matter(new_text[:MAX_TEXT_CHARS])[:MAX_TEXT_WORDS]


def _matter(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in _WORD.findall(text.casefold()) if word not in _COMMON))
