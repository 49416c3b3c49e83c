"""How well times are read, and how often one is seen where none is: the date-time cases, and ordinary sentences.

`date_cases` says which cases count and when an answer is right. An ordinary sentence is one of the mail and of the
labelled sentences without any word or digits that could belong to a time (`HINT`), so whatever is found there is
false; and the sentences of date_negatives.txt, written for this project, full of digits and words that look like one.
"""

import csv
import random
import re
import tarfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from pathlib import Path

from dateutil.parser import parse

from rl_emails_assets.evaluation.date_cases import (
    ARCHIVE,
    KINDS,
    MERGED,
    MERGED_SPANS,
    Answer,
    Case,
    is_extra,
    is_right,
    load_cases,
)
from rl_emails_assets.evaluation.section import SEED, Figure, Section, Table
from rl_emails_assets.evaluation.statistics import wilson
from rl_emails_assets.extraction.deadlines import find_deadlines
from rl_emails_assets.extraction.sentences import split_sentences
from rl_emails_assets.extraction.time_mentions import find_times
from rl_emails_assets.extraction.time_zones import offset_of
from rl_emails_assets.mail.zones import split_zones

PLAIN_SENTENCES = 5000
_MINUTE = timedelta(minutes=1)
_NEGATIVES = Path(__file__).with_name("date_negatives.txt")
_WRITTEN_AT = datetime(2026, 5, 6, 10, 0, tzinfo=timezone(timedelta(hours=-5)))
HINT = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september"
    r"|october|november|december|mon|tues?|wed|thurs?|thu|fri|sat|sun|\w*days?|week\w*|month\w*|year\w*|annual\w*"
    r"|quarter\w*|hours?|minutes?|mins?|daily|seconds?|today|tonight|tom+or+ow|yesterday|mornings?|afternoons?"
    r"|evenings?|nights?|noon|midnight|lunch|dinner|breakfast|now|soon|later|ago|next|last|spring|summer|fall|autumn"
    r"|winter|eod|eob|cob|asap|christmas|easter|thanksgiving|am|pm|a\.m|p\.m|o'?clock|[qh][1-4]|19\d\d|20\d\d)\b"
    r"|\d\s?(?:[:/.-]\s?\d|[ap]\.?m?\b|(?:st|nd|rd|th)\b)|\b(?:at|by|before|around|about|until|till|from)\s\d",
    re.IGNORECASE,
)
"""A word of the calendar or the clock, or digits that may be a date: what a sentence must not hold to be ordinary."""


def answers(case: Case) -> list[Answer]:
    """What the engine reads in a case. The cases give the time that is written, whatever zone stands beside it."""
    found = []
    for mention in find_times(case.text, case.written_at):
        begins_at, ends_at = mention.begins_at, mention.ends_at
        if mention.zone and ends_at is not None:
            ends_at += offset_of(mention.zone, ends_at.date())
            begins_at = begins_at and begins_at + offset_of(mention.zone, begins_at.date())
        found.append(
            Answer(
                start=mention.start,
                end=mention.end,
                begins_at=begins_at,
                ends_at=ends_at,
                on=ends_at.date() if mention.is_date_only and ends_at else None,
                repeats=mention.repeats,
            )
        )
    return found


def is_case_right(case: Case, found: list[Answer]) -> bool:
    """Whether everything that counts in a case is right, and nothing is found where it names nothing."""
    wanted = [one for one in case.wanted if one.counts]
    return all(is_right(one, found, case.text) for one in wanted) and not any(
        is_extra(one, case.wanted) for one in found
    )


def negatives() -> list[str]:
    """The sentences of date_negatives.txt."""
    lines = _NEGATIVES.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def evaluate(data: Path, *, seed: int = SEED) -> Section:
    """The figures of the cases and of ordinary text under `data`; what is absent is left out."""
    figures: list[Figure] = []
    tables: list[Table] = []
    failures: Counter[str] = Counter()
    if (data / ARCHIVE).exists():
        _add_cases(data, seed, figures, tables, failures)
    _add_false(data, seed, figures)
    return Section(
        key="dates",
        title="Deadlines and dates",
        method=(
            "The date-time cases of the recognizers project (English). Counted is what a person would call a deadline"
            " or an appointment, by a filter on the expected result: dates, times of day, ranges (by their end) and"
            " repetitions that name a day or a time, that lie ahead of the time of writing, within three years; no"
            " lengths, whole years, 'now', rates ('weekly'), parts of the day and units that say of what kind something"
            " is ('afternoon classes', 'partner of the month'), parts of web addresses. A case is right when all"
            " of these are right and nothing else is found. Half of the cases, by the shape of"
            " their words, were looked at while building, a quarter once and late, a quarter never. False dates are"
            " counted in sentences without any word or digits of a time, and in the hard sentences of this project,"
            " which were looked at."
        ),
        figures=tuple(figures),
        tables=tuple(tables),
        failures=dict(failures),
    )


