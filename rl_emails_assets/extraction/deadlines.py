"""Deadlines and appointments in mail text: a future time at which something is due or happens.

English well; German, French and Spanish in their common forms. A day without a time is placed so that its date is the
same in UTC and in the writer's zone: at 17:00 of the writer (the close of business), or as near as that allows; so
whoever stores only the UTC time still shows the right day.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from rl_emails_assets.extraction import date_words as words
from rl_emails_assets.extraction.date_atoms import Atom, find_atoms
from rl_emails_assets.extraction.sentences import MAX_TEXT_CHARS, Sentence, split_sentences
from rl_emails_assets.extraction.time_zones import offset_of

MAX_DEADLINES = 20
_HORIZON = timedelta(days=3 * 366)
"""What lies further ahead is a term or a maturity, not something to act on."""
_CLOSE_OF_BUSINESS = time(17, 0)
_LAST_MINUTE = time(23, 59)

_WORD_BREAKS = str.maketrans(dict.fromkeys("\n\t\r.,;:!?()[]<>-–\"'’*/=_“”|", " "))
_JOIN_DAY_TIME = re.compile(
    r"(?:[,;]|\s[-–])?\s{0,3}(?:at|@|by|before|no later than|from|between|in the|um|gegen|bis|à|a las?"
    r"|t|around|about|for|- |\()?\s{0,2}",
    re.IGNORECASE,
)
_JOIN_TIME_DAY = re.compile(r",?\s{0,2}(?:on|of|this|am|le|el|du|the|del|\()?\s{0,2}", re.IGNORECASE)
_JOIN_DAYS = re.compile(r"(?:,|\s[-–])?\s{0,2}(?:the|on|den|dem|le|el|der|\()?\s{0,2}", re.IGNORECASE)
_JOIN_RANGE = re.compile(r"\s?(?:-|–|to|through|thru|until|till|bis|au|à|a|al|hasta el)\s?(?:the\s)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is aware UTC; `text` the words that say it, `sentence` the sentence they stand in, both exactly as written.
    For `is_date_only` only the day was said, and `at` is on that day both in UTC and for the writer."""

    at: datetime
    text: str
    sentence: str
    is_date_only: bool


def find_deadlines(text: str, written_at: datetime) -> tuple[Deadline, ...]:
    """The future times named in `text`, in order, each instant once, at most MAX_DEADLINES.

    `written_at` is aware, in the writer's own zone: "tomorrow at 9" is theirs. Raises ValueError when it is naive.
    """
    if written_at.tzinfo is None:
        raise ValueError("written_at has no time zone; pass an aware time, in the sender's zone if that is known")
    text = text[:MAX_TEXT_CHARS]
    if not _may_name_a_time(text):
        return ()
    return deadlines_in(split_sentences(text), written_at)


def deadlines_in(sentences: Sequence[Sentence], written_at: datetime) -> tuple[Deadline, ...]:
    """The same for text that is split already."""
    found: dict[datetime, Deadline] = {}
    for sentence in sentences:
        for deadline in _in_sentence(sentence.text, written_at):
            found.setdefault(deadline.at, deadline)
            if len(found) >= MAX_DEADLINES:
                return tuple(found.values())
    return tuple(found.values())


def _may_name_a_time(text: str) -> bool:
    """The cheap test before the patterns: a trigger word or digits that could be a date."""
    lowered = text.lower()
    if words.TRIGGER_DIGITS.search(lowered):
        return True
    return not words.TRIGGER_WORDS.isdisjoint(lowered.translate(_WORD_BREAKS).split())


@lru_cache(maxsize=512)  # asked for a message's deadlines and again for each of its tasks
def _in_sentence(sentence: str, written_at: datetime) -> tuple[Deadline, ...]:
    if not _may_name_a_time(sentence) or words.HEADER_LINE.match(sentence):
        return ()
    atoms = find_atoms(sentence, written_at)
    if not atoms:
        return ()
    # A sentence that only looks back ("we met on Friday") names no deadline unless it gives a full date.
    looks_back = bool(words.PAST.search(sentence)) and not words.FORWARD.search(sentence)
    looks_ahead = not looks_back and bool(words.FORWARD.search(sentence))
    deadlines = []
    for atom in _joined(sentence, atoms):
        deadline = _deadline(sentence, atom, written_at, looks_back=looks_back, looks_ahead=looks_ahead)
        if deadline is not None:
            deadlines.append(deadline)
    return tuple(deadlines)


def _joined(sentence: str, atoms: list[Atom]) -> list[Atom]:
    """Atoms that say one time together become one: a weekday and its date, a day and an hour, the ends of a range."""
    joined: list[Atom] = []
    for atom in atoms:
        if joined:
            both = _together(sentence, joined[-1], atom)
            if both is not None:
                joined[-1] = both
                continue
        joined.append(atom)
    return joined


