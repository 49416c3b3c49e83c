"""Times that are counted off, said in words, joined over a gap, or written small: each family once, with what it must
not be taken for beside it. Written on Wednesday 6 May 2026 at ten."""

from datetime import UTC, date, datetime

import pytest

from rl_emails_assets.extraction.spoken_numbers import count_of, in_whole_units, year_in_words
from rl_emails_assets.extraction.time_mentions import TimeMention, find_times
from rl_emails_assets.extraction.time_zones import zone_after

WEDNESDAY = datetime(2026, 5, 6, 10, 0, tzinfo=UTC)


def _one(text: str) -> TimeMention:
    (found,) = find_times(text, WEDNESDAY)
    return found


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("We pay on the last working day of the month.", date(2026, 5, 29)),
        ("Rent is due on the last day of June.", date(2026, 6, 30)),
        ("The third business day of June is fine.", date(2026, 6, 3)),
        ("It must be done by the final day of the quarter.", date(2026, 6, 30)),
        ("We pay on the first business day of the month.", date(2026, 6, 1)),
        ("I am back three Mondays from now.", date(2026, 5, 25)),
        ("We meet on the 3rd Friday in June.", date(2026, 6, 19)),
        ("We meet on the Tuesday after the 15th.", date(2026, 5, 19)),
        ("We meet Monday in two weeks.", date(2026, 5, 18)),
        ("We meet in two weeks on Monday.", date(2026, 5, 18)),
        ("We meet two months from today on Friday.", date(2026, 7, 10)),
        ("We meet a week on Friday.", date(2026, 5, 15)),
        ("We meet Friday fortnight.", date(2026, 5, 22)),
        ("We meet tomorrow week.", date(2026, 5, 14)),
        ("We meet on June twenty-second, twenty twenty seven.", date(2027, 6, 22)),
        ("We meet on 5 June two thousand and twenty seven.", date(2027, 6, 5)),
        ("We meet on the twenty-first.", date(2026, 5, 21)),
        ("It is due by the 21.", date(2026, 5, 21)),
        ("It is due on 2026 Nov 7.", date(2026, 11, 7)),
        ("It is due on 2026/nov/07.", date(2026, 11, 7)),
        ("It is due on 27nov2026.", date(2026, 11, 27)),
        ("It is due on nov27.", date(2026, 11, 27)),
        ("It is due on 20261127.", date(2026, 11, 27)),
        ("It is due on may 21.", date(2026, 5, 21)),
        ("It is due on 27.11.26.", date(2026, 11, 27)),
        ("It is due Nov. 7th, '26.", date(2026, 11, 7)),
        ("It is due on May/21(Thu).", date(2026, 5, 21)),
        ("It is due the next business day.", date(2026, 5, 7)),
        ("It is due on 5/15 or later.", date(2026, 5, 15)),
        ("It is due on June 5 of next year.", date(2027, 6, 5)),
        ("It is due the 5th of June next year.", date(2027, 6, 5)),
        ("It is due next year on June 5.", date(2027, 6, 5)),
    ],
)
def test_a_single_day(text: str, day: date) -> None:
    found = _one(text)
    assert found.ends_at is not None
    assert (found.ends_at.date(), found.is_date_only, found.begins_at) == (day, True, None)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("I am away the first two weeks of June.", date(2026, 6, 1), date(2026, 6, 14)),
        ("I am away the last 3 days of the month.", date(2026, 5, 29), date(2026, 5, 31)),
        ("I am away the last two business days of June.", date(2026, 6, 29), date(2026, 6, 30)),
        ("I am away the first two months of 2027.", date(2027, 1, 1), date(2027, 2, 28)),
        ("I am away the last half of next year.", date(2027, 7, 1), date(2027, 12, 31)),
        ("I am away in the second half of the month.", date(2026, 5, 16), date(2026, 5, 31)),
        ("I am away the rest of the week.", date(2026, 5, 6), date(2026, 5, 10)),
        ("I am away for the remainder of June.", date(2026, 6, 1), date(2026, 6, 30)),
        ("We meet next week between Tuesday and Thursday.", date(2026, 5, 12), date(2026, 5, 14)),
        ("I am away June between 19 and 21.", date(2026, 6, 19), date(2026, 6, 21)),
        ("I am away Jan-Mar 2027.", date(2027, 1, 1), date(2027, 3, 31)),
        ("I am away between June and August.", date(2026, 6, 1), date(2026, 8, 31)),
        ("I am away November to February.", date(2026, 11, 1), date(2027, 2, 28)),
        ("I am away 10/1/2026-10/5/2026.", date(2026, 10, 1), date(2026, 10, 5)),
        ("I am away Monday May 18 to Friday May 22.", date(2026, 5, 18), date(2026, 5, 22)),
        ("I am away mon-wed.", date(2026, 5, 11), date(2026, 5, 13)),
        ("I am away the coming weekend.", date(2026, 5, 9), date(2026, 5, 10)),
        ("I am away next weekend.", date(2026, 5, 16), date(2026, 5, 17)),
        ("I am away 9 to 5 Monday through Friday.", date(2026, 5, 11), date(2026, 5, 15)),
        ("I am away the week before Christmas.", date(2026, 12, 14), date(2026, 12, 20)),
        ("I am away the last week of 2026.", date(2026, 12, 28), date(2027, 1, 3)),
        ("I am away the beginning of next week.", date(2026, 5, 11), date(2026, 5, 14)),
        ("I am away mid next week.", date(2026, 5, 13), date(2026, 5, 15)),
        ("I am away this fall.", date(2026, 9, 1), date(2026, 11, 30)),
        ("I am away in 2026-W31.", date(2026, 7, 27), date(2026, 8, 2)),
        ("The plan for Q3 FY27 is ready.", date(2027, 7, 1), date(2027, 9, 30)),
        ("The plan for fiscal year 2027 is ready.", date(2027, 1, 1), date(2027, 12, 31)),
        ("Sales from March to date are fine.", date(2026, 3, 1), date(2026, 5, 6)),
    ],
)
def test_a_stretch_of_days(text: str, first: date, last: date) -> None:
    found = _one(text)
    assert found.begins_at is not None
    assert found.ends_at is not None
    assert (found.begins_at.date(), found.ends_at.date()) == (first, last)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("I call in an hour and a half.", "05-06 11:30"),
        ("I call in two and a half hours.", "05-06 12:30"),
        ("I call 2.5 hours from now.", "05-06 12:30"),
        ("I call in a few hours.", "05-06 13:00"),
        ("I call within the next day and 5 hours.", "05-07 15:00"),
        ("I call tomorrow at seven oh five.", "05-07 07:05"),
        ("I call tomorrow from three thirty to four thirty.", "05-07 16:30"),
        ("I call at 5 in the afternoon on Friday.", "05-08 17:00"),
        ("I call at eight tomorrow morning.", "05-07 08:00"),
        ("I call 8 tonight.", "05-06 20:00"),
        ("I call 7:00 on Friday afternoon.", "05-08 19:00"),
        ("I call twenty past five tomorrow morning.", "05-07 05:20"),
        ("I call from 4pm today to 5pm tomorrow.", "05-07 17:00"),
        ("I call 16:00, 23 May - 22:00, 27 May.", "05-27 22:00"),
        ("I call between 10 pm and 3.", "05-07 03:00"),
        ("I call Friday, from noon to 3.", "05-08 15:00"),
        ("I call tomorrow 3.", "05-07 15:00"),
        ("I call Friday at 1500.", "05-08 15:00"),
        ("I call fri 8am.", "05-08 08:00"),
        ("I call Friday sometime after 3pm.", "05-08 15:00"),
        ("I call Friday AM.", "05-08 12:00"),
        ("I call Friday mid-afternoon.", "05-08 16:00"),
        ("I call tonight around 2.", "05-07 02:00"),
        ("I call for the rest of today.", "05-06 23:59"),
        ("I call Friday later than 10 in the morning.", "05-08 10:00"),
        ("I call Friday at 3p.", "05-08 15:00"),
        ("I call Friday at 3pm est.", "05-08 20:00"),
    ],
)
def test_a_time_of_day(text: str, at: str) -> None:
    found = _one(text)
    assert found.ends_at is not None
    assert found.ends_at.strftime("%m-%d %H:%M") == at


