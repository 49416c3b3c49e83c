"""Atoms that say one time together become one: a weekday and its date, a day and an hour, the ends of a range."""

import re
from dataclasses import replace
from datetime import timedelta

from rl_emails_assets.extraction import date_days, date_durations
from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.calendar_days import add_months
from rl_emails_assets.extraction.date_atoms import Atom, Context
from rl_emails_assets.extraction.date_ranges import range_of

_DAY_TIME = re.compile(
    r" {0,2}(?:[,;]| -)? {0,3}(?:at|@|by|before|after|until|till|no later than|later than"
    r"|earlier than|from|between|in the"
    r"|um|gegen|bis|à|a las?|alle(?: ore)?"
    r"|às|om|t|around|about|for|starting at|beginning at|starting from|(?:sometime |any ?time )?(?:after|before"
    r"|between|around|from|in|by)|sometime|any ?time|in"
    r"|zwischen|entre|tussen|tra|dalle|- |\() {0,2}|[ ,;-]{0,4}"
)
_TIME_DAY = re.compile(r",? {0,2}(?:on|of|this|am|le|el|du|the|del|di|op|em|for|in the day|\() {0,2}|[ ,]{0,3}")
_DAYS = re.compile(
    r" {0,2}(?:,| -|\()? {0,2}(?:(?:on |in )?the|on|of|in|den|dem|le|el|der|il|o|de"
    r"|the week of|week of|in the|\() {0,2}|[ ,(-]{0,4}"
)
_RANGE = re.compile(
    r" {0,2}(?:-|to|through|thru|until|till|bis(?: zum)?|au|à|a|al|tot|até|hasta el|up to|and ending|ending(?: on)?"
    r"|and ending on) {0,2}(?:the |at |on )?"
)
_AND = re.compile(r" {1,2}(?:and|und|et|y|e|en) {1,2}(?:the |at )?")
_LIST = re.compile(r" {0,2}(?:,|,? or|,? and|/) {0,2}(?:on |the )?")
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre|tussen|tra|fra)(?: the| le| den| dem| el)? {0,2}$")
_MAX_GAP = 24
_GAP_WORD = re.compile(r"[^\w@&]*([^\W\d_]+)?")
_GAP_WORDS = frozenset(
    """at by before after until till no later earlier from between in um gegen bis à a alle às as om t around about for
    starting beginning sometime any anytime zwischen entre tussen tra dalle on of this am le el du the del di op em den
    dem der il o de week to through thru au al tot até hasta up and ending und et y e en or""".split()  # noqa: SIM905
)
"""What stands first between two atoms that say one time together."""


def join(context: Context, atoms: list[Atom]) -> list[Atom]:
    """Atoms that say one time together become one: a weekday and its date, a day and an hour, the ends of a range."""
    joined: list[Atom] = []
    for index, atom in enumerate(atoms):
        if joined and joined[-1].end > atom.start:
            continue  # the end of a range that was read together with its day
        joined.append(_with_own_day(context, joined[-1], atoms[index : index + 3]) if joined else atom)
        while len(joined) > 1:
            both = _together(context, joined[-2], joined[-1])
            if both is None:
                break
            joined[-2:] = [both]
    return [_up_to_now(context, atom) for atom in _listed(context, joined)]


def _with_own_day(context: Context, left: Atom, coming: list[Atom]) -> Atom:
    """The first of `coming`, with its day when it ends a range that begins on another: "4pm today to 5pm tomorrow"."""
    right = coming[0]
    if left.day is None or right.day is not None or right.minutes is None or len(coming) == 1:
        return right
    own = coming[1]
    if own.day is None or own.minutes is not None or own.is_period or own.every or own.shift:
        return right
    if len(coming) > 2 and coming[2].minutes is not None and coming[2].start - own.end <= 4:
        return right  # "Monday 9 to 5pm, Tuesday 10 to 5pm"
    if not _is_range(context, left, right) or not _TIME_DAY.fullmatch(context.low, right.end, own.start):
        return right
    both = replace(own, start=right.start, is_weak=False)
    return _time_and_day(right, own, both)


_TO_NOW = re.compile(r" {1,2}(?:to|until|till|up to|through) {1,2}(?:date|now|the present|present)\b")