def _together(sentence: str, left: Atom, right: Atom) -> Atom | None:  # noqa: PLR0912 - one rule for each pair of kinds
    gap = sentence[left.end : right.start]
    if len(gap) > 20 or left.instant or right.instant:
        return None
    is_rejected = left.is_rejected or right.is_rejected
    whole = replace(
        right,
        start=left.start,
        is_weak=False,
        is_part=False,
        is_vague=right.is_part,
        is_rejected=is_rejected,
        zone=right.zone or left.zone,
    )
    if left.is_rejected and left.day is None and _JOIN_DAY_TIME.fullmatch(gap):
        return whole
    if left.day and right.day is None:
        is_range = bool(_JOIN_RANGE.fullmatch(gap))
        if left.minutes is not None and not left.is_vague and not right.is_part and not is_range:
            return None
        if not is_range and not _JOIN_DAY_TIME.fullmatch(gap):
            return None
        return replace(whole, day=left.day, minutes=_joined_minutes(left, right), needs_forward=left.needs_forward)
    if left.day is None and right.day:
        if (right.minutes is None or right.is_vague) and not left.is_rejected and _JOIN_TIME_DAY.fullmatch(gap):
            # "3pm on Friday", "8pm tonight".
            return replace(whole, minutes=left.minutes)
        return None
    if left.day and right.day:
        if left.is_weekday and not right.is_weekday and _JOIN_DAYS.fullmatch(gap):
            return replace(whole, needs_forward=False)
        if left.is_week and right.is_weekday and _JOIN_DAYS.fullmatch(gap):
            # "next week on Tuesday"; the week stands as its Friday.
            return replace(whole, day=left.day + timedelta(days=right.day.weekday() - left.day.weekday()))
        if _JOIN_RANGE.fullmatch(gap) and right.day > left.day:
            return whole
        return None
    if _JOIN_RANGE.fullmatch(gap) or (right.is_part and not gap.strip()):
        if right.is_part and left.minutes is not None:
            # "9 in the morning", "3 in the afternoon".
            hour = left.minutes // 60 % 12 + (12 if (right.minutes or 0) > 12 * 60 else 0)
            return replace(whole, minutes=hour * 60 + left.minutes % 60)
        return whole
    return None


def _joined_minutes(left: Atom, right: Atom) -> int | None:
    """The time of a day and a time that stand together."""
    if left.minutes is None or right.minutes is None:
        return right.minutes
    if right.is_part:
        return left.minutes
    if left.is_vague and left.minutes > 13 * 60 and right.minutes < 12 * 60:
        # "tonight at 8", "tomorrow evening around 7".
        return right.minutes + 12 * 60
    return right.minutes


def _deadline(
    sentence: str, atom: Atom, written_at: datetime, *, looks_back: bool, looks_ahead: bool
) -> Deadline | None:
    if atom.is_rejected:
        return None
    cue_match = words.CUE.search(sentence, max(0, atom.start - 32), atom.start)
    cue = " ".join(cue_match.group().lower().split()).rstrip(":") if cue_match else ""
    is_due = bool(cue) and cue.removesuffix(" the") not in words.WEAK_CUES
    if atom.is_weak and not cue:
        return None
    if atom.needs_forward and not is_due and looks_back:
        return None
    is_today = atom.day == written_at.date()
    if is_today and atom.minutes is None and not is_due and not looks_ahead:
        # "The market is quiet today."
        return None
    if atom.day is None and atom.instant is None and not cue and not looks_ahead:
        return None
    at, is_date_only = _placed(atom, written_at, is_before=cue in words.BEFORE_CUES and not atom.is_period)
    if at is None or not timedelta() < at - written_at <= _HORIZON:
        return None
    start = cue_match.start() if cue_match else atom.start
    said = sentence[start : atom.end].strip()
    if said.endswith(".") and not said.lower().endswith("m."):
        said = said[:-1]
    return Deadline(at, said, sentence, is_date_only)


def _placed(atom: Atom, written_at: datetime, *, is_before: bool) -> tuple[datetime | None, bool]:
    """The instant of an atom, in UTC, and whether only its day was said; none when it lies outside the calendar."""
    try:
        if atom.instant is not None:
            return atom.instant.astimezone(UTC), False
        day = atom.day or written_at.date()
        if atom.minutes is None:
            return _date_only(day, written_at, is_before=is_before).astimezone(UTC), True
        clock = time(atom.minutes // 60, atom.minutes % 60)
        if atom.zone:
            return datetime.combine(day, clock, UTC) - offset_of(atom.zone, day), False
        at = datetime.combine(day, clock, written_at.tzinfo)
        if at <= written_at and day == written_at.date() and clock == _CLOSE_OF_BUSINESS:
            # "by end of day", written after five.
            at = datetime.combine(day, _LAST_MINUTE, written_at.tzinfo)
        return at.astimezone(UTC), False
    except OverflowError:
        return None, False


def _date_only(day: date, written_at: datetime, *, is_before: bool) -> datetime:
    zone = written_at.tzinfo
    if is_before:
        return max(datetime.combine(day, time(), zone), datetime.combine(day, time(), UTC))
    at = min(datetime.combine(day, _CLOSE_OF_BUSINESS, zone), datetime.combine(day, _LAST_MINUTE, UTC))
    at = max(at, datetime.combine(day, time(), UTC))
    return at if at > written_at else datetime.combine(day, _LAST_MINUTE, zone)
