"""Deadlines: the right day at the right hour, and no date where the mail names none."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.extraction.deadlines import MAX_DEADLINES, find_deadlines
from rl_emails_assets.extraction.time_zones import offset_of, zone_after

CHICAGO = timezone(timedelta(hours=-5))
BERLIN = timezone(timedelta(hours=2))
WEDNESDAY = datetime(2026, 5, 6, 10, 0, tzinfo=CHICAGO)
MITTWOCH = datetime(2026, 5, 6, 10, 0, tzinfo=BERLIN)


def _days(text: str, written_at: datetime = WEDNESDAY) -> list[str]:
    """Each deadline as "2026-05-08", or "2026-05-08 15:00" in the writer's zone when it has a time."""
    return [
        deadline.at.strftime("%Y-%m-%d")
        if deadline.is_date_only
        else deadline.at.astimezone(written_at.tzinfo).strftime("%Y-%m-%d %H:%M")
        for deadline in find_deadlines(text, written_at)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please send it by Friday.", "2026-05-08"),
        ("Can you do this Friday?", "2026-05-08"),
        ("I want to see you next Friday.", "2026-05-15"),
        ("Could we talk on Friday next week?", "2026-05-15"),
        ("Let's do next week on Tuesday", "2026-05-12"),
        ("by EOD tomorrow", "2026-05-07 17:00"),
        ("I need this by COB Friday", "2026-05-08 17:00"),
        ("I need it by close of business today", "2026-05-06 17:00"),
        ("Send it by noon", "2026-05-06 12:00"),
        ("tomorrow at noon works", "2026-05-07 12:00"),
        ("due tonight", "2026-05-06 23:59"),
        ("call me tonight at 8", "2026-05-06 20:00"),
        ("call me this afternoon", "2026-05-06 17:00"),
        ("Can we speak tomorrow morning?", "2026-05-07 12:00"),
        ("tomorrow morning at 9 please", "2026-05-07 09:00"),
        ("tomorrow evening around 7", "2026-05-07 19:00"),
        ("the day after tomorrow", "2026-05-08"),
        ("Due in 3 days", "2026-05-09"),
        ("We ship within two weeks", "2026-05-20"),
        ("in a fortnight", "2026-05-20"),
        ("reply within 2-3 days", "2026-05-09"),
        ("within 3 business days", "2026-05-11"),
        ("in two months", "2026-07-06"),
        ("in 1 quarter", "2026-08-06"),
        ("in an hour", "2026-05-06 11:00"),
        ("in half an hour", "2026-05-06 10:30"),
        ("in 90 minutes", "2026-05-06 11:30"),
        ("within 24 hours", "2026-05-07 10:00"),
        ("a week from Friday", "2026-05-15"),
        ("two weeks from tomorrow", "2026-05-21"),
        ("3 days from now", "2026-05-09"),
        ("two days after tomorrow", "2026-05-09"),
        ("I look at 18 and 19 June", "2026-06-19"),
        ("on the 15th day of next month", "2026-06-15"),
        ("one week hence", "2026-05-13"),
        ("by the end of the week", "2026-05-08"),
        ("by the end of next week", "2026-05-15"),
        ("by the end of the month", "2026-05-31"),
        ("before the end of the month", "2026-05-31"),
        ("by end of quarter", "2026-06-30"),
        ("by the end of next quarter", "2026-09-30"),
        ("by the end of the year", "2026-12-31"),
        ("by year end", "2026-12-31"),
        ("needed by EOM", "2026-05-31"),
        ("by the end of June", "2026-06-30"),
        ("by end of March 2027", "2027-03-31"),
        ("close of the month", "2026-05-31"),
        ("Could we meet next week?", "2026-05-15"),
        ("by next month", "2026-06-30"),
        ("by this weekend", "2026-05-10"),
        ("Let's hike next weekend", "2026-05-17"),
        ("on 12 May", "2026-05-12"),
        ("on the 12th of May", "2026-05-12"),
        ("May 12th, 2026", "2026-05-12"),
        ("May 12", "2026-05-12"),
        ("Sept. 3", "2026-09-03"),
        ("3-Sep-2026", "2026-09-03"),
        ("3-Sep-26 at the latest", "2026-09-03"),
        ("January 15", "2027-01-15"),
        ("on 29 February", "2028-02-29"),
        ("5/12/2026", "2026-05-12"),
        ("5/12/26", "2026-05-12"),
        ("25/12/2026", "2026-12-25"),
        ("by 5/12", "2026-05-12"),
        ("by 5/12-14", "2026-05-14"),
        ("12.05.2026", "2026-05-12"),
        ("5.25.2026", "2026-05-25"),
        ("2026-05-12", "2026-05-12"),
        ("2026-05-12T15:00", "2026-05-12 15:00"),
        ("May 12-15", "2026-05-15"),
        ("12-15 May", "2026-05-15"),
        ("May 12 to May 14", "2026-05-14"),
        ("respond by the 12th", "2026-05-12"),
        ("respond by the 2nd", "2026-06-02"),
        ("on the 3rd of next month", "2026-06-03"),
        ("Friday the 15th", "2026-05-15"),
        ("Friday 15 works", "2026-05-15"),
        ("see you Friday 13", "2026-05-08"),
        ("see you Friday 45", "2026-05-08"),
        ("Friday at 99", "2026-05-08"),
        ("Friday 3pm, 4pm", "2026-05-08 15:00"),
        ("noon to 3pm please", "2026-05-06 15:00"),
        ("8pm tonight", "2026-05-06 20:00"),
        ("10:30 tomorrow morning", "2026-05-07 10:30"),
        ("Tue 30th", "2026-06-30"),
        ("Mon 31st is it", "2026-08-31"),
        ("Thursday, May 14", "2026-05-14"),
        ("Friday at 3pm", "2026-05-08 15:00"),
        ("Friday at 3", "2026-05-08 15:00"),
        ("Friday at 10 o'clock", "2026-05-08 10:00"),
        ("3pm on Friday", "2026-05-08 15:00"),
        ("Friday, 3:30", "2026-05-08 15:30"),
        ("Friday 03:30", "2026-05-08 03:30"),
        ("Friday 15:30", "2026-05-08 15:30"),
        ("Friday 3-4pm", "2026-05-08 16:00"),
        ("Friday between 3 and 4 pm", "2026-05-08 16:00"),
        ("Friday 2 p.m. - 3 p.m.", "2026-05-08 15:00"),
        ("12am on Friday", "2026-05-08 00:00"),
        ("midnight on Friday", "2026-05-08 23:59"),
        ("24/7 help, or Fri 9am", "2026-05-08 09:00"),
        ("at 3pm please", "2026-05-06 15:00"),
        ("Friday at 3pm ET", "2026-05-08 14:00"),
        ("10am CST on May 20", "2026-05-20 11:00"),
        ("Friday 9:00 GMT+2", "2026-05-08 02:00"),
        ("Friday at 3 pm Pacific Time", "2026-05-08 17:00"),
        ("please finish by Christmas", "2026-12-25"),
        ("Monday through Wednesday is fine", "2026-05-13"),
        ("July 3 in the morning", "2026-07-03 12:00"),
        ("tomorrow 9am in the morning", "2026-05-07 09:00"),
        ("3pm in the afternoon tomorrow", "2026-05-07 15:00"),
        ("The deadline was moved; it must be in by Monday", "2026-05-11"),
        ("Date: Friday at 3.30pm", "2026-05-08 15:30"),
    ],
)
def test_english_names_this_time(text: str, expected: str) -> None:
    assert _days(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bitte bis Freitag zurücksenden.", "2026-05-08"),
        ("Bitte bis nächsten Montag", "2026-05-11"),
        ("bis zum 12.05.2026", "2026-05-12"),
        ("bis zum 12.05.26 bitte", "2026-05-12"),
        ("bis 12.5. bitte", "2026-05-12"),
        ("am 12. Mai um 15 Uhr", "2026-05-12 15:00"),
        ("Können wir morgen um 9:30 Uhr telefonieren?", "2026-05-07 09:30"),
        ("Montag nächster Woche passt", "2026-05-11"),
        ("bis Ende der Woche", "2026-05-08"),
        ("bis Monatsende", "2026-05-31"),
        ("bis Ende Mai", "2026-05-31"),
        ("innerhalb von zwei Wochen", "2026-05-20"),
        ("in 3 Werktagen", "2026-05-11"),
        ("nächste Woche", "2026-05-15"),
        ("bis übermorgen", "2026-05-08"),
        ("spätestens am Montag, den 18. Mai", "2026-05-18"),
        ("vor dem 18. Mai", "2026-05-18"),
        ("avant vendredi", "2026-05-08"),
        ("d'ici le 12 mai", "2026-05-12"),
        ("demain à 15h30", "2026-05-07 15:30"),
        ("demain à 15 h", "2026-05-07 15:00"),
        ("la semaine prochaine", "2026-05-15"),
        ("vendredi prochain", "2026-05-08"),
        ("avant le 12/05/2026", "2026-05-12"),
        ("avant la fin du mois", "2026-05-31"),
        ("dans 3 jours", "2026-05-09"),
        ("1er juin", "2026-06-01"),
        ("on se voit ce soir", "2026-05-06 23:59"),
        ("antes del viernes", "2026-05-08"),
        ("el 12 de mayo de 2026", "2026-05-12"),
        ("mañana a las 10:00", "2026-05-07 10:00"),
        ("la próxima semana", "2026-05-15"),
        ("la semana que viene", "2026-05-15"),
        ("hasta el 15/05", "2026-05-15"),
        ("pasado mañana", "2026-05-08"),
        ("esta tarde por favor", "2026-05-06 20:00"),
        ("el próximo lunes", "2026-05-11"),
        ("a fin de mes", "2026-05-31"),
        ("nos vemos el fin de semana", "2026-05-10"),
    ],
)
def test_german_french_and_spanish_name_this_time(text: str, expected: str) -> None:
    assert _days(text, MITTWOCH) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "That may 5 times be true.",
        "We march 3 abreast.",
        "Install version 1.2.10 or 10.5.26 today was fine.",
        "Call 713-555-0142 or 555.01.23 45.",
        "It costs $5/12 and runs 24/7, half is 1/2.",
        "Wait a second, this is the second time.",
        "We met on Friday.",
        "On Monday I sent the file.",
        "The market is quiet today.",
        "Prices rose this week.",
        "We talk every Friday.",
        "See you last Friday? No, past Monday.",
        "vendredi dernier",
        "sent on May 1",
        "due 1 May 2026",
        "on 12/20/2001",
        "31 June 2026 does not exist, nor does 13/13/2026",
        "The score was 5:99 and 25:10.",
        "at 13pm and 0am",
        "On 12 May 2026, Bob wrote:",
        "> see you on Friday",
        "From: bob 12 May 2026",
        "Guten Morgen Herr Maier",
        "por la mañana",
        "Merry Christmas!",
        "within two weeks of receipt",
        "in 0 days",
        "over the next five years",
        "in ten years",
        "in half a week",
        "the 12th floor",
        "on the 12th floor",
        "mon ami, sat down",
        "the close of the week",
        "The contract ends on May 12, 2045.",
        "Friday's numbers",
        "30 Uhr",
        "99:30 Uhr",
        "the meeting at 99",
        "before today",
        "Sun Microsystems",
        "We will go on as last Friday at 3pm.",
        "Route 5 may close.",
        "nos vimos esta mañana",
    ],
)
def test_no_date_where_there_is_none(text: str) -> None:
    assert find_deadlines(text, WEDNESDAY) == ()


