"""The forms in which mail names times: what is read, in which language, and where it begins and ends."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.evaluation.dates import negatives
from rl_emails_assets.extraction.date_matching import plain
from rl_emails_assets.extraction.deadlines import find_deadlines
from rl_emails_assets.extraction.feasts import NAMES, easter, feast_day, nth_weekday
from rl_emails_assets.extraction.time_mentions import MAX_MENTIONS, find_times
from rl_emails_assets.extraction.time_zones import offset_of, zone_after

WEDNESDAY = datetime(2026, 5, 6, 10, 0, tzinfo=UTC)


def _read(text: str, at: datetime = WEDNESDAY) -> list[str]:
    """Each time as "begin > end repeats", days without hours."""
    found = []
    for mention in find_times(text, at):
        form = "%Y-%m-%d" if mention.is_date_only else "%Y-%m-%d %H:%M"
        times = [one.strftime(form) for one in (mention.begins_at, mention.ends_at) if one]
        found.append(" ".join([" > ".join(times), mention.repeats]).strip())
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'll be away Dec 20 - Jan 5", "2026-12-20 > 2027-01-05"),
        ("from December 20th, 2026 through January 3rd, 2027", "2026-12-20 > 2027-01-03"),
        ("The offer is valid 10/1/2026 - 10/7/2026", "2026-10-01 > 2026-10-07"),
        ("We meet from 9:00 am to 11:30 am on Thursday", "2026-05-07 09:00 > 2026-05-07 11:30"),
        ("see you tomorrow between 1 and 2:30", "2026-05-07 13:00 > 2026-05-07 14:30"),
        ("from 4 to 6 pm tomorrow", "2026-05-07 16:00 > 2026-05-07 18:00"),
        ("11 to 1 pm on Friday", "2026-05-08 11:00 > 2026-05-08 13:00"),
        ("from today at 2pm until tomorrow 4pm", "2026-05-06 14:00 > 2026-05-07 16:00"),
        ("on June 12 and 13", "2026-06-12 > 2026-06-13"),
        ("between the 13th and 15th of June", "2026-06-13 > 2026-06-15"),
        ("the range is 5/30-6/2, 2027", "2027-05-30 > 2027-06-02"),
        ("Mon-Fri 9-5", "2026-05-11 09:00 > 2026-05-15 17:00"),
        ("next Tuesday through Thursday", "2026-05-12 > 2026-05-14"),
        ("from March to May next", "2026-03-01 > 2026-05-31"),
        ("between 0730-0930", "2026-05-06 07:30 > 2026-05-06 09:30"),
        ("at 1500 hrs", "2026-05-06 15:00"),
        ("tonight at 8:30", "2026-05-06 20:30"),
        ("at half past three tomorrow", "2026-05-07 15:30"),
        ("quarter to five on Monday", "2026-05-11 16:45"),
        ("ten past 9 in the evening", "2026-05-06 21:10"),
        ("move the meeting to 4 tomorrow", "2026-05-07 16:00"),
        ("Monday at seven thirty pm", "2026-05-11 19:30"),
        ("in the morning at 7", "2026-05-06 07:00"),
        ("noon on Friday", "2026-05-08 12:00"),
        ("early next week", "2026-05-11 > 2026-05-14"),
        ("late next month", "2026-06-15 > 2026-06-30"),
        ("the week after next", "2026-05-18 > 2026-05-24"),
        ("the week of the 18th", "2026-05-18 > 2026-05-24"),
        ("the second week of June", "2026-06-08 > 2026-06-14"),
        ("week 23 of 2026", "2026-06-01 > 2026-06-07"),
        ("the third Thursday of next month", "2026-06-18"),
        ("the last Friday of June", "2026-06-26"),
        ("the first Monday of the month", "2026-06-01"),
        ("the first half of June", "2026-06-01 > 2026-06-15"),
        ("by mid-July", "2026-07-10 > 2026-07-20"),
        ("end of Q2", "2026-06-30"),
        ("by Q3", "2026-07-01 > 2026-09-30"),
        ("2027 H1", "2027-01-01 > 2027-06-30"),
        ("this summer is fine, next summer too", "2026-06-01 > 2026-08-31"),
        ("the Friday after Thanksgiving", "2026-11-27"),
        ("the day before Thanksgiving", "2026-11-25"),
        ("two weeks before Christmas", "2026-12-11"),
        ("60 days after June 1", "2026-07-31"),
        ("the Monday after next", "2026-05-18"),
        ("Monday week", "2026-05-18"),
        ("within the next 48 hours", "2026-05-06 10:00 > 2026-05-08 10:00"),
        ("2 days 1 hour from now", "2026-05-08 11:00"),
        ("three days ago", "2026-05-03"),
        ("yesterday at 3pm", "2026-05-05 15:00"),
        ("last week", "2026-04-27 > 2026-05-03"),
        ("over the weekend", "2026-05-09 > 2026-05-10"),
        ("Labor Day weekend", "2026-09-05 > 2026-09-07"),
        ("see you on May eighteenth", "2026-05-18"),
        ("second of August", "2026-08-02"),
        ("6/10/26 4:30 PM", "2026-06-10 16:30"),
        ("2026-06-10T14:00:00+02:00", "2026-06-10 12:00"),
        ("Friday 10am PT", "2026-05-08 17:00"),
        ("3pm London time on Friday", "2026-05-08 14:00"),
        ("every Tuesday at 9", "2026-05-12 09:00 weekly"),
        ("every 15th", "2026-05-15 monthly"),
        ("the report is due on Mondays", "2026-05-11 weekly"),
        ("we meet every other week", "other"),
        ("twice a month", "monthly"),
        ("daily please", "daily"),
    ],
)
def test_english_forms(text: str, expected: str) -> None:
    assert _read(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15.6. um 14 Uhr", "2026-06-15 14:00"),
        ("am 3. Juli zwischen 10 und 12 Uhr", "2026-07-03 10:00 > 2026-07-03 12:00"),
        ("vom 3. bis 7. August", "2026-08-03 > 2026-08-07"),
        ("jeden Dienstag um 9 Uhr", "2026-05-12 09:00 weekly"),
        ("in der nächsten Woche", "2026-05-11 > 2026-05-17"),
        ("in KW 23", "2026-06-01 > 2026-06-07"),
        ("bis Mitte Juni", "2026-06-10 > 2026-06-20"),
        ("am Pfingstmontag", "2026-05-25"),
        ("du 3 au 7 août", "2026-08-03 > 2026-08-07"),
        ("tous les lundis à 9h", "2026-05-11 09:00 weekly"),
        ("entre 14h et 16h demain", "2026-05-07 14:00 > 2026-05-07 16:00"),
        ("lundi 8 juin à 14h30", "2026-06-08 14:30"),
        ("avant la Toussaint", "2026-11-01"),
        ("del 3 al 7 de agosto", "2026-08-03 > 2026-08-07"),
        ("cada martes a las 9", "2026-05-12 09:00 weekly"),
        ("para el viernes 12 de junio", "2026-06-12"),
        ("dentro de dos semanas", "2026-05-20"),
        ("entro venerdì", "2026-05-08"),
        ("entro il 15 giugno", "2026-06-15"),
        ("lunedì prossimo alle 15", "2026-05-11 15:00"),
        ("la prossima settimana", "2026-05-11 > 2026-05-17"),
        ("tra due settimane", "2026-05-20"),
        ("domani mattina alle 9", "2026-05-07 09:00"),
        ("uiterlijk vrijdag", "2026-05-08"),
        ("voor 15 juni", "2026-06-15"),
        ("volgende week dinsdag om 15:00 uur", "2026-05-12 15:00"),
        ("eind van de maand", "2026-05-31"),
        ("overmorgen om 10 uur", "2026-05-08 10:00"),
        ("até sexta-feira", "2026-05-08"),
        ("até 15 de junho", "2026-06-15"),
        ("amanhã às 15h", "2026-05-07 15:00"),
        ("na próxima semana", "2026-05-11 > 2026-05-17"),
        ("em duas semanas", "2026-05-20"),
        ("até o fim do mês", "2026-05-31"),
    ],
)
def test_forms_of_other_languages(text: str, expected: str) -> None:
    assert _read(text) == [expected]


def test_the_writers_own_habit_decides_what_comes_first() -> None:
    """5/12 is read as the writer's 25/12 shows, not by the zone."""
    assert _read("Invoices of 25/03/2026 and 5/12/2026.") == ["2026-03-25", "2026-12-05"]
    assert _read("Invoices of 03/25/2026 and 5/12/2026.") == ["2026-03-25", "2026-05-12"]
    assert _read("Of 25/03/2026, 03/25/2026 and 5/12/2026.")[-1] == "2026-05-12"


