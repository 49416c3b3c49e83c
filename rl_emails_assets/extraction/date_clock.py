"""Times of day: 3pm, 15:30, half past nine, noon, in the morning, 2 to 4 pm."""

import re
from dataclasses import replace
from datetime import timedelta

from rl_emails_assets.extraction import date_vocabulary as vocabulary
from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.date_atoms import Atom, Context, a_day, a_time


def _in_half(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "p" else 0)


_AT = re.compile(r"(?:\b(?:at|around|about|by|until|till|from|to|before|after) |@ ?|- ?)$")
_GOES_ON = re.compile(r" (?!(?:on|today|tomorrow|tonight|sharp|[ap]\.?m)\b)[a-z]")


def clock(match: re.Match[str], context: Context) -> Atom | None:
    """3pm, 8:30 - 9 am. Raises ValueError for "13pm" and "0am", which are no times in any reading."""
    is_bare = match.group().endswith("p") and not match["clock_fh"] and _GOES_ON.match(context.low, match.end())
    if is_bare and _AT.search(context.low, max(0, match.start() - 8), match.start()) is None:
        return None  # "3p medical devices"
    hour, minute = int(match["clock_h"]), int(match["clock_m"] or match["clock_m2"] or 0)
    half = match["clock_ap"]
    if hour > 23 or (hour > 12 and (half == "a" or not match["clock_m"])) or (hour == 0 and minute == 0):
        raise ValueError(f"{match.group()} is no time of day")
    atom = a_time((hour if hour > 12 else _in_half(hour, half)) * 60 + minute)
    if atom is None or not match["clock_fh"]:
        return atom
    first, first_minute = int(match["clock_fh"]), int(match["clock_fm"] or 0)
    if first > 23:
        return atom
    first_half = (match["clock_fap"] or half)[0]
    begin = (first if first > 12 else _in_half(first, first_half)) * 60 + first_minute
    if not match["clock_fap"] and atom.minutes is not None and begin > atom.minutes:
        begin -= 12 * 60  # "11 to 1 pm"
    return replace(atom, from_minutes=begin if begin >= 0 else None)


_TO_HOUR = re.compile(
    r" {0,2}(?P<to>-|to|until|till|and) {0,2}(?:(?P<h>\d{1,2})|(?P<w>"
    + "|".join(vocabulary.CLOCK_HOURS)
    + r"))(?= {0,2}(?:[.,;!?)](?!\d)|$)| (?:on|tomorrow|today|to|with|for|in the|at)\b)"
)


def up_to_hour(low: str, atom: Atom) -> Atom:
    """ "11 pm to 3", "between noon and 3": the next three o'clock after the time."""
    match = _TO_HOUR.match(low, atom.end)
    if match is None or atom.minutes is None or atom.from_minutes is not None or atom.is_part or atom.every:
        return atom
    if match["to"] == "and" and "between" not in low[max(0, atom.start - 8) : atom.end]:
        return atom
    hour = int(match["h"]) if match["h"] else vocabulary.CLOCK_HOURS[match["w"]]
    if not 1 <= hour <= 12:
        return atom
    end = next((at for at in (hour * 60, hour * 60 + 12 * 60) if at > atom.minutes), hour * 60) % (24 * 60)
    return replace(atom, minutes=end, from_minutes=atom.minutes, end=match.end(), is_weak=False)


def _of_afternoon(hour: int, *, is_open: bool) -> int:
    """ "3:30" and "at 3" without more are the afternoon in mail, "9" the morning."""
    return hour + 12 if is_open and 1 <= hour <= 6 else hour


_NAME = re.compile(r"(?:^|[ (])([A-Z][a-z]{2,20}) {1,2}$")
_AT_WORDS = frozenset("from between until till before after around about starting begins starts time date".split())  # noqa: SIM905


def _is_behind_name(context: Context, position: int) -> bool:
    """Whether a capitalized word that is no day stands right before, as in "John 3:16"."""
    match = _NAME.search(context.sentence, max(0, position - 24), position)
    if match is None:
        return False
    word = match[1].lower()
    return not (word in vocabulary.WEEKDAYS or word in vocabulary.MONTHS or word in _AT_WORDS)