def _add_cases(data: Path, seed: int, figures: list[Figure], tables: list[Table], failures: Counter[str]) -> None:
    cases = load_cases(data, MERGED, seed=seed)
    found = {id(case): answers(case) for case in cases}
    counted = [case for case in cases if case.counts]
    right = {id(case): is_case_right(case, found[id(case)]) for case in counted}
    parts: tuple[tuple[str, Callable[[Case], bool]], ...] = (
        ("quarter of the shapes, never looked at", lambda case: case.part == "held"),
        ("half of the shapes, not tuned on (a quarter seen once)", lambda case: case.part != "tuning"),
        ("half of the shapes, tuned on", lambda case: case.part == "tuning"),
        ("all", lambda _case: True),
    )
    for split, takes in parts:
        chosen = [case for case in counted if takes(case)]
        figure = _share(f"merged cases right: {split}", [right[id(case)] for case in chosen], split, goal=0.9)
        guessed = [_is_right_by_dateutil(case) for case in chosen]
        baselines = {"dateutil, fuzzy, extra finds forgiven": sum(guessed) / max(len(guessed), 1)}
        figures.append(replace(figure, baselines=baselines))
    results = [(one, is_right(one, found[id(case)], case.text)) for case in cases for one in case.wanted]
    figures.append(_share("merged results that count, right", [ok for one, ok in results if one.counts], "all"))
    everything = [is_case_right_unfiltered(case, found[id(case)]) for case in cases]
    figures.append(_share("merged cases right, without the filter", everything, "all"))
    spans = [case for case in load_cases(data, MERGED_SPANS, seed=seed) if case.counts]
    figures.append(
        _share("extractor cases found (places only)", [is_case_right(case, answers(case)) for case in spans], "all")
    )
    figures.append(_share("deadlines of single days and times, right", _deadlines_right(cases), "all"))
    rows = []
    for kind in sorted(KINDS):
        of_kind = [ok for one, ok in results if one.counts and one.kind == kind]
        rows.append((kind, len(of_kind), sum(of_kind), sum(of_kind) / max(len(of_kind), 1)))
        failures[f"{kind} wrong or not found"] = len(of_kind) - sum(of_kind)
    tables.append(Table(title="By type of result", headings=("type", "count", "right", "share"), rows=tuple(rows)))


def _is_right_by_dateutil(case: Case) -> bool:
    """Whether the one time that python-dateutil finds in a case is all that counts in it."""
    wanted = [one for one in case.wanted if one.counts]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of zones that it does not know
            at = parse(
                case.text, fuzzy=True, ignoretz=True, default=case.written_at.replace(hour=0, minute=0, second=0)
            )
    except (ValueError, OverflowError):
        return not wanted
    day = [Answer(start=0, end=len(case.text), ends_at=at, on=at.date())]
    moment = [Answer(start=0, end=len(case.text), ends_at=at)]
    return all(is_right(one, day, case.text) or is_right(one, moment, case.text) for one in wanted)


def is_case_right_unfiltered(case: Case, found: list[Answer]) -> bool:
    """The same with every result counted: lengths, past times and whole years too."""
    return all(is_right(one, found, case.text) for one in case.wanted) and not any(
        is_extra(one, case.wanted) for one in found
    )


def _deadlines_right(cases: Sequence[Case]) -> Iterator[bool]:
    """Of the single days and times ahead: whether `find_deadlines` gives that day, or that time."""
    for case in cases:
        found = find_deadlines(case.text, case.written_at)
        for wanted in case.wanted:
            if not wanted.counts or wanted.kind not in ("date", "datetime"):
                continue
            times = [one.ends_at for one in wanted.readings if one.ends_at]
            yield any(
                deadline.at.date() == at.date() if wanted.kind == "date" else abs(deadline.at - at) < _MINUTE
                for deadline in found
                for at in times
            )


def _add_false(data: Path, seed: int, figures: list[Figure]) -> None:
    hard = negatives()
    figures.append(_false("hard sentences", hard, [_WRITTEN_AT] * len(hard), "all; looked at while building"))
    for name, sentences in (("labelled sentences", _labelled(data)), ("Enron sentences", _enron(data))):
        plain = [sentence for sentence in sentences if not HINT.search(sentence)]
        random.Random(seed).shuffle(plain)  # noqa: S311
        plain = plain[:PLAIN_SENTENCES]
        if plain:
            figures.append(_false(name, plain, [_WRITTEN_AT] * len(plain), "seeded sample without any word of a time"))


def _false(name: str, sentences: Sequence[str], times: Sequence[datetime], split: str) -> Figure:
    false = [bool(find_deadlines(one, at) or find_times(one, at)) for one, at in zip(sentences, times, strict=True)]
    return _share(f"false dates in {name}", false, split, goal=0.02, is_more_better=False)


def _labelled(data: Path) -> list[str]:
    found = []
    intent = data / "labelled" / "intent-parakweet-ask0729.txt"
    if intent.exists():
        lines = intent.read_text("utf-8", errors="replace").splitlines()
        found += [line.partition("\t")[2] for line in lines]
    actionable = data / "labelled" / "actionable-sentences.csv"
    if actionable.exists():
        with actionable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            found += [row["sentences"] for row in csv.DictReader(file)]
    return sorted(set(found))


def _enron(data: Path) -> list[str]:
    """The sentences of the new text of two mailboxes, each once."""
    found: set[str] = set()
    for name in ("enron-bailey-s", "enron-holst-k"):
        path = data / "mailboxes" / f"{name}.tar.gz"
        if not path.exists():
            continue
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is None:
                    continue
                body = message_from_bytes(content.read()).get_payload(decode=True)
                if isinstance(body, bytes):
                    new = split_zones(body.decode("latin-1").replace("\r\n", "\n")).new_text
                    found.update(sentence.text for sentence in split_sentences(new))
    return sorted(found)


def _share(
    name: str,
    hits: "Sequence[bool] | Iterator[bool]",
    split: str,
    *,
    goal: float | None = None,
    is_more_better: bool = True,
) -> Figure:
    hits = list(hits)
    low, high = wilson(sum(hits), len(hits))
    return Figure(
        name=name,
        value=sum(hits) / max(len(hits), 1),
        split=split,
        count=len(hits),
        low=low,
        high=high,
        goal=goal,
        is_more_better=is_more_better,
    )
