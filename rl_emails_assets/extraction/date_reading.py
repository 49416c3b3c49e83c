"""From a sentence to the times it names, one after the other; `date_joins` puts together what belongs together.

One pass over the words; at each only the few patterns that may begin there are tried.
"""

import re
from collections.abc import Callable

from rl_emails_assets.extraction import date_clock, date_counted, date_days, date_durations, date_spans, date_weekdays
from rl_emails_assets.extraction.date_atoms import Atom, Context
from rl_emails_assets.extraction.date_matching import (
    ARTICLES,
    LEADS,
    PATTERNS,
    START_WORDS,
    TOKEN,
    candidates,
    is_known,
)
from rl_emails_assets.extraction.time_zones import zone_after

MAX_ATOMS = 60
"""Of one sentence; a table of dates is no deadline."""

_RESOLVERS: dict[str, Callable[[re.Match[str], Context], Atom | None]] = {
    name: next(
        getattr(module, name)
        for module in (date_days, date_weekdays, date_clock, date_spans, date_durations, date_counted)
        if hasattr(module, name)
    )
    for name, _, _ in PATTERNS
}
_DAY_IN_DIGITS = len("20261107")
_NOT_BEFORE_DIGIT = frozenset("./:$€£#+%_\\=&?")


def find_atoms(context: Context) -> list[Atom]:  # noqa: PLR0912
    """The atoms of one sentence in order."""
    low, atoms, resume = context.low, list[Atom](), 0
    tokens = TOKEN.findall(low)
    for index, token in enumerate(TOKEN.finditer(low)):
        word, following = tokens[index], ""
        if word not in START_WORDS and not "0" <= word[0] <= "9":
            continue
        start = token.start()
        if start < resume:
            continue
        if "0" <= word[0] <= "9":
            following = _after_number(low, token.end()) if len(word) <= 4 and _may_begin(low, start, resume) else ""
            if len(word) == _DAY_IN_DIGITS and word.startswith("20") and _may_begin(low, start, resume):
                following = "0"
            word = "0"
            if not following:
                continue
        elif word in LEADS:
            following = _after_lead(tokens, index)
            if not following and not (word == "am" and atoms and low[resume:start] == " "):
                continue
        elif (
            start
            and low[start - 1] in "_.@/"
            and word != "@"
            and not low[max(0, start - 2)].isspace()
            and not (atoms and low[start - 1] == "/" and resume == start - 1)
        ):
            continue  # inside an address or a path
        atom = _first_atom(context, start, word, following)
        if atom is None:
            continue
        resume = atom.end
        if atom.is_nothing:
            continue
        if atom.minutes is not None and not atom.is_part:
            zone = zone_after(context.sentence, atom.end)
            if zone is not None:
                atom.zone, atom.end = zone
            else:
                atom = date_clock.up_to_hour(low, atom)
            resume = atom.end
        atoms.append(atom)
        if len(atoms) >= MAX_ATOMS:
            break
    return atoms


def _first_atom(context: Context, start: int, word: str, following: str) -> Atom | None:
    for name, pattern in candidates(word, following):
        match = pattern.match(context.low, start)
        if match is None:
            continue
        try:
            atom = _RESOLVERS[name](match, context)
        except (ValueError, OverflowError):
            # 31 June, or a day after the year 9999: not a day at all.
            return Atom(end=match.end(), is_nothing=True)
        if atom is not None:
            atom.start, atom.end = start, match.end()
            return atom
    return None


def _may_begin(low: str, start: int, resume: int) -> bool:
    """Whether a number there is not the rest of another, of a price, of a path or of a name."""
    before = low[start - 1] if start else " "
    if before == ":" and start > 1 and low[start - 2].isalpha():
        return True  # "Date:30 June"
    if before == "-":
        return start == resume + 1 or (start == resume + 2 and low[resume] == ")")
    if before == " " and start > 1 and low[start - 2] in "$€£":
        return False
    if before == "=":
        return start > 1 and low[start - 2] in "<> "
    return before not in _NOT_BEFORE_DIGIT and not before.isalnum()


_FOLLOWING = re.compile(r"([^\w@]{0,4})(\d|[^\W\d_]{1,20})")


def _after_number(low: str, end: int) -> str:
    """What follows a number, as `candidates` takes it: another number, a sign before one, or a word that makes it a
    day, a time or a count; "" when it is just a number."""
    match = _FOLLOWING.match(low, end)
    if match is None:
        return ""
    gap, word = match.groups()
    if word.isdigit():
        if not 0 < len(gap) <= 3 or gap[0] in ",;" or gap.isspace():
            return ""
        return gap if gap in (":", "/") else "0"
    if gap.startswith("/"):
        return "/"
    return word if is_known(word) else ""


def _after_lead(tokens: list[str], index: int) -> str:
    """The word after one like "in" or "the" when it may belong to a time, "0" for a number, else ""."""
    for word in tokens[index + 1 : index + 4]:
        if word not in ARTICLES:
            return "0" if word[0].isdigit() else word if is_known(word) else ""
    return ""