def hours(match: re.Match[str], context: Context) -> Atom | None:
    written = match["hours_h"]
    is_open = len(written) == 1 and not match["hours_u"]
    hour = _of_afternoon(int(written), is_open=is_open)
    is_verse = not match["hours_u"] and _is_behind_name(context, match.start())
    atom = a_time(
        hour * 60 + int(match["hours_m"]),
        is_weak=is_verse,
        is_open=int(written) <= 12 and len(written.lstrip("0")) == 1,
    )
    return _with_first(atom, match["hours_fh"], match["hours_fm"], is_open=is_open)


def _with_first(atom: Atom | None, hour: str | None, minute: str | None, *, is_open: bool) -> Atom | None:
    if atom is None or atom.minutes is None or hour is None:
        return atom
    begin = _of_afternoon(int(hour), is_open=is_open) * 60 + int(minute or 0)
    if begin > atom.minutes:
        begin -= 12 * 60
    return replace(atom, from_minutes=begin) if begin >= 0 else atom


def military(match: re.Match[str], _context: Context) -> Atom | None:
    """0730-0930, 1500 hrs; four digits that may be years only with their unit."""
    if match["military_h3"]:
        if match["military_h3"] in ("19", "20") and match["military_m3"] < "30":
            return None  # "at 2001"
        return a_time(int(match["military_h3"]) * 60 + int(match["military_m3"]), is_weak=True)
    if match["military_h2"]:
        return a_time(int(match["military_h2"]) * 60 + int(match["military_m2"]))
    if match["military_u"] is None and match["military_fh"] in ("19", "20"):
        return None
    atom = a_time(int(match["military_h"]) * 60 + int(match["military_m"]), is_weak=match["military_u"] is None)
    begin = int(match["military_fh"]) * 60 + int(match["military_fm"])
    if atom is None or atom.minutes is None:
        return None
    if begin > atom.minutes and atom.minutes < 12 * 60:
        atom = replace(atom, minutes=atom.minutes + 12 * 60)
    return replace(atom, from_minutes=begin)


def heures(match: re.Match[str], _context: Context) -> Atom | None:
    atom = a_time(int(match["heures_h"]) * 60 + int(match["heures_m"] or 0), is_weak=True)
    return _with_first(atom, match["heures_fh"], None, is_open=False)


def uhr(match: re.Match[str], _context: Context) -> Atom | None:
    atom = a_time(int(match["uhr_h"]) * 60 + int(match["uhr_m"] or 0))
    return _with_first(atom, match["uhr_fh"], match["uhr_fm"], is_open=False)


def named(match: re.Match[str], _context: Context) -> Atom | None:
    name = " ".join(match["named_w"].split())
    atom = a_time(vocabulary.NAMED_TIMES[name])
    if atom is not None and name in vocabulary.END_OF_WORK:
        return replace(atom, is_end_of_day=True)
    return atom


def eod(match: re.Match[str], context: Context) -> Atom | None:
    if context.low.startswith("at the ") and match.start() == len("at the "):
        return None  # "At the end of the day it is about trust."
    return Atom(minutes=24 * 60 - 1, is_end_of_day=True)


def endof(_match: re.Match[str], _context: Context) -> Atom:
    return Atom(minutes=24 * 60 - 1, is_weak=True)


_PART_CUES = ("in", "during", "by", "at", "over")


def part(match: re.Match[str], context: Context) -> Atom | None:
    begin, end = vocabulary.PARTS_OF_DAY[" ".join(match["part_w"].split())]
    half = (match["part_m"] or "").strip(" -")
    if half == "early":
        end = (begin + end) // 2
    elif half == "late":
        begin = (begin + end) // 2
    del context
    return Atom(minutes=end, from_minutes=begin, is_weak=True, is_part=True)


def ampm(match: re.Match[str], _context: Context) -> Atom:
    end = 12 * 60 if match["ampm_w"] == "a" else 17 * 60
    return Atom(minutes=end, from_minutes=end - 5 * 60, is_weak=True, is_part=True, is_range_only=True)


def thispart(match: re.Match[str], context: Context) -> Atom:
    lead, word = match["thispart_n"] or "this", match["thispart_w"] or "morning"
    begin, end = vocabulary.PARTS_OF_DAY[word]
    ahead = {"next": 1, "last": -1}.get(lead, 0)
    atom = a_day(context.today + timedelta(days=ahead), needs_forward=True)
    return replace(atom, minutes=end, from_minutes=begin, is_vague=True, is_rejected=ahead < 0)


