"""The `rl-emails` command. Each command reads its arguments here and does its work in commands/.

Commands import what they need when they run: `--help` and `parse` must not wait for Dagster.
"""

# ruff: noqa: PLC0415 - see above

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from rl_emails_assets.classification.verdict import CATEGORIES, NEEDS
from rl_emails_assets.commands.erase_command import erase
from rl_emails_assets.commands.models_command import models
from rl_emails_assets.commands.output import ExitCode, console, print_json, reported, shown
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.evaluation.section import SEED
from rl_emails_assets.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A priority inbox whose every decision can be traced. State is kept in RL_EMAILS_HOME.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 done with gaps or findings, "
    "5 not reachable now, 130 interrupted.",
)
app.command()(models)
app.command()(erase)

MailboxOption = Annotated[
    str | None, typer.Option("--mailbox", metavar="ADDRESS", help="Whose mail; may be left out when there is only one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Moment = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"], help="In UTC.")
]


@app.command()
def up(
    *,
    browser: Annotated[bool, typer.Option(help="Open the inbox in a browser once everything runs.")] = False,
    is_json: JsonOption = False,
) -> None:
    """Start everything: database, Dagster, API and page. Ctrl-C stops it all."""
    from rl_emails_assets.commands.up import up as run_up

    on_ready = (lambda links: print_json(asdict(links))) if is_json else None
    with reported():
        sys.exit(run_up(Settings(), open_browser=browser, on_ready=on_ready))


@app.command()
def demo(
    *, browser: Annotated[bool, typer.Option(help="Open the inbox in a browser once everything runs.")] = True
) -> None:
    """Start everything with a sample mailbox in it. Needs no mail, no account and no key."""
    from rl_emails_assets.commands.demo import demo as run_demo

    with reported():
        sys.exit(run_demo(Settings(), open_browser=browser))


@app.command()
def worker(
    *,
    slots: Annotated[
        int | None, typer.Option(min=1, max=64, help="Runs at a time; RL_EMAILS_WORKER_SLOTS unless given.")
    ] = None,
) -> None:
    """Execute runs in processes that are warm already. `up` starts one; more may run on any machine."""
    from rl_emails_assets.commands.worker import worker as run_worker

    with reported():
        run_worker(Settings(), slots)


@app.command()
def down() -> None:
    """Stop an embedded Postgres that was left running; a running `up` is stopped with Ctrl-C."""
    from rl_emails_assets.commands.down import down as run_down

    with reported():
        sys.exit(run_down(Settings()))


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="An mbox (also .gz), a Maildir, a folder of messages, or one .eml.")],
    mailbox: Annotated[str, typer.Option("--mailbox", metavar="ADDRESS", help="The owner's address.")],
    *,
    alias: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Another address of the owner; may be repeated.")
    ] = None,
    name: Annotated[str, typer.Option(help="The owner's name, as people write it.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    is_json: JsonOption = False,
) -> None:
    """Import mail from files and rank it. Doing it again changes nothing; an interrupted import continues."""
    from rl_emails_assets.commands.import_mail import import_mail
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported():
        _require_address(mailbox)
        with opened(settings, "import") as engine:
            summary, code = import_mail(
                engine, settings, path, mailbox, alias or [], name=name, is_quiet=quiet or is_json
            )
        if is_json:
            print_json(summary.as_json())
        else:
            out = console()
            out.print(f"imported {summary.imported}, duplicate {summary.duplicate}, gap {summary.gap}")
            if summary.folder_copies:
                out.print(f"{summary.folder_copies} of them are copies of others under another id; each is shown once.")
            for gap in summary.gaps[:20]:
                out.print(shown(f"gap: {gap['id']}: {gap['reason']}"))
            if len(summary.gaps) > 20:
                out.print(f"... and {len(summary.gaps) - 20} more; `rl-emails status --json` lists them.")
        sys.exit(code)


@app.command()
def connect(
    provider: Annotated[str, typer.Argument(help="gmail.")],
    *,
    login_hint: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="The account to sign in with; of a mailbox that is there, only this one."),
    ] = "",
    browser: Annotated[bool, typer.Option(help="Open the link in a browser.")] = True,
    wait_seconds: Annotated[float, typer.Option(min=1, max=600, help="How long to wait for you to come back.")] = 300,
    is_json: JsonOption = False,
) -> None:
    """Connect a mail account, or connect it again: sign in with the browser of this machine."""
    from rl_emails_assets.commands.connect import PROVIDERS, connect_gmail
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported():
        _require_known("what is connected:", [provider], PROVIDERS)
        with opened(settings, "connect") as engine:
            sys.exit(
                connect_gmail(
                    engine,
                    settings,
                    login_hint=login_hint,
                    open_browser=browser,
                    wait_seconds=wait_seconds,
                    is_json=is_json,
                )
            )