def test_a_year_is_chosen_near_new_year() -> None:
    december = datetime(2026, 12, 28, 9, 0, tzinfo=UTC)
    january = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
    assert _read("please send it by January 5", december) == ["2027-01-05"]
    assert _read("as agreed on December 20", january) == ["2026-12-20"]
    assert _read("from Dec 30 to Jan 2", december) == ["2026-12-30 > 2027-01-02"]


def test_a_range_says_where_it_begins_and_a_deadline_that_it_is_due() -> None:
    (meeting,) = find_deadlines("Let's meet tomorrow from 2 to 4 pm.", WEDNESDAY)
    assert (meeting.begins_at, meeting.at) == (
        datetime(2026, 5, 7, 14, 0, tzinfo=UTC),
        datetime(2026, 5, 7, 16, 0, tzinfo=UTC),
    )
    assert not meeting.is_due
    (due,) = find_deadlines("Please answer no later than Friday.", WEDNESDAY)
    assert due.is_due
    assert due.sentence[due.start : due.end] == "Friday"
    (weekly,) = find_deadlines("Please report every Tuesday at 9.", WEDNESDAY)
    assert (weekly.repeats, weekly.at) == ("weekly", datetime(2026, 5, 12, 9, 0, tzinfo=UTC))


def test_before_a_stretch_is_before_it_begins() -> None:
    (deadline,) = find_deadlines("Please send it before next week.", WEDNESDAY)
    assert deadline.at.date() == date(2026, 5, 11)
    assert deadline.at.hour == 0