_MINUTES = {"half": 30, "quarter": 15, "a quarter": 15}


def wordclock(match: re.Match[str], context: Context) -> Atom | None:
    hour = int(match["wordclock_hd"]) if match["wordclock_hd"] else vocabulary.CLOCK_HOURS[match["wordclock_h"]]
    if not 0 < hour <= 24:
        return None
    said = " ".join((match["wordclock_m"] or "").replace("-", " ").split())
    minute = vocabulary.NUMBERS.get(said.removeprefix("oh "), 0)
    suffix = (match["wordclock_s"] or "").strip()
    half = match["wordclock_ap"] or match["wordclock_ap2"]
    is_weak = not suffix
    if match["wordclock_pt"]:
        counted = " ".join(match["wordclock_q"].split())
        is_minutes = "minute" in match.group()
        amount = _MINUTES.get(counted) or (int(counted) if counted.isdigit() else vocabulary.NUMBERS.get(counted, 0))
        is_before = match["wordclock_pt"] in ("to", "before", "till")
        if amount >= 60 or (is_before and counted not in _MINUTES and not is_minutes):
            return None
        minute = -amount if is_before else amount
        is_weak = False
    if is_weak and match["wordclock_m"] is None:
        return None
    at = (_in_half(hour, half) if half and hour <= 12 else _of_afternoon(hour, is_open=True)) * 60 + minute
    atom = a_time(at, is_weak=is_weak, is_open=half is None)
    del context
    return atom


def _hour(digits: str | None, word: str | None) -> int | None:
    return int(digits) if digits else vocabulary.CLOCK_HOURS[word] if word else None


def bare(match: re.Match[str], context: Context) -> Atom | None:
    """At 3, at seven, from 6 to 7: an hour in words, and a range, only where people meet or come."""
    hour = _hour(match["bare_h"], match["bare_w"])
    if hour is None or not 1 <= hour <= 23:
        return None
    until = _hour(match["bare_h2"], match["bare_w2"])
    lead = match["bare_p"] or "@"
    is_said = "clock" in match.group() or bool(match["bare_m2"]) or _is_meant(match, context)
    if until is None:
        atom = a_time(_of_afternoon(hour, is_open=True) * 60, is_weak=True, is_open=True)
        if atom is not None and (lead in _EITHER or match["bare_w"]):
            return replace(atom, is_range_only=not is_said)
        return atom
    atom = bare_range(hour, 0, until, int(match["bare_m2"] or 0))
    return replace(atom, is_range_only=not is_said) if atom is not None else None


_EITHER = frozenset({"from", "between", "before", "after", "until", "till"})
"""Leads behind which a bare number is anything."""


def _is_meant(match: re.Match[str], context: Context) -> bool:
    if words.CLAUSE_END.match(context.low, match.end()) is None:
        return False
    if (match["bare_p"] or "").endswith(" to"):
        return True
    if match["bare_w2"] is None and match["bare_h2"] is None and (match["bare_w"] in ("one", "two") or match["bare_h"]):
        return False  # "one at a time", "from 9" alone
    return context.is_forward and words.APPOINTMENT.search(context.low) is not None


def barerange(match: re.Match[str], _context: Context) -> Atom | None:
    begin, end = (
        _hour(match["barerange_fh"], match["barerange_fw"]),
        _hour(match["barerange_h"], match["barerange_w"]),
    )
    if begin is None or end is None:
        return None
    return bare_range(begin, int(match["barerange_fm"] or 0), end, int(match["barerange_m"] or 0))


def bare_range(hour: int, minute: int, until: int, until_minute: int) -> Atom | None:
    """ "7 to 9", "12-4": only beside a day."""
    if not (1 <= hour <= 24 and 1 <= until <= 24):
        return None
    begin = _of_afternoon(hour, is_open=True) * 60 + minute
    end = _of_afternoon(until, is_open=True) * 60 + until_minute
    if end <= begin and end + 12 * 60 < 24 * 60:
        end += 12 * 60
    atom = a_time(end, is_weak=True, is_open=True)
    if atom is None or end <= begin:
        return None
    return replace(atom, from_minutes=begin, is_range_only=True)
