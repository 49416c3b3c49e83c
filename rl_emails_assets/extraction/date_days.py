"""Days by name or number: 12 May, 5/12/2026, Friday, tomorrow, the 15th, Thanksgiving, the last Monday of June."""

import re
from dataclasses import replace
from datetime import date, timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.calendar_days import (
    add_months,
    last_of_month,
    nth_of_month,
    without_year,
)
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day
from rl_emails_assets.extraction.date_clock import bare_range
from rl_emails_assets.extraction.feasts import GREETED, feast_day, nth_weekday
from rl_emails_assets.extraction.spoken_numbers import year_in_words


def year_of(text: str) -> int:
    """The year that two or four digits, or words, say."""
    if not text.isdigit():
        return year_in_words(text)
    return int(text) if len(text) == 4 else 2000 + int(text) if int(text) < 70 else 1900 + int(text)


def _is_day_first(first: int, second: int, context: Context) -> bool:
    """Whether 5/12 is the fifth of December: by the numbers, what else the writer wrote, the language, then the zone
    (the Americas and UTC, which says nothing, write the month first)."""
    if first > 12:
        return True
    if second > 12:
        return False
    if words.DAY_FIRST.search(context.sentence):
        return True
    if context.is_day_first is not None:
        return context.is_day_first
    return (context.now.utcoffset() or timedelta()) > timedelta()


def _in_order(first: int, second: int, context: Context, *, day_first: bool = False) -> tuple[int, int]:
    """Month and day."""
    return (second, first) if day_first or _is_day_first(first, second, context) else (first, second)


def _yearless(month: int, day: int, context: Context) -> date:
    return without_year(month, day, context.now, is_forward=context.is_forward)


