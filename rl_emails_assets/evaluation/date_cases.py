"""The date-time cases of the recognizers project: what each expects, which a person would call a deadline or an
appointment, and when an answer is right.

The filter is mechanical. Of a case's results counts what is a date, a date and time, a time of day, a range of these or
a repetition (`KINDS`), and

* it is ahead: one of its readings begins or ends after the time of writing, and no more than `HORIZON` later; a range
  that ends with the moment of writing ("last week", written on Monday at midnight) is over;
* it is no term: a range longer than a year ("2019", "the nineties") is history or a plan, not an appointment;
* it is no duration on its own, no time zone on its own, and not "now";
* it is no rate: a repetition counts when it names a weekday, a day, a month or a time ("every Tuesday", "daily at 9"),
  not when it only says how often ("weekly", "annual", "every other day"): no day follows from that;
* it is no kind: a part of the day or a meal in one word, without a day and without a word before it that makes it a
  time ("afternoon classes"), and a bare unit with its article ("partner of the month"), unless "for", "in", "during",
  "over", "within" or "throughout" stands before it ("away for the month");
* it is no part of a web address or a file's name.

A case counts when at least one of its results does.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rl_emails_assets.evaluation.section import SEED

ARCHIVE = Path("dates") / "recognizers-english.tar.gz"
MERGED = ("DateTimeModel", "MergedParser")
"""The whole recognizer with its settings as they come; with a reference time and values."""
MERGED_SPANS = ("MergedExtractor",)
"""The same without values: only where a time is named."""
KINDS = frozenset({"date", "datetime", "daterange", "datetimerange", "time", "timerange", "set"})
HORIZON = timedelta(days=3 * 366)
_TERM = timedelta(days=367)
_NOON = datetime(2016, 11, 7, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to take an expression: `begins_at` and `ends_at` of a range, or only `ends_at` of a point in time.

    `repeats` is daily, weekly, monthly, yearly or "other" for a repetition. `is_open`: the other end is not named
    ("after 4 pm").
    """

    begins_at: datetime | None = None
    ends_at: datetime | None = None
    repeats: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An expression at `start`-`end` of the text; `counts` says whether it passes the filter."""

    start: int
    end: int
    kind: str
    readings: tuple[Reading, ...]
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`part` is "tuning" (half: looked at while building), "second" (a quarter: looked at once, late) or "held" (a
    quarter: never looked at); near-identical cases are in the same part, whatever their file."""

    file: str
    text: str
    written_at: datetime
    wanted: tuple[Wanted, ...]
    part: str

    @property
    def counts(self) -> bool:
        """Whether a person would call something in it a deadline or an appointment."""
        return any(wanted.counts for wanted in self.wanted)


def load_cases(data: Path, files: tuple[str, ...] = (), *, seed: int = SEED) -> list[Case]:
    """The cases of those spec files, each text and reference once; all files when none is named."""
    cases: dict[tuple[str, str, str], Case] = {}
    with tarfile.open(data / ARCHIVE) as archive:
        for member in archive:
            name = Path(member.name).stem
            if not member.name.endswith(".json") or (files and name not in files):
                continue
            content = archive.extractfile(member)
            if content is None:
                continue
            for raw in json.loads(content.read().decode("utf-8-sig")):
                reference = (raw.get("Context") or {}).get("ReferenceDateTime", "")
                has_values = bool(reference)
                written_at = datetime.fromisoformat(reference).replace(tzinfo=UTC) if has_values else _NOON
                wanted = tuple(_wanted(raw["Input"], written_at, has_values=has_values, results=raw["Results"]))
                case = Case(
                    file=name,
                    text=raw["Input"],
                    written_at=written_at,
                    wanted=wanted,
                    part=_part(raw, seed),
                )
                cases.setdefault((name if not has_values else "", raw["Input"], reference), case)
    return list(cases.values())


_MONTH = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b", re.IGNORECASE
)  # also "mark", which does no harm: it only puts more cases on one side
_WEEKDAY = re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\b", re.IGNORECASE)
_COUNT = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|fourth|fifth)\b", re.IGNORECASE
)


