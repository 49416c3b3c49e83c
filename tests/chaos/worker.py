"""What a worker of a schedule does: takes what is due, syncs, reads what came, and dies where it was told to."""

import json
import os
import signal
import sys
import traceback
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.errors import LeaseLostError, PermanentError, RlEmailsError
from rl_emails_assets.providers.gmail import client, gmail_requests, transport
from rl_emails_assets.providers.gmail.pacing import Pacing
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import mail_messages, raw_messages, summaries
from rl_emails_assets.steps.claim_end import end_claim, note_shown
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.sync_queue import queue

SURPRISED = 3
"""Exit status of a worker that met an error which is not one of ours: a fault of the product."""
TIMEOUT_SECONDS = 0.15


def main(job: dict[str, Any]) -> int:
    """Does what waits, `runs` times at most; the exit status."""
    sys.stderr = Path(job["log"]).open("a")  # noqa: SIM115 - until this process ends
    try:
        # Nobody waits in a schedule: pauses take no time, and a server that says nothing is given up soon.
        client.Pacing = lambda: Pacing(first_pause_seconds=0.0, sleep=lambda _: None)  # type: ignore[assignment,misc]
        transport.TIMEOUT_SECONDS = TIMEOUT_SECONDS
        gmail_requests.PAGE_SIZE = job["page_size"]
        engine = _engine_on(job["url"])
        death = _Fate(**job["death"])
        death.lurk(engine)
        settings = _settings(json.dumps(job["settings"]))
        status = _work(engine, settings, job)
        engine.dispose()
    except Exception as error:  # noqa: BLE001 - told to who started it
        traceback.print_exc()
        # The database ended the connection: what a worker does not survive, and its supervisor starts another.
        status = 0 if isinstance(error, DBAPIError | psycopg.Error) and job["may_be_cut"] else SURPRISED
    finally:
        sys.stderr.flush()
    return status


def _work(engine: Engine, settings: Settings, job: dict[str, Any]) -> int:
    status = 0
    for number in range(job["runs"]):
        with engine.connect() as connection:
            due = [item.mailbox_id for item in queue.due(connection)]
        if not due:
            break
        status = max(status, run(StepContext(engine, due[0], f"{job['name']}-{number}", settings)))
    return status


@cache
def _engine_on(url: str) -> Engine:
    """Made before this process was forked, and without a connection then: only what it has compiled is inherited."""
    return make_engine(url, "chaos worker")


@cache
def _settings(values: str) -> Settings:
    return Settings(**json.loads(values))


def run(step: StepContext) -> int:
    """One run, as the job `sync` does it, up to the parsed messages; a failure returns the claim as the job's hook."""
    try:
        raw_messages.run(step)
        mail_messages.run(step)
        summaries.run_threads(step)
        summaries.run_contacts(step)
        with step.commit() as connection:
            note_shown(connection, step)
        end_claim(step)
    except Exception as error:
        with step.engine.begin() as connection:
            for mailbox_id in queue.held_mailboxes(connection, step.run_id):
                queue.fail(
                    connection,
                    mailbox_id,
                    step.run_id,
                    error=f"{type(error).__name__}: {error}",
                    is_permanent=isinstance(error, PermanentError),
                    retry_after_seconds=getattr(error, "retry_after_seconds", 0.0),
                )
        if isinstance(error, RlEmailsError | LeaseLostError):
            print(f"{step.run_id}: {type(error).__name__}: {error}", file=sys.stderr)
            return 0
        raise
    return 0


class _Fate:
    """Where this process dies, or stands still."""

    def __init__(self, *, at: str, number: int, is_after: bool, is_stall: bool) -> None:
        self._at = at
        self._left = number
        self._is_after = is_after
        self._signal = signal.SIGSTOP if is_stall else signal.SIGKILL

    def lurk(self, engine: Engine) -> None:
        """Counts commits, or calls of Gmail."""
        if self._at == "commit":
            engine.dialect.do_commit = self._counted(engine.dialect.do_commit)  # type: ignore[method-assign]
        elif self._at == "call":
            transport.Transport._once = self._counted(transport.Transport._once)  # type: ignore[method-assign]

    def _counted(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            self._left -= 1
            is_here = self._left == 0
            if is_here and not self._is_after:
                os.kill(os.getpid(), self._signal)
            result = act(*arguments, **more)
            if is_here and self._is_after:
                os.kill(os.getpid(), self._signal)
            return result

        return counted


def name_of(seed: int, round_number: int, place: int) -> str:
    """What the runs of a worker are called."""
    return f"s{seed}-r{round_number}-w{place}-{uuid.uuid4().hex[:6]}"
