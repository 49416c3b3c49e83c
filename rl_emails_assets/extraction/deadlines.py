"""Deadlines and appointments in mail text: a future time at which something is due or happens.

`time_mentions` reads the times; here is decided which of them are ahead and meant, and when work is over: a day without
a time is placed so that its date is the same in UTC and in the writer's zone, at 17:00 of the writer (the close of
business) or as near as that allows, so whoever stores only the UTC time still shows the right day. A week ends with
its Friday.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.date_atoms import Atom, Context
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, Sentence, split_sentences
from rl_emails_assets.extraction.time_mentions import (
    at_clock,
    bounds,
    day_first,
    end_of,
    is_named,
    may_name_a_time,
    read,
)

MAX_DEADLINES = 20
_HORIZON = timedelta(days=3 * 366)
"""What lies further ahead is a term or a maturity, not something to act on."""
_CLOSE_OF_BUSINESS = time(17, 0)
_LAST_MINUTE = time(23, 59)


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is aware UTC; `text` the words that say it, `sentence` the sentence they stand in, both exactly as written.
    For `is_date_only` only the day was said, and `at` is on that day both in UTC and for the writer.

    `begins_at` is the begin of a range, aware UTC, whose end is `at`. `repeats` is daily, weekly, monthly, yearly or
    other where it happens again and again; `at` is then the next time. `is_due`: the words say that something has to be
    done by then ("by", "until", "no later than", "RSVP"), rather than that something happens then. `start` and `end`
    are where the time itself (without those words) stands in `sentence`.
    """

    at: datetime
    text: str
    sentence: str
    is_date_only: bool
    begins_at: datetime | None = None
    repeats: str = ""
    is_due: bool = False
    start: int = 0
    end: int = 0


def find_deadlines(text: str, written_at: datetime) -> tuple[Deadline, ...]:
    """The future times named in `text`, in order, each instant once, at most MAX_DEADLINES.

    `written_at` is aware, in the writer's own zone: "tomorrow at 9" is theirs. Raises ValueError when it is naive.
    """
    if written_at.tzinfo is None:
        raise ValueError("written_at has no time zone; pass an aware time, in the sender's zone if that is known")
    text = text[:MAX_TEXT_CHARS]
    if not may_name_a_time(text):
        return ()
    return deadlines_in(split_sentences(text), written_at)


def deadlines_in(sentences: Sequence[Sentence], written_at: datetime) -> tuple[Deadline, ...]:
    """The same for text that is split already."""
    found: dict[datetime, Deadline] = {}
    is_day_first = day_first(sentences)
    for sentence in sentences:
        for deadline in _in_sentence(sentence.text, written_at, is_day_first):
            found.setdefault(deadline.at, deadline)
            if len(found) >= MAX_DEADLINES:
                return tuple(found.values())
    return tuple(found.values())


def _in_sentence(sentence: str, written_at: datetime, is_day_first: bool | None) -> tuple[Deadline, ...]:
    if not may_name_a_time(sentence) or words.HEADER_LINE.match(sentence):
        return ()
    context, atoms = read(sentence, written_at, is_day_first)
    if not atoms:
        return ()
    # A sentence that only looks back ("we met on Friday") names no deadline unless it gives a full date.
    is_ahead, is_back = context.direction
    is_behind = not is_ahead and is_back
    deadlines = (_deadline(context, atom, written_at, is_behind=is_behind, is_ahead=is_ahead) for atom in atoms)
    return tuple(deadline for deadline in deadlines if deadline is not None)


def _deadline(
    context: Context, atom: Atom, written_at: datetime, *, is_behind: bool, is_ahead: bool
) -> Deadline | None:
    if atom.is_rejected or not is_named(context, atom) or (atom.day is None and atom.every):
        return None
    match = words.cue_before(context.low, atom.start)
    cue = " ".join(match.group().split()).rstrip(":") if match else _own_cue(context, atom)
    is_due = bool(cue) and cue.removesuffix(" the") not in words.WEAK_CUES
    if atom.is_weak and match is None and not is_ahead:
        return None
    if atom.every and not is_due and not is_ahead:
        return None
    if atom.needs_forward and not is_due and is_behind:
        return None
    if atom.day == written_at.date() and atom.minutes is None and not is_due and not is_ahead:
        # "The market is quiet today."
        return None
    if atom.day is None and atom.instant is None and not cue and not is_ahead:
        return None
    try:
        at = _placed(atom, written_at, is_before=cue in words.BEFORE_CUES)
        begins_at = bounds(atom, written_at)[0]
    except OverflowError:
        return None
    if not timedelta() < at - written_at <= _HORIZON:
        return None
    start = match.start() if match else atom.start
    end = end_of(context.sentence, atom)
    said = context.sentence[start:end].strip()
    return Deadline(
        at,
        said,
        context.sentence,
        atom.instant is None and atom.minutes is None,
        begins_at=begins_at.astimezone(UTC) if begins_at else None,
        repeats=atom.every,
        is_due=is_due,
        start=atom.start,
        end=end,
    )


def _own_cue(context: Context, atom: Atom) -> str:
    """The cue that the words of the time itself begin with: "by the 12th"."""
    match = words.OWN_CUE.match(context.low, atom.start)
    return match.group().strip() if match else ""


def _placed(atom: Atom, written_at: datetime, *, is_before: bool) -> datetime:
    """The instant of an atom, in UTC. Raises OverflowError when it lies outside the calendar."""
    if atom.instant is not None:
        return atom.instant.astimezone(UTC)
    day = atom.day or written_at.date()
    if is_before and atom.from_day is not None and atom.minutes is None:
        # Before next week is before its Monday.
        return _date_only(atom.from_day, written_at, is_before=True).astimezone(UTC)
    if atom.is_week:
        day = _end_of_work_week(day, written_at.date())
    if atom.minutes is None:
        return _date_only(day, written_at, is_before=is_before and not atom.is_period).astimezone(UTC)
    minutes = atom.minutes
    if atom.is_end_of_day:
        minutes = 17 * 60
    at = bounds(atom, written_at)[1] if not atom.is_end_of_day else at_clock(day, minutes, atom.zone, written_at)
    if at is None:
        raise OverflowError
    if atom.is_end_of_day and at <= written_at and day == written_at.date():
        # "by end of day", written after five.
        at = datetime.combine(day, _LAST_MINUTE, written_at.tzinfo)
    return at.astimezone(UTC)


def _end_of_work_week(sunday: date, today: date) -> date:
    """The Friday of the week that ends on that day, but at the weekend its Sunday."""
    friday = sunday - timedelta(days=2)
    return friday if friday >= today else sunday


def _date_only(day: date, written_at: datetime, *, is_before: bool) -> datetime:
    zone = written_at.tzinfo
    if is_before:
        return max(datetime.combine(day, time(), zone), datetime.combine(day, time(), UTC))
    at = min(datetime.combine(day, _CLOSE_OF_BUSINESS, zone), datetime.combine(day, _LAST_MINUTE, UTC))
    at = max(at, datetime.combine(day, time(), UTC))
    return at if at > written_at else datetime.combine(day, _LAST_MINUTE, zone)