def test_a_recent_day_without_a_year_is_past_and_not_next_year() -> None:
    assert _days("as agreed on April 20") == []
    assert _days("as agreed on December 20", datetime(2026, 1, 5, tzinfo=UTC)) == []


def test_five_twelve_is_december_for_a_european() -> None:
    assert _days("by 5/12", MITTWOCH) == ["2026-12-05"]
    assert _days("avant le 5/12/2026 svp", WEDNESDAY) == ["2026-12-05"]


def test_at_the_weekend_this_week_ends_with_the_weekend() -> None:
    assert _days("by the end of the week", datetime(2026, 5, 9, 9, 0, tzinfo=CHICAGO)) == ["2026-05-10"]


def test_today_written_late_is_still_ahead() -> None:
    late = datetime(2026, 5, 6, 21, 0, tzinfo=CHICAGO)
    (deadline,) = find_deadlines("please reply today", late)
    assert deadline.at == datetime(2026, 5, 6, 23, 59, tzinfo=CHICAGO)
    assert _days("by end of day please", late) == ["2026-05-06 23:59"]


@pytest.mark.parametrize("hours", [-11, -8, -5, 0, 2, 8, 13])
def test_a_day_is_the_same_day_in_utc_and_for_its_writer(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for words in ("by Friday", "before Friday"):
        (deadline,) = find_deadlines(words, datetime(2026, 5, 6, 1, 0, tzinfo=zone))
        assert deadline.at.date() == deadline.at.astimezone(zone).date() == date(2026, 5, 8)
        assert deadline.is_date_only


def test_the_words_and_the_sentence_are_as_written() -> None:
    text = "Hello.\nPlease send the file no later than  Friday at 3\np.m. ET, thanks. Bye."
    (deadline,) = find_deadlines(text, WEDNESDAY)
    assert deadline.text in text
    assert deadline.text.startswith("no later than")
    assert deadline.sentence in text
    (short,) = find_deadlines("Until Fri. it is.", WEDNESDAY)
    assert short.text == "Until Fri"


def test_each_instant_comes_once_and_never_too_many() -> None:
    assert len(find_deadlines("By Friday. Yes, by Friday.", WEDNESDAY)) == 1
    many = "\n".join(f"Due on {day} June 2026 at {hour}:00." for day in range(1, 29) for hour in (10, 11))
    assert len(find_deadlines(many, WEDNESDAY)) == MAX_DEADLINES
    table = " ".join(f"{day}/6/2026" for day in range(13, 29)) + " " + "1/2/2003 " * 60
    assert 0 < len(find_deadlines(table, WEDNESDAY)) <= MAX_DEADLINES


def test_two_times_that_are_no_range_are_two() -> None:
    assert _days("at 3pm; at 4pm please") == ["2026-05-06 15:00", "2026-05-06 16:00"]


def test_a_naive_time_is_refused_because_tomorrow_would_be_a_guess() -> None:
    with pytest.raises(ValueError, match="time zone"):
        find_deadlines("tomorrow", datetime(2026, 5, 6))  # noqa: DTZ001


@pytest.mark.parametrize(
    "written_at",
    [
        datetime(9999, 12, 31, 22, 0, tzinfo=CHICAGO),
        datetime(9999, 12, 31, 12, 0, tzinfo=UTC),
        datetime(1, 1, 1, 1, 0, tzinfo=UTC),
        datetime(1, 1, 1, 1, 0, tzinfo=BERLIN),
    ],
)
def test_the_edges_of_the_calendar_raise_nothing(written_at: datetime) -> None:
    find_deadlines(
        "today at 11:30 pm, tomorrow, by the end of the year, in 3 hours, on 29 February, at 5pm PST", written_at
    )


def test_north_american_zones_follow_the_day() -> None:
    assert offset_of("ET", date(2026, 7, 1)) == timedelta(hours=-4)
    assert offset_of("ET", date(2026, 1, 1)) == timedelta(hours=-5)
    assert offset_of("CT", date(2001, 4, 2)) == timedelta(hours=-5)
    assert offset_of("CT", date(2001, 3, 31)) == timedelta(hours=-6)
    assert offset_of("GMT-03:30", date(2026, 1, 1)) == timedelta(hours=-3.5)
    assert offset_of("GMT+5", date(2026, 1, 1)) == timedelta(hours=5)
    assert offset_of("UTC+99", date(2026, 1, 1)) == timedelta(hours=14)
    assert offset_of("CET", date(2026, 1, 1)) == timedelta(hours=1)
    assert zone_after("3pm et toi", 3) is None
    assert zone_after("3pm (CET)", 3) == ("CET", 9)


_PIECES = st.sampled_from(
    """by until before on at next this Friday Fri. May 12 12th 31 5/12 12.5. 2026-05-12 2026 3pm 15:30 3 EOD
    tomorrow today end of the month week in two weeks 3 days noon bis morgen Freitag 15 Uhr avant demain à 15h viernes
    mañana ET GMT+2 - to , . ( last was please will 29 February a from now half an hour quarter Christmas
    every""".split()  # noqa: SIM905
)
_TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)  # fmt: skip


