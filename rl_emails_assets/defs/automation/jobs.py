"""The jobs: what a person or a sensor starts. What an asset computes is not decided here."""

from uuid import UUID

import dagster as dg
from pydantic import Field

from rl_emails_assets.connections.disconnection import disconnect
from rl_emails_assets.db.engine import make_engine, open_databases
from rl_emails_assets.defs.automation.learning_checks import GATES
from rl_emails_assets.defs.mailbox_asset import MAILBOXES
from rl_emails_assets.defs.warehouse import Warehouse
from rl_emails_assets.errors import LeaseLostError, PermanentError
from rl_emails_assets.settings import Settings
from rl_emails_assets.steps.lease import Lease
from rl_emails_assets.sync_queue import dead_letters, queue


@dg.failure_hook(name="return_the_claim")
def return_the_claim(context: dg.HookContext) -> None:
    """When a step fails, its run's sync request waits for another try, or becomes a dead letter if that cannot help."""
    error = context.op_exception
    engine = make_engine(open_databases(Settings()).product_url, "hook")
    try:
        with engine.begin() as connection:
            for mailbox_id in queue.held_mailboxes(connection, context.run_id):
                queue.fail(
                    connection,
                    mailbox_id,
                    context.run_id,
                    error=f"{context.op.name}: {error}",
                    is_permanent=isinstance(error, PermanentError),
                    retry_after_seconds=getattr(error, "retry_after_seconds", 0.0),
                )
    except LeaseLostError as lost:
        context.log.info(str(lost))
    finally:
        engine.dispose()


SYNC = dg.define_asset_job(
    "sync",
    # The checks look at every mailbox; on the way of one mailbox's new mail they would cost more than the mail.
    # Models are learned apart, by the job `learn`: mail does not wait for them.
    selection=(dg.AssetSelection.all() - dg.AssetSelection.groups("models")).without_checks(),
    hooks={return_the_claim},
    description=(
        "Brings one mailbox up to date, from its source to its priorities: claims the mailbox's sync request, if there "
        "is one, reads what is new, and materializes everything downstream."
    ),
)

RECOMPUTE = dg.define_asset_job(
    "recompute",
    selection=(dg.AssetSelection.all() - dg.AssetSelection.groups("mailboxes", "raw", "models")).without_checks(),
    description=(
        "Computes a mailbox again from its stored bytes, without reading its source. Give the `backfill` resource "
        "`force: true` and, if wanted, a range of dates; without it, what is pending is computed."
    ),
)


CHECKS = dg.define_asset_job(
    "checks",
    selection=dg.AssetSelection.all_asset_checks() - dg.AssetSelection.checks(*GATES),
    description="Asks every standing check of every asset its question about all mailboxes.",
)


class MailboxConfig(dg.Config):
    """Which mailbox a job is about."""

    mailbox_id: str = Field(description="The mailbox's id; also its partition key.")


@dg.op
def disconnect_mailbox(context: dg.OpExecutionContext, warehouse: Warehouse, config: MailboxConfig) -> None:
    """Stops the watch, revokes the grant and erases the mailbox; done again, it does what is left."""
    mailbox_id = UUID(config.mailbox_id)
    lease = Lease()
    with warehouse.engine.begin() as connection:
        lease.claim(connection, mailbox_id, context.run_id, is_disconnect=True)
    with lease.kept_alive(warehouse.engine, mailbox_id, context.run_id):
        receipt = disconnect(warehouse.engine, warehouse.settings, mailbox_id)
    # The request is gone with its mailbox; the partition would otherwise be offered in the UI for ever.
    if context.instance.has_dynamic_partition(MAILBOXES.name or "", config.mailbox_id):
        context.instance.delete_dynamic_partition(MAILBOXES.name or "", config.mailbox_id)
    # Not the address: runs outlive the mailbox that was erased.
    context.add_output_metadata({"watch": receipt.watch, "grant": receipt.grant, "rows": sum(receipt.rows.values())})


@dg.job(
    name="disconnect",
    # Bound here: a sensor whose job is bound with the code location is made again by Dagster, with a warning.
    resource_defs={"warehouse": Warehouse()},
    hooks={return_the_claim},
    description="Ends a mailbox's connection: stops its watch, revokes its grant, erases its mail and all made of it.",
)
def DISCONNECT() -> None:  # noqa: N802 - a constant, as the other jobs
    """Ends a mailbox's connection."""
    disconnect_mailbox()


class RedriveConfig(dg.Config):
    """Which dead letters get another life."""

    request_ids: list[str] = Field(default=[], description="Dead letters by id, as the status page shows them.")
    everything: bool = Field(default=False, description="All of them; `request_ids` is then ignored.")


@dg.op
def redrive(context: dg.OpExecutionContext, warehouse: Warehouse, config: RedriveConfig) -> None:
    """Puts a new request in the place of each dead letter named."""
    with warehouse.engine.begin() as connection:
        if config.everything:
            waiting = dead_letters.redrive_all(connection)
        else:
            waiting = [dead_letters.redrive(connection, UUID(request_id)) for request_id in config.request_ids]
        left = dead_letters.dead_letters(connection)
    context.add_output_metadata({"redriven": len(waiting), "dead_letters_left": len(left)})


@dg.job(
    name="redrive_dead_letters",
    description=(
        "Gives sync requests that were given up another life. Name them in the run configuration of the op `redrive` "
        "(`request_ids`), or set `everything: true`; those of mailboxes that must be reconnected first are left."
    ),
)
def REDRIVE() -> None:  # noqa: N802 - a constant, as the other jobs
    """Gives dead letters another life."""
    redrive()