def _part(raw: Mapping[str, Any], seed: int) -> str:
    """By the case's shape: what remains when numbers, months and weekdays are all the same."""
    said = " | ".join(result["Text"] for result in raw["Results"]) or raw["Input"]
    shape = _WEEKDAY.sub("W", _MONTH.sub("M", re.sub(r"\d+", "0", said.lower())))
    shape = " ".join(_COUNT.sub("0", shape).split())
    first, second = hashlib.blake2b(f"{seed}/{shape}".encode(), digest_size=8).digest()[:2]
    return "tuning" if first < 128 else "second" if second < 128 else "held"


def _wanted(text: str, written_at: datetime, *, has_values: bool, results: list[Mapping[str, Any]]) -> Iterator[Wanted]:
    for result in results:
        kind = (result.get("TypeName") or result.get("Type") or "").removeprefix("datetimeV2.")
        start = result.get("Start")
        if start is None:
            start = max(text.lower().find(result["Text"].lower()), 0)
        values = (result.get("Value") or result.get("Resolution") or {}).get("values") or []
        readings = tuple(_readings(values, written_at)) if has_values else ()
        yield Wanted(
            start=start,
            end=start + len(result["Text"]),
            kind=kind,
            readings=readings,
            counts=kind in KINDS
            and not any(_NEVER.fullmatch(value.get("timex", "")) for value in values)
            and not (kind == "set" and all(_RATE.fullmatch(value.get("timex", "")) for value in values) and values)
            and not _is_kind(text, start, start + len(result["Text"]))
            and (not has_values or any(_is_ahead(one, written_at) for one in readings)),
        )


_NEVER = re.compile(r"\d{2}[\dX]{2}|(?:PRESENT|PAST|FUTURE)_REF|\(?\d{4}(?:,.*)?")
"""Whole years and decades, "now", and lengths alone."""
_RATE = re.compile(r"P[\d.]+[DWMYH]|PT[\d.]+[HMS]")
"""How often, and nothing else."""
_BARE_PART = re.compile(
    r"(?:mid-?)?(?:mornings?|afternoons?|evenings?|nights?|day-?time|night-?time|(?:lunch|dinner|breakfast|brunch|meal)"
    r"(?:-?time)?)",
    re.IGNORECASE,
)
_MAKES_TIME = re.compile(
    r"\b(?:at|by|before|after|until|till|around|over|during|for|in|this|from|to) (?:the )?$", re.IGNORECASE
)
_BARE_UNIT = re.compile(r"(?:the )?(?:day|week|month|quarter|year)", re.IGNORECASE)
_STRETCHES = re.compile(r"\b(?:for|in|during|over|within|throughout) (?:the )?$", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S*|\S+\.(?:html?|php|aspx?|pdf|docx?|xlsx?|pptx?|csv|txt|zip|jpe?g|png|log)\b"
)


def _is_kind(text: str, start: int, end: int) -> bool:
    """Whether an expression says of what kind something is, or is part of an address, rather than naming a time."""
    said, before = text[start:end], text[:start]
    if _BARE_PART.fullmatch(said):
        return _MAKES_TIME.search(before) is None
    if _BARE_UNIT.fullmatch(said):
        return _STRETCHES.search(before) is None
    return any(match.start() <= start < match.end() for match in _ADDRESS.finditer(text))


_PERIODS = {"D": "daily", "W": "weekly", "M": "monthly", "Y": "yearly"}


def _readings(values: list[Mapping[str, Any]], written_at: datetime) -> Iterator[Reading]:
    for value in values:
        kind, timex = value.get("type", ""), value.get("timex", "")
        if kind == "set":
            yield Reading(repeats=_repeats(timex))
        elif "start" in value or "end" in value:
            begins_at, ends_at = _time(value.get("start"), written_at), _time(value.get("end"), written_at)
            if begins_at and ends_at and kind == "timerange" and ends_at <= begins_at:
                ends_at += timedelta(days=1)
            yield Reading(begins_at=begins_at, ends_at=ends_at or begins_at, is_open=not (begins_at and ends_at))
        elif kind in KINDS:
            yield Reading(ends_at=_time(value.get("value"), written_at))


