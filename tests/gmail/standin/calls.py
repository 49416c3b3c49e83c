"""What was asked of the stand-in, for tests to assert on."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call; a batch is a call named `batch`, and each of its parts one of its own."""

    method: str
    address: str
    """Empty where no user is known."""
    status: int
    """0 where the connection broke instead."""
    units: int
    in_batch: bool
    argument: str
    """The message id of a get, the start of a history, the query of a listing, the grant type of a token call."""


class CallLog:
    """Calls in order; guarded by the stand-in's lock."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def add(self, call: Call) -> None:
        """Keeps it."""
        self.calls.append(call)

    def clear(self) -> None:
        """Forgets all."""
        self.calls.clear()

    def count(self, method: str | None = None, *, status: int | None = None, address: str | None = None) -> int:
        """How many calls there were; of one method, status or user if given."""
        return len(self.of(method, status=status, address=address))

    def of(self, method: str | None = None, *, status: int | None = None, address: str | None = None) -> list[Call]:
        """The calls; of one method, status or user if given."""
        return [
            call
            for call in list(self.calls)
            if (method is None or call.method == method)
            and (status is None or call.status == status)
            and (address is None or call.address == address)
        ]

    def units(self, address: str | None = None) -> int:
        """Quota units spent; of one user if given."""
        return sum(call.units for call in self.of(address=address))

    def summary(self) -> dict[str, Any]:
        """Counts by method, and units."""
        return {"counts": dict(Counter(call.method for call in self.calls)), "units": self.units()}

    def as_json(self) -> list[dict[str, Any]]:
        """Every call."""
        return [asdict(call) for call in list(self.calls)]
