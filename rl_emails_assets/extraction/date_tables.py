"""The words of the tables that the patterns name (%MONTH%, %NUM% and the like), and of those that they begin with."""

import re
from collections.abc import Iterable

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.feasts import NAMES
from rl_emails_assets.extraction.spoken_numbers import FRACTION, YEAR_IN_WORDS


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace("\\ ", " ") for word in sorted(words, key=lambda one: (-len(one), one)))


_AP = r"(?:[ap]\.m\.|[ap]\.?m\b\.?|[ap]\b)"
TABLES = {
    "%MONTH%": _any_of(vocabulary.MONTHS),
    "%LONE%": _any_of(vocabulary.LONE_MONTHS | {"march", "may"}),
    "%SEASON%": "spring|summer|autumn|winter|fall",
    "%WEEKDAY%": _any_of(vocabulary.WEEKDAYS),
    "%PTDAY%": _any_of(vocabulary.PORTUGUESE_WEEKDAYS),
    "%DAYWORD%": _any_of([*vocabulary.ORDINALS, *(word for word, n in vocabulary.NUMBERS.items() if 20 < n < 32)]),
    "%LATEORD%": _any_of(word for word, number in vocabulary.ORDINALS.items() if number > 12),
    "%ORDWORD%": _any_of(vocabulary.ORDINALS),
    "%FRACTION%": FRACTION,
    "%NUM%": r"\d{1,3}|" + _any_of(vocabulary.NUMBERS),
    "%UNIT%": _any_of(vocabulary.UNITS),
    "%PART%": _any_of(vocabulary.PARTS_OF_DAY),
    "%NAMED%": _any_of(vocabulary.NAMED_TIMES),
    "%RELATIVE%": _any_of(vocabulary.RELATIVE_DAYS),
    "%FEAST%": _any_of(NAMES),
    "%MINUTEWORD%": _any_of(
        word for word, number in vocabulary.NUMBERS.items() if 10 <= number < 60 and word[0] in "tefsn"
    ),
    "%HOURWORD%": _any_of(vocabulary.CLOCK_HOURS),
    "%YEAR%": r"(?:19|20)\d\d",
    "%ANYYEAR%": rf"(?:19|20)\d\d|{YEAR_IN_WORDS}",
    "%ORD%": r"(?:st|nd|rd|th)",
    "%TO%": r"(?:-|to|through|thru|till|until|bis|au|al|a|tot|até)",
    "%AND%": r"(?:-|to|through|thru|till|until|bis|au|al|tot|até|and|&|und|et|y)",
    "%AP%": _AP,
}

Pattern = tuple[str, frozenset[str], str]


_FIRST_WORD = re.compile(r"[^\W\d_]+|\d")


def first_words(words: Iterable[str]) -> frozenset[str]:
    """The words, or the digit, that the given ones begin with."""
    return frozenset(match.group() for word in words if (match := _FIRST_WORD.match(word)))


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


DIGIT = frozenset({"0"})
MONTHS = first_words(vocabulary.MONTHS)
DAYWORDS = first_words(vocabulary.ORDINALS)
NUMBERS = first_words(vocabulary.NUMBERS)
HOURS = first_words(vocabulary.CLOCK_HOURS)
NEXT = words_of("next this coming following last past previous upcoming current the any same")
LEADS = words_of(
    """this next coming following last past previous every each all most some any upcoming nächste nächsten nächster
    nächstem nächstes kommende kommenden kommender kommendem diese diesen dieser diesem letzte letzten letzter
    vergangene vergangenen vergangener jede jeden jeder ce cet chaque este esta próximo próxima proximo proxima cada
    pasado since seit depuis desde prossimo prossima questo questa ogni volgende aanstaande komende deze elke vorige
    na no"""
)


def pattern(name: str, words: frozenset[str], text: str) -> Pattern:
    """Name, first words and text of one pattern."""
    return name, words, text