def _repeats(timex: str) -> str:
    if match := re.fullmatch(r"P1([DWMY])(?:T.*)?", timex):
        return _PERIODS[match[1]]
    if re.match(r"XXXX-WXX-\d", timex):
        return "weekly"
    if timex == "P1WE" or timex.startswith("XXXX-WXX"):
        return "weekly"
    if timex.startswith("XXXX-XX-"):
        return "monthly"
    if re.match(r"XXXX-\d\d", timex):
        return "yearly"
    return "daily" if timex.startswith("T") else "other"


def _time(value: str | None, written_at: datetime) -> datetime | None:
    if not value or not value[:1].isdigit():
        return None
    if ":" in value[:3]:
        hour, minute = int(value[:2]), int(value[3:5])
        return datetime.combine(written_at.date(), datetime.min.time(), UTC) + timedelta(hours=hour, minutes=minute)
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


def _is_ahead(reading: Reading, written_at: datetime) -> bool:
    if reading.repeats:
        return True
    at, begins_at = reading.ends_at, reading.begins_at
    if at is None or (begins_at is not None and at - begins_at >= _TERM):
        return False
    if at == written_at and begins_at is not None and begins_at < at and not reading.is_open:
        return False
    if at == written_at:
        # A day that is today is ahead, "now" is not; both have midnight when the case was written at midnight.
        return at.time() == datetime.min.time()
    if begins_at is not None and not reading.is_open:
        return written_at < at <= written_at + HORIZON
    is_day = at.time() == datetime.min.time()
    return (written_at.date() <= at.date() if is_day else written_at < at) and at - written_at <= HORIZON


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an engine found: the same fields, so that every engine is judged alike. `on` is a day without a time."""

    start: int
    end: int
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    on: date | None = None
    repeats: str = ""

    @property
    def days(self) -> set[date]:
        """First and last day."""
        return {day for day in (self.on, *(at.date() for at in (self.begins_at, self.ends_at) if at)) if day}


_SLACK = timedelta(hours=2)
"""Between the ends of a part of the day ("morning") as one or the other counts them."""
_PARTS = re.compile(
    r"morning|afternoon|evening|night|noon|lunch|dinner|breakfast|brunch|business|work|day\b", re.IGNORECASE
)


def is_right(wanted: Wanted, answers: list[Answer], text: str) -> bool:
    """Whether one of the answers over the expression has the end of one of its readings; spans alone count where the
    case has no values."""
    near = [answer for answer in answers if answer.start < wanted.end and wanted.start < answer.end]
    if not wanted.readings:
        return bool(near)
    slack = _SLACK if _PARTS.search(text[wanted.start : wanted.end]) else timedelta()
    return any(_agrees(wanted.kind, reading, answer, slack) for reading in wanted.readings for answer in near)


def _agrees(kind: str, reading: Reading, answer: Answer, slack: timedelta) -> bool:
    if kind == "set":
        return reading.repeats == answer.repeats
    at = reading.ends_at
    if at is None:
        return False
    if kind in ("date", "daterange"):
        day = answer.on or (answer.ends_at.date() if answer.ends_at else None)
        if kind == "date" or day is None:
            return day == at.date()
        if reading.is_open:
            # "Before next week" ends where it begins, "after" begins where it ends.
            return not {at.date(), at.date() - timedelta(days=1)}.isdisjoint(answer.days)
        # The end of their ranges is the day after the last, or the last itself ("from 4 to 22 October").
        return day in {at.date(), at.date() - timedelta(days=1)}
    near = max(slack, timedelta(seconds=59))
    times = [answer.ends_at] if not reading.is_open else [answer.ends_at, answer.begins_at]
    if kind in ("time", "timerange"):
        # Of a time of day only the hour is said; which day it is may stand elsewhere in the sentence.
        return any(one is not None and _apart(one, at) <= near for one in times)
    return any(one is not None and abs(one - at) <= near for one in times)


def _apart(one: datetime, other: datetime) -> timedelta:
    """How far apart two times of day are."""
    difference = abs(timedelta(hours=one.hour, minutes=one.minute) - timedelta(hours=other.hour, minutes=other.minute))
    return min(difference, timedelta(days=1) - difference)


def is_extra(answer: Answer, wanted: tuple[Wanted, ...]) -> bool:
    """Whether the case names nothing there."""
    return not any(answer.start < one.end and one.start < answer.end for one in wanted)
