"""What a search query means, as a tree: what the parser makes, and what the database is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rl_emails_api.visibility import UNWANTED_LABELS

FieldName = Literal["from", "to", "cc", "subject", "filename", "list"]
Having = Literal["attachment", "pdf", "image", "document", "spreadsheet", "presentation", "archive", "invitation"]
State = Literal["unread", "read", "starred", "important", "done", "snoozed", "sent", "received"]

_FIELD_MARKS: dict[FieldName, str] = {
    "from": "f", "to": "t", "cc": "c", "subject": "s", "filename": "n", "list": "l",
}  # fmt: skip
"""How migration 0009 marks the words of a field among a message's words."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words next to each other, anywhere in the message."""

    text: str
    is_phrase: bool = False
    is_unfinished: bool = False
    """The last word may be the beginning of one."""


@dataclass(frozen=True, slots=True)
class InField:
    """Words in one field: a name, an address, a domain, a part of a subject or of a file's name."""

    field: FieldName
    text: str
    is_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """A kind of attachment."""

    what: Having


@dataclass(frozen=True, slots=True)
class Received:
    """Received at or after `since` and before `until`; None is no bound."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Size:
    """Of more than, or of less than so many bytes."""

    side: Literal["larger", "smaller"]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label or folder of the provider's."""

    label: str


@dataclass(frozen=True, slots=True)
class Is:
    """A state of the message."""

    state: State


@dataclass(frozen=True, slots=True)
class Judged:
    """What the verdict says, or for the category the owner."""

    by: Literal["category", "needs"]
    value: str


@dataclass(frozen=True, slots=True)
class Everything:
    """Any message; `in:anywhere`."""


@dataclass(frozen=True, slots=True)
class Not:
    """What the other is not."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    nodes: tuple["Node", ...]


Leaf = Words | InField | Has | Received | Size | Labelled | Is | Judged | Everything
Node = Leaf | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was understood."""

    tree: Node | None
    """None when nothing is asked for."""
    notes: tuple[str, ...]
    """What was not understood and how it was read instead, for the person who typed it."""


def asked_for(node: Node | None) -> Iterator[Leaf]:
    """The leaves that a match may have, in the order typed: those under a `Not` are left out."""
    match node:
        case None | Not():
            return
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from asked_for(each)
        case leaf:
            yield leaf


def free_words(node: Node | None) -> list[Words]:
    """The words outside operators and exclusions: what a match is about."""
    return [leaf for leaf in asked_for(node) if isinstance(leaf, Words)]


def conditions_of(node: Node | None) -> Node | None:
    """The tree without its free words: what every match must fulfil, also one that has none of the words."""
    match node:
        case None | Words():
            return None
        case And(nodes):
            return together([kept for each in nodes if (kept := conditions_of(each)) is not None])
        case Or(nodes):
            kept_all = [conditions_of(each) for each in nodes]
            return None if None in kept_all else Or(tuple(each for each in kept_all if each is not None))
        case other:
            return other


def wants_unwanted(node: Node | None) -> bool:
    """Whether trash or spam is asked for, or everything; nothing else shows them."""
    return any(
        isinstance(leaf, Everything) or (isinstance(leaf, Labelled) and leaf.label.upper() in UNWANTED_LABELS)
        for leaf in asked_for(node)
    )


def together(nodes: list[Node]) -> Node | None:
    """All of `nodes`: None of none, the only one of one."""
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes)) if nodes else None


def as_json(node: Node) -> dict[str, Any]:
    """The tree as `search.condition` of migration 0009 reads it."""
    match node:
        case And(nodes):
            return {"kind": "and", "of": [as_json(each) for each in nodes]}
        case Or(nodes):
            return {"kind": "or", "of": [as_json(each) for each in nodes]}
        case Not(inner):
            return {"kind": "not", "of": [as_json(inner)]}
        case Words(text, _, is_unfinished):
            return {"kind": "words", "text": text, "unfinished": is_unfinished}
        case InField(field, text, is_unfinished):
            return {"kind": "field", "field": _FIELD_MARKS[field], "text": text, "unfinished": is_unfinished}
        case Has(what):
            return {"kind": "has", "text": what}
        case Received(since, until):
            return {"kind": "received", "since": _time(since), "until": _time(until)}
        case Size(side, size_bytes):
            return {"kind": side, "bytes": size_bytes}
        case Labelled(label):
            return {"kind": "label", "text": label}
        case Is(state):
            return {"kind": "is", "text": state}
        case Judged(by, value):
            return {"kind": by, "text": value}
        case Everything():
            return {"kind": "everything"}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
