"""This installation's log files: what they say of somebody is made unreadable where it stands.

Logs hold no addresses by rule; an error of a library may all the same. The bytes are overwritten in place and the file
keeps its length, because processes go on appending to it.
"""

import mmap
import re
from collections.abc import Sequence
from pathlib import Path

FOLDERS = ("logs", "dagster/storage", "dagster/logs")
"""Below the home folder."""
MASK = b"*"


def mask_in_logs(home: Path, needles: Sequence[str]) -> int:
    """Overwrite the needles wherever a log file has them. Returns how many times that was."""
    patterns = [re.compile(re.escape(needle.encode()), re.IGNORECASE) for needle in needles if needle]
    return sum(
        _mask(path, patterns)
        for folder in FOLDERS
        for path in sorted((home / folder).rglob("*"))
        if path.is_file() and not path.is_symlink()
    )


def _mask(path: Path, patterns: Sequence[re.Pattern[bytes]]) -> int:
    try:
        with path.open("r+b") as file:
            if not path.stat().st_size:
                return 0
            with mmap.mmap(file.fileno(), 0) as content:
                found = [match.span() for pattern in patterns for match in pattern.finditer(content)]
                for start, end in found:
                    content[start:end] = MASK * (end - start)
            return len(found)
    except FileNotFoundError:
        # Rotated away meanwhile.
        return 0