@app.command()
def disconnect(
    mailbox: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    even_if_unreachable: Annotated[
        bool, typer.Option("--even-if-unreachable", help="Erase although the provider cannot be told.")
    ] = False,
    is_json: JsonOption = False,
) -> None:
    """End the access to a mail account and erase everything that is kept of it. Safe to repeat; mail there stays."""
    from rl_emails_assets.commands.disconnect import disconnect_mailbox
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported(), opened(settings, "disconnect") as engine:
        sys.exit(
            disconnect_mailbox(
                engine, settings, mailbox, is_sure=yes, even_if_unreachable=even_if_unreachable, is_json=is_json
            )
        )


@app.command()
def identity(
    action: Annotated[str, typer.Argument(help="sync: compare people and memberships with Clerk's.")],
    *,
    is_json: JsonOption = False,
) -> None:
    """Bring people, organizations and memberships in step with the identity provider. A schedule does so each hour."""
    from rl_emails_assets.commands.identity_command import ACTIONS, sync
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported():
        _require_known("what is done with identities:", [action], ACTIONS)
        with opened(settings, "identity") as engine:
            sys.exit(sync(engine, settings, is_json=is_json))


@app.command()
def keys(
    action: Annotated[str, typer.Argument(help="list: the keys and what they encrypted. rotate: make a new one.")],
    *,
    is_json: JsonOption = False,
) -> None:
    """Show the keys that encrypt tokens at rest, or put a new one in use while everything runs."""
    from rl_emails_assets.commands.keys import ACTIONS, list_keys, rotate_keys
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported():
        _require_known("what is done with the keys:", [action], ACTIONS)
        with opened(settings, "keys") as engine:
            run_keys = rotate_keys if action == "rotate" else list_keys
            sys.exit(run_keys(engine, settings, is_json=is_json))


@app.command()
def backfill(
    mailbox: MailboxOption = None,
    *,
    since: Moment = None,
    until: Moment = None,
    force: Annotated[
        bool, typer.Option(help="Compute again what is up to date; the default for a range of dates.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    is_json: JsonOption = False,
) -> None:
    """Compute a mailbox again from its stored bytes: what is pending, or a range of dates, or (--force) everything."""
    from rl_emails_assets.commands.backfill import backfill as run_backfill
    from rl_emails_assets.commands.opened import opened

    settings = Settings()
    with reported(), opened(settings, "backfill") as engine:
        sys.exit(
            run_backfill(
                engine,
                settings,
                mailbox,
                since=_utc(since),
                until=_utc(until),
                force=force or since is not None or until is not None,
                is_quiet=quiet or is_json,
                is_json=is_json,
            )
        )


@app.command()
def opinions(
    *,
    mailbox: MailboxOption = None,
    since: Moment = None,
    until: Moment = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask; without it the cost is estimated and nothing is sent.")
    ] = False,
    is_json: JsonOption = False,
) -> None:
    """Estimate what a language model would cost where the offline engine is unsure, and ask it."""
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.opinions import opinions as run_opinions

    settings = Settings()
    with reported(), opened(settings, "opinions") as engine:
        sys.exit(
            run_opinions(
                engine,
                settings,
                mailbox,
                since=_utc(since),
                until=_utc(until),
                is_asked=yes,
                is_json=is_json,
            )
        )


@app.command()
def status(*, is_json: JsonOption = False) -> None:
    """Say how fresh and how complete every mailbox is, what waits, and every gap with its reason."""
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.show import show_status

    with reported(), opened(Settings(), "status") as engine:
        show_status(engine, is_json=is_json)


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(help="One RFC 822 message; - reads standard input.")],
    *,
    is_json: JsonOption = False,
) -> None:
    """Show what the parser sees in one message."""
    from rl_emails_assets.commands.parse_file import parse_file

    with reported():
        parse_file(file, is_json=is_json)


@app.command()
def inbox(
    mailbox: MailboxOption = None,
    *,
    limit: Annotated[int, typer.Option(min=0, help="How many; 0 for all.")] = 50,
    unread: Annotated[bool, typer.Option("--unread", help="Only unread mail.")] = False,
    category: Annotated[list[str] | None, typer.Option(help=f"Only: {', '.join(CATEGORIES)}.")] = None,
    needs: Annotated[list[str] | None, typer.Option(help=f"Only: {', '.join(NEEDS)}.")] = None,
    since: Moment = None,
    until: Moment = None,
    is_json: JsonOption = False,
) -> None:
    """Print the inbox in order of priority, with the first reason for each place."""
    from rl_emails_api.inbox.queries import Filters
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.show import show_inbox

    with reported():
        _require_known("--category", category, CATEGORIES)
        _require_known("--needs", needs, NEEDS)
        filters = Filters(
            unread=True if unread else None,
            categories=tuple(category or ()),
            needs=tuple(needs or ()),
            since=_utc(since),
            until=_utc(until),
        )
        with opened(Settings(), "inbox") as engine:
            show_inbox(engine, mailbox, filters, limit=limit, is_json=is_json)


