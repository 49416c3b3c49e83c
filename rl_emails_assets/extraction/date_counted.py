"""Days that are counted off within a stretch, or from one: the last working day of June, the first two weeks of next
month, three Mondays from now, the rest of the week."""

import re
from dataclasses import replace
from datetime import date, timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.calendar_days import (
    add_months,
    last_of_month,
    nth_of_month,
    period,
    without_year,
    work_days_later,
)
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day, a_time
from rl_emails_assets.extraction.date_durations import from_now, more_units
from rl_emails_assets.extraction.feasts import nth_weekday

_AHEAD = {"next": 1, "following": 1, "coming": 1, "last": -1}
_REPEATED = frozenset({"each", "every"})


def _within(match: re.Match[str], name: str, context: Context) -> tuple[date, date]:
    """First and last day of the stretch that a pattern's own groups name."""
    said = (match[f"{name}_r"] or "").strip()
    if match[f"{name}_u"]:
        return period(match[f"{name}_u"], context.today, ahead=_AHEAD.get(said, 0))
    if match[f"{name}_y2"]:
        return date(int(match[f"{name}_y2"]), 1, 1), date(int(match[f"{name}_y2"]), 12, 31)
    month = vocabulary.MONTHS[match[f"{name}_m"]]
    if match[f"{name}_y"]:
        first = date(int(match[f"{name}_y"]), month, 1)
    else:
        first = without_year(month, 28, context.now, is_forward=context.is_forward).replace(day=1)
    return first, last_of_month(first)


def _rank(word: str) -> int:
    """1 for "first" or "1st"; -1 for "last"."""
    word = " ".join(word.split())
    if word in ("last", "final"):
        return -1
    return vocabulary.ORDINALS.get(word) or int(word[:-2])


def dayof(match: re.Match[str], context: Context) -> Atom | None:
    """The last day of the month, the third business day of June."""
    rank = _rank(match["dayof_n"])
    is_work = match["dayof_k"] not in ("day", "calendar day")
    is_each = bool(match["dayof_e"]) or (match["dayof_r"] or "").strip() in _REPEATED
    first, last = _within(match, "dayof", context)
    day = _counted(first, last, rank, is_work=is_work)
    if day is None:
        return None
    if is_each or (match["dayof_u"] == "month" and match["dayof_r"] is None and day < context.today):
        if day < context.today:
            first = add_months(first.replace(day=1), 1)
            day = _counted(first, last_of_month(first), rank, is_work=is_work) or day
        if is_each:
            return Atom(day=day, every="monthly" if match["dayof_u"] == "month" else "other", needs_forward=True)
    return a_day(day, needs_forward=True, has_year=bool(match["dayof_y"] or match["dayof_y2"]))


def _counted(first: date, last: date, rank: int, *, is_work: bool) -> date | None:
    if is_work:
        day = work_days_later(last + timedelta(days=1), -1) if rank < 0 else work_days_later(first - timedelta(1), rank)
    else:
        day = last if rank < 0 else first + timedelta(days=rank - 1)
    return day if first <= day <= last else None


_DAYS_OF = {"day": 1, "week": 7}


