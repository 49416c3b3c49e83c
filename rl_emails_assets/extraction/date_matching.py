"""How the patterns of `date_patterns` are compiled and which of them are tried at a word.

They are matched on text as `plain` makes it: lower case, one kind of quote, dash and space, the same length. At a word
only the patterns that may begin with it are tried, and where the word is a common one ("the") only those that may go on
with the next word. Each is compiled when it is first tried.
"""

import re
from functools import cache, lru_cache

from rl_emails_assets.extraction.date_counted_patterns import COUNTED_PATTERNS
from rl_emails_assets.extraction.date_patterns import PATTERNS as DATE_PATTERNS
from rl_emails_assets.extraction.date_tables import TABLES

PATTERNS = (*COUNTED_PATTERNS, *DATE_PATTERNS)
"""All of them, the more specific first."""


def _filled(pattern: str) -> str:
    for table, words in TABLES.items():
        pattern = pattern.replace(table, words if table in ("%YEAR%", "%ORD%", "%AP%") else f"(?:{words})")
    return pattern


@cache
def _compiled(index: int) -> re.Pattern[str]:
    return re.compile(_SPACE.sub(_spaces, _filled(PATTERNS[index][2])))


_SPACE = re.compile(r"\[ -\]\??| \?|[ ~]\??")


def _spaces(match: re.Match[str]) -> str:
    return {" ": " {1,3}", "~": " {0,2}", " ?": " {0,2}", "~?": " {0,2}", "[ -]": "[ -]{1,2}", "[ -]?": "[ -]?"}[
        match.group()
    ]


def _by_word() -> dict[str, tuple[int, ...]]:
    every_word = frozenset[str]().union(*(words for _, words, _ in PATTERNS))
    return {word: tuple(index for index, (_, words, _) in enumerate(PATTERNS) if word in words) for word in every_word}


_BY_WORD = _by_word()
START_WORDS = frozenset(_BY_WORD)
LEADS = frozenset(
    """the in on of for at by from this during over after before since until till between around about each any all most
    some a an as em na no de para la le el en than within last past same inside am um op voor next""".split()  # noqa: SIM905
)
"""Common first words: with these a pattern is tried only when the next word may belong to it."""
ARTICLES = frozenset({"the", "of", "or"})
"""Words that are not looked at for that."""
_LETTERS = re.compile(r"[^\W\d_]+")
_SPELT = {"[ap]": "a am p pm", "week": "weekend weeks workweek", "clock": "oclock", "heures": "heures horas hr hrs"}
"""Words that a piece of a pattern stands for without spelling them."""


def _words_of(pattern: str) -> frozenset[str]:
    filled = re.sub(r"\(\?P<\w+>", "(", _filled(pattern))
    spelt = " ".join(words for piece, words in _SPELT.items() if piece in filled)
    return frozenset((*_LETTERS.findall(filled), *spelt.split()))


_WORDS_OF = tuple(_words_of(pattern) for _, _, pattern in PATTERNS)
_TAKES_NUMBER = tuple("\\d" in _filled(pattern) for _, _, pattern in PATTERNS)
_EVERY_WORD = frozenset[str]().union(*_WORDS_OF)


def is_known(word: str) -> bool:
    """Whether a word may belong to a pattern, whose endings ("nächste[nrs]?") are not spelt."""
    return _is_among(word, _EVERY_WORD)


def _is_among(word: str, words: frozenset[str]) -> bool:
    return word in words or (len(word) > 4 and (word[:-1] in words or word[:-2] in words))


_SEPARATED = {
    ":": frozenset("clock uhr hours heures barerange wordclock iso anchored".split()),  # noqa: SIM905
    "/": frozenset("iso num yearmonth slash dm ymd".split()),  # noqa: SIM905
}


@lru_cache(maxsize=4096)
def candidates(word: str, following: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Name and compiled form of what may match at one of START_WORDS ("0" for a number), the more specific first.

    `following` is the next word if it is known, "0" for a number, or the sign between two numbers; it is looked at
    after a number and one of LEADS only, and has to be "" otherwise, so that what is remembered stays small.
    """
    indexes = _BY_WORD[word]
    if following in _SEPARATED:
        indexes = tuple(index for index in indexes if PATTERNS[index][0] in _SEPARATED[following])
    elif following.isdigit():
        indexes = tuple(index for index in indexes if _TAKES_NUMBER[index])
    elif following:
        indexes = tuple(index for index in indexes if _is_among(following, _WORDS_OF[index]))
    return tuple((PATTERNS[index][0], _compiled(index)) for index in indexes)


TOKEN = re.compile(r"\d+|[^\W\d_]+|@")

_PLAIN = str.maketrans("\n\t\r\u00a0\u2007\u202f\u2013\u2014\u2010\u2011\u2012\u2212\u2019\u2018`", "      ------'''")


def plain(text: str) -> str:
    """`text` as the patterns read it; as long as the text, so that positions are the same."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters have a longer lower case
        lowered = "".join(one if len(one := letter.lower()) == 1 else letter for letter in text)
    return lowered.translate(_PLAIN)
