"""The numbered changes of one mailbox, as history.list tells them."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

KINDS = ("messageAdded", "messageDeleted", "labelAdded", "labelRemoved")


@dataclass(frozen=True)
class Change:
    """What happened to one message in one record."""

    kind: str
    """One of KINDS, or `other`: a record that names a message and no change."""
    message_id: str
    thread_id: str
    labels: tuple[str, ...]
    """The message's labels after the change."""
    touched: tuple[str, ...] = ()
    """The labels added or removed."""


@dataclass
class Record:
    """One history record."""

    id: int
    changes: list[Change] = field(default_factory=list)
    _shown: dict[tuple[tuple[str, ...], str], str] = field(default_factory=dict, repr=False)

    def of(self, kinds: Sequence[str], label: str) -> str:
        """As the API writes it, in JSON, with what the filters leave; empty if they leave nothing."""
        key = (tuple(kinds), label)
        if key not in self._shown:
            written = self._written(kinds, label)
            self._shown[key] = json.dumps(written) if written is not None else ""
        return self._shown[key]

    def _written(self, kinds: Sequence[str], label: str) -> dict[str, Any] | None:
        kept = [
            change
            for change in self.changes
            if (not kinds or change.kind in kinds) and (not label or label in {*change.labels, *change.touched})
        ]
        if not kept:
            return None
        answer: dict[str, Any] = {"id": str(self.id), "messages": _references(kept)}
        for kind, key in zip(KINDS, ("messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"), strict=True):
            entries = [_entry(change) for change in kept if change.kind == kind]
            if entries:
                answer[key] = entries
        return answer


def _references(changes: list[Change]) -> list[dict[str, str]]:
    seen = {change.message_id: change.thread_id for change in changes}
    return [{"id": message_id, "threadId": thread_id} for message_id, thread_id in seen.items()]


def _entry(change: Change) -> dict[str, Any]:
    message: dict[str, Any] = {"id": change.message_id, "threadId": change.thread_id}
    if change.labels:
        message["labelIds"] = list(change.labels)
    return {"message": message, "labelIds": list(change.touched)} if change.touched else {"message": message}


class History:
    """Records in order. Ids increase and skip numbers; an id is valid while it is younger than the retention."""

    def __init__(self, rng: Random, first_id: int, now: int) -> None:
        self._rng = rng
        self.records: list[Record] = []
        self._record_ids: list[int] = []
        self._issued = [first_id]
        self._issued_at = [now]

    @property
    def last_id(self) -> int:
        """The newest id given out."""
        return self._issued[-1]

    def issue(self, now: int) -> int:
        """A new id, as a change gets; `now` in milliseconds."""
        issued = self.last_id + self._rng.randint(1, 60)
        self._issued.append(issued)
        self._issued_at.append(now)
        return issued

    def current(self, now: int) -> int:
        """The id to report. A quiet mailbox's moves too: what was reported just now can never be too old already."""
        return self.issue(now) if now - self._issued_at[-1] > 3_600_000 else self.last_id

    def record(self, history_id: int, changes: list[Change]) -> None:
        """Adds what happened at `history_id`, the newest."""
        self.records.append(Record(history_id, changes))
        self._record_ids.append(history_id)

    def is_valid(self, start: int, oldest: int) -> bool:
        """Whether `start` was given out at or after `oldest`, in milliseconds, and not later than the newest."""
        if start > self.last_id:
            return False
        at = bisect_left(self._issued, start)
        return start >= self._issued[0] and self._issued_at[at] >= oldest

    def after(self, start: int) -> int:
        """The position of the first record that is newer than `start`."""
        return bisect_right(self._record_ids, start)
