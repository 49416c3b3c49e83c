"""Token buckets: how many requests somebody may still make."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_KEYS = 20_000
"""Buckets that are remembered, about 200 bytes each; the one that was used longest ago is forgotten, and is full."""
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """How one bucket stands."""

    is_allowed: bool
    left: int
    """Whole requests that may follow at once."""
    full_in_seconds: int
    """Until the bucket is full again."""
    next_in_seconds: int
    """Until the next request is allowed; 0 when it is now."""


class Buckets:
    """One bucket a key, of `a_minute` requests, filled evenly within a minute; all of a full one may be taken at once.

    They are this process's: behind n processes of the API somebody may make up to n times as many requests.
    """

    def __init__(self, name: str, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.a_minute = a_minute
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> Standing:
        """Take one request from the bucket of `key`, if one is left."""
        level = self._level(key)
        is_allowed = level >= 1
        level -= is_allowed
        self._levels[key] = (level, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KEYS:
            self._levels.popitem(last=False)
        return self._standing(level, is_allowed)

    def look(self, key: Hashable) -> Standing:
        """Whether one is left, taking none."""
        level = self._level(key)
        return self._standing(level, level >= 1)

    def _level(self, key: Hashable) -> float:
        level, counted_at = self._levels.get(key, (float(self.a_minute), self._clock()))
        return min(self.a_minute, level + (self._clock() - counted_at) * self.a_minute / SECONDS)

    def _standing(self, level: float, is_allowed: bool) -> Standing:
        def seconds(until: float) -> int:
            return max(0, math.ceil((until - level) * SECONDS / self.a_minute))

        return Standing(is_allowed, int(level), seconds(self.a_minute), 0 if is_allowed else max(1, seconds(1)))

    def headers(self, standing: Standing) -> dict[str, str]:
        """RateLimit-Policy and RateLimit, as in draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.a_minute};w={SECONDS}',
            "RateLimit": f'"{self.name}";r={standing.left};t={standing.full_in_seconds}',
        }
