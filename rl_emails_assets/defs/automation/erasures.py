"""The job that carries out erasures asked for through the API, and goes on with those that were interrupted."""

import dagster as dg

from rl_emails_assets.db import receipts
from rl_emails_assets.defs.automation.dagster_traces import DagsterTraces
from rl_emails_assets.defs.warehouse import Warehouse
from rl_emails_assets.errors import RlEmailsError
from rl_emails_assets.privacy.erasure import carry_out
from rl_emails_assets.steps.upkeep.record import recorded


@dg.op
def erase(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    """Carries out each erasure that waits. One that fails says so in its receipt, and is tried again a minute later."""
    forget = DagsterTraces(context.instance, warehouse.settings)
    with recorded(warehouse.engine, context.job_name, context.run_id) as record:
        with warehouse.engine.connect() as connection:
            orders = receipts.due_orders(connection)
        for order in orders:
            try:
                done = carry_out(warehouse.engine, warehouse.settings, order.receipt_id, forget_elsewhere=forget)
            except RlEmailsError as error:
                # Not its text, which may name whom it is about: runs outlive them.
                record.problems.append(
                    f"Erasure {order.receipt_id} stopped ({type(error).__name__}); it is tried again."
                )
            else:
                record.add({"erased": int(done)})
        context.add_output_metadata({**record.counts, "problems": record.problems})


@dg.job(
    name="erasures",
    description="Erases mailboxes and people as their owners asked, and goes on with erasures that were interrupted.",
)
def ERASURES() -> None:  # noqa: N802 - a constant, as the other jobs
    """Erases."""
    erase()
