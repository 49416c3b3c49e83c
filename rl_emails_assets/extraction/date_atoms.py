"""From words to days and minutes: each match of `date_words.ATOM` becomes an atom, relative to when it was written."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.calendar_days import (
    add_months,
    last_of_month,
    nth_of_month,
    period_end_day,
    weekday_with_number,
    weekend_day,
    without_year,
)
from rl_emails_assets.extraction.time_zones import zone_after

MAX_ATOMS = 60
"""Of one sentence; a table of dates is no deadline."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A day, a time of day, or both, at `start`-`end` of a sentence.

    `minutes` are after midnight; `instant` is set for durations in hours. `is_weak` atoms count only beside another
    atom or behind a cue; `needs_forward` ones only in a sentence that does not look back; `is_part` is a part of a
    day, `is_period`
    the end of a week or longer, `is_vague` a time that a part of the day stands for. `zone` is the time zone written
    after the time, or "".
    """

    start: int
    end: int
    day: date | None = None
    minutes: int | None = None
    instant: datetime | None = None
    is_weak: bool = False
    needs_forward: bool = False
    is_part: bool = False
    is_vague: bool = False
    is_rejected: bool = False
    is_weekday: bool = False
    is_period: bool = False
    is_week: bool = False
    zone: str = ""


def find_atoms(sentence: str, now: datetime) -> list[Atom]:
    """The atoms of one sentence in order; `now` is aware, in the writer's zone."""
    atoms: list[Atom] = []
    resume = 0
    for token in words.TOKEN.finditer(sentence):
        start = token.start()
        if start < resume:
            continue
        if sentence[start].isdigit():
            match = words.DIGIT_ATOM.match(sentence, start)
        elif token.group().lower() in words.START_WORDS:
            match = words.WORD_ATOM.match(sentence, start)
        else:
            continue
        if match is None:
            continue
        resume = match.end()
        try:
            atom = _RESOLVERS[match.lastgroup or ""](match, now, sentence)
        except (ValueError, OverflowError):
            # 31 June, or a day after the year 9999: not a day at all.
            continue
        if atom is not None:
            atom = replace(atom, start=match.start(), end=match.end())
            zone = zone_after(sentence, atom.end) if atom.minutes is not None and not atom.is_part else None
            atoms.append(atom if zone is None else replace(atom, zone=zone[0], end=zone[1]))
            if len(atoms) >= MAX_ATOMS:
                break
    return atoms


def _day(day: date, *, is_weak: bool = False, needs_forward: bool = False) -> Atom:
    return Atom(0, 0, day=day, is_weak=is_weak, needs_forward=needs_forward)


def _time(minutes: int, *, is_weak: bool = False) -> Atom | None:
    return Atom(0, 0, minutes=min(minutes, 24 * 60 - 1), is_weak=is_weak) if minutes <= 24 * 60 else None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text) if int(text) < 70 else 1900 + int(text)


def _is_day_first(first: int, second: int, now: datetime, sentence: str) -> bool:
    """Whether 5/12 is the fifth of December: by the numbers, the language, then the writer's zone (the Americas and
    UTC, which says nothing, write the month first)."""
    if first > 12:
        return True
    if second > 12:
        return False
    if words.DAY_FIRST.search(sentence):
        return True
    offset = now.utcoffset() or timedelta()
    return offset > timedelta()


def _numeric(first: int, second: int, now: datetime, sentence: str, *, day_first: bool = False) -> tuple[int, int]:
    if day_first or _is_day_first(first, second, now, sentence):
        return second, first
    return first, second