def partof(match: re.Match[str], context: Context) -> Atom | None:
    """The first two weeks of June, the last 3 days of the month, the last half of next year."""
    first, last = _within(match, "partof", context)
    is_late = match["partof_e"] in ("last", "final", "closing", "second", "2nd")
    if match["partof_e"] in ("second", "2nd") and not match["partof_h"]:
        return None
    if match["partof_h"]:
        days = (last - first).days
        middle = first + timedelta(days=days // 2) if days < 40 else add_months(first, 6 if days > 300 else 1)
        middle = first.replace(day=16) if 27 <= days < 40 else middle
        first, last = (middle, last) if is_late else (first, middle - timedelta(days=1))
        return Atom(day=last, from_day=first, is_period=True, needs_forward=True)
    kind = match["partof_k"].rstrip("s")
    count = 2 if match["partof_n"] == "couple of" else _number(match["partof_n"])
    if kind == "month":
        edge = add_months(last.replace(day=1), 1 - count) if is_late else last_of_month(add_months(first, count - 1))
    elif kind in _DAYS_OF:
        span = timedelta(days=count * _DAYS_OF[kind] - 1)
        edge = last - span if is_late else first + span
    else:
        day = last + timedelta(days=1) if is_late else first - timedelta(days=1)
        edge = work_days_later(day, -count if is_late else count)
    begin, end = (edge, last) if is_late else (first, edge)
    return Atom(day=end, from_day=begin, is_period=True, needs_forward=True) if first <= begin <= end <= last else None


def _number(text: str) -> int:
    text = " ".join(text.split())
    return int(text) if text.isdigit() else vocabulary.NUMBERS[text]


def nthofevery(match: re.Match[str], context: Context) -> Atom:
    """Every last Friday of the month: the next one."""
    rank = _rank(match["nthofevery_n"] or match["nthofevery_n2"])
    number = vocabulary.WEEKDAYS[match["nthofevery_w"] or match["nthofevery_w2"]]
    month = context.today.replace(day=1)
    day = nth_weekday(month.year, month.month, number, rank)
    if day < context.today:
        month = add_months(month, 1)
        day = nth_weekday(month.year, month.month, number, rank)
    return Atom(day=day, every="monthly", needs_forward=True)


def weekdaysahead(match: re.Match[str], context: Context) -> Atom | None:
    """Three Mondays from now."""
    count = _number(match["weekdaysahead_n"])
    ahead = (vocabulary.WEEKDAYS[match["weekdaysahead_w"]] - context.today.weekday() - 1) % 7 + 1
    return a_day(context.today + timedelta(days=ahead + 7 * (count - 1))) if 0 < count < 53 else None


_HALVES = {"morning": (8, 12), "afternoon": (12, 17), "evening": (16, 20), "night": (20, 24)}


def remaining(match: re.Match[str], context: Context) -> Atom | None:
    """From now to the end of what is running."""
    unit = match["remaining_u"]
    if unit in vocabulary.MONTHS:
        if unit in vocabulary.AMBIGUOUS_MONTHS:
            return None
        month = without_year(vocabulary.MONTHS[unit], 28, context.now, is_forward=True).replace(day=1)
        return Atom(day=last_of_month(month), from_day=max(month, context.today), is_period=True, needs_forward=True)
    if unit in ("day", "today") or unit in _HALVES:
        end = _HALVES.get(unit, (0, 24))[1] * 60
        at = replace(a_day(context.today, needs_forward=True), minutes=min(end, 24 * 60 - 1), is_vague=True)
        return replace(at, from_minutes=context.now.hour * 60 + context.now.minute)
    _, last = period(unit, context.today, ahead=0)
    is_week = unit == "week"
    return Atom(day=last, from_day=min(context.today, last), is_period=True, is_week=is_week, needs_forward=True)


def nextand(match: re.Match[str], context: Context) -> Atom:
    """Within the next day and 5 hours."""
    atom = from_now(context, ((match["nextand_u"], 1), *more_units(match["nextand_more"])))
    if atom.day is not None:
        return replace(atom, from_day=context.today, needs_forward=True)
    return replace(atom, from_instant=context.now, needs_forward=True)


def monthrange(match: re.Match[str], context: Context) -> Atom | None:
    """January to March, Dec 2026 - Feb 2027; "and" only behind "between"."""
    is_and = match["monthrange_to"].strip() == "and"
    if is_and and match["monthrange_l"] != "between":
        return None
    written = context.sentence[match.start("monthrange_f") : match.start("monthrange_f") + 1]
    word = match["monthrange_f"]
    if word in vocabulary.AMBIGUOUS_MONTHS and not (written.isupper() or match["monthrange_fy"]):
        return None
    first, last = vocabulary.MONTHS[word], vocabulary.MONTHS[match["monthrange_m"]]
    if match["monthrange_y"]:
        end = date(int(match["monthrange_y"]), last, 1)
    elif match["monthrange_fy"]:
        end = date(int(match["monthrange_fy"]) + (last < first), last, 1)
    else:
        end = date(context.today.year, last, 1)
        if last_of_month(end) < context.today or (last < first and first > context.today.month):
            end = end.replace(year=end.year + 1)
    begin = date(int(match["monthrange_fy"] or end.year - (first > last)), first, 1)
    if begin > end:
        return None
    has_year = bool(match["monthrange_y"] or match["monthrange_fy"])
    return Atom(day=last_of_month(end), from_day=begin, is_period=True, needs_forward=True, has_year=has_year)


def monthdays(match: re.Match[str], context: Context) -> Atom | None:
    """November between 19 and 20."""
    month, first, last = vocabulary.MONTHS[match["monthdays_m"]], int(match["monthdays_f"]), int(match["monthdays_d"])
    if not 0 < first < last or match["monthdays_m"] in vocabulary.AMBIGUOUS_MONTHS:
        return None
    year = match["monthdays_y"]
    day = (
        date(int(year), month, last) if year else without_year(month, last, context.now, is_forward=context.is_forward)
    )
    return Atom(day=day, from_day=day.replace(day=first), has_year=year is not None)


def ymd(match: re.Match[str], _context: Context) -> Atom:
    """2026 Nov 7, 2026/Nov/07."""
    day = date(int(match["ymd_y"]), vocabulary.MONTHS[match["ymd_m"]], int(match["ymd_d"]))
    return a_day(day, has_year=True)


def digits(match: re.Match[str], _context: Context) -> Atom:
    """20261107: only behind a word that announces a day; else it is a number."""
    day = date(int(match["digits_y"]), int(match["digits_m"]), int(match["digits_d"]))
    return a_day(day, has_year=True, is_weak=True)


def fiscal(match: re.Match[str], _context: Context) -> Atom:
    """FY27, Q3 FY27, taken for calendar years: whose fiscal year begins when is not said."""
    year = int(match["fiscal_y"])
    year += 2000 if year < 100 else 0
    number = match["fiscal_q"] or match["fiscal_q2"]
    if number is None:
        first = None if match["fiscal_e"] else date(year, 1, 1)
        return Atom(day=date(year, 12, 31), from_day=first, is_period=True, needs_forward=True, has_year=True)
    begin = date(year, int(number) * 3 - 2, 1)
    end = last_of_month(add_months(begin, 2))
    return Atom(day=end, from_day=begin, is_period=True, needs_forward=True, has_year=True)


def relhour(match: re.Match[str], context: Context) -> Atom | None:
    """ "Tomorrow 3." at the end of a clause."""
    hour = int(match["relhour_h"]) if match["relhour_h"] else vocabulary.CLOCK_HOURS[match["relhour_n"]]
    if not 1 <= hour <= 12:
        return None
    day = context.today + timedelta(days=vocabulary.RELATIVE_DAYS[match["relhour_w"]])
    at = (hour + 12 if hour <= 6 else hour) * 60
    return replace(a_day(day, needs_forward=True), minutes=at, is_open=True)


def dayend(match: re.Match[str], context: Context) -> Atom | None:
    """ "By the 21", "on the thirty first": a bare number, or an ordinal in words, only at the end of a clause."""
    word = " ".join((match["dayend_w"] or "").replace("-", " ").split())
    number = int(match["dayend_d"] or 0) or vocabulary.ORDINALS.get(word) or vocabulary.NUMBERS[word]
    if not 1 <= number <= 31 or (match["dayend_p"] in ("for", "after") and number <= 12):
        return None
    return a_day(nth_of_month(number, context.now), needs_forward=True)


def hourpart(match: re.Match[str], _context: Context) -> Atom | None:
    """Five in the afternoon."""
    hour = int(match["hourpart_h"]) if match["hourpart_h"] else vocabulary.CLOCK_HOURS[match["hourpart_n"]]
    if not 1 <= hour <= 12:
        return None
    part = match["hourpart_p"] or "night"
    is_late = part in ("afternoon", "evening") or (part == "night" and 6 <= hour < 12)
    return a_time((hour % 12 + (12 if is_late else 0)) * 60)


def hourbefore(match: re.Match[str], _context: Context) -> Atom | None:
    """The eight of "eight tomorrow morning": only beside the part of the day that it is in."""
    hour = int(match["hourbefore_h"]) if match["hourbefore_h"] else vocabulary.CLOCK_HOURS[match["hourbefore_n"]]
    atom = a_time((hour + 12 if hour <= 6 else hour) * 60, is_weak=True, is_open=True) if 1 <= hour <= 12 else None
    return replace(atom, is_range_only=True) if atom is not None else None
