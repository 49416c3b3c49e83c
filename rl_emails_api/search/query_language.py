"""The query language, as people know it from Gmail; the grammar is in docs/reference/search.md.

Parsing never fails: what is not understood is searched as text, and a note says so.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Literal, get_args

from rl_emails_api.search import dates
from rl_emails_api.search.query_tree import (
    And,
    Everything,
    FieldName,
    Has,
    Having,
    InField,
    Is,
    Judged,
    Labelled,
    Node,
    Not,
    Or,
    Query,
    Received,
    Size,
    State,
    Words,
    together,
)
from rl_emails_assets.db.tables.classifications import Category, Needs

MAX_TERMS = 40
MAX_DEPTH = 8
MAX_NOTES = 10
_SHOWN = 40

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<open>[({])
    | (?P<close>[)}])
    | (?P<not>-(?=[^\s-]))
    | (?P<operator>[A-Za-z_]+):(?=["({]|[^\s"(){}]|$|\s)
    | "(?P<phrase>[^"]*)(?P<end>"|$)
    | (?P<word>[^\s"(){}]+)
    """,
    re.VERBOSE,
)
_VALUE = re.compile(r'"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"(){}]+)')
_QUOTES = str.maketrans("“”„‟«»", '""""""')
_LETTER = re.compile(r"[^\W_]")
_SIZE = re.compile(r"(\d{1,12})(k|kb|m|mb|g|gb|b)?", re.IGNORECASE | re.ASCII)
_SIZE_FACTORS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MAX_SIZE = 2**31 - 1
"""The largest number of bytes that a message's size is kept as."""

# Words that so many messages have that asking for them says nothing, unless nothing else is asked for.
_STOP_WORDS = """
    a about an and any are as at be been but by can could did do does for from had has have he her him his how i if in
    is it its me my of on or our she so that the their them then there they this to us was we were what when where which
    who whom whose why will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
# What stands before a colon in ordinary writing.
_PLAIN = "re fw fwd aw wg antw sv vs http https mailto ftp file tel note ps nb"
_NO_OPERATORS = frozenset(_PLAIN.split())

_PLACES: dict[str, Node] = {
    "anywhere": Everything(),
    "inbox": Labelled("INBOX"),
    "sent": Is("sent"),
    "trash": Labelled("TRASH"),
    "bin": Labelled("TRASH"),
    "spam": Labelled("SPAM"),
    "junk": Labelled("SPAM"),
    "drafts": Labelled("DRAFT"),
    "draft": Labelled("DRAFT"),
    "starred": Is("starred"),
    "important": Is("important"),
    "snoozed": Is("snoozed"),
    "done": Is("done"),
    "unread": Is("unread"),
}
_SAME_KIND = {"pdfs": "pdf", "attachments": "attachment", "images": "image", "photo": "image", "invite": "invitation"}
_SAME_CATEGORY = {"promotions": "newsletter", "forums": "mailing_list", "primary": "person", "receipts": "receipt"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query is read with."""

    now: datetime
    zone: tzinfo
    is_typing: bool = False
    """The last word may be unfinished."""


def parse(text: str, reading: Reading) -> Query:
    """The tree of a query and notes about what was read otherwise than it was meant. Never fails."""
    parser = _Parser(text.translate(_QUOTES), reading)
    tree = _without_stop_words(parser.group(0, None))
    return Query(tree, tuple(dict.fromkeys(parser.notes))[:MAX_NOTES])


