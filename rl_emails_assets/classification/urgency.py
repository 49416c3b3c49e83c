"""By when: words of haste, days named near a deadline or a request, the importance header, a meeting's start.

Only light patterns; the deadline of a task is the extraction's work. A day counts when it stands in the subject, in
the sentence that asks, or beside a word of a deadline: that a story happened "today" makes nothing urgent.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from rl_emails_assets.classification.need_words import NOT_URGENT, SALES_HASTE
from rl_emails_assets.classification.reading import Reading, evidence, phrase_in
from rl_emails_assets.classification.verdict import Category, Evidence, Needs, Urgency
from rl_emails_assets.classification.words import (
    DEADLINE_WORDS,
    NOW_PHRASES,
    NOW_WORDS,
    TODAY_PHRASES,
    TODAY_WORDS,
    WEEK_PHRASES,
    WEEK_WORDS,
)

_ORDER: dict[Urgency, int] = {"now": 0, "today": 1, "this_week": 2, "whenever": 3}
_QUIET: frozenset[Category] = frozenset(("newsletter", "promotion", "social", "suspicious", "receipt", "automatic"))
_WORD = re.compile(r"[^\W\d_]{2,15}(?:'[^\W\d_]{1,10})?")
_SLASHED = re.compile(r"(?<![\d/.])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\d/])")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?(?!\d)")
_ISO = re.compile(r"(?<!\d)(20\d\d|19\d\d)-(\d{2})-(\d{2})(?!\d)")
_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.|º|er)? (?:de |of )?([^\W\d_]{3,10})")
_MONTH_DAY = re.compile(r"([^\W\d_]{3,10})\.? (\d{1,2})(?!\d)")
_WEEKDAYS = {
    name: day
    for day, names in enumerate(
        (
            "monday mon montag lundi lunes lunedì segunda maandag",
            "tuesday tue tues dienstag mardi martes martedì terça dinsdag",
            "wednesday wed mittwoch mercredi miércoles mercoledì quarta woensdag",
            "thursday thu thurs donnerstag jeudi jueves giovedì quinta donderdag",
            "friday fri freitag vendredi viernes venerdì sexta vrijdag",
            "saturday samstag samedi sábado sabato zaterdag",
            "sunday sonntag dimanche domingo domenica zondag",
        )
    )
    for name in names.split()
}
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari",
            "february feb februar février febrero febbraio fevereiro februari",
            "march mar märz mars marzo março maart",
            "april apr avril abril aprile",
            "may mai mayo maggio maio mei",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août agosto augustus",
            "september sept sep septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_NEXT = ("next ", "nächste", "prochain", "próxim", "prossim", "volgende")


def urgency_of(
    reading: Reading, category: Category, needs: Needs, asked: Sequence[str]
) -> tuple[Urgency, tuple[Evidence, ...]]:
    """How soon, and what says so; `asked` holds the sentences that ask something."""
    if category == "calendar":
        return _of_meeting(reading, needs)
    if needs == "nothing" or (category in _QUIET and needs == "read"):
        return "whenever", (evidence("urgency", "text", f"{category}: nothing to be done by a day"),)
    sold = _sold(reading)
    if sold:
        return "whenever", (evidence("urgency", "text", f"{sold}: the haste of a sale"),)
    is_question = needs != "read"
    best: tuple[Urgency, Evidence] | None = None
    # What is only to be read hurries when its subject says so; the days it names are those of its story.
    for source, text in _places(reading, asked) if is_question else [("subject", reading.subject)]:
        found = _of_text(reading, text, with_dates=is_question)
        if found and (best is None or _ORDER[found[0]] < _ORDER[best[0]]):
            best = found[0], evidence("urgency", source, f"{found[1]}: {text}")
    if _is_marked_important(reading) and is_question and (best is None or best[0] == "whenever"):
        best = "today", evidence("urgency", "header", f"Importance: {reading.header('importance') or 'high'}")
    if best is None:
        return "whenever", (evidence("urgency", "text", "no day and no haste named"),)
    return best[0], (best[1],)


def _of_meeting(reading: Reading, needs: Needs) -> tuple[Urgency, tuple[Evidence, ...]]:
    starts, now = reading.given.calendar_starts_at, reading.given.received_at
    if starts is None or now is None:
        return "whenever", (evidence("urgency", "calendar", "no start given"),)
    ahead = _aware(starts) - _aware(now)
    quote = evidence("urgency", "calendar", f"starts {_aware(starts):%Y-%m-%d %H:%M} UTC")
    if ahead < timedelta(0) or needs == "nothing":
        return "whenever", (quote,)
    if ahead <= timedelta(hours=2):
        return "now", (quote,)
    if ahead <= timedelta(hours=24):
        return "today", (quote,)
    return ("this_week" if ahead <= timedelta(days=7) else "whenever"), (quote,)


def _sold(reading: Reading) -> str:
    """The words by which somebody unknown hurries the reader to buy; "" where nobody does."""
    given = reading.given
    if given.sender_replied_count or given.is_reply_to_owner or reading.sender.domain == given.owner_domain:
        return ""
    return phrase_in(f"{reading.low_subject}\n{reading.low}", SALES_HASTE)


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_marked_important(reading: Reading) -> bool:
    if reading.header("importance").startswith("high") or reading.header("priority").startswith("urgent"):
        return True
    return reading.header("x-priority")[:1] in ("1", "2") or reading.header("x-msmail-priority").startswith("high")


def _places(reading: Reading, asked: Sequence[str]) -> list[tuple[str, str]]:
    places = [("subject", reading.subject), *(("text", sentence) for sentence in asked[:6])]
    for sentence, tokens in zip(reading.sentences, reading.sentence_tokens, strict=True):
        if sentence not in asked and len(places) < 16 and not DEADLINE_WORDS.isdisjoint(tokens):
            places.append(("text", sentence))
    return places


def _of_text(reading: Reading, text: str, *, with_dates: bool) -> tuple[Urgency, str] | None:
    low = NOT_URGENT.sub(" ", text.lower().replace("’", "'"))
    words = _WORD.findall(low)
    here = frozenset(words)
    for urgency, single, phrases in (
        ("now", NOW_WORDS, NOW_PHRASES),
        ("today", TODAY_WORDS, TODAY_PHRASES),
        ("this_week", WEEK_WORDS, WEEK_PHRASES),
    ):
        hits = single & here
        hit = min(hits) if hits else phrase_in(low, phrases)
        if hit:
            return urgency, hit  # type: ignore[return-value]
    received = reading.given.received_at
    if received is None or not with_dates:
        return None
    today = _aware(received).date()
    for word in words:
        if word in _WEEKDAYS:
            if any(mark in low for mark in _NEXT):
                return "whenever", word
            return ("today" if _WEEKDAYS[word] == today.weekday() else "this_week"), word
    if not any(map(str.isdigit, low)):
        return None
    return _of_date(low, today)


def _of_date(low: str, today: date) -> tuple[Urgency, str] | None:
    for day, quote in _dates(low, today):
        ahead = (day - today).days
        if ahead == 0:
            return "today", quote
        if 0 < ahead <= 7:
            return "this_week", quote
        if ahead > 7:
            return "whenever", quote
    return None


def _dates(low: str, today: date) -> list[tuple[date, str]]:
    found = [(_day(int(match[1]), int(match[2]), int(match[3])), match[0]) for match in _ISO.finditer(low)]
    found += [(_slashed(match, today), match[0]) for match in _SLASHED.finditer(low)]
    found += [(_near(match[3], int(match[2]), int(match[1]), today), match[0]) for match in _DOTTED.finditer(low)]
    for pattern, name, number in ((_DAY_MONTH, 2, 1), (_MONTH_DAY, 1, 2)):
        found += [
            (_near(None, _MONTHS[match[name]], int(match[number]), today), match[0])
            for match in pattern.finditer(low)
            if match[name] in _MONTHS
        ]
    return [(day, quote) for day, quote in found if day is not None]


def _slashed(match: re.Match[str], today: date) -> date | None:
    # Month first, as where most slashes are written; day first where that cannot be.
    first, second = int(match[1]), int(match[2])
    month, day = (first, second) if first <= 12 else (second, first)
    return _near(match[3], month, day, today)


def _near(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _day(int(year) if len(year) == 4 else 2000 + int(year), month, day)
    # Without a year the nearest one is meant: "January 3" in December is next month.
    candidates = [_day(today.year + offset, month, day) for offset in (-1, 0, 1)]
    known = [candidate for candidate in candidates if candidate is not None]
    return min(known, key=lambda candidate: abs((candidate - today).days), default=None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