def iso(match: re.Match[str], _context: Context) -> Atom:
    day = date(int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"]))
    zone = match["iso_z"] or ""
    return Atom(
        day=day,
        minutes=int(match["iso_h"]) * 60 + int(match["iso_n"]) if match["iso_h"] else None,
        zone="UTC" if zone == "z" else f"UTC{zone}" if zone else "",
        has_year=True,
    )


def num(match: re.Match[str], context: Context) -> Atom | None:
    dotted = match["num_s"] == "."
    is_announced = _ON_BY.search(context.low, max(0, match.start() - 6), match.start()) is not None
    if dotted and len(match["num_y"]) == 2 and not is_announced and not words.DAY_FIRST.search(context.sentence):
        return None
    month, day = _in_order(int(match["num_a"]), int(match["num_b"]), context, day_first=dotted)
    if dotted and month > 12:
        month, day = day, month
    return a_day(date(year_of(match["num_y"]), month, day), has_year=True)


def slash(match: re.Match[str], context: Context) -> Atom:
    month, day = _in_order(int(match["slash_a"]), int(match["slash_b"]), context)
    if match["slash_d"]:
        last_month, last = _in_order(int(match["slash_d"]), int(match["slash_e"]), context)
        year = int(match["slash_y"]) if match["slash_y"] else None
        end = _dated(last_month, last, year, context)
        begin = date(end.year - ((month, day) > (last_month, last)), month, day)
        return Atom(day=end, from_day=begin, has_year=year is not None)
    if match["slash_y"]:
        return a_day(date(int(match["slash_y"]), month, day), has_year=True)
    last = int(match["slash_c"] or day)
    # 4/22 can hardly be anything else in a sentence that looks ahead; 1/2 is a half.
    is_weak = not (context.is_forward and 12 < last <= 31)
    atom = a_day(_yearless(month, last, context), is_weak=is_weak)
    return replace(atom, from_day=atom.day.replace(day=day) if match["slash_c"] and atom.day and day < last else None)


def dots(match: re.Match[str], context: Context) -> Atom:
    return a_day(_yearless(int(match["dots_b"]), int(match["dots_a"]), context), is_weak=True)


_WEEKDAY_BEFORE = re.compile(r"\b([^\W\d_]{3,10}),? {0,2}$")


_ON_BY = re.compile(r"\b(?:on|by|due) {1,2}$")


def dashed(match: re.Match[str], context: Context) -> Atom | None:
    """7-6 and 7.6 are days only behind their weekday, or 4-22 behind "on"; otherwise 7-6 may be hours."""
    before = _WEEKDAY_BEFORE.search(context.low, max(0, match.start() - 14), match.start())
    number = vocabulary.WEEKDAYS.get(before[1]) if before else None
    first, second = int(match["dashed_a"]), int(match["dashed_b"])
    if number is not None and 1 <= first <= 31 and 1 <= second <= 31:
        orders = {_in_order(first, second, context), (first, second), (second, first)}
        days = [_yearless(month, day, context) for month, day in orders if month <= 12]
        fitting = [day for day in days if day.weekday() == number and day >= context.today]
        if fitting:
            return replace(a_day(min(fitting), is_weak=True), is_range_only=True)
    if (
        "-" in match.group()
        and max(first, second) > 12
        and _ON_BY.search(context.low, max(0, match.start() - 6), match.start())
    ):
        month, day = _in_order(first, second, context)
        return a_day(_yearless(month, day, context), is_weak=True)
    return bare_range(first, 0, second, 0) if "-" in match.group() else None


def onthe(match: re.Match[str], context: Context) -> Atom:
    """ "On the 17 from 2pm": only beside a time."""
    day = nth_of_month(int(match["onthe_d"]), context.now)
    return replace(a_day(day, is_weak=True), is_range_only=True)


_ABBREVIATED_MONTHS = frozenset({"mar", "dec", "sep"})
"""No words of their own beside a number, even in lower case."""
_BEFORE_MONTH = re.compile(
    r"(?:^|(?:\b(?:on|by|from|until|till|to|before|after|between|since|of|due|starting|through|"
    + "|".join(vocabulary.WEEKDAYS)
    + r")|- ?),? {0,2}(?:the )?)$"
)


_AFTER_MONTH = re.compile(
    r",? {0,2}(?:(?:at|@|from|between) )?\d{1,2}(?::\d\d|(?:-\d{1,2})? ?[ap]\.?m\b)| {0,2}(?:to|-) {0,2}may \d"
)


def _is_month(match: re.Match[str], name: str, context: Context, *, is_certain: bool) -> bool:
    """Whether a month that is another word too ("may") is meant: written with a capital, or behind a word of time."""
    word, start = match[name], match.start(name)
    if is_certain or word not in vocabulary.AMBIGUOUS_MONTHS or context.sentence[start : start + 1].isupper():
        return True
    if word in _ABBREVIATED_MONTHS:
        return True
    first = match.start()
    if match.group().startswith(("of ", "from ", "between ")) or _AFTER_MONTH.match(context.low, match.end()):
        return True
    return _BEFORE_MONTH.search(context.low, max(0, first - 18), first) is not None


def number_of(digits: str | None, word: str | None) -> int | None:
    """The number that digits or a word say; None without either."""
    if digits:
        return int(digits)
    if word is None:
        return None
    word = " ".join(word.split())
    return vocabulary.ORDINALS.get(word) or vocabulary.NUMBERS.get(word)


def _dated(month: int, day: int, year: int | None, context: Context) -> date:
    return date(year, month, day) if year is not None else _yearless(month, day, context)


def _is_ordinal(match: re.Match[str], context: Context) -> bool:
    return match["md_d"] is not None and context.low.startswith(("st", "nd", "rd", "th"), match.end("md_d"))


def md(match: re.Match[str], context: Context) -> Atom | None:
    year = year_of(match["md_y"]) if match["md_y"] else year_of(match["md_y2"]) if match["md_y2"] else None
    is_certain = year is not None or match["md_w"] is not None or _is_ordinal(match, context)
    if not _is_month(match, "md_m", context, is_certain=is_certain):
        return None
    month = vocabulary.MONTHS[match["md_m"]]
    first = number_of(match["md_d"], match["md_w"])
    last = number_of(match["md_d2"], match["md_w2"])
    if first is None:
        return None
    return _span_of_days(month, first, last, year, context)


def _span_of_days(month: int, first: int, last: int | None, year: int | None, context: Context) -> Atom:
    day = _dated(month, last or first, year, context)
    from_day = day.replace(day=first) if last is not None and first < last else None
    return Atom(day=day, from_day=from_day, has_year=year is not None)


def dm(match: re.Match[str], context: Context) -> Atom | None:
    written_year = match["dm_y"] or match["dm_y2"] or match["dm_y3"] or match["dm_y4"]
    is_certain = bool(written_year or match["dm_o"] or match["dm_w"] or match["dm_f"])
    if not _is_month(match, "dm_m", context, is_certain=is_certain):
        return None
    month = vocabulary.MONTHS[match["dm_m"]]
    year = year_of(written_year) if written_year else None
    last = number_of(match["dm_d"], match["dm_w"])
    first = number_of(match["dm_f"], match["dm_fw"])
    if last is None:
        return None
    if first is None:
        return _span_of_days(month, last, None, year, context)
    if match["dm_fm"]:
        atom = _span_of_days(month, last, None, year, context)
        if atom.day is None:
            return atom
        from_day = date(atom.day.year, vocabulary.MONTHS[match["dm_fm"]], first)
        return replace(atom, from_day=from_day if from_day < atom.day else from_day.replace(year=atom.day.year - 1))
    return _span_of_days(month, first, last, year, context)


_MONTH_AHEAD = {"next": 1, "following": 1, "coming": 1, "last": -1}


def nth(match: re.Match[str], context: Context) -> Atom | None:
    number = number_of(match["nth_d"], match["nth_w"] or match["nth_w2"])
    if number is None:
        return None
    of = match["nth_of"]
    if not (match["nth_p"] or match["nth_t"] or of):
        return None
    if of in _MONTH_AHEAD or of == "this":
        day = add_months(context.today.replace(day=1), _MONTH_AHEAD.get(of, 0)).replace(day=number)
    else:
        day = nth_of_month(number, context.now)
    first = int(match["nth_f"] or number)
    # "the 12th" alone may be a floor or an edition: it needs a cue before it, or a month.
    is_weak = match["nth_p"] is None and of is None
    if of in ("each", "every"):
        return Atom(day=day, every="monthly", needs_forward=True)
    return Atom(day=day, from_day=day.replace(day=first) if first < number else None, is_weak=is_weak)


def rangeinmonth(match: re.Match[str], context: Context) -> Atom | None:
    first, last = int(match["rangeinmonth_f"]), int(match["rangeinmonth_d"])
    month = add_months(context.today.replace(day=1), _MONTH_AHEAD.get(match["rangeinmonth_n"], 0))
    return Atom(day=month.replace(day=last), from_day=month.replace(day=first)) if first < last else None


_WHICH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}