def _iso(match: re.Match[str], _now: datetime, _sentence: str) -> Atom:
    day = date(int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"]))
    return Atom(0, 0, day=day, minutes=int(match["iso_h"]) * 60 + int(match["iso_n"]) if match["iso_h"] else None)


def _num(match: re.Match[str], now: datetime, sentence: str) -> Atom | None:
    dotted = match["num_s"] == "."
    if dotted and len(match["num_y"]) == 2 and not words.DAY_FIRST.search(sentence):
        return None
    month, day = _numeric(int(match["num_a"]), int(match["num_b"]), now, sentence, day_first=dotted)
    if dotted and month > 12:
        month, day = day, month
    return _day(date(_year(match["num_y"]), month, day))


def _slash(match: re.Match[str], now: datetime, sentence: str) -> Atom:
    month, day = _numeric(int(match["slash_a"]), int(match["slash_b"]), now, sentence)
    return _day(without_year(month, int(match["slash_c"] or day), now), is_weak=True)


def _dots(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    return _day(without_year(int(match["dots_b"]), int(match["dots_a"]), now), is_weak=True)


def _is_month(word: str, *, is_certain: bool) -> bool:
    return is_certain or word.lower() not in vocabulary.AMBIGUOUS_MONTHS or word[0].isupper()


def _md(match: re.Match[str], now: datetime, _sentence: str) -> Atom | None:
    if not _is_month(match["md_m"], is_certain=match["md_y"] is not None):
        return None
    month, day = vocabulary.MONTHS[match["md_m"].lower()], int(match["md_d2"] or match["md_d"])
    if match["md_y"]:
        return _day(date(int(match["md_y"]), month, day))
    return _day(without_year(month, day, now))


def _dm(match: re.Match[str], now: datetime, _sentence: str) -> Atom | None:
    if not _is_month(match["dm_m"], is_certain=bool(match["dm_y"] or match["dm_o"])):
        return None
    month, day = vocabulary.MONTHS[match["dm_m"].lower()], int(match["dm_d"])
    if match["dm_y"]:
        return _day(date(_year(match["dm_y"]), month, day))
    return _day(without_year(month, day, now))


def _nth(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    return _day(nth_of_month(int(match["nth_d"]), now, is_next=(match["nth_of"] or "").lower() == "next"))


_PERIODS = {
    "woche": "week",
    "semaine": "week",
    "semana": "week",
    "eow": "week",
    "monats": "month",
    "monat": "month",
    "mois": "month",
    "mes": "month",
    "eom": "month",
    "quartals": "quarter",
    "trimestre": "quarter",
    "eoq": "quarter",
    "jahres": "year",
    "année": "year",
    "año": "year",
    "eoy": "year",
}


def _is_next(text: str | None) -> bool:
    return (text or "").lower().strip()[:4] in ("next", "comi", "näch", "komm", "próx", "proc", "que ", "la p", "el p")


def _month_end(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    month = vocabulary.MONTHS[match["month_end_m"].lower()]
    year = int(match["month_end_y"] or without_year(month, 28, now).year)
    return replace(_day(last_of_month(date(year, month, 1))), is_period=True)


def _period_end(match: re.Match[str], now: datetime, _sentence: str) -> Atom | None:
    if match.group().lower().startswith("fin de semana"):
        return _day(weekend_day(now), needs_forward=True)
    if match.group().lower().startswith("close") and match["period_end_u"].lower() not in ("month", "quarter", "year"):
        return None
    word = match["period_end_u"].lower()
    ahead = 1 if _is_next(match["period_end_n"]) or match["period_end_p"] else 0
    return replace(_day(period_end_day(_PERIODS.get(word, word), now, ahead=ahead)), is_period=True)


def _unit_end(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    word = (match["unit_end_u"] or match["unit_end_e"]).lower()
    day = period_end_day(_PERIODS.get(word, word), now, ahead=0)
    return replace(_day(day, needs_forward=True), is_period=True)


def _span(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    word = (match["span_u"] or match["span_fu"] or match["span_su"]).lower()
    is_next = match["span_u"] is None or _is_next(match["span_n"])
    if word in ("weekend", "week-end", "wochenende"):
        return _day(weekend_day(now, int(is_next)), is_weak=not is_next, needs_forward=True)
    unit = _PERIODS.get(word, word)
    # "this week" alone says when prices rose as often as when something is due.
    atom = _day(period_end_day(unit, now, ahead=int(is_next)), is_weak=not is_next, needs_forward=True)
    return replace(atom, is_week=unit == "week")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else vocabulary.NUMBERS[text.lower()]


def _after(now: datetime, count: int, unit: str, *, is_business: bool) -> Atom:
    if unit in ("minute", "hour"):
        return Atom(0, 0, instant=now + (timedelta(hours=count) if unit == "hour" else timedelta(minutes=count)))
    today = now.date()
    if unit == "day" and is_business:
        day = today
        while count:
            day += timedelta(days=1)
            count -= day.weekday() < 5
        return _day(day)
    if unit in ("day", "week", "fortnight"):
        return _day(today + timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit]))
    return _day(add_months(today, count * {"month": 1, "quarter": 3, "year": 12}[unit]))


def _duration(match: re.Match[str], now: datetime, _sentence: str) -> Atom | None:
    unit = vocabulary.UNITS[match["duration_u"].lower()]
    if match["duration_n"].lower().startswith("half"):
        return replace(_after(now, 30, "minute", is_business=False), needs_forward=True) if unit == "hour" else None
    count = _number(match["duration_n"])
    lead = match.group()[:4].lower()
    if count == 0 or (lead == "over" and unit in ("year", "quarter")) or (unit == "year" and count > 3):
        return None
    is_business = (match["duration_b"] or "").strip().lower() in ("business", "working")
    is_business |= match["duration_u"].lower() in ("werktage", "werktagen", "arbeitstagen")
    atom = _after(now, count, unit, is_business=is_business)
    return replace(atom, needs_forward=True)


def _anchored(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    count, unit = _number(match["anchored_n"]), vocabulary.UNITS[match["anchored_u"].lower()]
    anchor = (match["anchored_a"] or "now").lower()
    if anchor in ("tomorrow", "tmrw"):
        now += timedelta(days=1)
    elif anchor in vocabulary.WEEKDAYS:
        now += timedelta(days=(vocabulary.WEEKDAYS[anchor] - now.weekday() - 1) % 7 + 1)
    return _after(now, count, unit, is_business=False)


_REJECTED_WEEKDAYS = frozenset(
    """last past previous every each all most some letzten letzte letzter vergangene vergangenen jeden jede jeder
    chaque cada pasado since seit depuis desde""".split()  # noqa: SIM905
)


def _weekday(match: re.Match[str], now: datetime, _sentence: str) -> Atom | None:
    word = match["weekday_w"]
    lead = (match["weekday_p"] or "").lower().split()
    tail = (match["weekday_q"] or "").lower().strip()
    if word.lower() in vocabulary.WEEKDAY_ABBREVIATIONS and not word[0].isupper():
        return None
    if any(part in _REJECTED_WEEKDAYS for part in lead) or tail in ("dernier", "pasado"):
        return Atom(0, 0, is_rejected=True)
    if match["weekday_d"]:
        dated = weekday_with_number(
            vocabulary.WEEKDAYS[word.lower()], int(match["weekday_d"]), now, match["weekday_o"] is None
        )
        if dated is not None:
            return _day(dated)
    ahead = (vocabulary.WEEKDAYS[word.lower()] - now.weekday() - 1) % 7 + 1
    day = now.date() + timedelta(days=ahead)
    monday = now.date() - timedelta(days=now.weekday())
    if (lead and lead[0] == "next") or tail.endswith("next week") or tail == "nächster woche":
        day = monday + timedelta(days=7 + vocabulary.WEEKDAYS[word.lower()])
    is_weak = word.lower() in vocabulary.WEEKDAY_ABBREVIATIONS and not lead
    return replace(_day(day, is_weak=is_weak, needs_forward=True), is_weekday=not lead and not tail)


def _relative(match: re.Match[str], now: datetime, sentence: str) -> Atom | None:
    word = match["relative_w"].lower().replace("’", "'")
    before = sentence[max(0, match.start() - 12) : match.start()].lower()
    if word == "morgen" and (before.endswith(("guten ", "am ", "jeden ", "schönen "))):
        return None
    if word == "mañana" and before.endswith(("la ", "esta ", "de ")):
        return None
    atom = _day(now.date() + timedelta(days=vocabulary.RELATIVE_DAYS[word]), needs_forward=True)
    if word in ("tonight", "ce soir", "esta noche"):
        return replace(atom, minutes=23 * 60 + 59, is_vague=True)
    return replace(atom, minutes=20 * 60, is_vague=True) if word == "esta tarde" else atom


def _this_part(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    minutes = vocabulary.PARTS_OF_DAY[match["this_part_w"].lower()]
    return replace(_day(now.date(), needs_forward=True), minutes=minutes, is_vague=True)


def _eod(_match: re.Match[str], _now: datetime, _sentence: str) -> Atom:
    return Atom(0, 0, minutes=vocabulary.NAMED_TIMES["cob"])


def _named(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    return _time(vocabulary.NAMED_TIMES[match["named_w"].lower()])


def _part(match: re.Match[str], _now: datetime, _sentence: str) -> Atom:
    return Atom(0, 0, minutes=vocabulary.PARTS_OF_DAY[match["part_w"].lower()], is_weak=True, is_part=True)


def _clock(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    hour, minute = int(match["clock_h"]), int(match["clock_m"] or 0)
    if not 1 <= hour <= 12:
        return None
    return _time((hour % 12 + (12 if match["clock_ap"].lower() == "p" else 0)) * 60 + minute)


def _hours(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    hour = int(match["hours_h"])
    if 1 <= hour <= 6 and len(match["hours_h"]) == 1 and not match.group()[-1].isalpha():
        # "3:30" without a zero, am or pm is the afternoon in English mail.
        hour += 12
    return _time(hour * 60 + int(match["hours_m"]))


def _heures(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    return _time(int(match["heures_h"]) * 60 + int(match["heures_m"] or 0), is_weak=True)


def _uhr(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    return _time(int(match["uhr_h"]) * 60 + int(match["uhr_m"] or 0))


def _holiday(match: re.Match[str], now: datetime, _sentence: str) -> Atom:
    month, day = vocabulary.HOLIDAYS[match["holiday_w"].lower()]
    return _day(without_year(month, day, now), is_weak=True)


def _bare(match: re.Match[str], _now: datetime, _sentence: str) -> Atom | None:
    hour = int(match["bare_h"])
    if not 1 <= hour <= 23:
        return None
    # "at 3" in a mail is the afternoon, "at 9" the morning.
    return _time((hour + 12 if hour < 7 else hour) * 60, is_weak=True)


_RESOLVERS: dict[str, Callable[[re.Match[str], datetime, str], Atom | None]] = {
    "iso": _iso,
    "num": _num,
    "clock": _clock,
    "uhr": _uhr,
    "hours": _hours,
    "heures": _heures,
    "md": _md,
    "dm": _dm,
    "nth": _nth,
    "month_end": _month_end,
    "eod": _eod,
    "period_end": _period_end,
    "unit_end": _unit_end,
    "span": _span,
    "duration": _duration,
    "anchored": _anchored,
    "weekday": _weekday,
    "relative": _relative,
    "this_part": _this_part,
    "named": _named,
    "part": _part,
    "slash": _slash,
    "dots": _dots,
    "holiday": _holiday,
    "bare": _bare,
}
