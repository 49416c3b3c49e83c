"""How long from now, how long from another day, and repetitions: in two days, a week from Friday, every Tuesday."""

import re
from dataclasses import replace
from datetime import date, timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction.calendar_days import add_months, nth_of_month, period, without_year, work_days_later
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day
from rl_emails_assets.extraction.spoken_numbers import count_of, in_whole_units


def _count(text: str) -> int:
    text = " ".join(text.split())
    return int(text) if text.isdigit() else vocabulary.NUMBERS[text]


_MORE = re.compile(
    r"(\d{1,3}|" + "|".join(sorted(vocabulary.NUMBERS, key=len, reverse=True)) + r") {1,2}([^\W\d_]{1,12})"
)


def more_units(text: str) -> tuple[tuple[str, int], ...]:
    """The further units of "two days, 3 hours and 5 minutes"."""
    return tuple((vocabulary.UNITS[unit], _count(count)) for count, unit in _MORE.findall(text))


_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
_DAYS = {"day": 1, "week": 7, "fortnight": 14, "weekend": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}


def shifted(day: date, shift: tuple[tuple[str, int], ...]) -> date:
    """The day so many units later; "work" units are Monday to Friday. Hours count for nothing."""
    for unit, count in shift:
        if unit.isdigit():
            day += timedelta(days=count * ((count * (int(unit) - day.weekday()) - 1) % 7 + 1))
        elif unit == "work":
            day = work_days_later(day, count)
        elif unit in _DAYS:
            day += timedelta(days=count * _DAYS[unit])
        elif unit in _MONTHS:
            day = add_months(day, count * _MONTHS[unit])
    return day


def from_now(context: Context, shift: tuple[tuple[str, int], ...]) -> Atom:
    """So many units after the time of writing: a day, or an instant when there are hours among them."""
    hours = sum(count * _HOURS[unit] for unit, count in shift if unit in _HOURS)
    if hours:
        days = shifted(context.today, shift) - context.today
        return Atom(instant=context.now + days + timedelta(hours=hours))
    return a_day(shifted(context.today, shift))


def _first_shift(
    count_text: str, unit_word: str, half: str | None, *, is_business: bool
) -> tuple[tuple[str, int], ...]:
    """The units of a count: of "two and a half hours" and "an hour and a half" two, () when there are none."""
    unit = vocabulary.UNITS[unit_word]
    if count_text == "the":
        count = 1.0
    elif count_text.startswith(("half", "an half", "a half", "a quarter")) and unit != "hour":
        return ()
    elif count_text.startswith(("half", "an half", "a half")):
        count = 0.5
    elif count_text.startswith("a quarter"):
        count = 0.25
    else:
        count = count_of(count_text)
    if half:
        count += 0.25 if half.endswith("quarter") else 0.5
    if is_business and unit == "day":
        return (("work", max(1, round(count))),)
    return in_whole_units(count, unit)


def off_by(shift: tuple[tuple[str, int], ...]) -> str:
    """ "week" or "month" when the last unit is so long that a weekday beside it may be another day."""
    unit = shift[-1][0]
    return "week" if unit in ("week", "fortnight") else "month" if unit in _MONTHS else ""


def on_weekday(day: date, off_by: str, weekday: int) -> date:
    """That weekday of the week so many weeks on, or the first so many months on."""
    if off_by == "week":
        return day + timedelta(days=weekday - day.weekday())
    return day + timedelta(days=(weekday - day.weekday()) % 7)


_WORK_WORDS = frozenset({"werktage", "werktagen", "arbeitstagen", "werkdagen"})


def duration(match: re.Match[str], context: Context) -> Atom | None:
    lead, extra = (match["duration_l"] or "").split(), " ".join((match["duration_x"] or "").split())
    is_next = extra.startswith(("next", "coming", "following", "upcoming", "the next", "the coming", "the following"))
    is_next = is_next or extra.endswith(("nächsten", "kommenden", "prochains", "prochaines", "volgende", "komende"))
    is_next = is_next or "xim" in extra or "ssim" in extra
    is_next = is_next or (match["duration_b"] or "").strip() in ("upcoming", "coming", "next", "following")
    is_from_now = bool(match["duration_a"])
    if not lead and not is_next and not is_from_now:
        return None
    if lead == ["after"] and (is_next or is_from_now or not (context.is_forward or context.low == match.group())):
        return None  # "after the next two weeks", "after two hours it crashed"
    if lead == ["for"] and not is_next and not is_from_now:
        return None
    if lead and lead[0] in ("over", "em", "en", "tra", "fra", "entro") and extra.startswith("the ") and not is_next:
        return None
    is_business = (match["duration_b"] or "").strip() in ("business", "working") or bool(match["duration_ub"])
    is_business = is_business or match["duration_u"] in _WORK_WORDS
    first = _first_shift(match["duration_n"], match["duration_u"], match["duration_half"], is_business=is_business)
    if not first:
        return None
    unit, count = first[0]
    if (
        unit == "decade"
        or (unit == "year" and (count > 3 or lead == ["over"]))
        or (lead == ["over"] and unit == "quarter")
    ):
        return None
    if lead == ["over"] and not is_next and match["duration_u"] in ("days", "weeks", "months", "hours", "minutes"):
        # "over two weeks" is longer than that; "over twee weken" is in two weeks.
        return None
    shift = (*first, *more_units(match["duration_more"]))
    atom = replace(from_now(context, shift), needs_forward=True, off_by=off_by(shift))
    if lead == ["after"]:
        return replace(atom, is_weak=True)
    is_stretch = is_next or lead[:1] in (["within"], ["over"], ["inside"], ["for"])
    if not is_stretch:
        return atom
    if is_next and "week" in match["duration_u"] and not lead and unit == "weekend":
        return None
    if is_next and unit == "quarter" and lead in ([], ["for"]):
        # "The next two quarters" are whole ones.
        _, last = period(unit, context.today, ahead=count)
        return replace(atom, day=last, from_day=context.today + timedelta(days=1), is_period=True)
    if atom.day is not None:
        return replace(atom, from_day=context.today + timedelta(days=int(is_next)))
    return replace(atom, from_instant=context.now)


