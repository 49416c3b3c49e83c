"""The children's log files: bounded, with one older file kept beside each."""

from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEPT_BYTES = 1024 * 1024


def rotate(log: Path) -> None:
    """Before a start: move a log of some size aside, in the place of the one that was there."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > KEPT_BYTES:
        log.replace(older(log))


def truncate(log: Path) -> None:
    """While a process writes (it appends): keep the end of a log that grew too large, and empty it.

    What is written between the two steps is lost; a bounded disk is worth a few lines of a log.
    """
    try:
        size = log.stat().st_size
        if size <= MAX_BYTES:
            return
        with log.open("rb+") as file:
            file.seek(size - KEPT_BYTES)
            older(log).write_bytes(file.read(KEPT_BYTES))
            file.truncate(0)
    except FileNotFoundError:
        return


def older(log: Path) -> Path:
    """Where the part of a log goes that is not written any more."""
    return log.with_name(f"{log.name}.1")
