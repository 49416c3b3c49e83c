"""Stretches of days: next week, the end of June, this summer, the first half of 2027."""

import re
from dataclasses import replace
from datetime import date, timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.calendar_days import add_months, last_of_month, period, work_days_later
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day
from rl_emails_assets.extraction.date_days import year_of

_UNITS = {
    "woche": "week",
    "semaine": "week",
    "semana": "week",
    "settimana": "week",
    "workweek": "week",
    "work week": "week",
    "weeks": "week",
    "eow": "week",
    "monats": "month",
    "monat": "month",
    "mois": "month",
    "mes": "month",
    "mese": "month",
    "maand": "month",
    "mês": "month",
    "eom": "month",
    "quartals": "quarter",
    "quartal": "quarter",
    "trimestre": "quarter",
    "kwartaal": "quarter",
    "eoq": "quarter",
    "jahres": "year",
    "jahr": "year",
    "année": "year",
    "año": "year",
    "anno": "year",
    "ano": "year",
    "jaar": "year",
    "eoy": "year",
    "wochenende": "weekend",
    "week-end": "weekend",
    "week end": "weekend",
    "weekends": "weekend",
}
_AHEAD = (
    "next",
    "comi",
    "foll",
    "upco",
    "näch",
    "komm",
    "próx",
    "pros",
    "volg",
    "kome",
    "aans",
    "la p",
    "el p",
    "il p",
)
_BEHIND = ("last", "past", "prev", "letz", "verg", "vori")


def _unit(word: str) -> str:
    word = " ".join(word.split())
    return _UNITS.get(word, word)


def _ahead(lead: str | None) -> int:
    start = (lead or "").strip()[:4]
    return 1 if start in _AHEAD else -1 if start in _BEHIND else 0


def _stretch(unit: str, today: date, ahead: int) -> Atom:
    first, last = period(unit, today, ahead=ahead)
    return Atom(
        day=last, from_day=first, is_period=True, is_week=unit == "week", needs_forward=True, is_rejected=ahead < 0
    )


