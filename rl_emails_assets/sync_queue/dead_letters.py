"""Dead letters: sync requests that were given up, why, and what to do; and giving them another life."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rl_emails_assets.errors import NotFoundError, ReconnectNeededError
from rl_emails_assets.sync_queue.statements import execute


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A sync request that was given up. One a mailbox and kind is open at a time, the latest."""

    request_id: uuid.UUID
    mailbox_id: uuid.UUID
    address: str
    mailbox_state: str
    kind: str
    asked_by: str
    attempts: int
    deaths: int
    is_permanent: bool
    run_id: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime

    @property
    def next_step(self) -> str:
        """What a person can do about it."""
        if self.mailbox_state == "reconnect_needed" and self.kind != "disconnect":
            return "Connect the mailbox again; that asks for a new sync by itself."
        if self.deaths and not self.is_permanent:
            return (
                "Look at the run's log for what killed it (out of memory, a stopped machine), mend that, then redrive."
            )
        if self.is_permanent:
            return "Mend what the reason names, then redrive; trying again as it is gives the same result."
        return "It may work later by itself: the next push, poll or full sync tries again. To try now, redrive."


def dead_letters(connection: Connection, *, mailbox_id: uuid.UUID | None = None) -> list[DeadLetter]:
    """The open dead letters, the latest first; of one mailbox if it is named."""
    return _find(connection, mailbox_id=mailbox_id)


def redrive(connection: Connection, request_id: uuid.UUID) -> uuid.UUID:
    """Put a new request in the place of a dead letter. Returns the request that now waits.

    Raises NotFoundError when there is no such dead letter, ReconnectNeededError when its mailbox is not connected.
    """
    found = _find(connection, request_id=request_id)
    if not found:
        raise NotFoundError(
            f"There is no dead letter {request_id}: it was redriven, a later sync did its work, or it never was. "
            "`rl-emails queue` shows those there are."
        )
    waiting = _redrive(connection, [request_id])
    if not waiting:
        raise ReconnectNeededError(
            f"The mailbox {found[0].mailbox_id} of dead letter {request_id} is not connected. Connect it again; that "
            "asks for a new sync by itself."
        )
    return waiting[0]


def redrive_all(connection: Connection, *, mailbox_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Redrive every dead letter (of one mailbox, if it is named) whose mailbox is connected.

    Returns the requests that now wait.
    """
    return _redrive(connection, [letter.request_id for letter in _find(connection, mailbox_id=mailbox_id)])


def _find(
    connection: Connection, *, request_id: uuid.UUID | None = None, mailbox_id: uuid.UUID | None = None
) -> list[DeadLetter]:
    rows = execute(connection, "dead_letters", {"request_id": request_id, "mailbox_id": mailbox_id})
    return [DeadLetter(**row) for row in rows]


def _redrive(connection: Connection, request_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    return [row["request_id"] for row in execute(connection, "redrive", {"request_ids": list(request_ids)})]
