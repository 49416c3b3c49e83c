"""What arrives from a provider that pushes: each push becomes a sync request, or a count of why it did not."""

from enum import StrEnum

from sqlalchemy import Connection

from rl_emails_assets.sync_queue.statements import execute


class PushOutcome(StrEnum):
    """What became of a push. All of them are acknowledged; all are counted by day in sync_queue.push_counts."""

    QUEUED = "queued"
    """A new request waits for the mailbox."""
    JOINED = "joined"
    """A request waited already, and does this work too."""
    KNOWN = "known"
    """The mailbox has been read as far as the push says; there is nothing to do."""
    DUPLICATE = "duplicate"
    """A push with this id came before."""
    UNKNOWN = "unknown"
    """No mailbox of this address is connected here (any more)."""
    GARBAGE = "garbage"
    """Properly signed, and not a push of Gmail's; see `count_garbage`."""


def record_push(connection: Connection, *, push_id: str, address: str, history_id: int) -> PushOutcome:
    """Take in a push in one statement: once by its id, whatever the order; ask for a partial sync if it brings news.

    `push_id` is Pub/Sub's message id, `history_id` what the mailbox `address` had reached when it was sent.
    """
    parameters = {"push_id": push_id, "address": address, "history_id": history_id}
    return PushOutcome(execute(connection, "record_push", parameters)[0]["outcome"])


def count_garbage(connection: Connection) -> None:
    """Count a push that says nothing we understand."""
    execute(connection, "count_garbage")