def _up_to_now(context: Context, atom: Atom) -> Atom:
    """ "From March to date" is over."""
    if atom.day is None or not (match := _TO_NOW.match(context.low, atom.end)):
        return atom
    begin = atom.from_day or atom.day
    if begin > context.today:
        begin = add_months(begin, -12)
    return replace(atom, end=match.end(), from_day=begin, day=context.today, is_rejected=True)


def _listed(context: Context, atoms: list[Atom]) -> list[Atom]:
    """In "on 11/20, 11/22 or 11/25" the first vouches for the rest."""
    for index in range(1, len(atoms)):
        before, atom = atoms[index - 1], atoms[index]
        if before.every and before.day and atom.is_weekday and not atom.every and atom.from_day is None:
            gap = context.low[before.end : atom.start]
            if _LIST.fullmatch(gap) or _AND.fullmatch(gap):
                atoms[index] = replace(atom, every=before.every)  # "each Monday and Wednesday"
                continue
        if not (atom.is_weak and atom.day and before.day) or atom.is_range_only or atom.every:
            continue
        is_sure = not before.is_weak or words.cue_before(context.low, before.start) is not None
        if is_sure and _LIST.fullmatch(context.low, before.end, atom.start):
            atoms[index] = replace(atom, is_weak=False)
    return atoms


def _together(context: Context, left: Atom, right: Atom) -> Atom | None:  # noqa: PLR0912
    gap = context.low[left.end : right.start]
    if len(gap) > _MAX_GAP:
        return None
    first = _GAP_WORD.match(gap)
    if first is not None and first[1] and first[1] not in _GAP_WORDS:
        return None
    if left.shift or left.week_of:
        return _moved(left, right) if not gap.strip() and right.day is not None else None
    if left.instant or right.instant:
        return None
    whole = replace(
        right,
        start=left.start,
        is_weak=False,
        is_part=False,
        is_range_only=False,
        is_vague=right.is_part,
        is_rejected=left.is_rejected or right.is_rejected,
        every=left.every or right.every,
        zone=right.zone or left.zone,
    )
    is_range = _is_range(context, left, right)
    if (left.every and right.every) or (left.is_part and left.is_range_only):
        return None
    if left.off_by and right.is_weekday and right.minutes is None and left.day and right.day:
        if _DAYS.fullmatch(gap):
            day = date_durations.on_weekday(left.day, left.off_by, right.day.weekday())
            return replace(whole, day=day, is_weekday=False, needs_forward=left.needs_forward)
        return None
    if right.off_by and left.is_weekday and left.day and right.day and not gap.strip():
        day = date_durations.on_weekday(right.day, right.off_by, left.day.weekday())
        return replace(whole, day=day, minutes=left.minutes, from_minutes=left.from_minutes, off_by="", from_day=None)
    if left.every and left.day is None and left.is_vague and right.day is None and right.minutes is not None:
        if right.every or right.is_part or not _DAY_TIME.fullmatch(gap):
            return None
        minutes, begin = _minutes_of(left, right)  # "every morning at 8"
        return replace(whole, minutes=minutes, from_minutes=begin, is_vague=False, is_weak=True, is_open=False)
    if left.every and left.day is None and left.minutes is None:
        if right.day is not None or right.minutes is None or not _DAY_TIME.fullmatch(gap):
            return None
        return replace(whole, every=left.every, is_weak=True, is_open=False)
    if is_range and not left.every and not right.every:
        return range_of(context, left, right, whole)
    if left.day and right.day is None and right.minutes is not None:
        return _day_and_time(context, left, right, whole)
    is_time_only = left.day is None and left.minutes is not None and not left.every
    if is_time_only and right.every and right.minutes is None and right.day is None and not gap.strip(" ,"):
        # "9-5 on weekdays"
        return replace(whole, minutes=left.minutes, from_minutes=left.from_minutes, is_weak=True)
    if left.day is None and left.minutes is not None and right.day:
        if right.every and not right.minutes and not gap.strip(" ,"):
            return replace(whole, minutes=left.minutes, from_minutes=left.from_minutes, is_vague=left.is_part)
        if right.minutes is not None and not right.is_vague:
            return None
        if _TIME_DAY.fullmatch(gap) and not right.is_week and not (left.is_part and right.minutes is not None):
            return _time_and_day(left, right, whole)
        return None
    if left.day and right.day:
        return _two_days(context, left, right, whole)
    if left.minutes is not None and right.minutes is not None:
        return _two_times(gap, left, right, whole)
    return None


