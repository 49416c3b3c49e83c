"""`rl-emails worker`: become the process that keeps slots warm and executes runs in them."""

import os
import sys

from rl_emails_assets.settings import Settings

WORKER = "rl_emails_assets.instance.worker"
DEFINITIONS = "rl_emails_assets.definitions"


def worker_arguments(slots: int, definitions: str = DEFINITIONS) -> list[str]:
    """The command line of the worker's process."""
    return [sys.executable, "-m", WORKER, definitions, str(slots)]


def worker(settings: Settings, slots: int | None) -> None:
    """Replace this process, which has imported a command line, by the worker, which needs none. Never returns."""
    sys.stdout.flush()
    arguments = worker_arguments(slots or settings.worker_slots or 1)
    os.execv(arguments[0], arguments)  # noqa: S606 - our own interpreter and module
