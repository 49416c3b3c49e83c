"""`rl-emails disconnect`: end a mailbox, and say what was done."""

import sys

from sqlalchemy import Engine

from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.connections.lifecycle import Receipt, disconnect
from rl_emails_assets.db.mailbox_rows import find_mailbox
from rl_emails_assets.settings import Settings


def disconnect_mailbox(
    engine: Engine, settings: Settings, name: str, *, is_sure: bool, even_if_unreachable: bool, is_json: bool
) -> ExitCode:
    """Stop the watch, revoke the grant and erase the mailbox that `name` names; asks first unless `is_sure`.

    Raises NotFoundError when there is no such mailbox, ProviderUnavailableError when Google cannot be reached.
    """
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, name)
    if not is_sure:
        people = console(is_error=True)
        if not can_ask():
            people.print("error: Nobody can be asked here. Add --yes to erase without a question.")
            return ExitCode.USAGE
        people.print(f"Everything that is kept of {shown(mailbox.address)} will be erased; its provider's mail stays.")
        if people.input("Type the address to go on: ").strip().lower() != mailbox.address:
            people.print("Nothing was changed.")
            return ExitCode.FAILED
    receipt = disconnect(engine, settings, mailbox.mailbox_id, even_if_unreachable=even_if_unreachable)
    if is_json:
        print_json(receipt.as_json())
    else:
        print_receipt(receipt)
    return ExitCode.OK


def print_receipt(receipt: Receipt) -> None:
    """What was ended at the provider and erased here."""
    out = console()
    out.print(f"{shown(receipt.address)} is disconnected.")
    out.print(shown(f"  watch   {receipt.watch}"))
    out.print(shown(f"  grant   {receipt.grant}"))
    for table, removed in sorted(receipt.rows.items()):
        out.print(f"  erased  {removed:>9,} rows of {table}")


def can_ask() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty()
