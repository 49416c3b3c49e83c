"""From values to what is stored of them: columns, and the hash of what a decision was made from (promise 4).

These run for every message and every part of its decision; `dataclasses.asdict`, which copies deeply, took a third of
the time of ranking.
"""

import hashlib
from dataclasses import fields
from typing import Any


def as_row(value: Any) -> dict[str, Any]:
    """A dataclass's fields by name; their values as they are."""
    kind = type(value)
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(field.name for field in fields(kind))
    return {name: getattr(value, name) for name in names}


_NAMES: dict[type, tuple[str, ...]] = {}


def inputs_hash(*inputs: object) -> bytes:
    """SHA-256 of the inputs as written out in full: every field of a dataclass, and of what is in it.

    Equal inputs hash alike wherever times are in UTC, as all times from the database are.
    """
    return hashlib.sha256(repr(inputs).encode("utf-8", "backslashreplace")).digest()
