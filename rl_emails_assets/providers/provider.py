"""What it means to read a person's mail from somewhere.

A provider yields items in a fixed order. Each item carries the position after it, so that whoever stores the items
stores the position in the same transaction and continues from there. What cannot be read is an item too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Position:
    """How far a source is read: everything before it was yielded.

    It belongs to the provider that made it; a caller only stores it (`as_json`, `from_json`) and hands it back.
    `bytes_done` and `items_done` are progress in the unit of `Estimate`.
    """

    path: str = ""
    """The file within the source, "" before the first."""
    offset: int = 0
    """Where the next item begins in that file, after decompression; -1 when the file is done."""
    fingerprint: str = ""
    """Of the beginning of that file, so that a replaced file is noticed."""
    bytes_done: int = 0
    items_done: int = 0

    def as_json(self) -> dict[str, str | int]:
        """The position as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Position":
        """The position that `as_json` wrote; anything else is the position before the first item."""
        path, offset, print_ = value.get("path"), value.get("offset"), value.get("fingerprint")
        bytes_done, items_done = value.get("bytes_done"), value.get("items_done")
        if (
            isinstance(path, str)
            and isinstance(offset, int)
            and isinstance(print_, str)
            and isinstance(bytes_done, int)
            and isinstance(items_done, int)
        ):
            return cls(path, offset, print_, bytes_done, items_done)
        return cls()


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of a source for a progress bar: bytes as they lie on disk, and the number of files."""

    bytes_total: int
    files_total: int


@dataclass(frozen=True, slots=True)
class RawItem:
    """One mail as its source has it. `rfc822` is the mail alone: no envelope line, no mbox quoting."""

    provider_message_id: str
    rfc822: bytes
    labels: frozenset[str]
    received_at: datetime | None
    """Aware UTC; None when the source does not say."""
    provider_thread_id: str | None
    source: str
    """Where it was read, for people: a path and an offset."""
    position: Position
    """From here reading continues after this item."""


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """Something that is there and could not be read. The id is its place, so that trying again names the same gap."""

    provider_message_id: str
    reason: str
    """For a person: what is wrong, and what would help."""
    source: str
    position: Position


class Provider(Protocol):
    """A place where mail can be read."""

    def estimate(self) -> Estimate:
        """How much there is. Raises SourceError when the source as a whole cannot be read."""

    def items(self, resume: Position | None = None) -> Iterator[RawItem | UnreadableItem]:
        """All items after `resume`, in a fixed order. Raises SourceError when the source as a whole cannot be read."""
