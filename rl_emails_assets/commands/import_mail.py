"""`rl-emails import`: connect a source to a mailbox and bring the mailbox up to date, with progress."""

import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine, text

from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.db.mailbox_rows import connect_files
from rl_emails_assets.errors import SourceError
from rl_emails_assets.instance.runs import run_job
from rl_emails_assets.providers.files.source import detect
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps import context as steps
from rl_emails_assets.sync_queue import queue

STEP_TITLES = {
    "raw.messages": "Reading mail",
    "mail.messages": "Parsing",
    "mail.threads": "Conversations",
    "mail.contacts": "Contacts",
    "signals.messages": "Signals",
    "signals.contacts": "History with contacts",
    "embeddings.messages": "Understanding text",
    "classifications.messages": "Classifying",
    "entities.messages": "Finding tasks",
    "entities.task_progress": "Following tasks",
    "entities.projects": "Finding projects",
    "entities.people": "Finding people",
    "priorities.messages": "Ranking",
    "priorities.threads": "Ranking conversations",
}


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did. Every item of the source is one of imported, duplicate or gap."""

    mailbox: str
    mailbox_id: str
    run_id: str
    imported: int
    duplicate: int
    gap: int
    folder_copies: int
    """Of the imported: the same message again under another Message-ID; kept, and shown once."""
    gaps: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The summary for scripts."""
        return asdict(self)


def import_mail(
    engine: Engine, settings: Settings, path: Path, address: str, aliases: Sequence[str], *, name: str, is_quiet: bool
) -> tuple[ImportSummary, ExitCode]:
    """Import `path` into the mailbox of `address` and materialize everything downstream.

    Raises SourceError when the path cannot be read as mail, or when the run failed; what was stored is kept.
    """
    path = path.expanduser().absolute()
    source = {"path": str(path), "kind": str(detect(path))}
    with engine.begin() as connection:
        mailbox = connect_files(connection, address, source, aliases=aliases, display_name=name)
        queue.enqueue(connection, mailbox.mailbox_id, asked_by="import")
    run_id = str(uuid.uuid4())
    try:
        with progress_bar(is_quiet=is_quiet) as show:
            outcome = run_job(settings.home, "sync", mailbox.mailbox_id, show, run_id=run_id)
    except KeyboardInterrupt:
        with engine.begin() as connection:
            queue.hand_back(connection, [run_id])
        raise
    if not outcome.is_success:
        raise SourceError(
            f"The import of {path} stopped: {outcome.error} What was stored is kept; the same command continues. "
            f"The run is {outcome.run_id}."
        )
    raw = outcome.metadata["raw/messages"]
    with engine.connect() as connection:
        gaps = _gaps(connection, mailbox.mailbox_id)
    summary = ImportSummary(
        mailbox=mailbox.address,
        mailbox_id=str(mailbox.mailbox_id),
        run_id=outcome.run_id,
        imported=raw["imported"],
        duplicate=raw["duplicates"],
        gap=raw["gaps"],
        folder_copies=outcome.metadata["mail/messages"].get("folder_copies", 0),
        gaps=gaps,
    )
    return summary, ExitCode.INCOMPLETE if summary.gap else ExitCode.OK


def _gaps(connection: Any, mailbox_id: uuid.UUID) -> list[dict[str, Any]]:
    query = text(
        "select provider_message_id as id, reason, attempts from raw.gaps where mailbox_id = :mailbox_id "
        "order by last_seen_at desc, provider_message_id limit 1000"
    )
    return [dict(row) for row in connection.execute(query, {"mailbox_id": mailbox_id}).mappings()]


@contextmanager
def progress_bar(*, is_quiet: bool) -> Iterator[Any]:
    """A line for each step on the terminal; nothing when quiet.

    Dagster captures a step's stderr into its own log, so the bar writes to a copy of the descriptor made before.
    """
    if is_quiet:
        yield lambda _: None
        return
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            console=Console(file=terminal, force_terminal=sys.stderr.isatty()),
        )
        tasks: dict[str, TaskID] = {}

        def show(progress: steps.Progress) -> None:
            title = STEP_TITLES.get(progress.step, progress.step)
            if progress.step not in tasks:
                tasks[progress.step] = bar.add_task(title, total=progress.total, unit=progress.unit)
            bar.update(tasks[progress.step], completed=progress.done, total=progress.total)

        with bar:
            yield show
