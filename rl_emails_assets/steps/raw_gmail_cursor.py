"""Where the sync of a Gmail mailbox stands: one row of raw.cursors, read and written as a whole.

Every change of a Gmail mailbox's raw tables happens in a `GmailSync.transaction`. It locks the mailbox's cursor, gives
up when another run has moved it meanwhile or the mailbox is no longer connected, and writes the moved cursor with the
rows that account for the move.
"""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from rl_emails_assets.connections.reconnection import CONNECTED
from rl_emails_assets.db.tables import raw
from rl_emails_assets.errors import LeaseLostError, NotFoundError, ReconnectNeededError
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.steps import raw_gmail_backlog
from rl_emails_assets.steps.context import Progress, StepContext, StepResult
from rl_emails_assets.steps.per_message import count

SOURCE = "gmail"
"""In raw.cursors, raw.messages and raw.gaps: what was read through the Gmail API."""

SHORTEST_WAIT_SECONDS = 1.0
"""Before Gmail is asked again after it refused for its rate (Gmail's guide to errors)."""

COUNTS = ("imported", "duplicates", "gaps", "removed", "relabelled")
"""What a run reports: new messages, messages that were stored already, new gaps, deletions, changed labels."""

RECENT, EVERYTHING, LABELS = "recent", "everything", "labels"
"""The phases of a full sync, in their order."""


@dataclass(slots=True)
class Listing:
    """A full sync under way."""

    phase: str
    before_seq: int
    """raw.messages.seq of the last message that was stored when it began; 0 for a first sync."""
    page_token: str | None = None
    """The next page of the present pass; None for its first."""
    page_count: int = 0
    """Pages read in the present pass."""
    pass_count: int = 0
    """Passes over everything that have ended."""
    deleted_count: int = 0
    """Deletions that the history told of since the present pass began."""
    labels_left: list[str] = field(default_factory=list)
    """Ids of the labels that are still to be compared, the present one first."""


@dataclass(slots=True)
class Cursor:
    """How far a mailbox is read; see steps.raw_gmail for what that means."""

    history_id: int | None = None
    """Every change up to here is accounted for, or covered by `listing`; None before the first sync has begun."""
    listing: Listing | None = None
    label_names: dict[str, str] = field(default_factory=dict)
    """Names of the owner's labels by id, as last asked for."""
    as_of: str | None = None
    """When Gmail was asked for the changes that `history_id` ends, as ISO 8601."""
    as_of_run: str | None = None
    """The run that asked."""
    resume_at: str | None = None
    """Before this time Gmail wants no calls, as ISO 8601; None when the last run was not told to wait."""

    def as_json(self) -> dict[str, Any]:
        """The cursor as raw.cursors.position. History ids are strings: they have up to 21 digits."""
        names = Listing.__slots__
        return {
            "history_id": None if self.history_id is None else str(self.history_id),
            "listing": None if self.listing is None else {name: getattr(self.listing, name) for name in names},
            "label_names": self.label_names,
            "as_of": self.as_of,
            "as_of_run": self.as_of_run,
            "resume_at": self.resume_at,
        }

    @classmethod
    def from_json(cls, position: dict[str, Any]) -> "Cursor":
        """The cursor that `as_json` wrote."""
        history_id, listing = position["history_id"], position["listing"]
        return cls(
            **{
                **position,
                "history_id": None if history_id is None else int(history_id),
                "listing": None if listing is None else Listing(**listing),
            }
        )

    def advance(self, history_id: int) -> None:
        """Move to `history_id`; the cursor only moves forward."""
        self.history_id = history_id if self.history_id is None else max(self.history_id, history_id)


_LOCK = text(
    """
    select c.position, m.state
    from raw.cursors c join mailboxes.connections m using (mailbox_id)
    where c.mailbox_id = :mailbox_id and c.source = :source
    for update of c
    """
)

_SAVE = text(
    """
    update raw.cursors c set
        position = cast(:position as jsonb),
        started_at = case when :begins then now() else started_at end,
        imported_count = case when :begins then 0 else imported_count end + :imported,
        duplicate_count = case when :begins then 0 else duplicate_count end + :duplicates,
        gap_count = case when :begins then 0 else gap_count end + :gaps,
        is_complete = :is_listed and not exists (select from raw.backlog b where b.mailbox_id = c.mailbox_id),
        updated_at = now()
    where mailbox_id = :mailbox_id and source = :source
    """
)

_STORED = text("select count(*) from raw.messages where mailbox_id = :mailbox_id")
_WAITING = text("select count(*) from raw.backlog where mailbox_id = :mailbox_id")


@dataclass(slots=True)
class Change:
    """What one transaction does to the cursor."""

    cursor: Cursor
    begins_listing: bool = False
    imported: int = 0
    duplicates: int = 0
    gaps: int = 0
    removed: int = 0
    relabelled: int = 0


