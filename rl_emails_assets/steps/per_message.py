"""The shape of most steps: find a table's pending messages, then write them batch by batch, each in its transaction."""

import uuid
from collections.abc import Callable

from sqlalchemy import Connection, Table

from rl_emails_assets.db.pending import batches, mark_range_stale, mark_stale, pending_message_ids
from rl_emails_assets.steps.context import Progress, StepContext, StepResult, timed

WriteBatch = Callable[[Connection, list[uuid.UUID], StepResult], None]


def run_per_message(step: StepContext, table: Table, version: str, write: WriteBatch) -> StepResult:
    """Have `write` write the rows of the messages that are pending in `table`, and mark what reads them stale.

    `write` gets the batch's connection, its message ids and the result, and adds to the result's counts.
    """
    name = f"{table.schema}.{table.name}"
    result = StepResult()
    with timed(result), step.alone(name):
        with step.engine.begin() as connection:
            if step.scope.force:
                mark_range_stale(connection, table, step.mailbox_id, step.scope.since, step.scope.until)
            pending = pending_message_ids(connection, table, version, step.mailbox_id)
        done = 0
        step.report(Progress(name, 0, len(pending)))
        for ids in batches(pending, step.settings.batch_size):
            with step.commit() as connection:
                write(connection, ids, result)
                mark_stale(connection, table, ids)
            done += len(ids)
            result.row_count += len(ids)
            step.report(Progress(name, done, len(pending)))
    return result


def count(result: StepResult, name: str, amount: int = 1) -> None:
    """Add to one of the result's counts."""
    result.counts[name] = result.counts.get(name, 0) + amount
