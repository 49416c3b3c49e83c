"""Gmail's quota: units in a sliding minute, per user and per project, and requests under way at once."""

from collections import defaultdict, deque
from datetime import UTC, datetime
from random import Random

from tests.gmail.standin.replies import ApiError, rate_limited

COSTS = {
    "attachments.get": 20,
    "getProfile": 1,
    "history.list": 2,
    "labels.create": 5,
    "labels.delete": 5,
    "labels.get": 1,
    "labels.list": 1,
    "messages.batchDelete": 50,
    "messages.batchModify": 50,
    "messages.delete": 10,
    "messages.get": 20,
    "messages.import": 25,
    "messages.insert": 25,
    "messages.list": 5,
    "messages.modify": 5,
    "messages.send": 100,
    "messages.trash": 20,
    "messages.untrash": 5,
    "stop": 50,
    "threads.get": 40,
    "threads.list": 10,
    "watch": 100,
}
"""Units by method for projects made since May 2026."""


class Quota:
    """Limits are public and may be changed at any time; guarded by the stand-in's lock."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.costs = dict(COSTS)
        self.units_per_minute = 6_000
        self.project_units_per_minute = 1_200_000
        self.style = "mixed"
        """Refusals as `429`, as `403`, or `mixed`."""
        self.retry_after_share = 0.1
        """How many refusals tell when to come back."""
        self.concurrent_requests = 10
        """Requests of a user under way at once; undocumented in Gmail, and so a guess."""
        self.concurrent_parts = (25, 50)
        """Parts of a batch that run: drawn between these for each batch, less what else is under way."""
        self._spent: dict[str, deque[tuple[int, int]]] = defaultdict(deque)
        self._sums: dict[str, int] = defaultdict(int)
        self._under_way: dict[str, int] = defaultdict(int)

    def charge(self, address: str, method: str, now: int) -> int:
        """Takes the units of a call at `now` (milliseconds) and returns them, or refuses it."""
        units = self.costs[method]
        for whom, key, limit in (
            ("user", address, self.units_per_minute),
            ("project", "", self.project_units_per_minute),
        ):
            if self._within_minute(key, now) + units > limit:
                raise self._refusal(whom, now)
        for key in (address, ""):
            self._spent[key].append((now, units))
            self._sums[key] += units
        return units

    def spent(self, address: str, now: int) -> int:
        """Units of a user in the last minute."""
        return self._within_minute(address, now)

    def reset(self) -> None:
        """As if nothing had been asked for in the last minute."""
        self._spent.clear()
        self._sums.clear()

    def enter(self, address: str) -> None:
        """A request begins, or is refused because too many are under way."""
        if self._under_way[address] >= self.concurrent_requests:
            raise rate_limited(429, "concurrent")
        self._under_way[address] += 1

    def leave(self, address: str) -> None:
        """A request ended."""
        self._under_way[address] -= 1

    def parts_that_run(self, address: str) -> int:
        """How many parts of a batch that begins now run; the others get 429."""
        return max(0, self._rng.randint(*self.concurrent_parts) - max(0, self._under_way[address] - 1))

    def _within_minute(self, key: str, now: int) -> int:
        spent = self._spent[key]
        while spent and spent[0][0] <= now - 60_000:
            self._sums[key] -= spent.popleft()[1]
        return self._sums[key]

    def _refusal(self, whom: str, now: int) -> ApiError:
        retry_after = self._rng.randint(1, 30) if self._rng.random() < self.retry_after_share else None
        if self.style == "429":
            status, reason = 429, "exhausted"
        elif self.style == "403":
            status, reason = 403, "rateLimitExceeded"
        else:
            status, reason = self._rng.choice(
                [
                    (403, "rateLimitExceeded"),
                    (403, "userRateLimitExceeded"),
                    (429, "exhausted"),
                    (429, "rateLimitExceeded"),
                    (429, "until"),
                ]
            )
        until = datetime.fromtimestamp(now / 1000 + self._rng.randint(1, 30), UTC)
        retry_at = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return rate_limited(status, reason, whom=whom, retry_after=retry_after, retry_at=retry_at)
