"""The arguments of `rl-emails erase`; the work is in erase.py, which is imported when it runs."""

# ruff: noqa: PLC0415 - see above

import sys
from typing import Annotated

import typer

from rl_emails_assets.commands.output import ExitCode, console, reported
from rl_emails_assets.settings import Settings

KINDS = ("mailbox", "person")


def erase(
    what: Annotated[str, typer.Argument(help="mailbox, or person.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's, or the person's.")],
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Erase a person from this mailbox only.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    even_if_unreachable: Annotated[
        bool, typer.Option("--even-if-unreachable", help="Erase although the provider cannot be told.")
    ] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Erase a mailbox, or a person from every mailbox, with all that was made and learned of them; prints a receipt."""
    if what not in KINDS or (what == "person" and "@" not in address.strip("@")):
        console(is_error=True).print("error: Say `rl-emails erase mailbox ADDRESS` or `erase person ADDRESS`.")
        sys.exit(ExitCode.USAGE)
    from rl_emails_assets.commands.erase import erase as run_erase
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported(), opened(settings, "erase") as engine:
        sys.exit(
            run_erase(
                engine,
                settings,
                what,
                address,
                mailbox_name=mailbox,
                is_sure=yes,
                even_if_unreachable=even_if_unreachable,
                is_json=is_json,
            )
        )
