"""Numbers written in words: years ("two thousand and twenty seven"), and counts with a fraction ("two and a half")."""

import re

from rl_emails_assets.extraction.date_vocabulary import NUMBERS

_DIGIT = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_WITH_TENS = (
    rf"(?:{_TEENS}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:{_DIGIT}))?)"  # below a hundred
)
_OF_2000 = rf"two thousand(?:(?:,? and)?[ -](?:{_WITH_TENS}|{_DIGIT}))?"
YEAR_IN_WORDS = rf"{_OF_2000}|(?:nineteen|twenty)[ -](?:oh[ -](?:{_DIGIT})|{_WITH_TENS})"
"""A year from 1900 to 2099; matched on plain text."""
_TENS = {"seventy": 70, "eighty": 80}


def year_in_words(text: str) -> int:
    """The year that the words of YEAR_IN_WORDS say."""
    words = [word for word in re.split(r"[ ,-]+", text) if word not in ("and", "oh")]
    if words[:2] == ["two", "thousand"]:
        return 2000 + _below_hundred(words[2:])
    return (1900 if words[0] == "nineteen" else 2000) + _below_hundred(words[1:])


def _below_hundred(words: list[str]) -> int:
    return sum(_TENS.get(word) or NUMBERS[word] for word in words)


FRACTION = r"\d{1,2}[.,]\d{1,2}|\d{0,2}[½¼¾]|(?:%NUM%) and an? (?:half|quarter)|(?:%NUM%) and one half"
"""A count that is no whole number, as a piece of a pattern."""
_SIGNS = {"½": 0.5, "¼": 0.25, "¾": 0.75}


def count_of(text: str) -> float:
    """A count in digits or in words, with its fraction. Raises KeyError for a word that is no number."""
    text = " ".join(text.split())
    if text[-1] in _SIGNS:
        return int(text[:-1] or 0) + _SIGNS[text[-1]]
    if text[0].isdigit() and " " not in text:
        return float(text.replace(",", "."))
    whole, joint, part = text.partition(" and ")
    if joint:
        return count_of(whole) + (0.25 if part.endswith("quarter") else 0.5)
    return float(NUMBERS[text])


_SMALLER = {"week": ("day", 7), "day": ("hour", 24), "hour": ("minute", 60), "minute": ("second", 60)}
_SMALLER |= {"year": ("month", 12), "quarter": ("month", 3), "month": ("day", 30), "fortnight": ("day", 14)}


def in_whole_units(count: float, unit: str) -> tuple[tuple[str, int], ...]:
    """The same length in whole units: 2.5 hours are two hours and 30 minutes."""
    whole = int(count)
    shift = ((unit, whole),) if whole else ()
    if count == whole or unit not in _SMALLER:
        return shift
    smaller, factor = _SMALLER[unit]
    return (*shift, (smaller, round((count - whole) * factor)))
