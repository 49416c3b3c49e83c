"""`rl-emails queue`: what waits and runs, what was given up and why, and another try of it."""

import uuid
from dataclasses import asdict
from datetime import datetime

from rich.table import Table
from sqlalchemy import Engine

from rl_emails_assets.commands.output import console, print_json, shown
from rl_emails_assets.db.mailbox_rows import find_mailbox
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.sync_queue import dead_letters, queue


def list_queue(engine: Engine, *, is_json: bool) -> None:
    """What waits, what runs, and the dead letters with their reasons and what to do about each."""
    with engine.connect() as connection:
        live = queue.live(connection)
        letters = dead_letters.dead_letters(connection)
    if is_json:
        given_up = [{**asdict(letter), "next_step": letter.next_step} for letter in letters]
        print_json({"requests": [asdict(item) for item in live], "dead_letters": given_up})
        return
    out = console()
    if live:
        table = Table(box=None, pad_edge=False)
        for name in ("mailbox", "kind", "asked by", "state", "tries", "since", "next", "why not yet"):
            table.add_column(name)
        for item in live:
            is_running = item.state == "doing"
            table.add_row(
                shown(item.address),
                item.kind,
                item.asked_by,
                "runs" if is_running else "waits",
                str(item.attempts),
                _moment(item.created_at),
                f"run {item.run_id}" if is_running else _moment(item.run_after),
                "" if is_running else shown(item.error or ""),
            )
        out.print(table)
    else:
        out.print("No sync request waits or runs.")
    for letter in letters:
        out.print(
            f"\ngiven up: [bold]{letter.request_id}[/], {letter.kind} of {shown(letter.address)}, asked by "
            f"{letter.asked_by} {_moment(letter.created_at)}, tried {letter.attempts}x, last by run {letter.run_id}"
        )
        out.print(f"  {shown(letter.error or 'It gave no reason.')}")
        out.print(f"  {letter.next_step}")
    if letters:
        out.print("\n`rl-emails queue redrive ID` tries one again, `--all` all of them.")


def redrive(engine: Engine, request_id: str | None, *, everything: bool, mailbox_name: str | None) -> None:
    """Try one dead letter again, or all there are (of one mailbox).

    Raises NotFoundError when there is no such dead letter, ReconnectNeededError when its mailbox is not connected.
    """
    with engine.begin() as connection:
        if everything:
            mailbox_id = None if mailbox_name is None else find_mailbox(connection, mailbox_name).mailbox_id
            waiting = dead_letters.redrive_all(connection, mailbox_id=mailbox_id)
            left = dead_letters.dead_letters(connection, mailbox_id=mailbox_id)
        else:
            waiting, left = [dead_letters.redrive(connection, _id(request_id or ""))], []
    out = console()
    for waiting_id in waiting:
        out.print(f"request {waiting_id} waits")
    for letter in left:
        out.print(f"left: {letter.request_id} of {shown(letter.address)}. {letter.next_step}")
    if everything and not waiting and not left:
        out.print("No sync request was given up.")


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFoundError(
            f"{text!r} is not the id of a dead letter. `rl-emails queue` shows those there are."
        ) from error


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
