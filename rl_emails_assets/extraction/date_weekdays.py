"""Weekdays: Friday, next Friday, Friday the 13th, Fri, Friday week."""

import re
from dataclasses import replace
from datetime import timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.calendar_days import weekday_with_number
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day
from rl_emails_assets.extraction.date_days import number_of

_PAST_LEADS = frozenset(
    """last past previous letzten letzte letzter vergangene vergangenen vorige pasado passado passada scorso scorsa
    dernier since seit depuis desde""".split()  # noqa: SIM905
)


_NAME_AFTER = re.compile(
    r" (?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Morning|Afternoon|Evening|Night|Noon|At"
    r"|By|In|I)\b)[A-Z][a-z]+"
)
"""A capitalized word: "Wednesday Addams", "The Sunday Times"."""
_DAY_LEAD = re.compile(r"\b(?:on|by|next|this|until|before|for|till) {1,2}$")


_ABBREVIATED = "|".join(sorted(vocabulary.WEEKDAY_ABBREVIATIONS))
_TO_DAY = re.compile(rf"(?:{_ABBREVIATED})\b\.? {{0,2}}(?:-|&|/|to|through|thru|and) {{0,2}}(?:{_ABBREVIATED})\b")
_DAY_TO = re.compile(rf"\b(?:{_ABBREVIATED})\b\.? {{0,2}}(?:-|&|/|to|through|thru|and) {{0,2}}$")


_TIME_AFTER = re.compile(
    rf"(?:{_ABBREVIATED})\b\.?,? {{0,2}}(?:(?:at|@|from|between) {{0,2}})?(?:\d{{1,2}}(?:[:/-]\d| ?[ap]\.?m?\b| "
    rf"(?:jan|feb|mar|apr|may|jun|jul"
    r"|aug|sep|oct|nov|dec)|st\b|nd\b|rd\b|th\b)|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d)"
)
_TIME_BEFORE = re.compile(r"\d(?:(?<=:\d)\d| ?[ap]\.?m\.?),? $")


def _is_abbreviated_day(word: str, start: int, context: Context) -> bool:
    """ "Tue", or "tue" behind "on" and the like, or "mon-fri"; "sun" and "sat" are other words."""
    if context.sentence[start].isupper():
        return True
    is_sitting = word in ("sat", "sun") and context.low.startswith(" at", start + 3)
    is_timed = _TIME_AFTER.match(context.low, start) or _TIME_BEFORE.search(context.low, max(0, start - 8), start)
    if is_timed and not is_sitting:
        return True
    if _TO_DAY.match(context.low, start) or _DAY_TO.search(context.low, max(0, start - 16), start):
        return True
    return word not in ("mon", "wed", "sat", "sun") and bool(_DAY_LEAD.search(context.low, max(0, start - 8), start))


def weekday(match: re.Match[str], context: Context) -> Atom | None:
    word = match["weekday_w"]
    lead = (match["weekday_p"] or "").split()
    tail = " ".join((match["weekday_q"] or "").split())
    if word in vocabulary.WEEKDAY_ABBREVIATIONS and not _is_abbreviated_day(word, match.start("weekday_w"), context):
        return None
    number = vocabulary.WEEKDAYS[word]
    today = context.today
    monday = today - timedelta(days=today.weekday())
    if _PAST_LEADS.intersection(lead) or tail.endswith(("dernier", "pasado", "scorso", "passada", "last week")):
        behind = today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
        return Atom(day=monday + timedelta(days=number - 7) if lead[:1] != ["past"] else behind, is_rejected=True)
    dated_as = number_of(match["weekday_d"], match["weekday_dw"])
    if dated_as:
        is_bare = match["weekday_o"] is None and match["weekday_dw"] is None
        dated = weekday_with_number(number, dated_as, context.now, is_bare)
        if dated is not None:
            return a_day(dated)
    ahead = (number - today.weekday() - 1) % 7 + 1
    day = today + timedelta(days=ahead)
    if "next" in lead or tail.endswith(("next week", "following week")) or tail == "nächster woche":
        day = monday + timedelta(days=7 + number)
    elif tail in ("week", "fortnight", "after next"):
        day += timedelta(days=14 if tail == "fortnight" else 7)  # "Tuesday week" is a week after
    elif (tail.endswith("this week") and number > today.weekday()) or ("this" in lead and number >= today.weekday()):
        day = monday + timedelta(days=number)
    is_name = not lead and _NAME_AFTER.match(context.sentence, match.end()) is not None
    is_weak = (word in vocabulary.WEEKDAY_ABBREVIATIONS and not lead) or is_name
    atom = a_day(day, is_weak=is_weak, needs_forward=True)
    return replace(atom, is_weekday=not [one for one in lead if one not in ("on", "the")] and not tail)


def ptday(match: re.Match[str], context: Context) -> Atom:
    ahead = (vocabulary.PORTUGUESE_WEEKDAYS[match["ptday_w"]] - context.today.weekday() - 1) % 7 + 1
    return a_day(context.today + timedelta(days=ahead), needs_forward=True)