def anchored(match: re.Match[str], context: Context) -> Atom | None:
    is_business = (match["anchored_b"] or "").strip() in ("business", "working")
    first = _first_shift(match["anchored_n"], match["anchored_u"], match["anchored_half"], is_business=is_business)
    if not first:
        return None
    shift = (*first, *more_units(match["anchored_more"]))
    words = match["anchored_w"].split()
    if words[0] in ("ago", "earlier"):
        return replace(from_now(context, tuple((unit, -count) for unit, count in shift)), is_rejected=True)
    if words[0] in ("hence", "later", "out", "in") or words[-1] in ("now", "today"):
        atom = replace(from_now(context, shift), needs_forward=words[0] == "later", is_weak=words[0] == "out")
        return replace(atom, off_by=off_by(shift))
    if words[0] == "on" and (first[0][0] not in ("week", "fortnight") or match.group().startswith("for ")):
        return None  # "a week on Friday" is a week after it, "two days on Friday" are not
    if (
        match["anchored_n"] == "the"
        and first[0][0] in ("week", "weekend")
        and words[0] in ("before", "after", "following")
    ):
        ahead = -1 if words[0] == "before" else 1
        return Atom(shift=((f"whole {first[0][0]}", ahead),), is_weak=True)
    sign = -1 if words[0] in ("before", "prior", "ahead") else 1
    return Atom(shift=tuple((unit, count * sign) for unit, count in shift), is_weak=True)


def weekdayafter(match: re.Match[str], _context: Context) -> Atom:
    """The Friday after Thanksgiving."""
    number = vocabulary.WEEKDAYS[match["weekdayafter_w"]]
    return Atom(shift=((str(number), -1 if match["weekdayafter_a"] == "before" else 1),), is_weak=True)


_REPEATS = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly", "weekday": "weekly"}
_REPEATS |= {"weekend": "weekly", "workday": "weekly", "business day": "weekly", "working day": "weekly"}
_HABITS = frozenset({"all", "most", "some"})
"""Words that make a day a habit of the past as often as an appointment."""


def every(match: re.Match[str], context: Context) -> Atom | None:
    lead, other = match["every_e"], (match["every_o"] or "").strip()
    weekday, unit, month = match["every_w"], match["every_u"], match["every_m"]
    if lead in _HABITS and not weekday:
        return None
    if weekday in vocabulary.WEEKDAY_ABBREVIATIONS and not context.sentence[match.start("every_w")].isupper():
        return None
    if match["every_d"]:
        return Atom(day=nth_of_month(int(match["every_d"]), context.now), every="monthly", needs_forward=True)
    is_other = other not in ("", "one", "1", "single")
    if weekday:
        ahead = (vocabulary.WEEKDAYS[weekday] - context.today.weekday() - 1) % 7 + 1
        day = context.today + timedelta(days=ahead)
        return Atom(day=day, every="other" if is_other else "weekly", needs_forward=True, is_rejected=lead in _HABITS)
    if match["every_p"]:
        begin, end = vocabulary.PARTS_OF_DAY[match["every_p"]]
        return Atom(minutes=end, from_minutes=begin, every="daily", is_weak=True, is_vague=True)
    if month:
        if lead != "every":
            return None
        if match["every_md"]:
            day = without_year(vocabulary.MONTHS[month], int(match["every_md"]), context.now, is_forward=True)
            return Atom(day=day, every="yearly", needs_forward=True)
        return Atom(every="yearly", is_weak=True)
    if lead == "any" and unit not in ("weekend", "weekday"):
        return None
    repeats = "other" if is_other else _REPEATS.get(vocabulary.UNITS.get(unit, unit), "other")
    return Atom(every=repeats, is_weak=True)


def plural(match: re.Match[str], context: Context) -> Atom | None:
    """Fridays, Friday mornings, weekdays, on weekday evenings, mornings."""
    part = match["plural_p"] or match["plural_p2"]
    kind = match["plural_k"] or match["plural_k2"]
    if match["plural_w"]:
        ahead = (vocabulary.WEEKDAYS[match["plural_w"]] - context.today.weekday() - 1) % 7 + 1
        atom = Atom(day=context.today + timedelta(days=ahead), every="weekly", needs_forward=True, is_weak=False)
    elif kind in vocabulary.PARTS_OF_DAY:
        part = kind
        atom = Atom(every="daily", is_weak=True, is_range_only=not match.group().startswith(("on", "in")))
    else:
        atom = Atom(every="weekly", is_weak=True)
    if part:
        begin, end = vocabulary.PARTS_OF_DAY[part]
        return replace(atom, minutes=end, from_minutes=begin, is_vague=True)
    return atom


_ADVERBS = {
    "everyday": "daily",
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "monthly",
    "yearly": "yearly",
    "annual": "yearly",
}


def adverb(match: re.Match[str], context: Context) -> Atom | None:
    if match["adverb_u"]:
        return Atom(every=_REPEATS[match["adverb_u"]], is_weak=True)
    word = match["adverb_w"]
    start = match.start()
    if start and context.sentence[start].isupper() and not context.sentence[start : start + 2].isupper():
        return None  # "The Daily Telegraph"
    return Atom(every=_ADVERBS.get(word, "yearly" if word == "annually" else "other"), is_weak=True)
