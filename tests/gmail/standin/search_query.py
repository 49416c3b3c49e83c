"""The part of Gmail's search language that a sync may use."""

import re
import shlex
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from tests.gmail.standin.messages import StoredMessage

PACIFIC = timezone(timedelta(hours=-8))
"""Dates without a time are midnights there (Gmail's search guide); daylight saving is left out."""

Test = Callable[[StoredMessage], bool]

_SPANS = {"h": 1 / 24, "d": 1, "m": 30, "y": 365}


class QueryError(ValueError):
    """The query has a value that Gmail would refuse."""


def compile_query(text: str, label_ids: dict[str, str], now: int) -> tuple[Test, bool]:
    """The test of a message, and whether spam and trash are asked for; `label_ids` by name, `now` in milliseconds."""
    tests: list[Test] = []
    anywhere = False
    for word in _words(text):
        negated = word.startswith("-")
        name, colon, value = word.lstrip("-").partition(":")
        if colon and name == "in" and value.lower() in {"anywhere", "spam", "trash"}:
            anywhere = True
            if value.lower() == "anywhere":
                continue
        test = _test(name.lower(), value, label_ids, now) if colon else _contains(word.lstrip("-"))
        tests.append(_opposite(test) if negated else test)
    return _all(tests), anywhere


def _words(text: str) -> Iterable[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _test(name: str, value: str, label_ids: dict[str, str], now: int) -> Test:
    match name:
        case "newer_than" | "older_than":
            edge = now - _span(value)
            return (lambda m: m.internal_date >= edge) if name == "newer_than" else (lambda m: m.internal_date < edge)
        case "after" | "newer":
            start = _moment(value)
            return lambda m: m.internal_date >= start
        case "before" | "older":
            end = _moment(value)
            return lambda m: m.internal_date < end
        case "label" | "in":
            label = label_ids.get(value.lower(), value.upper())
            return lambda m: label in m.labels
        case "is":
            flag = value.upper()
            return (lambda m: "UNREAD" not in m.labels) if flag == "READ" else (lambda m: flag in m.labels)
        case "rfc822msgid":
            wanted = value.strip("<>")
            return lambda m: m.rfc822_message_id == wanted
        case "from" | "to" | "cc" | "subject":
            return lambda m: value.lower() in str(m.headers.get(name, "")).lower()
        case _:
            return _contains(f"{name}:{value}")


def _contains(word: str) -> Test:
    wanted = word.lower().encode()
    return lambda m: wanted in m.rfc822.lower()


def _opposite(test: Test) -> Test:
    return lambda m: not test(m)


def _all(tests: list[Test]) -> Test:
    return lambda m: all(test(m) for test in tests)


def _span(value: str) -> int:
    found = re.fullmatch(r"(\d+)([hdmy])", value.lower())
    if found is None:
        raise QueryError(f"Invalid relative date: {value}")
    return int(int(found[1]) * _SPANS[found[2]] * 86_400_000)


def _moment(value: str) -> int:
    if re.fullmatch(r"\d{9,}", value):
        return int(value) * 1000
    found = re.fullmatch(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})", value)
    if found is None:
        raise QueryError(f"Invalid date: {value}")
    return int(datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=PACIFIC).timestamp() * 1000)
