"""The jobs behind the schedules: each one op that calls plain functions of steps/upkeep and shows what they did.

Every run leaves a row in sync_queue.upkeep_runs, for the status page.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from rl_emails_assets.connections import key_rotation
from rl_emails_assets.defs.automation.erasures import ERASURES
from rl_emails_assets.defs.automation.run_pruning import ended_among, prune_runs
from rl_emails_assets.defs.warehouse import Warehouse
from rl_emails_assets.identity_sync.reconcile import reconcile
from rl_emails_assets.steps import mailboxes_watches
from rl_emails_assets.steps.context import StepContext
from rl_emails_assets.steps.upkeep import maintenance, pruning, stale, syncs, watches
from rl_emails_assets.steps.upkeep.record import UpkeepRecord, recorded

RENEW_DAYS_LEFT = 6.0
"""A watch lives for seven days; with fewer left than this it is more than a day old."""


@contextmanager
def _upkeep(context: dg.OpExecutionContext, warehouse: Warehouse) -> Iterator[UpkeepRecord]:
    """The record of the op's run, named after its job, and shown as the op's metadata."""
    with recorded(warehouse.engine, context.job_name, context.run_id) as record:
        yield record
        context.add_output_metadata({**record.counts, "problems": record.problems})
    for problem in record.problems:
        context.log.warning(problem)


@dg.op
def renew_watches(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Renews each watch that lapses soon or is older than a day; the reason of one that fails is kept with it."""

    def renew(mailbox_id: uuid.UUID) -> Mapping[str, int]:
        step = StepContext(warehouse.engine, mailbox_id, context.run_id, warehouse.settings)
        return mailboxes_watches.run(step, days_left=RENEW_DAYS_LEFT).counts

    with _upkeep(context, warehouse) as record:
        watches.renew_watches(warehouse.engine, warehouse.settings, renew, record)


@dg.job(name="watch_renewal", description="Renews Gmail's promise to push, mailbox by mailbox, before it lapses.")
def WATCH_RENEWAL() -> None:  # noqa: N802 - a constant, as the other jobs
    """Renews watches."""
    renew_watches()


@dg.op
def ask_for_full_syncs(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Asks for a full sync of each mailbox that is due for one."""
    with _upkeep(context, warehouse) as record, warehouse.engine.begin() as connection:
        record.add(syncs.sync_fully(connection, warehouse.settings))


@dg.job(
    name="full_sync", description="Asks for full syncs, which compare a mailbox with everything its provider lists."
)
def FULL_SYNC() -> None:  # noqa: N802 - a constant, as the other jobs
    """Asks for full syncs."""
    ask_for_full_syncs()


@dg.op
def ask_for_polls(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Asks for a partial sync of each mailbox that has been quiet for too long."""
    with _upkeep(context, warehouse) as record, warehouse.engine.begin() as connection:
        record.add(syncs.poll(connection, warehouse.settings))


@dg.job(name="poll", description="Asks for a look at each mailbox that push has not told of for a while.")
def POLL() -> None:  # noqa: N802 - a constant, as the other jobs
    """Asks for polls."""
    ask_for_polls()


@dg.op
def tell_owners(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Raises a notice for each connection that went quiet, and ends those that are over."""
    with _upkeep(context, warehouse) as record, warehouse.engine.begin() as connection:
        record.add(stale.tell_owners(connection, warehouse.settings))


@dg.job(name="stale_connections", description="Tells owners, once, of lapsed watches, late inboxes and failed syncs.")
def STALE_CONNECTIONS() -> None:  # noqa: N802 - a constant, as the other jobs
    """Tells owners."""
    tell_owners()


@dg.op
def prune(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Deletes old rows of the queue, and old runs of Dagster with their events."""
    with _upkeep(context, warehouse) as record:
        record.add(pruning.prune(warehouse.engine, warehouse.settings))
        with warehouse.engine.connect() as connection:
            ended = ended_among(context.instance, pruning.old_handovers(connection))
        with warehouse.engine.begin() as connection:
            record.add({"sync_queue.handovers": pruning.forget_handovers(connection, ended)})
        record.add(prune_runs(context.instance, warehouse.settings))


@dg.job(name="pruning", description="Deletes what nobody will look at again: old runs, events, requests, pushes.")
def PRUNING() -> None:  # noqa: N802 - a constant, as the other jobs
    """Prunes."""
    prune()


@dg.op
def maintain(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Vacuums and reindexes the queue's tables and analyzes the large ones, waiting for nobody."""
    with _upkeep(context, warehouse) as record:
        counts, left = maintenance.maintain(warehouse.engine)
        record.add(counts)
        record.problems += left


@dg.job(name="maintenance", description="Keeps the queue's tables and their indexes small, and the planner informed.")
def MAINTENANCE() -> None:  # noqa: N802 - a constant, as the other jobs
    """Maintains the database."""
    maintain()


@dg.op
def compare_identities(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Compares people, organizations and memberships with Clerk's, and takes over what differs."""
    with _upkeep(context, warehouse) as record:
        record.add(reconcile(warehouse.engine, warehouse.settings))


@dg.job(name="identity_sync", description="Compares people and memberships with those of the identity provider.")
def IDENTITY_SYNC() -> None:  # noqa: N802 - a constant, as the other jobs
    """Compares identities."""
    compare_identities()


@dg.op
def seal_again(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Encrypts tokens again that another key, or an older release, encrypted; those in use are left for next time."""
    with _upkeep(context, warehouse) as record:
        done = key_rotation.rewrap(warehouse.engine, warehouse.settings)
        record.add({"sealed_again": done.rewrapped_count, "busy": len(done.busy)})
        record.problems += done.unreadable.values()


@dg.job(name="sealing", description="Encrypts stored tokens again after a key was changed or a release was updated.")
def SEALING() -> None:  # noqa: N802 - a constant, as the other jobs
    """Seals again."""
    seal_again()


UPKEEP_JOBS = [WATCH_RENEWAL, FULL_SYNC, POLL, STALE_CONNECTIONS, ERASURES, PRUNING, MAINTENANCE, IDENTITY_SYNC]