@app.command()
def explain(
    message: Annotated[str, typer.Argument(help="A message's id, or its Message-ID.")], *, is_json: JsonOption = False
) -> None:
    """Show the record of what was decided about a message, and from what."""
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.show import explain as run_explain

    with reported(), opened(Settings(), "explain") as engine:
        run_explain(engine, message, is_json=is_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words or a sentence.")],
    mailbox: MailboxOption = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    is_json: JsonOption = False,
) -> None:
    """Find messages by their words and by their meaning."""
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.show import show_search

    settings = Settings()
    with reported(), opened(settings, "search") as engine:
        show_search(engine, settings, query, mailbox, limit=limit, is_json=is_json)


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="messages; or mailbox or person: everything, as a zip file.")],
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="The mailbox's, or the person's. Not for messages.")
    ] = None,
    mailbox: MailboxOption = None,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The zip file to make, of a mailbox or a person.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="jsonl: one JSON object a line, of messages.")] = "jsonl",
    copies: Annotated[bool, typer.Option(help="Also folder copies, each with the verdict of its original.")] = False,
    is_json: JsonOption = False,
) -> None:
    """Write every message of a mailbox, with what was decided about it, to standard output; or everything to a file."""
    from rl_emails_assets.commands.opened import opened
    from rl_emails_assets.commands.show import export as run_export

    with reported():
        _require_known("what is exported:", [what], ("messages", "mailbox", "person"))
        _require_known("--format", [format_], ("jsonl",))
        if what == "messages":
            with opened(Settings(), "export") as engine:
                run_export(engine, mailbox, with_copies=copies)
            return
        if address is None or out is None:
            _usage(f"Whose? Say `rl-emails export {what} ADDRESS --out FILE`.")
        from rl_emails_assets.commands.export_archive import export_archive

        with opened(Settings(), "export") as engine:
            sys.exit(export_archive(engine, what, address, mailbox_name=mailbox, out=out, is_json=is_json))


@app.command()
def queue(
    action: Annotated[
        str, typer.Argument(help="list: what waits, runs and was given up. redrive: try what was given up again.")
    ] = "list",
    request_id: Annotated[str | None, typer.Argument(metavar="ID", help="For redrive: which one.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="For redrive: all that were given up.")] = False,
    mailbox: MailboxOption = None,
    is_json: JsonOption = False,
) -> None:
    """Show the queue of sync requests, why some were given up and what to do, and try those again."""
    from rl_emails_assets.commands import queue as commands
    from rl_emails_assets.commands.opened import opened

    with reported():
        _require_known("the action", [action], ("list", "redrive"))
        if action == "redrive" and (request_id is None) != everything:
            _usage("redrive takes the ID of one that was given up, or --all.")
        with opened(Settings(), "queue") as engine:
            if action == "redrive":
                commands.redrive(engine, request_id, everything=everything, mailbox_name=mailbox)
            else:
                commands.list_queue(engine, is_json=is_json)


@app.command("eval")
def eval_(
    data: Annotated[Path, typer.Option(help="The folder with mailboxes/, labelled/, dates/ and replies/.")],
    *,
    only: Annotated[str, typer.Option(metavar="KEY,...", help="Only these sections, by comma.")] = "",
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("evaluation"),
    seed: Annotated[int, typer.Option(min=0, help="Of every split and resampling.")] = SEED,
    is_json: JsonOption = False,
) -> None:
    """Measure every engine on labelled mail, and write figures, intervals, baselines and plots as a report."""
    from rl_emails_assets.commands.evaluate import evaluate
    from rl_emails_assets.evaluation.sections import KEYS

    keys = tuple(key.strip() for key in only.split(",") if key.strip()) or KEYS
    with reported():
        _require_known("--only", list(keys), KEYS)
        sys.exit(evaluate(data, keys, out, seed=seed, is_json=is_json))


@app.command()
def doctor(*, is_json: JsonOption = False) -> None:
    """Look for what is wrong with this installation, and say how to mend it."""
    from rl_emails_assets.commands.doctor import doctor as run_doctor

    with reported():
        sys.exit(run_doctor(Settings(), is_json=is_json))


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _require_address(address: str) -> None:
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in address.strip()):
        _usage(f"--mailbox {address!r} is not an address. Write it as name@example.org.")


def _require_known(option: str, values: list[str] | None, known: tuple[str, ...]) -> None:
    for value in values or []:
        if value not in known:
            _usage(f"{option} {value!r} is none of {', '.join(known)}.")


def _usage(message: str) -> NoReturn:
    console(is_error=True).print(f"error: {message}", markup=False)
    sys.exit(ExitCode.USAGE)


def main() -> None:
    """The entry point."""
    try:
        app()
    except ValueError as error:
        # What pydantic says of a setting names the setting and what is wrong with it.
        _usage(str(SettingsError(str(error))))