class GmailSync:
    """One run's sync of one mailbox."""

    def __init__(self, step: StepContext, name: str, client: GmailClient) -> None:
        self.step = step
        self.client = client
        self.result = StepResult(counts=dict.fromkeys(COUNTS, 0))
        self.is_up_to_date = False
        """The history was read to its end in this run."""
        self.has_turned_back = False
        """A page token of the listing was refused in this run."""
        self._name = name
        self._position: dict[str, Any] = {}
        self._asked_names = False
        self._stored: int | None = None
        self.cursor = self._open()

    def _open(self) -> Cursor:
        """The cursor, made for a mailbox that has none. Raises as `transaction` does."""
        with self.step.commit() as connection:
            connection.execute(
                insert(raw.cursors)
                .values(
                    mailbox_id=self.step.mailbox_id,
                    source=SOURCE,
                    position=Cursor().as_json(),
                    started_at=datetime.now(UTC),
                )
                .on_conflict_do_nothing()
            )
            self._position = self._locked(connection)
        cursor = Cursor.from_json(self._position)
        cursor.resume_at = None
        return cursor

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, Change]]:
        """A transaction and what it changes of the cursor; neither is kept when the block fails.

        Raises:
            ReconnectNeededError: The mailbox is not connected any more.
            LeaseLostError: Another run has moved the cursor.
        """
        change = Change(copy.deepcopy(self.cursor))
        with self.step.commit() as connection:
            if self._locked(connection) != self._position:
                raise LeaseLostError(
                    f"Another run is syncing mailbox {self.step.mailbox_id}; this one stored nothing more. "
                    "What it was asked for is done by the other, or by the next."
                )
            yield connection, change
            position = change.cursor.as_json()
            self._save(connection, change, position)
        self._position = position
        self.cursor = change.cursor
        for name in COUNTS:
            count(self.result, name, getattr(change, name))
        if self._stored is not None:
            self._stored += change.imported - change.removed

    def _locked(self, connection: Connection) -> dict[str, Any]:
        row = connection.execute(_LOCK, {"mailbox_id": self.step.mailbox_id, "source": SOURCE}).one_or_none()
        if row is None:
            raise NotFoundError(f"Mailbox {self.step.mailbox_id} is not there any more; it was disconnected.")
        if row.state != CONNECTED:
            raise ReconnectNeededError(
                f"Mailbox {self.step.mailbox_id} is not connected ({row.state}), so nothing is read. "
                "Its owner can connect it again."
            )
        position: dict[str, Any] = row.position
        return position

    def _save(self, connection: Connection, change: Change, position: dict[str, Any]) -> None:
        connection.execute(
            _SAVE,
            {
                "mailbox_id": self.step.mailbox_id,
                "source": SOURCE,
                "position": json.dumps(position),
                "begins": change.begins_listing,
                "imported": change.imported,
                "duplicates": change.duplicates,
                "gaps": change.gaps,
                "is_listed": change.cursor.history_id is not None and change.cursor.listing is None,
            },
        )

    def wait(self, seconds: float) -> None:
        """Have the next run begin no earlier than that."""
        at = datetime.now(UTC) + timedelta(seconds=max(seconds, SHORTEST_WAIT_SECONDS))
        if self.cursor.resume_at is None or at.isoformat() > self.cursor.resume_at:
            self.cursor.resume_at = at.isoformat()

    def names_of(self, label_ids: Iterable[str]) -> None:
        """Know the names of these labels, if Gmail has names for them; asks for them once a run at most."""
        unknown = {label for label in label_ids if not is_system(label)} - self.cursor.label_names.keys()
        if unknown and not self._asked_names:
            self.ask_names()

    def ask_names(self) -> None:
        """Ask for the names of all labels. What has a label that was renamed or is gone is asked for again."""
        self._asked_names = True
        names = {label: name for label, name in self.client.labels().items() if not is_system(label)}
        outdated = [name for label, name in self.cursor.label_names.items() if names.get(label) != name]
        if names == self.cursor.label_names:
            return
        with self.transaction() as (connection, change):
            raw_gmail_backlog.add_labelled(connection, self.step.mailbox_id, outdated)
            change.cursor.label_names = names

    def name_of(self, label_id: str) -> str:
        """The name under which a label is stored: its own, or its id where Gmail has no name for it."""
        return self.cursor.label_names.get(label_id, label_id)

    def report(self) -> None:
        """Tell whoever watches how many messages are stored, of those that are known."""
        with self.step.engine.connect() as connection:
            parameters = {"mailbox_id": self.step.mailbox_id}
            if self._stored is None:
                self._stored = connection.execute(_STORED, parameters).scalar_one()
            waiting = connection.execute(_WAITING, parameters).scalar_one()
        self.step.report(Progress(self._name, self._stored, self._stored + waiting))


def is_system(label_id: str) -> bool:
    """Whether a label is one of Gmail's own, whose name is its id: INBOX, UNREAD, CATEGORY_UPDATES ..."""
    return re.fullmatch("[A-Z][A-Z_]*", label_id) is not None