def span(match: re.Match[str], context: Context) -> Atom | None:
    if match["span_u"] is None:
        return _stretch(_unit(match["span_fu"]), context.today, 1)
    unit, ahead = _unit(match["span_u"]), _ahead(match["span_n"])
    if unit == "weekend" and match["span_n"] in ("coming", "upcoming"):
        ahead = 0
    if unit == "hour":
        return Atom(from_instant=context.now, instant=context.now + timedelta(hours=1)) if ahead == 1 else None
    if unit == "day" and ahead > 0 and ("business" in match.group() or "working" in match.group()):
        return a_day(work_days_later(context.today, 1), needs_forward=True)
    if unit == "day":
        return a_day(context.today + timedelta(days=ahead), is_weak=True, needs_forward=True) if ahead > 0 else None
    if unit == "fortnight":
        begin = context.today if ahead >= 0 else context.today - timedelta(days=14)
        return Atom(day=begin + timedelta(days=14), from_day=begin, needs_forward=True, is_rejected=ahead < 0)
    atom = _stretch(unit, context.today, ahead)
    if unit == "week" and ("work" in match.group() or "business" in match.group()) and atom.day:
        atom = replace(atom, day=atom.day - timedelta(days=2), is_week=False)
    qualifier = match["span_q"] or ""
    if qualifier.startswith("earlier") and ahead == 0:
        return replace(atom, day=context.today, is_rejected=True)
    if qualifier.startswith(("mid", "middle")) and atom.from_day and atom.day:
        length = (atom.day - atom.from_day).days
        third = timedelta(days=max(1, length // 3))
        return replace(atom, from_day=atom.from_day + third, day=atom.day - third, is_week=False)
    if qualifier.startswith(("early", "late")) and not qualifier.startswith("later"):
        atom = _half(atom, qualifier[:5].strip())
    # "this week" alone says when prices rose as often as when something is due.
    return replace(atom, is_weak=ahead == 0 and not qualifier)


def _half(atom: Atom, which: str) -> Atom:
    if atom.day is None or atom.from_day is None:
        return atom
    middle = atom.from_day + (atom.day - atom.from_day) // 2
    return replace(atom, day=middle, is_week=False) if which == "early" else replace(atom, from_day=middle)


def theperiod(match: re.Match[str], context: Context) -> Atom | None:
    word = match["theperiod_u"] or match["theperiod_w"] or match["theperiod_w2"]
    if word is None:
        return _stretch(_unit(match["theperiod_v"]), context.today, 1)
    if word == "day":
        if match["theperiod_q"] == "in":
            return None  # "back in the day"
        if match["theperiod_q"]:
            return Atom(day=context.today, minutes=24 * 60 - 1, is_vague=True, needs_forward=True)
        return a_day(context.today, is_weak=True, needs_forward=True)
    is_weak = word != "weekend" and not match["theperiod_q"]
    return replace(_stretch(_unit(word), context.today, 0), is_weak=is_weak)


_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}


def season(match: re.Match[str], context: Context) -> Atom | None:
    """Three months, as the weather service counts them; "fall" and "spring" alone are other words too."""
    lead, word = match["season_p"], match["season_w"]
    if not lead.strip() and not match["season_y"]:
        return None
    if word in ("fall", "spring") and not (
        match["season_n"] or match["season_y"] or "in the" in lead or lead.startswith(("early", "late", "mid"))
    ):
        return None
    month = _SEASONS[word]
    year = int(match["season_y"]) if match["season_y"] else context.today.year
    first = date(year, month, 1)
    last = last_of_month(add_months(first, 2))
    if match["season_y"] is None and (last < context.today or ("next" in lead and first <= context.today)):
        first, last = add_months(first, 12), last_of_month(add_months(first, 14))
    is_past = "last" in lead
    if is_past:
        first, last = add_months(first, -12), last_of_month(add_months(first, -10))
    return Atom(day=last, from_day=first, is_period=True, needs_forward=True, is_rejected=is_past, is_weak=True)


def yearpart(match: re.Match[str], context: Context) -> Atom:
    said = match["yearpart_y"]
    year = int(said) if said.isdigit() else context.today.year + said.startswith("next")
    part = match["yearpart_p"] or ("early" if match["yearpart_h"] in ("first", "1st") else "late")
    first, last = date(year, 1, 1), date(year, 12, 31)
    if part in ("end", "late"):
        return Atom(day=last, from_day=None if part == "end" else date(year, 7, 1), is_period=True)
    if part in ("mid", "middle"):
        return Atom(day=date(year, 8, 31), from_day=date(year, 5, 1), is_period=True)
    return Atom(day=date(year, 6, 30), from_day=first, is_period=True)


def weeknumber(match: re.Match[str], context: Context) -> Atom:
    """The ISO week; a number alone is the next such week."""
    number = int(match["weeknumber_n"] or match["weeknumber_n2"])
    said = match["weeknumber_y"] or match["weeknumber_y2"]
    year = int(said or context.today.year)
    monday = date.fromisocalendar(year, number, 1)
    if said is None and monday + timedelta(days=6) < context.today:
        monday = date.fromisocalendar(year + 1, number, 1)
    is_weak = match["weeknumber_k"] is None and said is None
    return Atom(day=monday + timedelta(days=6), from_day=monday, is_week=True, is_weak=is_weak, needs_forward=True)


def weekafter(match: re.Match[str], context: Context) -> Atom:
    ahead = 1 if match["weekafter_n"] == "this" else 2
    return _stretch(match["weekafter_u"], context.today, ahead)


def weekof(match: re.Match[str], _context: Context) -> Atom:
    return Atom(week_of=match["weekof_u"] or "week", is_weak=True)


def monthpart(match: re.Match[str], context: Context) -> Atom:
    month = vocabulary.MONTHS[match["monthpart_m"]]
    first, last = _month(month, match["monthpart_y"], context)
    word = match["monthpart_p"]
    if word in ("end", "ende", "fin", "finales", "final", "fine", "eind", "einde", "fim"):
        return Atom(day=last, is_period=True)
    if word.endswith("second half"):
        return Atom(day=last, from_day=first + timedelta(days=15))
    if word in ("middle", "mid", "mitte"):
        return Atom(day=first + timedelta(days=19), from_day=first + timedelta(days=9))
    if word == "late":
        return Atom(day=last, from_day=first + timedelta(days=15))
    return Atom(day=first + timedelta(days=14), from_day=first)


def _month(month: int, year: str | None, context: Context) -> tuple[date, date]:
    if year:
        first = date(year_of(year), month, 1)
    else:
        first = date(context.today.year, month, 1)
        if last_of_month(first) < context.today:
            first = first.replace(year=first.year + 1)
    return first, last_of_month(first)


_LATE_WORDS = frozenset({"end", "ende", "fin", "finales", "final", "fine", "eind", "einde", "fim", "close"})


def periodend(match: re.Match[str], context: Context) -> Atom | None:
    kind, unit = match["periodend_k"], _unit(match["periodend_u"])
    if kind == "fin" and unit == "week" and match["periodend_u"] == "semana":
        return _stretch("weekend", context.today, 0)
    if kind == "close" and unit not in ("month", "quarter", "year"):
        return None
    ahead = 1 if _ahead(match["periodend_n"]) > 0 or match["periodend_p"] else 0
    first, last = period(unit, context.today, ahead=ahead)
    if kind in _LATE_WORDS:
        return Atom(day=last, is_period=True, is_week=unit == "week")
    if kind == "middle":
        return Atom(day=first + (last - first) * 2 // 3, from_day=first + (last - first) // 3, needs_forward=True)
    is_weak = not match["periodend_n"]
    return Atom(day=first + (last - first) // 2, from_day=first, needs_forward=True, is_weak=is_weak)


def unitend(match: re.Match[str], context: Context) -> Atom:
    unit = _unit(match["unitend_u"] or match["unitend_e"])
    _, last = period(unit, context.today, ahead=0)
    return Atom(day=last, needs_forward=True, is_period=True, is_week=unit == "week")


_TO_MONTH = re.compile(r"(?:\bto|\bthrough|\bthru|\buntil|\band|-) {0,2}$")
_MONTH_LEADS = frozenset({"in", "by", "during", "until", "since", "early"})


def monthyear(match: re.Match[str], context: Context) -> Atom | None:
    word, lead, year = match["monthyear_m"], match["monthyear_p"], match["monthyear_y"]
    is_capital = context.sentence[match.start("monthyear_m") : match.start("monthyear_m") + 1].isupper()
    if (
        word in ("jan", "mar", "apr", "jun", "jul", "aug", "sep")
        and not year
        and not (lead or "month of" in match.group())
    ):
        return None
    is_range = _TO_MONTH.search(context.low, max(0, match.start() - 10), match.start()) is not None
    is_month_of = is_capital and "month of" in match.group()
    if (
        word in vocabulary.AMBIGUOUS_MONTHS
        and year is None
        and lead not in _MONTH_LEADS
        and not (is_month_of or match["monthyear_r"] or lead == "next")
    ):
        if not is_capital or not (lead or is_range):
            return None
        if word in ("may", "march") and lead in ("for", "last") and not is_range:
            return None
    first, last = _month(vocabulary.MONTHS[word], year, context)
    if match["monthyear_r"]:
        first = first.replace(year=context.today.year + ("next" in match["monthyear_r"]))
        last = last_of_month(first)
    if lead == "last" and year is None:
        return Atom(day=last.replace(year=last.year - 1), from_day=first.replace(year=first.year - 1), is_rejected=True)
    atom = Atom(day=last, from_day=first, is_period=True, needs_forward=True, has_year=year is not None)
    if lead in ("early", "late"):
        atom = _half(atom, lead)
    # "In December", "June 2027"; a month's name alone is a heading or a woman.
    is_alone = lead in (None, "of") and year is None and match["monthyear_r"] is None
    return replace(atom, is_weak=is_alone, is_range_only=is_alone and "month of" not in match.group())


def yearmonth(match: re.Match[str], context: Context) -> Atom | None:
    year = int(match["yearmonth_y"] or match["yearmonth_y2"])
    number = match["yearmonth_n"] or match["yearmonth_n2"]
    if number and abs(year - context.today.year) > 3:
        return None
    month = int(number) if number else vocabulary.MONTHS[match["yearmonth_m"]]
    first = date(year, month, 1)
    return Atom(day=last_of_month(first), from_day=first, is_period=True, needs_forward=True, has_year=True)


_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def quarter(match: re.Match[str], context: Context) -> Atom:
    if match["quarter_h"]:
        return _half_year(int(match["quarter_h"]), int(match["quarter_y"] or match["quarter_yb"] or context.today.year))
    number = int(match["quarter_n"] or 0) or _QUARTERS.get(match["quarter_w"]) or int(match["quarter_w"][0])
    year = int(match["quarter_y"] or match["quarter_yb"] or 0)
    if not year:
        year = context.today.year + (match["quarter_r"] == "next")
        if match["quarter_r"] is None and number * 3 < context.today.month:
            year += 1
    first = date(year, number * 3 - 2, 1)
    is_weak = not (match["quarter_y"] or match["quarter_yb"] or match["quarter_r"])
    return Atom(
        day=last_of_month(add_months(first, 2)),
        from_day=None if match["quarter_e"] else first,
        is_period=True,
        is_weak=is_weak,
        needs_forward=True,
    )


def _half_year(half: int, year: int) -> Atom:
    first = date(year, half * 6 - 5, 1)
    return Atom(day=last_of_month(add_months(first, 5)), from_day=first, is_period=True, needs_forward=True)