def _is_range(context: Context, left: Atom, right: Atom) -> bool:
    gap = context.low[left.end : right.start]
    if _RANGE.fullmatch(gap):
        return True
    if not _AND.fullmatch(gap):
        return False
    if "between" in context.low[left.start : left.end]:
        return True
    is_time = left.minutes is not None or left.day is not None
    return is_time and bool(_BETWEEN.search(context.low, max(0, left.start - 16), left.start))


def _moved(left: Atom, right: Atom) -> Atom | None:
    if right.day is None:
        return None
    if left.week_of:
        return replace(date_days.around(left.week_of, right.day), start=left.start, end=right.end)
    unit, ahead = left.shift[0]
    if unit.startswith("whole "):
        edge = right.from_day if right.from_day and ahead < 0 else right.day
        moved = date_days.around(unit.removeprefix("whole "), edge + timedelta(days=7 * ahead))
        return replace(moved, start=left.start, end=right.end)
    day = date_durations.shifted(right.from_day if right.from_day and right.is_period else right.day, left.shift)
    off_by = date_durations.off_by(left.shift)
    moved = replace(right, start=left.start, day=day, from_day=None, is_weak=False, is_week=False, is_weekday=False)
    return replace(moved, is_period=False, off_by=off_by)


def _day_and_time(context: Context, left: Atom, right: Atom, whole: Atom) -> Atom | None:
    gap = context.low[left.end : right.start]
    if left.minutes is not None and not left.is_vague and not right.is_part:
        return None
    if right.is_range_only and "," in gap and not left.is_weekday:
        return None  # "May 12, 13 and 14"
    if not _DAY_TIME.fullmatch(gap) or (left.is_period and not left.is_week and not left.every):
        return None
    if left.is_week and not left.every and not right.is_end_of_day:
        return None
    if left.from_day is not None and not left.is_week:
        begin = left.from_minutes if left.from_minutes is not None else right.from_minutes
        return replace(whole, day=left.day, from_day=left.from_day, from_minutes=begin)
    minutes, begin = _minutes_of(left, right)
    day = left.day
    if day == context.today and left.is_vague and minutes is not None and minutes < 5 * 60:
        now = context.now.hour * 60 + context.now.minute
        day += timedelta(days=int(minutes <= now))  # "tonight at 2am"
    return replace(
        whole,
        day=day,
        from_day=None,
        minutes=minutes,
        from_minutes=begin,
        needs_forward=left.needs_forward,
        is_vague=right.is_part and left.minutes is None,
        is_weekday=left.is_weekday,
        has_year=left.has_year,
    )


def _minutes_of(left: Atom, right: Atom) -> tuple[int | None, int | None]:
    """The time of a day and a time that stand together."""
    minutes, begin = right.minutes, right.from_minutes
    if left.minutes is None or minutes is None:
        return minutes, begin
    if right.is_part:
        is_said = not left.is_open or right.is_range_only
        return left.minutes if is_said else _in_part(left.minutes, right), left.from_minutes
    if left.is_vague and left.minutes == 24 * 60 - 1 and right.is_open and 13 * 60 <= minutes < 17 * 60:
        return minutes - 12 * 60, begin  # "tonight around 3"
    if left.is_vague and left.minutes > 13 * 60 and minutes < 12 * 60 and (right.is_open or minutes > 4 * 60):
        # "tonight at 8", "tomorrow evening around 7".
        return minutes + 12 * 60, begin + 12 * 60 if begin is not None and begin < 12 * 60 else begin
    if left.is_vague and left.minutes == 12 * 60 and right.is_open and minutes >= 13 * 60 and minutes < 24 * 60:
        # "tomorrow morning at 6".
        return minutes - 12 * 60, begin - 12 * 60 if begin is not None and begin >= 13 * 60 else begin
    return minutes, begin


def _time_and_day(left: Atom, right: Atom, whole: Atom) -> Atom:
    if right.minutes is not None and not left.is_part:
        # "8pm tonight", "10 this morning".
        minutes, begin = _minutes_of(right, left)
        return replace(whole, minutes=minutes, from_minutes=begin, is_vague=False)
    return replace(
        whole,
        minutes=left.minutes,
        from_minutes=left.from_minutes,
        is_vague=left.is_part,
        is_open=left.is_open,
        is_end_of_day=left.is_end_of_day,
        from_day=None,
        day=right.day,
    )


