"""A place in the change feed, as clients keep it: opaque to them, and all that the server needs to go on from it.

It names the database it was made on, because numbers of transactions mean nothing on another one; the last row that was
told; when that was; and the mailboxes that the client could see then, so that one it has lost can be told too.
"""

import base64
import struct
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from rl_emails_api.problems import FieldError, ProblemError
from rl_emails_assets.db.tables.api_clients import CHANGE_KINDS

_VERSION = 1
_HEAD = struct.Struct(">BIIQB16s")
_UUID_BYTES = 16
MAX_CHARACTERS = 60_000
"""About 2,700 mailboxes, and what an address may hold."""


_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """After which row of the feed: its transaction, object and kind, as the feed is ordered."""

    transaction_id: int
    object_id: UUID = _FIRST
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """`place` in the feed of `database`, at `made_at` (seconds since 1970), and who was seen: `mailboxes`."""

    database: int
    made_at: int
    place: Place
    mailboxes: frozenset[UUID]

    def encode(self) -> str:
        """As URL-safe text."""
        kind = CHANGE_KINDS.index(self.place.kind) + 1 if self.place.kind else 0
        head = _HEAD.pack(
            _VERSION, self.database, self.made_at, self.place.transaction_id, kind, self.place.object_id.bytes
        )
        content = head + b"".join(sorted(each.bytes for each in self.mailboxes))
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decode(cursor: str) -> FeedCursor:
    """What `encode` made. Raises a 422 problem for anything else."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, database, made_at, transaction_id, kind, object_id = _HEAD.unpack_from(content)
        rest = content[_HEAD.size :]
        if version != _VERSION or len(rest) % _UUID_BYTES or transaction_id >= 2**63:
            raise _refused()
        place = Place(transaction_id, UUID(bytes=object_id), CHANGE_KINDS[kind - 1] if kind else "")
    except (ValueError, IndexError, struct.error) as error:
        raise _refused() from error
    seen = frozenset(UUID(bytes=rest[start : start + _UUID_BYTES]) for start in range(0, len(rest), _UUID_BYTES))
    return FeedCursor(database, made_at, place, seen)


def _refused() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-cursor",
        "The cursor does not belong to this feed. Load everything again, then ask without one for where to begin.",
        errors=[FieldError(location=["query", "since"], message="not a cursor of this feed")],
    )