class _Parser:
    """One pass over the text; `notes` collects what the person who typed it should know."""

    def __init__(self, text: str, reading: Reading) -> None:
        self.notes: list[str] = []
        self._text = text
        self._at = 0
        self._reading = reading
        self._terms = 0

    def group(self, depth: int, operator: str | None, closing: str = "") -> Node | None:
        """Terms up to `closing`, or the end; with `operator`, each bare word is a value of it."""
        alternatives: list[list[Node]] = []
        is_either, is_joined = closing == "}", False
        for token in self._tokens():
            if token.lastgroup == "space":
                continue
            if token.lastgroup == "close":
                if closing:
                    break
                continue  # a parenthesis that nothing opened
            if token["word"] in ("OR", "|"):
                is_joined = bool(alternatives)
                continue
            if token["word"] in ("AND", "&"):
                continue
            node = self._term(token, depth, operator)
            if node is None:
                continue
            # OR binds its neighbours more tightly than a space does, as in Gmail.
            if alternatives and (is_joined or is_either):
                alternatives[-1].append(node)
            else:
                alternatives.append([node])
            is_joined = False
        return together([nodes[0] if len(nodes) == 1 else Or(tuple(nodes)) for nodes in alternatives])

    def _tokens(self) -> Iterator[re.Match[str]]:
        while (token := _TOKEN.match(self._text, self._at)) is not None:
            self._at = token.end()
            yield token

    def _term(self, token: re.Match[str], depth: int, operator: str | None) -> Node | None:
        if token.lastgroup == "not" or token["word"] == "NOT":
            for following in self._tokens():
                if following.lastgroup != "space":
                    break
            else:
                return None
            if following.lastgroup == "close":
                self._at = following.start()
                return None
            node = self._term(following, depth, operator)
            return None if node is None else node.node if isinstance(node, Not) else Not(node)
        if token.lastgroup == "open":
            return self._nested(token.group(), depth, operator)
        self._terms += 1
        if self._terms > MAX_TERMS:
            self.notes.append(f"Only the first {MAX_TERMS} terms are searched for.")
            self._at = len(self._text)
            return None
        if token["operator"] is not None:
            return self._operator(token["operator"], depth)
        if token["phrase"] is not None:
            if not token["end"]:
                self.notes.append("A quotation mark has no partner; the phrase ends with the text.")
            return self._value(operator, token["phrase"], is_phrase=True)
        return self._value(operator, token["word"].lstrip("+"), is_phrase=False)

    def _nested(self, bracket: str, depth: int, operator: str | None) -> Node | None:
        if depth >= MAX_DEPTH:
            self.notes.append(f"Parentheses deeper than {MAX_DEPTH} are left out.")
            return None
        return self.group(depth + 1, operator, "}" if bracket == "{" else ")")

    def _operator(self, name: str, depth: int) -> Node | None:
        known = name.lower()
        following = self._text[self._at : self._at + 1]
        if known not in OPERATORS:
            value = _VALUE.match(self._text, self._at)
            if value is None:
                return self._value(None, name, is_phrase=False)
            self._at = value.end()
            if known not in _NO_OPERATORS and not (value["word"] or "").startswith("//"):
                self.notes.append(f"{name}: is not an operator; it was searched as text.")
            return self._value(None, f"{name} {value['phrase'] or value['word'] or ''}", is_phrase=True)
        if following in ("(", "{"):
            self._at += 1
            return self._nested(following, depth, known)
        value = _VALUE.match(self._text, self._at)
        if value is None:
            self.notes.append(f"{known}: says nothing yet and was left out.")
            return None
        self._at = value.end()
        return self._value(known, value["phrase"] or value["word"] or "", is_phrase=value["phrase"] is not None)

    def _value(self, operator: str | None, text: str, *, is_phrase: bool) -> Node | None:
        is_unfinished = self._reading.is_typing and not is_phrase and self._at == len(self._text)
        if operator is not None:
            node = OPERATORS[operator](text, self._reading)
            if isinstance(node, InField):
                node = replace(node, is_unfinished=is_unfinished) if _LETTER.search(text) else None
            if isinstance(node, _Misread):
                if not is_unfinished:
                    self.notes.append(f"{operator}:{text[:_SHOWN]} was searched as text. {node.why}")
                node = Words(f"{operator} {text}", is_phrase=True)
            elif isinstance(node, _Noted):
                self.notes.append(node.note)
                node = node.node
            return node
        return Words(text, is_phrase, is_unfinished) if _LETTER.search(text) else None


@dataclass(frozen=True, slots=True)
class _Misread:
    """A value that an operator cannot use, and what it could."""

    why: str


@dataclass(frozen=True, slots=True)
class _Noted:
    """A value that was used, and what to say about it."""

    node: Node
    note: str


_Read = Callable[[str, Reading], Node | _Misread | _Noted | None]


def _field(field: FieldName) -> _Read:
    return lambda text, _: InField(field, text)


