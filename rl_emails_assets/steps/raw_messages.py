"""raw.messages, raw.labels and raw.gaps: what the mailbox holds, byte for byte, before anything reads it.

Takes the mailbox's sync request, then leaves the reading to the step of the mailbox's provider. A request because
another model serves reads nothing: the sources may be gone, and none of their mail is new.
"""

from sqlalchemy import select

from rl_emails_assets.db.tables import mailboxes
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.steps import raw_files, raw_gmail
from rl_emails_assets.steps.context import StepContext, StepResult, timed
from rl_emails_assets.sync_queue import queue

VERSION = "1"
NAME = "raw.messages"


def run(step: StepContext) -> StepResult:
    """Claim the mailbox's sync request, if one waits, and bring the mailbox's raw tables up to date.

    Raises SourceError when a source of files as a whole cannot be read, and what steps.raw_gmail raises.
    """
    result = StepResult()
    with timed(result), step.alone(NAME):
        with step.engine.begin() as connection:
            claim = step.claim(connection)
            columns = mailboxes.connections.c
            query = select(columns.provider).where(columns.mailbox_id == step.mailbox_id)
            provider = connection.execute(query).scalar_one_or_none()
        if provider is None:
            raise NotFoundError(f"Mailbox {step.mailbox_id} is not there; it was disconnected. Connect it again.")
        if claim is not None and claim.asked_by == queue.LEARNING:
            done = StepResult()
        elif provider == "files":
            done = raw_files.run(step, NAME)
        elif provider == "gmail":
            done = raw_gmail.run(step, NAME, is_full=claim is not None and claim.kind == "full")
        else:
            raise NotFoundError(
                f"Mailbox {step.mailbox_id} is read from {provider!r}; this release cannot do that. Update rl-emails."
            )
    result.row_count, result.counts = done.row_count, done.counts
    return result