def nthof(match: re.Match[str], context: Context) -> Atom | None:
    """The third Friday of June, the first week of next month, the last Monday of the month."""
    which = _WHICH.get(match["nthof_n"]) or int(match["nthof_n"][0])
    is_year = match["nthof_u"] == "year" or bool(match["nthof_y2"])
    today = context.today
    if match["nthof_m"]:
        month = vocabulary.MONTHS[match["nthof_m"]]
        year = year_of(match["nthof_y"]) if match["nthof_y"] else _yearless(month, 28, context).year
        start = date(year, month, 1)
    elif match["nthof_y2"]:
        start = date(year_of(match["nthof_y2"]), 1, 1)
    elif is_year:
        start = date(today.year + _MONTH_AHEAD.get(match["nthof_r"] or "", 0), 1, 1)
    else:
        start = add_months(today.replace(day=1), _MONTH_AHEAD.get(match["nthof_r"] or "", 0))
    kind = match["nthof_k"]
    last = date(start.year, 12, 31) if is_year else last_of_month(start)
    if kind == "month":
        if not is_year:
            return None
        first = date(start.year, 12 if which < 0 else which, 1)
        return Atom(day=last_of_month(first), from_day=first, is_period=True)
    if kind in ("week", "weekend"):
        # The first week is the one with the first Thursday (ISO 8601), and so for months.
        before = timedelta(days=(last.weekday() - 3) % 7)
        thursday = last - before if which < 0 else start + timedelta(days=(3 - start.weekday()) % 7 + 7 * (which - 1))
        monday = thursday - timedelta(days=thursday.weekday())
        from_day = monday + timedelta(days=5 if kind == "weekend" else 0)
        return Atom(day=monday + timedelta(days=6), from_day=from_day, is_period=True, is_week=kind == "week")
    month_of = last.month if which < 0 else start.month
    day = nth_weekday(start.year, month_of, vocabulary.WEEKDAYS[kind], which)
    if day < today and match["nthof_u"] == "month" and match["nthof_r"] in (None, "the"):
        following = add_months(start, 1)
        day = nth_weekday(following.year, following.month, vocabulary.WEEKDAYS[kind], which)
    return a_day(day, has_year=bool(match["nthof_y"]))


