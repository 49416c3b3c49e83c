"""The stand-in's clock: real time plus what a test added. Watches, history and tokens follow it."""

from datetime import UTC, datetime, timedelta
from threading import Lock


class Clock:
    """Runs as the machine's clock does, ahead of it by what was asked for."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)
        self._lock = Lock()

    def now(self) -> datetime:
        """Aware, UTC."""
        with self._lock:
            return datetime.now(UTC) + self._ahead

    def milliseconds(self) -> int:
        """Since 1970, as Gmail writes times."""
        return int(self.now().timestamp() * 1000)

    def advance(self, **by: float) -> datetime:
        """Jumps by `days=8`, `hours=1` or any keyword of timedelta; returns the new time."""
        with self._lock:
            self._ahead += timedelta(**by)
        return self.now()
