"""`rl-emails backfill`: compute a mailbox, or a range of its dates, again."""

from datetime import datetime

from sqlalchemy import Engine

from rl_emails_assets.commands.import_mail import progress_bar
from rl_emails_assets.commands.output import ExitCode, console, print_json
from rl_emails_assets.db.mailbox_rows import find_mailbox
from rl_emails_assets.instance.runs import BackfillRange, run_job
from rl_emails_assets.settings import Settings


def backfill(
    engine: Engine,
    settings: Settings,
    mailbox_name: str | None,
    *,
    since: datetime | None,
    until: datetime | None,
    force: bool,
    is_quiet: bool,
    is_json: bool,
) -> ExitCode:
    """Run the `recompute` job on the mailbox and say how many rows each asset wrote."""
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
    with progress_bar(is_quiet=is_quiet) as show:
        outcome = run_job(
            settings.home,
            "recompute",
            mailbox.mailbox_id,
            show,
            backfill=BackfillRange(since=since, until=until, force=force),
        )
    written = {asset: values["rows_written"] for asset, values in outcome.metadata.items()}
    if is_json:
        print_json({"run_id": outcome.run_id, "is_success": outcome.is_success, "rows_written": written})
    else:
        for asset, row_count in written.items():
            console().print(f"{asset}: {row_count} rows")
    if not outcome.is_success:
        console(is_error=True).print(f"error: run {outcome.run_id} stopped: {outcome.error}", markup=False)
        return ExitCode.FAILED
    return ExitCode.OK