def _has(text: str, _: Reading) -> Node | _Misread:
    wanted = text.lower()
    wanted = _SAME_KIND.get(wanted, wanted)
    for what in get_args(Having):
        if wanted == what:
            return Has(what)
    return _Misread(f"has: knows {', '.join(get_args(Having))}.")


_DATE_FORMS = "It needs a day such as 2026-11-23, 2026-11, yesterday or 7d."


def _dated(side: Literal["before", "after", "on"]) -> _Read:
    def read(text: str, reading: Reading) -> Node | _Misread | _Noted:
        # A span is counted from this moment; a day begins and ends at midnight.
        back = dates.span(text)
        if back is not None and side != "on":
            at = reading.now - back
            return Received(at, None) if side == "after" else Received(None, at)
        found = dates.period(text, reading.now, reading.zone)
        if found is None:
            return _Misread(_DATE_FORMS)
        if side == "before":
            node = Received(None, found.begins_at)
        elif side == "after":
            node = Received(found.begins_at, None)
        else:
            node = Received(found.begins_at, found.ends_at)
        return _Noted(node, found.note) if found.note else node

    return read


def _aged(side: Literal["older", "newer"]) -> _Read:
    def read(text: str, reading: Reading) -> Node | _Misread:
        back = dates.span(text)
        if back is None:
            return _Misread("It needs a span such as 12h, 7d, 2w, 3m or 1y.")
        at = reading.now - back
        return Received(None, at) if side == "older" else Received(at, None)

    return read


def _sized(side: Literal["larger", "smaller"]) -> _Read:
    def read(text: str, _: Reading) -> Node | _Misread:
        found = _SIZE.fullmatch(text)
        if found is None:
            return _Misread("It needs a size such as 500k or 5M.")
        unit = (found[2] or "").lower()
        return Size(side, min(int(found[1]) * _SIZE_FACTORS[unit[:1]], _MAX_SIZE))

    return read


def _in(text: str, _: Reading) -> Node:
    return _PLACES.get(text.lower(), Labelled(text))


def _is(text: str, _: Reading) -> Node | _Misread:
    wanted = text.lower()
    for state in get_args(State):
        if wanted == state:
            return Is(state)
    return _Misread(f"is: knows {', '.join(get_args(State))}.")


def _judged(by: Literal["category", "needs"], allowed: tuple[str, ...]) -> _Read:
    def read(text: str, _: Reading) -> Node | _Misread:
        wanted = text.lower().replace("-", "_").replace(" ", "_")
        wanted = _SAME_CATEGORY.get(wanted, wanted) if by == "category" else wanted
        return Judged(by, wanted) if wanted in allowed else _Misread(f"{by}: knows {', '.join(allowed)}.")

    return read


OPERATORS: dict[str, _Read] = {
    "from": _field("from"),
    "to": _field("to"),
    "cc": _field("cc"),
    "subject": _field("subject"),
    "filename": _field("filename"),
    "list": _field("list"),
    "has": _has,
    "before": _dated("before"),
    "after": _dated("after"),
    "on": _dated("on"),
    "older": _dated("before"),
    "newer": _dated("after"),
    "older_than": _aged("older"),
    "newer_than": _aged("newer"),
    "label": lambda text, _: Labelled(text),
    "in": _in,
    "is": _is,
    "category": _judged("category", get_args(Category)),
    "needs": _judged("needs", get_args(Needs)),
    "larger": _sized("larger"),
    "size": _sized("larger"),
    "smaller": _sized("smaller"),
}
"""What stands before a colon, and how what stands after it is read."""


def _without_stop_words(node: Node | None) -> Node | None:
    """Bare words that nearly every message has are left out, where another word is left to search for."""
    if not isinstance(node, And):
        return node
    kept = [each for each in node.nodes if not _is_stop_word(each)]
    if not any(isinstance(each, Words) for each in kept):
        return node
    return together(kept)


def _is_stop_word(node: Node) -> bool:
    return (
        isinstance(node, Words)
        and not node.is_phrase
        and not node.is_unfinished
        and node.text.lower().strip(".,;:!?'") in STOP_WORDS
    )
