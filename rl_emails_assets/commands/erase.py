"""`rl-emails erase mailbox|person`: they are gone, and a receipt says what was removed."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from sqlalchemy import Connection, Engine, select

from rl_emails_assets.commands.disconnect import can_ask
from rl_emails_assets.commands.export_archive import mailboxes_named, organizations_of
from rl_emails_assets.commands.output import ExitCode, console, print_json, shown
from rl_emails_assets.db import receipts
from rl_emails_assets.db.mailbox_rows import Mailbox, find_mailbox
from rl_emails_assets.db.tables import identity, mailboxes
from rl_emails_assets.defs.automation.dagster_traces import DagsterTraces
from rl_emails_assets.instance.home import dagster_home
from rl_emails_assets.privacy.erasure import carry_out, preview, require_somebody_else
from rl_emails_assets.settings import Settings


def erase(
    engine: Engine,
    settings: Settings,
    kind: str,
    address: str,
    *,
    mailbox_name: str | None,
    is_sure: bool,
    even_if_unreachable: bool,
    is_json: bool,
) -> ExitCode:
    """Erase a mailbox, or a person from every mailbox (or the one named), and print the receipt.

    Asks first unless `is_sure`. INCOMPLETE when something still names them. Raises NotFoundError when there is no such
    mailbox, TransientError when it cannot be finished now: then the same command, or `rl-emails up`, goes on.
    """
    address = address.strip().lower()
    with engine.connect() as connection:
        if kind == "mailbox":
            chosen = [find_mailbox(connection, address)]
            told = f"Everything that is kept of {shown(chosen[0].address)} will be erased; its provider's mail stays."
        else:
            chosen = mailboxes_named(connection, mailbox_name)
            require_somebody_else(connection, [each.mailbox_id for each in chosen], address)
            told = _told(connection, chosen, address)
    if not is_sure:
        people = console(is_error=True)
        if not can_ask():
            people.print("error: Nobody can be asked here. Add --yes to erase without a question.")
            return ExitCode.USAGE
        people.print(told)
        if people.input("Type the address to go on: ").strip().lower() != address:
            people.print("Nothing was changed.")
            return ExitCode.FAILED
    with engine.begin() as connection:
        asked = _ask(connection, kind, address, chosen)
    with forgetting(settings) as forget:
        for receipt_id in asked:
            if not carry_out(
                engine, settings, receipt_id, forget_elsewhere=forget, even_if_unreachable=even_if_unreachable
            ):
                console(is_error=True).print(f"Another process is at the erasure {receipt_id}; it will finish it.")
    return _print_receipts(engine, asked, is_json=is_json)


@contextmanager
def forgetting(settings: Settings) -> Iterator[DagsterTraces]:
    """What makes Dagster forget, for a command."""
    dagster_home(settings.home)
    logging.getLogger("dagster").setLevel(logging.ERROR)
    with dg.DagsterInstance.get() as instance:
        yield DagsterTraces(instance, settings)


def _told(connection: Connection, chosen: list[Mailbox], address: str) -> str:
    names = {each.mailbox_id: each.address for each in chosen}
    lines = [
        f"  {shown(names[each.mailbox_id])}: {each.addressed_count} messages from or to them, "
        f"{each.naming_count} that name them, {each.quoting_count} that quote them"
        for each in preview(connection, list(names), address)
    ]
    what = "\n".join(lines) or "  no message"
    return f"Everything about {shown(address)} will be erased:\n{what}\nThe provider's mail stays."


def _ask(connection: Connection, kind: str, address: str, chosen: list[Mailbox]) -> list[uuid.UUID]:
    """One order for each organization that is concerned."""
    if kind == "mailbox":
        return [receipts.ensure_for_mailbox(connection, chosen[0].mailbox_id)]
    columns = mailboxes.connections.c
    asked = []
    for organization_id in organizations_of(connection, [each.mailbox_id for each in chosen]):
        query = select(columns.mailbox_id).where(
            columns.organization_id == organization_id, columns.mailbox_id.in_([each.mailbox_id for each in chosen])
        )
        users, members = identity.users.c, identity.memberships.c
        member = select(users.user_id).join(identity.memberships, members.user_id == users.user_id)
        asked.append(
            receipts.ask(
                connection,
                "person",
                address,
                organization_id=organization_id,
                mailbox_ids=list(connection.execute(query).scalars()),
                user_id=connection.execute(
                    member.where(members.organization_id == organization_id, users.address == address)
                )
                .scalars()
                .first(),
            )
        )
    return asked


def _print_receipts(engine: Engine, asked: list[uuid.UUID], *, is_json: bool) -> ExitCode:
    code = ExitCode.OK
    with engine.connect() as connection:
        rows = [row for receipt_id in asked if (row := receipts.receipt(connection, receipt_id)) is not None]
    if is_json:
        print_json([{name: _shown_value(value) for name, value in row._mapping.items()} for row in rows])  # noqa: SLF001
    out = console()
    for row in rows:
        code = ExitCode.INCOMPLETE if row.state != "done" else code
        if is_json:
            continue
        out.print(f"Receipt {row.receipt_id}: {row.state}.")
        for name, value in sorted(row.outcome.items()):
            out.print(shown(f"  {name:<8}{value}"))
        for table, number in sorted(row.removed.items()):
            out.print(f"  erased  {number:>9,} rows of {table}")
        for table, number in sorted(row.left.items()):
            out.print(f"  [bold]left    {number:>9,} rows of {table}[/] that still name the subject")
        for kept in row.kept:
            out.print(shown(f"  stays   {kept['what']}: {kept['why']}"))
    return code


def _shown_value(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
