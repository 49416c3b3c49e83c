"""Faults that a test asks for: the next N calls, or a share of them, by a seeded dice."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from threading import RLock
from typing import Any

from tests.gmail.standin.replies import BrokenConnectionError, Response, fault_error

EFFECTS = {
    "status": "answer with this status: 400, 401, 403, 404, 429, 500, 502, 503 or 504",
    "reason": "with status 403 or 429: userRateLimitExceeded, rateLimitExceeded, dailyLimitExceeded, concurrent, ...",
    "retry_after": "with status: the Retry-After header, in seconds",
    "html": "with status: a page of the front end instead of JSON",
    "delay": "answer this many seconds later",
    "hang": "say nothing for this many seconds, then reset the connection",
    "reset": "reset the connection instead of answering",
    "reset_after": "do what was asked for, then reset the connection instead of answering",
    "reset_mid_body": "reset the connection after half of the answer",
    "truncate": "send half of the answer as if it were all",
    "drop_parts": "batch: leave out this many parts of the answer",
    "vanish": "messages.get: the message is deleted for good just before, so that the answer is 404",
    "raw": "messages.get: this answer's raw is missing or invalid_base64",
    "expired": "history.list: the start is too old, 404",
    "empty_page": "history.list: a page without records and with a nextPageToken",
    "replay": "history.list: the page repeats the last record of the page before",
    "arrive": "messages.list, history.list: this many messages arrive after the page was made",
    "revoke": "the grant is revoked just before",
    "lose": "push: never delivered",
    "duplicate": "push: delivered this many times more, with the same id",
    "late": "push: delivered this many seconds later, after those that come in between",
}


@dataclass
class Fault:
    """One effect on some calls of a method."""

    method: str
    effects: dict[str, Any]
    times: int | None
    probability: float
    address: str | None
    after: int
    hit_count: int = 0

    def get(self, effect: str) -> Any:
        """The effect's value, or None."""
        return self.effects.get(effect)

    def strike(self, pause: Callable[[float], None], revoke: Callable[[], None]) -> None:
        """What it does before the call is looked at: waits, takes the grant back, breaks off or refuses."""
        pause((self.get("delay") or 0) + (self.get("hang") or 0))
        if self.get("hang") or self.get("reset"):
            raise BrokenConnectionError
        if self.get("revoke"):
            revoke()
        if self.get("status"):
            raise fault_error(
                self.get("status"), self.get("reason"), self.get("retry_after"), html=bool(self.get("html"))
            )

    def spoil(self, response: Response) -> Response:
        """What it does to an answer once the call was done."""
        if self.get("reset_after"):
            raise BrokenConnectionError
        if self.get("truncate"):
            response.body = response.body[: len(response.body) // 2]
        response.reset_mid_body = bool(self.get("reset_mid_body"))
        return response


class Faults:
    """Faults in force. Safe to call from any thread."""

    def __init__(self, rng: Random, lock: RLock) -> None:
        self._rng = rng
        self._lock = lock
        self.active: list[Fault] = []

    def next(self, method: str, *, times: int = 1, after: int = 0, address: str | None = None, **effects: Any) -> Fault:
        """The next `times` calls of `method`, once `after` of them went well; `method` may be a pattern like `*`."""
        return self._add(Fault(method, effects, times, 1.0, address, after))

    def sometimes(self, method: str, probability: float, *, address: str | None = None, **effects: Any) -> Fault:
        """A share of the calls of `method`, until cleared."""
        return self._add(Fault(method, effects, None, probability, address, 0))

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self.active.clear()

    def pick(self, method: str, address: str | None) -> Fault | None:
        """The fault that this call meets, if any; counts it."""
        for fault in self.active:
            if not fnmatchcase(method, fault.method) or fault.address not in {None, address}:
                continue
            if fault.after:
                fault.after -= 1
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            fault.hit_count += 1
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self.active.remove(fault)
            return fault
        return None

    def _add(self, fault: Fault) -> Fault:
        unknown = set(fault.effects) - set(EFFECTS)
        if unknown or not fault.effects:
            raise ValueError(f"Not an effect: {', '.join(sorted(unknown)) or 'none given'}. There are {list(EFFECTS)}.")
        with self._lock:
            self.active.append(fault)
        return fault
