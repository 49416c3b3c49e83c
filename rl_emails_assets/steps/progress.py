"""Who watches the steps of this process: nobody, or the command line's progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rl_emails_assets.steps.context import Progress

Listener = Callable[[Progress], None]

_listeners: list[Listener] = []


@contextmanager
def watched_by(listener: Listener) -> Iterator[None]:
    """Send every step's progress in this process to `listener` while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def reporter() -> Listener:
    """What a step calls with its progress."""

    def report(progress: Progress) -> None:
        for listener in _listeners:
            listener(progress)

    return report