def test_a_habit_of_the_past_is_no_appointment() -> None:
    assert find_deadlines("We talked every Friday.", WEDNESDAY) == ()
    assert find_deadlines("I do this daily and weekly.", WEDNESDAY) == ()


def test_hard_sentences_hold_no_time() -> None:
    """Prices, versions, phone and part numbers, ratios, names and wishes: at most 2 % may be taken for a time."""
    sentences = negatives()
    assert len(sentences) >= 150
    false = [one for one in sentences if find_times(one, WEDNESDAY) or find_deadlines(one, WEDNESDAY)]
    assert len(false) <= len(sentences) * 0.02, false


def test_feasts_fall_on_their_days() -> None:
    assert [easter(year) for year in (2019, 2024, 2026, 2038)] == [
        date(2019, 4, 21), date(2024, 3, 31), date(2026, 4, 5), date(2038, 4, 25),
    ]  # fmt: skip
    days = {
        "thanksgiving": (11, 26), "memorial day": (5, 25), "labor day": (9, 7), "election day": (11, 3),
        "black friday": (11, 27), "karfreitag": (4, 3), "christi himmelfahrt": (5, 14), "lundi de pâques": (4, 6),
        "spring bank holiday": (5, 25), "tag der deutschen einheit": (10, 3), "boxing day": (12, 26),
    }  # fmt: skip
    assert {name: feast_day(name, 2026) for name in days} == {name: date(2026, *day) for name, day in days.items()}
    assert all(feast_day(name, 2027).year in (2026, 2027) for name in NAMES)
    with pytest.raises(ValueError, match="no weekday"):
        nth_weekday(2026, 2, 0, 5)


def test_places_have_their_summer() -> None:
    assert zone_after("3pm New York time", 3) == ("NEW YORK", 17)
    assert zone_after("3pm New York", 3) is None
    assert offset_of("LONDON", date(2026, 7, 1)) == timedelta(hours=1)
    assert offset_of("LONDON", date(2026, 1, 1)) == timedelta()
    assert offset_of("NEW YORK", date(2026, 7, 1)) == timedelta(hours=-4)
    assert offset_of("TOKYO", date(2026, 7, 1)) == timedelta(hours=9)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        find_times("tomorrow", datetime(2026, 5, 6))  # noqa: DTZ001


def test_plain_text_keeps_positions() -> None:
    text = "İstanbul’da\u00a0MAY–12"
    assert len(plain(text)) == len(text)
    assert plain("MAY–12’s") == "may-12's"


_PIECES = st.sampled_from(
    """from between to and - until every each the week of after next last first third 12th May 5/12 5/12-5/14 2026
    2026-05-12 12.5. 7-9 0730-0930 half past at 3 pm noon morning tonight Friday fridays Mon-Wed weekend Easter Q3 mid
    end early month two days before ago later from_now KW 23 jeden tous les lundis entro até às 15h uur , . ( @ EOD
    Christmas summer daily""".split()  # noqa: SIM905
)
_TIMES = st.datetimes(
    min_value=datetime(1980, 1, 1), max_value=datetime(2080, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)  # fmt: skip


@given(st.lists(_PIECES, max_size=14), _TIMES)
def test_what_is_read_stands_in_the_text_in_order(pieces: list[str], written_at: datetime) -> None:
    text = " ".join(pieces).replace("_", " ")
    found = find_times(text, written_at)
    for mention in found:
        assert text[mention.start : mention.end] == mention.text
        assert mention.text
        if mention.begins_at and mention.ends_at:
            assert mention.begins_at <= mention.ends_at
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert find_times(text, written_at) == found


@given(st.text(max_size=200), _TIMES)
def test_any_text_is_read(text: str, written_at: datetime) -> None:
    for mention in find_times(text, written_at):
        assert text[mention.start : mention.end] == mention.text


@pytest.mark.parametrize(
    "unit",
    """1- 1:1_ from_ the_ of_the_ next_ every_ 12_ 12th_ and_ to_ May- a_week_ first_ end_of_ Q1 12.12. pm_ in_the_
    between_1_and_ 1_day_ half_past_ Mon- new_year_ @1 KW_ 1/1-""".split(),  # noqa: SIM905
)
def test_hostile_repetition_is_bounded(unit: str) -> None:
    """A quadratic pattern would keep this from ending."""
    unit = unit.replace("_", " ")
    assert len(find_times(unit * (100_000 // len(unit)) + " Friday", WEDNESDAY)) <= MAX_MENTIONS
