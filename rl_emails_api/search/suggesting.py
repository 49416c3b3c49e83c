"""Search as you type: people, conversations and operators that go on where the text ends."""

import re
from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

from rl_emails_api.search.query_language import OPERATORS
from rl_emails_api.search.query_tree import Having, State
from rl_emails_api.search.schemas import Suggestion
from rl_emails_assets.db.tables.classifications import Category, Needs

_LAST = re.compile(r"(?:(?P<not>-)?(?P<operator>[A-Za-z_]+):)?(?P<value>\"[^\"]*|[^\s\"(){}]*)$")
_MIN_TYPO = 3
"""Letters from which on a mistyped name is looked for."""
_PEOPLE_OPERATORS = ("from", "to", "cc")
_VALUES: dict[str, Sequence[str]] = {
    "is": get_args(State),
    "has": get_args(Having),
    "in": ("inbox", "sent", "trash", "spam", "anywhere"),
    "category": get_args(Category),
    "needs": get_args(Needs),
    "before": ("today", "7d", "1y"),
    "after": ("today", "yesterday", "7d"),
    "on": ("today", "yesterday"),
    "older_than": ("7d", "1m", "1y"),
    "newer_than": ("2d", "7d", "1m"),
    "larger": ("1M", "5M", "10M"),
    "smaller": ("100k", "1M"),
}
_MEANINGS: dict[str, str] = {
    "from": "Who sent it",
    "to": "Who it was sent to",
    "cc": "Who got a copy",
    "subject": "Words of the subject",
    "has": "A kind of attachment",
    "filename": "Words of a file's name, or its ending",
    "before": "Received before a day",
    "after": "Received on a day or later",
    "on": "Received on a day, in a month or year",
    "older_than": "Received longer ago",
    "newer_than": "Received since",
    "label": "A label or folder",
    "in": "A place: inbox, sent, trash, spam, anywhere",
    "is": "unread, starred, important, done, ...",
    "category": "What it is",
    "needs": "What it needs from you",
    "list": "A mailing list",
    "larger": "More bytes than, as 5M",
    "smaller": "Fewer bytes than",
}


def suggestions(connection: Connection, mailbox_id: UUID, typed: str, limit: int) -> list[Suggestion]:
    """At most `limit` of each kind, for the last word of what was typed; the words before it stay."""
    match = _LAST.search(typed)
    if match is None:
        return []
    before = typed[: match.start()]
    operator = (match["operator"] or "").lower()
    value = match["value"].removeprefix('"')
    sign = match["not"] or ""
    if operator in _VALUES:
        return [_value(before, sign, operator, each) for each in _VALUES[operator] if each.startswith(value.lower())][
            :limit
        ]
    items: list[Suggestion] = []
    if value and (not operator or operator in _PEOPLE_OPERATORS):
        field = f"{sign}{operator or 'from'}"
        items += [_person(before, field, row) for row in _people(connection, mailbox_id, value, limit)]
    if not operator:
        items += _operators(before, value, limit)
    if len(value) > 1 and operator in ("", "subject"):
        wanted = value if operator else f"{before}{value}"
        items += [_thread(row) for row in _subjects(connection, mailbox_id, wanted, limit)]
    return items


def _people(connection: Connection, mailbox_id: UUID, value: str, limit: int) -> Sequence[RowMapping]:
    query = text("select address, name from search.contacts_like(:mailbox_id, :typed, :with_typos, :limit)")
    parameters = {"mailbox_id": mailbox_id, "typed": value, "with_typos": False, "limit": limit}
    rows = connection.execute(query, parameters).mappings().all()
    if not rows and len(value) >= _MIN_TYPO:
        rows = connection.execute(query, {**parameters, "with_typos": True}).mappings().all()
    return rows


def _subjects(connection: Connection, mailbox_id: UUID, words: str, limit: int) -> Sequence[RowMapping]:
    query = text("select thread_id, subject from search.subjects_like(:mailbox_id, :typed, :limit)")
    return connection.execute(query, {"mailbox_id": mailbox_id, "typed": words, "limit": limit}).mappings().all()


def _person(before: str, field: str, row: RowMapping) -> Suggestion:
    return Suggestion(
        kind="person",
        text=f"{before}{field}:{row['address']} ",
        label=row["name"] or row["address"],
        detail=row["address"],
    )


def _thread(row: RowMapping) -> Suggestion:
    words = row["subject"].replace('"', " ")
    return Suggestion(
        kind="thread",
        text=f'subject:"{words}" ',
        label=row["subject"],
        detail="",
        thread_id=row["thread_id"],
    )


def _operators(before: str, value: str, limit: int) -> list[Suggestion]:
    start = value.lower().removeprefix("-")
    sign = "-" if value.startswith("-") else ""
    names = [name for name in OPERATORS if name in _MEANINGS and name.startswith(start) and start]
    return [
        Suggestion(kind="operator", text=f"{before}{sign}{name}:", label=f"{name}:", detail=_MEANINGS[name])
        for name in names[:limit]
    ]


def _value(before: str, sign: str, operator: str, value: str) -> Suggestion:
    return Suggestion(
        kind="operator",
        text=f"{before}{sign}{operator}:{value} ",
        label=f"{operator}:{value}",
        detail=_MEANINGS[operator],
    )
