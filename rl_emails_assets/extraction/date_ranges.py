"""The two ends of a range made one: each takes over what only the other says."""

from dataclasses import replace
from datetime import date, timedelta

from rl_emails_assets.extraction.date_atoms import Atom, Context


def range_of(context: Context, left: Atom, right: Atom, whole: Atom) -> Atom | None:
    """From one time to another; the later takes over what only the earlier says, and the other way round."""
    whole = replace(whole, is_vague=False, is_period=right.is_period)
    if left.day and right.day:
        return _range_of_days(left, right, whole)
    if left.day and right.minutes is not None:
        if left.minutes is None:
            # "Friday to 3pm" is no range; "Friday until 5pm" is a time of that day.
            return replace(whole, day=left.day, needs_forward=left.needs_forward)
        minutes = right.minutes
        if minutes <= left.minutes and right.is_open and minutes + 12 * 60 < 24 * 60:
            minutes += 12 * 60
        begin = left.from_minutes if left.from_minutes is not None and left.is_vague else left.minutes
        return replace(whole, day=left.day, minutes=minutes, from_minutes=begin, needs_forward=left.needs_forward)
    if left.minutes is not None and right.day and left.day is None:
        if right.minutes is None:
            return None
        begin = left.minutes
        if left.is_open and begin > right.minutes and begin >= 12 * 60:
            begin -= 12 * 60
        if not context.low[right.start].isdigit() and right.day > context.today:
            # "from 2pm till tomorrow 4:30pm" begins today.
            return replace(whole, from_minutes=left.minutes, from_day=context.today)
        return replace(whole, from_minutes=begin if begin < right.minutes else None)
    if left.minutes is not None and right.minutes is not None:
        if left.is_part and right.is_part:
            return replace(whole, from_minutes=left.from_minutes, is_weak=True)
        minutes, begin = right.minutes, left.minutes
        if begin > minutes and begin >= 13 * 60 and left.is_open:
            begin -= 12 * 60
        if minutes <= begin and right.is_open and minutes + 12 * 60 < 24 * 60:
            minutes += 12 * 60
        is_weak = left.is_weak and right.is_weak
        return replace(
            whole, minutes=minutes, from_minutes=begin, is_weak=is_weak, is_range_only=is_weak and right.is_range_only
        )
    return None


def _range_of_days(left: Atom, right: Atom, whole: Atom) -> Atom | None:
    if left.day is None or right.day is None:
        return None
    try:
        begin, end = _in_one_year(left, right)
    except ValueError:
        return None  # 29 February of a year without one
    if end < begin:
        return None
    from_minutes = left.from_minutes if left.is_vague else left.minutes
    if right.minutes is None and left.from_minutes is not None and not left.is_vague:
        # "9 to 5 Monday through Friday"
        whole, from_minutes = replace(whole, minutes=left.minutes), left.from_minutes
    return replace(
        whole,
        day=end,
        from_day=begin if begin < end else None,
        from_minutes=from_minutes,
        needs_forward=left.needs_forward and right.needs_forward,
        is_weekday=right.is_weekday,
        is_week=right.is_week,
    )


def _in_one_year(left: Atom, right: Atom) -> tuple[date, date]:
    """Begin and end of a range, the years and weeks that are not said chosen so that it goes forward."""
    begin, end = left.from_day or left.day or date.min, right.day or date.max
    if end < begin:
        if right.is_weekday:
            end += timedelta(days=7 * -(-(begin - end).days // 7))
        elif not left.has_year and not right.has_year:
            if left.is_period and right.is_period:
                return begin.replace(year=end.year - (begin.replace(year=end.year) > end)), end
            end = end.replace(year=begin.year + (end.replace(year=begin.year) < begin))
        elif not left.has_year:
            begin = begin.replace(year=end.year - (begin.replace(year=end.year) > end))
    elif right.has_year and not left.has_year and (end - begin).days > 366:
        begin = begin.replace(year=end.year - (begin.replace(year=end.year) > end))
    return begin, end
