"""The times that a text names, whether or not anything is due then: days, times of day, ranges, repetitions.

What the calendar says, not what work makes of it: a week ends with Sunday here, a day at midnight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.date_atoms import Atom, Context
from rl_emails_assets.extraction.date_joins import join
from rl_emails_assets.extraction.date_matching import plain
from rl_emails_assets.extraction.date_reading import find_atoms
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, Sentence, split_sentences
from rl_emails_assets.extraction.time_zones import offset_of

MAX_MENTIONS = 200
_WORD_BREAKS = str.maketrans(dict.fromkeys("\n\t\r.,;:!?()[]<>-–—\"'’*/=_“”|\u00a0", " "))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMention:
    """A time named at `start`-`end` of the text.

    `ends_at` is the time, or the end of a range, aware in the writer's zone; for `is_date_only` the midnight that the
    day (the last day) begins with. `begins_at` is the begin of a range. `repeats` is daily, weekly, monthly, yearly or
    other; a repetition without a day has no `ends_at`. `zone` is the time zone written beside it, or "".
    """

    start: int
    end: int
    text: str
    begins_at: datetime | None
    ends_at: datetime | None
    is_date_only: bool
    repeats: str = ""
    zone: str = ""


def find_times(text: str, written_at: datetime) -> tuple[TimeMention, ...]:
    """The times named in `text` in order, past ones too, at most MAX_MENTIONS; `written_at` as for `find_deadlines`."""
    if written_at.tzinfo is None:
        raise ValueError("written_at has no time zone; pass an aware time, in the sender's zone if that is known")
    text = text[:MAX_TEXT_CHARS]
    if not may_name_a_time(text):
        return ()
    sentences = split_sentences(text)
    is_day_first = day_first(sentences)
    found: list[TimeMention] = []
    for sentence in sentences:
        for mention in _mentions(sentence, written_at, is_day_first):
            if len(found) >= MAX_MENTIONS:
                return tuple(found)
            found.append(mention)
    return tuple(found)


def may_name_a_time(text: str) -> bool:
    """The cheap test before the patterns: a trigger word or digits that could be a date."""
    lowered = text.lower()
    if words.TRIGGER_DIGITS.search(lowered):
        return True
    return not words.TRIGGER_WORDS.isdisjoint(lowered.translate(_WORD_BREAKS).split())


def day_first(sentences: Sequence[Sentence]) -> bool | None:
    """Whether the writer puts the day before the month, where a number over 12 shows it; None without or against
    itself."""
    is_first = is_second = False
    for match in words.NUMERIC_DATE.finditer("\n".join([sentence.text for sentence in sentences])):
        first, second = int(match[1]), int(match[2])
        is_first |= 12 < first <= 31 and second <= 12
        is_second |= 12 < second <= 31 and first <= 12
    return None if is_first == is_second else is_first


@lru_cache(maxsize=512)  # asked for a message's deadlines and again for each of its tasks
def read(sentence: str, written_at: datetime, is_day_first: bool | None) -> tuple[Context, tuple[Atom, ...]]:
    """The atoms of a sentence, joined, and what was known about it."""
    context = Context(now=written_at, sentence=sentence, low=plain(sentence), is_day_first=is_day_first)
    return context, tuple(join(context, find_atoms(context)))


def _mentions(sentence: Sentence, written_at: datetime, is_day_first: bool | None) -> Iterator[TimeMention]:
    if not may_name_a_time(sentence.text):
        return
    context, atoms = read(sentence.text, written_at, is_day_first)
    for atom in atoms:
        if is_named(context, atom):
            mention = _mention(sentence, atom, written_at)
            if mention is not None:
                yield mention


def is_named(context: Context, atom: Atom) -> bool:
    """Whether an atom is a time at all: strong by itself, or behind a word that announces one."""
    if atom.is_range_only or (atom.shift and atom.day is None) or atom.week_of:
        return False
    if not atom.is_weak:
        return True
    if atom.every or atom.is_period:
        return True
    if atom.start == 0 and not context.low[atom.end :].strip(" .!?"):
        return True
    if atom.is_part and words.PART_CUE.match(context.low, atom.start):
        return True
    if words.cue_before(context.low, atom.start) is not None or words.OWN_CUE.match(context.low, atom.start):
        return True
    return words.AFTER_CUE.match(context.low, atom.end) is not None


def _mention(sentence: Sentence, atom: Atom, written_at: datetime) -> TimeMention | None:
    try:
        begins_at, ends_at = bounds(atom, written_at)
    except OverflowError:
        return None
    if ends_at is None and not atom.every:
        return None
    end = end_of(sentence.text, atom)
    return TimeMention(
        start=sentence.start + atom.start,
        end=sentence.start + end,
        text=sentence.text[atom.start : end],
        begins_at=begins_at,
        ends_at=ends_at,
        is_date_only=atom.instant is None and atom.minutes is None,
        repeats=atom.every,
        zone=atom.zone,
    )


def end_of(sentence: str, atom: Atom) -> int:
    """Where the words of an atom end, without the full stop of the sentence."""
    is_stop = sentence[atom.end - 1] == "." and sentence[atom.end - 2 : atom.end - 1].lower() != "m"
    return atom.end - is_stop


def bounds(atom: Atom, written_at: datetime) -> tuple[datetime | None, datetime | None]:
    """Begin (of a range) and end of an atom as the calendar has them. Raises OverflowError outside of the calendar."""
    if atom.instant is not None:
        return atom.from_instant, atom.instant
    if atom.minutes is None:
        if atom.day is None:
            return None, None
        begin = at_clock(atom.from_day, 0, "", written_at) if atom.from_day else None
        return begin, at_clock(atom.day, 0, "", written_at)
    day = atom.day or written_at.date()
    end = at_clock(day, atom.minutes, atom.zone, written_at)
    if atom.from_minutes is None:
        later = end + timedelta(hours=12)
        if atom.day is None and atom.is_open and end <= written_at < later and later.date() == day:
            return None, later  # "at eight", written at ten in the morning
        return None, end
    from_day = atom.from_day or (day if atom.from_minutes <= atom.minutes else day - timedelta(days=1))
    if atom.from_day is None and atom.from_minutes > atom.minutes:
        # From 10 pm to 2 am.
        from_day, end = day, at_clock(day + timedelta(days=1), atom.minutes, atom.zone, written_at)
    return at_clock(from_day, atom.from_minutes, atom.zone, written_at), end


def at_clock(day: date, minutes: int, zone: str, written_at: datetime) -> datetime:
    """That time of that day, in the zone written beside it, or else in the writer's; aware."""
    clock = time(minutes // 60, minutes % 60)
    if zone:
        at = datetime.combine(day, clock, UTC) - offset_of(zone, day)
        return at.astimezone(written_at.tzinfo)
    return datetime.combine(day, clock, written_at.tzinfo)