_WEEKS_ON = {" week": 7, " fortnight": 14}


def relative(match: re.Match[str], context: Context) -> Atom | None:
    word = " ".join(match["relative_w"].split())
    before = context.low[max(0, match.start() - 12) : match.start()]
    if word == "morgen" and before.endswith(("guten ", "am ", "jeden ", "schönen ", "goede ", "'s ")):
        return None
    if word == "mañana" and before.endswith(("la ", "esta ", "de ")):
        return None
    ahead = vocabulary.RELATIVE_DAYS[word] + _WEEKS_ON.get(match["relative_q"], 0)
    atom = a_day(context.today + timedelta(days=ahead), needs_forward=True)
    if ahead < 0:
        return replace(atom, is_rejected=True)
    if word in vocabulary.TONIGHT:
        return replace(atom, minutes=24 * 60 - 1, from_minutes=20 * 60, is_vague=True)
    if word in ("esta tarde", "vanmiddag"):
        return replace(atom, minutes=20 * 60, from_minutes=12 * 60, is_vague=True)
    return atom


def theday(match: re.Match[str], context: Context) -> Atom:
    """ "The next day" is the one after whatever was told."""
    if match["theday_t"]:
        return a_day(context.today, needs_forward=True, is_weak=True)
    return a_day(context.today + timedelta(days=1), is_weak=True, needs_forward=True)


_CLAUSE_END = re.compile(
    r" {0,2}(?:$|[.,;:!?)]|(?:at|from|on|is|and|or|by|between|in|around|this|next|with|to|we|i|you|if|as|so"
    r"|when|then|but)\b)"
)


def feast(match: re.Match[str], context: Context) -> Atom | None:
    name = " ".join(match["feast_w"].split())
    before = context.low[max(0, match.start() - 14) : match.start()].split()
    if before and before[-1] in GREETED:
        return None
    if match["feast_y"]:
        day = feast_day(name, int(match["feast_y"]))
    elif match["feast_r"]:
        day = feast_day(name, context.today.year + {"this": 0, "next": 1, "last": -1}[match["feast_r"]])
    else:
        day = feast_day(name, context.today.year)
        is_behind = (match["feast_p"] or "").strip() in ("last", "previous")
        if is_behind:
            return Atom(day=day if day < context.today else feast_day(name, context.today.year - 1), is_rejected=True)
        if day < context.today:
            day = feast_day(name, context.today.year + 1)
    # "Christmas." is the day, "Christmas cards" are not.
    is_weak = not match["feast_y"] and _CLAUSE_END.match(context.low, match.end()) is None
    atom = a_day(day, is_weak=is_weak, has_year=bool(match["feast_y"]))
    if match["feast_e"]:
        return _weekend_of(day)
    return atom


def _weekend_of(day: date) -> Atom:
    """The weekend that the day lies in, or the one nearest to it."""
    if day.weekday() <= 1:
        return Atom(day=day, from_day=day - timedelta(days=day.weekday() + 2))
    sunday = day + timedelta(days=6 - day.weekday())
    return Atom(day=sunday, from_day=sunday - timedelta(days=1))


def around(week_of: str, day: date) -> Atom:
    """The week or weekend around a day."""
    if week_of == "weekend":
        return _weekend_of(day)
    monday = day - timedelta(days=day.weekday())
    return Atom(day=monday + timedelta(days=6), from_day=monday, is_week=True, needs_forward=True)
