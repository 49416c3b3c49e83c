"""The arguments of `rl-emails models`; what it does is in models.py beside it."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs

import sys
from pathlib import Path
from typing import Annotated

import typer

from rl_emails_assets.commands.output import ExitCode, console, reported
from rl_emails_assets.settings import Settings

ACTIONS = ("list", "show", "promote", "rollback", "what-if")
KINDS = ("ranker", "classifier")


def models(
    action: Annotated[
        str,
        typer.Argument(
            help="list: every model, and what came of the last training. show: what one was made of, how good it is "
            "and what it moved. promote: let it serve. rollback: let the former one serve, or what all share if "
            "there was none. what-if: lay a model, a rule or other weights over the mailbox; say what would move."
        ),
    ] = "list",
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="Its version or id, or how one begins; for what-if the newest if none."),
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Whose; may be left out when there is only one.")
    ] = None,
    *,
    kind: Annotated[str, typer.Option(help="For rollback: ranker (importance) or classifier (categories).")] = "ranker",
    force: Annotated[bool, typer.Option("--force", help="For promote: also one that the gate refused.")] = False,
    important: Annotated[
        str, typer.Option(metavar="ADDRESS", help="For what-if, a rule: mail from there matters.")
    ] = "",
    not_important: Annotated[
        str, typer.Option(metavar="ADDRESS", help="For what-if, a rule: mail from there does not.")
    ] = "",
    weights: Annotated[
        Path | None, typer.Option(help="For what-if: another file of the weights that all share.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Show what a mailbox's owner taught it, say what a model would move before it serves, and take one back."""
    from rl_emails_assets.commands import models as commands
    from rl_emails_assets.commands.opened import opened

    if action not in ACTIONS:
        _usage(f"the action {action!r} is none of {', '.join(ACTIONS)}.")
    if kind not in KINDS:
        _usage(f"--kind {kind!r} is none of {', '.join(KINDS)}.")
    if action in ("show", "promote") and model is None:
        _usage(f"{action} takes a MODEL; `rl-emails models list` shows those there are.")
    if sum(map(bool, (model, important, not_important, weights))) > 1:
        _usage("what-if takes one of MODEL, --important, --not-important and --weights.")
    with reported(), opened(Settings(), "models") as engine:
        if action == "show":
            code = commands.show_model(engine, mailbox, model or "", is_json=is_json)
        elif action == "promote":
            code = commands.promote_model(engine, mailbox, model or "", force=force, is_json=is_json)
        elif action == "rollback":
            code = commands.roll_back(
                engine, mailbox, "classifier" if kind == "classifier" else "ranker", is_json=is_json
            )
        elif action == "what-if":
            rule = (important or not_important, bool(important)) if important or not_important else None
            code = commands.run_what_if(engine, mailbox, model, sender=rule, weights=weights, is_json=is_json)
        else:
            code = commands.list_models(engine, mailbox, is_json=is_json)
    sys.exit(code)


def _usage(message: str) -> None:
    console(is_error=True).print(f"error: {message}", markup=False)
    sys.exit(ExitCode.USAGE)