def _two_days(context: Context, left: Atom, right: Atom, whole: Atom) -> Atom | None:
    gap = context.low[left.end : right.start]
    if left.day is None or right.day is None:
        return None
    if left.is_weekday and not right.is_weekday and right.is_week and right.from_day and _DAYS.fullmatch(gap):
        # "Monday of the following week".
        day = right.from_day + timedelta(days=left.day.weekday())
        return replace(left, end=right.end, day=day, is_weekday=False, is_weak=False)
    if left.is_weekday and not right.is_weekday and not right.is_period and _DAYS.fullmatch(gap):
        minutes = right.minutes if right.minutes is not None else left.minutes
        if left.minutes is not None and right.minutes is not None:
            return None
        from_day = left.from_day if left.from_day and left.from_day < right.day else right.from_day
        begin = right.from_minutes or left.from_minutes
        return replace(whole, needs_forward=False, minutes=minutes, from_minutes=begin, from_day=from_day)
    if _is_year(right) and _is_plain_day(left) and _OF_YEAR.fullmatch(gap):
        # "June 5 of next year"
        return replace(left, end=right.end, day=left.day.replace(year=right.day.year), has_year=True, is_weak=False)
    if _is_year(left) and _is_plain_day(right) and _OF_YEAR.fullmatch(gap):
        return replace(whole, day=right.day.replace(year=left.day.year), has_year=True)
    is_within = right.from_day is not None and gap.strip() in ("between", "from")
    if left.is_week and right.is_weekday and left.from_day and (is_within or _DAYS.fullmatch(gap)):
        # "next week on Tuesday".
        day = left.from_day + timedelta(days=right.day.weekday())
        from_day = right.from_day and left.from_day + timedelta(days=right.from_day.weekday())
        return replace(whole, day=day, from_day=from_day)
    if (
        left.minutes is None
        and not left.every
        and right.has_year
        and left.needs_forward
        and left.from_day is None
        and _DAYS.fullmatch(gap)
    ):
        return whole  # "tomorrow, 13/04/2021"
    if right.is_weekday and not left.is_weekday and not left.is_period and left.from_day is None and not left.every:
        # The weekday behind its day, in brackets or not.
        is_same = left.day.weekday() == right.day.weekday() and not gap.strip(" ,")
        if gap.strip() == "(" or is_same:
            end = right.end + (context.low[right.end : right.end + 1] == ")")
            return replace(left, end=end, is_weak=False)
    if left.day == right.day and not left.every and not gap.strip(" ,(") and left.minutes is None:
        return whole
    return None


_OF_YEAR = re.compile(r",? {0,2}(?:of |on |the )?")


def _is_year(atom: Atom) -> bool:
    """Whether a stretch is this year or next."""
    return (
        atom.is_period and atom.from_day is not None and atom.day is not None and (atom.day - atom.from_day).days > 360
    )


def _is_plain_day(atom: Atom) -> bool:
    """Whether an atom is the day of a month, its year not said."""
    return not (atom.has_year or atom.is_weekday or atom.is_period or atom.every or atom.needs_forward or atom.from_day)


def _two_times(gap: str, left: Atom, right: Atom, whole: Atom) -> Atom | None:
    if right.day is not None or left.day is not None:
        return None
    if right.is_part and not gap.strip() and left.minutes is not None and not left.is_part:
        if right.is_range_only:
            return None
        # "9 in the morning", "3 in the afternoon".
        return replace(
            whole,
            minutes=_in_part(left.minutes, right),
            from_minutes=_in_part(left.from_minutes, right) if left.from_minutes is not None else None,
            is_vague=False,
            is_open=False,
        )
    if (
        left.is_part
        and not left.is_range_only
        and not right.is_part
        and _DAY_TIME.fullmatch(gap)
        and right.minutes is not None
    ):
        # "in the morning at 7".
        minutes = _in_part(right.minutes, left) if right.is_open else right.minutes
        return replace(whole, minutes=minutes, is_vague=False, is_open=False)
    return None


def _in_part(minutes: int, part: Atom) -> int:
    hour = minutes // 60
    if hour > 12 and (part.minutes or 0) > 12 * 60:
        return minutes
    return (
        hour % 12
        + (
            12
            if (part.minutes or 0) > 12 * 60 and hour != 12
            else 12
            if hour == 12 and (part.minutes or 0) > 12 * 60
            else 0
        )
    ) * 60 + minutes % 60
