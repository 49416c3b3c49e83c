"""When to ask Gmail again: pauses between tries, and when to leave the rest to a later run."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from rl_emails_assets.errors import RateLimitedError
from rl_emails_assets.providers.gmail.quota import QuotaBucket

TRIES = 4
"""Of one call within a run; the queue of sync requests repeats the run."""
FIRST_PAUSE_SECONDS = 1.0
"""Gmail asks for a second at least after an error (error guide)."""
LONGEST_PAUSE_SECONDS = 16.0
LONGEST_WAIT_SECONDS = 20.0
"""A run that would wait longer for units ends: a claim and a worker are not kept for sleeping."""
PASS_SECONDS = 25.0
"""After this no further try begins, so that a caller gets to extend its claim (a lease of 90 s) in between."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """The pauses of one client; a test gives its own `sleep` and a first pause of nothing."""

    first_pause_seconds: float = FIRST_PAUSE_SECONDS
    sleep: Callable[[float], None] = time.sleep

    def pause(self, failures: int, retry_after_seconds: float = 0.0) -> None:
        """Wait before trying again after so many failures in a row (from 1): truncated exponential backoff.

        The jitter is full (Brooker, "Exponential Backoff And Jitter", AWS 2015) on top of the first pause.
        """
        ceiling = min(LONGEST_PAUSE_SECONDS, self.first_pause_seconds * 2 ** (failures - 1))
        jittered = self.first_pause_seconds + random.uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing
        self.sleep(max(jittered, retry_after_seconds))

    def pay(self, quota: QuotaBucket, method: str, calls: int = 1) -> None:
        """Take the units of calls of `method` out of the bucket, and wait until they are there.

        Raises RateLimitedError when the wait would be longer than LONGEST_WAIT_SECONDS.
        """
        waited = 0.0
        while (seconds := quota.spend(quota.cost(method) * calls)) > 0:
            if waited + seconds > LONGEST_WAIT_SECONDS:
                raise RateLimitedError(
                    f"The mailbox's quota bucket is empty; {method} waits {seconds:.0f} s. The sync continues then.",
                    retry_after_seconds=seconds,
                )
            self.sleep(seconds)
            waited += seconds


class PassClock:
    """How long a call with all its tries has taken."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether no further try begins."""
        return time.monotonic() - self._begun > PASS_SECONDS
