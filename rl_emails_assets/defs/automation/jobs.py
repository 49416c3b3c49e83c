"""The jobs: what a person or a sensor starts. What an asset computes is not decided here."""

from uuid import UUID

import dagster as dg

from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.errors import LeaseLostError, PermanentError
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue


@dg.failure_hook(name="return_the_claim")
def return_the_claim(context: dg.HookContext) -> None:
    """When a step fails, its run's sync request waits for another try, or becomes a dead letter if that cannot help."""
    run = context.instance.get_run_by_id(context.run_id)
    mailbox_id = None if run is None else run.tags.get("dagster/partition")
    if mailbox_id is None:
        return
    error = context.op_exception
    engine = make_engine(open_databases(Settings()).product_url, "hook")
    try:
        with engine.begin() as connection:
            queue.fail(
                connection,
                UUID(mailbox_id),
                context.run_id,
                error=f"{context.op.name}: {error}",
                is_permanent=isinstance(error, PermanentError),
            )
    except LeaseLostError as lost:
        context.log.info(str(lost))
    finally:
        engine.dispose()


SYNC = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.all(),
    hooks={return_the_claim},
    description=(
        "Brings one mailbox up to date, from its source to its priorities: claims the mailbox's sync request, if there "
        "is one, reads what is new, and materializes everything downstream."
    ),
)

RECOMPUTE = dg.define_asset_job(
    "recompute",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("mailboxes", "raw"),
    description=(
        "Computes a mailbox again from its stored bytes, without reading its source. Give the `backfill` resource "
        "`force: true` and, if wanted, a range of dates; without it, what is pending is computed."
    ),
)