@given(st.lists(_PIECES, max_size=14), _TIMES)
def test_a_deadline_is_ahead_in_utc_and_its_words_are_in_the_text(pieces: list[str], written_at: datetime) -> None:
    text = " ".join(pieces)
    for deadline in find_deadlines(text, written_at):
        assert deadline.at > written_at
        assert deadline.at.tzinfo is UTC
        assert deadline.text
        assert deadline.text in deadline.sentence
        assert deadline.sentence in text
    assert find_deadlines(text, written_at) == find_deadlines(text, written_at)


@given(st.text(max_size=200), _TIMES)
def test_any_text_is_read_without_an_exception(text: str, written_at: datetime) -> None:
    find_deadlines(text, written_at)


@pytest.mark.parametrize(
    "unit",
    """1 1/ 1. 1: 12_ by_ May_ next_ in_ _ 3pm_ - Friday_ end_of_ a_ @ 1- T the_ ( due: in_the_ last_ 1h""".split(),  # noqa: SIM905
)
def test_hostile_repetition_is_read_in_bounded_work(unit: str) -> None:
    """A quadratic pattern would keep the test from ending; nothing here may name more than the bound."""
    unit = unit.replace("_", " ")
    assert len(find_deadlines(unit * (100_000 // len(unit)) + " Friday", WEDNESDAY)) <= MAX_DEADLINES
