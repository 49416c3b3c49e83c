"""Days of the calendar as people mean them: the next 12 May, the end of the month, Friday the 13th.

`now` is always the aware time of writing, in the writer's zone.
"""

import calendar
from datetime import date, datetime, timedelta

_RECENT_PAST_DAYS = 92
"""A day without a year that passed less than this long ago is taken as past, otherwise as next year's."""
_RECENT_PAST_DAYS_AHEAD = 10
"""The same in a sentence that looks ahead."""


def without_year(month: int, day: int, now: datetime, *, is_forward: bool = False) -> date:
    """The occurrence that a writer means: the next one, unless it has just passed."""
    today = now.date()
    recent = _RECENT_PAST_DAYS_AHEAD if is_forward else _RECENT_PAST_DAYS
    if (month, day) == (2, 29):
        year = next(year for year in range(today.year, today.year + 9) if calendar.isleap(year))
        return date(year, 2, 29)
    this_year = date(today.year, month, day)
    if this_year < today and (today - this_year).days > recent:
        return date(today.year + 1, month, day)
    if (this_year - today).days > 366 - _RECENT_PAST_DAYS // 3 and not is_forward:
        # Written in early January about late December: it has just passed.
        return date(today.year - 1, month, day)
    return this_year


def nth_of_month(number: int, now: datetime, *, is_next: bool = False) -> date:
    """The day with that number in this month, or in the next when it has passed or `is_next`."""
    today = now.date()
    if is_next or number < today.day:
        return add_months(today.replace(day=1), 1).replace(day=number)
    return today.replace(day=number)


def add_months(day: date, months: int) -> date:
    """The same day so many months on, or the month's last when it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_of_month(day: date) -> date:
    """The last day of that day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def period(unit: str, today: date, *, ahead: int) -> tuple[date, date]:
    """First and last day of the running week, weekend, month, quarter or year, or of the one `ahead`."""
    if unit in ("week", "weekend"):
        monday = today + timedelta(days=7 * ahead - today.weekday())
        return monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=6)
    if unit == "month":
        first = add_months(today.replace(day=1), ahead)
        return first, last_of_month(first)
    if unit == "quarter":
        first = add_months(today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), 3 * ahead)
        return first, last_of_month(add_months(first, 2))
    return date(today.year + ahead, 1, 1), date(today.year + ahead, 12, 31)


def work_days_later(day: date, count: int) -> date:
    """So many days on, Monday to Friday, or back when negative; feasts are not known to be free."""
    step = 1 if count > 0 else -1
    while count:
        day += timedelta(days=step)
        count -= step if day.weekday() < 5 else 0
    return day


def weekday_with_number(weekday: int, number: int, now: datetime, is_bare: bool) -> date | None:
    """The next day with that number on that weekday; None when it does not come soon (a bare number: this month or
    the next) or never within a year."""
    if not 1 <= number <= 31:
        return None
    first = now.date().replace(day=1)
    for ahead in range(2 if is_bare else 13):
        month = add_months(first, ahead)
        if number <= calendar.monthrange(month.year, month.month)[1]:
            day = month.replace(day=number)
            if day.weekday() == weekday and day >= now.date():
                return day
    return None
