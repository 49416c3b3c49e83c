"""How commands speak: tables for people, JSON for scripts, errors on stderr, exit codes that mean something."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.markup import escape

from rl_emails_assets.errors import NotFoundError, PermanentError, RlEmailsError, TransientError


class ExitCode(IntEnum):
    """What a command's exit code says."""

    OK = 0
    FAILED = 1
    """Something went wrong that trying again will not mend."""
    USAGE = 2
    """The command line makes no sense."""
    NOT_FOUND = 3
    """What was named is not there."""
    INCOMPLETE = 4
    """It ended, but not everything could be done: an import with gaps, a doctor with findings."""
    UNAVAILABLE = 5
    """Something needed is not reachable now; trying again later may help."""
    INTERRUPTED = 130
    """Ctrl-C; what was done is kept, and the same command continues."""


def console(*, is_error: bool = False) -> Console:
    """Where people read: a terminal as wide as it is, or a file or a pipe with room for a table."""
    made = Console(stderr=is_error, highlight=False)
    if not made.is_terminal:
        made.width = 160
    return made


# Everything that could move a cursor, ring, or change what was printed before: C0 and C1 controls but for line breaks
# and tabs, and the characters that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_text(text: str) -> str:
    """Text out of somebody's mail, made harmless for a terminal."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def shown(text: str) -> str:
    """The same for `rich`, which must not take brackets in a subject for its markup either."""
    return escape(plain_text(text))


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=plain) + "\n")


def plain(value: Any) -> Any:
    """What JSON has no word for: times as ISO 8601, everything else as its text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def reported() -> Iterator[None]:
    """Turn our own errors into one clear line and an exit code; anything else is a bug and keeps its traceback."""
    try:
        yield
    except NotFoundError as error:
        _stop(error, ExitCode.NOT_FOUND)
    except TransientError as error:
        _stop(error, ExitCode.UNAVAILABLE)
    except PermanentError as error:
        _stop(error, ExitCode.FAILED)
    except KeyboardInterrupt:
        console(is_error=True).print("Interrupted. What was done is kept; the same command continues.")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        sys.stderr.close()
        sys.exit(ExitCode.OK)


def _stop(error: RlEmailsError, code: ExitCode) -> None:
    console(is_error=True).print(f"[bold red]error:[/] {shown(str(error))}")
    sys.exit(code)