@pytest.mark.parametrize(
    ("text", "repeats", "day"),
    [
        ("We meet every last Friday of the month.", "monthly", date(2026, 5, 29)),
        ("We meet on the first Monday of each month.", "monthly", date(2026, 6, 1)),
        ("We meet on the last day of each month.", "monthly", date(2026, 5, 31)),
        ("We meet on the 15th of every month.", "monthly", date(2026, 5, 15)),
        ("We meet every May 21.", "yearly", date(2026, 5, 21)),
        ("We meet weekdays at 9.", "weekly", date(2026, 5, 6)),
        ("We meet 9-5 on weekdays.", "weekly", date(2026, 5, 6)),
        ("We meet every morning at 8.", "daily", date(2026, 5, 6)),
    ],
)
def test_a_repetition(text: str, repeats: str, day: date) -> None:
    found = _one(text)
    assert found.ends_at is not None
    assert (found.repeats, found.ends_at.date()) == (repeats, day)


def test_every_day_of_a_list_repeats() -> None:
    """A second day that is taken for a single appointment."""
    assert [found.repeats for found in find_times("We meet each Monday and Thursday.", WEDNESDAY)] == ["weekly"] * 2


def test_an_hour_of_the_morning_that_repeats_stays_in_the_morning() -> None:
    (found,) = find_times("We meet daily at 9.", WEDNESDAY)
    assert found.ends_at is not None
    assert found.ends_at.hour == 9


@pytest.mark.parametrize(
    "text",
    [
        "You may 21 or more.",
        "The rate will grow from 6 to 7.",
        "I prefer the second.",
        "Order 20261127 has been shipped.",
        "It cost $ 12 on the whole.",
        "The rest of the money went to the bank.",
        "Back in the day we did it by hand.",
        "She sat at the table.",
        "3p medical devices are exempt.",
        "He was 31st of February.",
        "The 9th working day of the week does not exist.",
        "The last seven weeks of the month cannot be.",
        "Between the second and the third there is a gap.",
        "Room 1500 is at the end of the hall.",
    ],
)
def test_no_time_where_there_is_none(text: str) -> None:
    assert find_times(text, WEDNESDAY) == ()


def test_numbers_in_words() -> None:
    assert year_in_words("two thousand and twenty seven") == 2027
    assert year_in_words("twenty oh five") == 2005
    assert year_in_words("nineteen ninety-nine") == 1999
    assert (count_of("two and a half"), count_of("1½"), count_of("2,5"), count_of("three and a quarter")) == (
        2.5,
        1.5,
        2.5,
        3.25,
    )
    assert in_whole_units(2.5, "week") == (("week", 2), ("day", 4))
    assert in_whole_units(0.5, "hour") == (("minute", 30),)
    assert in_whole_units(3, "hour") == (("hour", 3),)


def test_a_zone_in_small_letters_counts_only_where_it_is_no_word() -> None:
    assert zone_after("3pm est", 3) == ("EST", 7)
    assert zone_after("15:00 utc+2", 5) == ("UTC+2", 11)
    assert zone_after("15:00 est là", 5) is None
