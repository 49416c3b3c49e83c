"""The commands that show what is stored: inbox, explain, search, export, status. They read as the API does."""

import json
import sys
import uuid
from datetime import datetime
from typing import Any

from rich.table import Table
from sqlalchemy import Connection, Engine, text

from rl_emails_api.admin import queries as figures
from rl_emails_api.admin.live_queries import gaps as all_gaps
from rl_emails_api.inbox import queries as inbox
from rl_emails_api.mailboxes.queries import standings
from rl_emails_api.messages import queries as messages
from rl_emails_api.search import searching
from rl_emails_api.search.query_encoder import QueryEncoder
from rl_emails_api.search.schemas import Found
from rl_emails_assets.commands.output import console, plain, print_json, shown
from rl_emails_assets.db.export import exported_messages
from rl_emails_assets.db.mailbox_rows import Mailbox, find_mailbox
from rl_emails_assets.embedding.load import load_encoder
from rl_emails_assets.errors import NotFoundError
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import queue

PAGE = 500
SHOWN_GAPS = 20
"""Gaps of one mailbox that are printed for people; `--json` has all."""


def show_inbox(engine: Engine, mailbox_name: str | None, filters: inbox.Filters, *, limit: int, is_json: bool) -> None:
    """The inbox by priority, `limit` messages of it (0: all)."""
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        items = _inbox_items(connection, mailbox, filters, limit)
        pending = inbox.pending_count(connection, mailbox.mailbox_id)
    if is_json:
        print_json({"mailbox": mailbox.address, "pending_count": pending, "items": items})
        return
    table = Table(box=None, pad_edge=False)
    for name, ratio in (("priority", None), ("received", None), ("from", 3), ("subject", 6), ("what", 3), ("why", 5)):
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=ratio)
    for item in items:
        table.add_row(
            f"{item['priority']:.2f}",
            f"{item['received_at']:%Y-%m-%d %H:%M}",
            shown(item["from_name"] or item["from_address"]),
            shown(item["subject"]) or "(no subject)",
            f"{item['category']}, {item['needs']}",
            shown((item["reasons"] or [""])[0]),
        )
    console().print(table)
    if pending:
        console().print(f"{pending} messages are stored and not ranked yet; `rl-emails backfill` ranks them.")


def _inbox_items(connection: Connection, mailbox: Mailbox, filters: inbox.Filters, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: inbox.PriorityKey | None = None
    while limit == 0 or len(items) < limit:
        size = PAGE if limit == 0 else min(PAGE, limit - len(items))
        page = inbox.by_priority(connection, mailbox.mailbox_id, filters, after, size)
        items += [dict(row) for row in page]
        if len(page) < size:
            break
        last = page[-1]
        after = (last["priority"], last["received_at"], last["message_id"])
    return items


def explain(engine: Engine, name: str, *, is_json: bool) -> None:
    """The record of what was decided about a message, named by its id or its Message-ID."""
    with engine.connect() as connection:
        mailbox_id, message_id, subject = _find_message(connection, name)
        record: dict[str, Any] = {
            "message_id": message_id,
            "mailbox_id": mailbox_id,
            "subject": subject,
            **messages.recorded(connection, mailbox_id, message_id),
            "tasks": [dict(task) for task in messages.recorded_tasks(connection, mailbox_id, message_id)],
        }
    if is_json:
        print_json(_readable(record))
        return
    out = console()
    out.print(f"[bold]{shown(subject) or '(no subject)'}[/]  {message_id}")
    verdict, priority = record["verdict"], record["priority"]
    if verdict is not None:
        out.print(
            f"\n[bold]{verdict['category']}[/], needs [bold]{verdict['needs']}[/], {verdict['urgency']}, "
            f"for {verdict['handler']} (confidence {verdict['confidence']:.2f})"
        )
        for evidence in verdict["evidence"]:
            out.print(f"  {evidence['supports']:<9} {evidence['source']:<8} {shown(evidence['quote'])}")
        out.print(f"  decided by {verdict['model_version']}, version {verdict['version']}, run {verdict['run_id']}")
    if priority is not None:
        out.print(f"\npriority [bold]{priority['score']:.3f}[/]")
        for reason in priority["reasons"]:
            out.print(f"  {shown(reason)}")
        if priority["reasons_against"]:
            out.print("  why not higher:")
        for reason in priority["reasons_against"]:
            out.print(f"    {shown(reason)}")
        out.print(f"  {priority['base_log_odds']:+8.3f}  where every message starts (log odds)")
        for part in priority["contributions"]:
            if abs(part["log_odds"]) >= 0.0005:
                out.print(f"  {part['log_odds']:+8.3f}  {part['feature']} = {shown(str(part['value']))}")
        out.print(f"  decided by {priority['model_version']}, version {priority['version']}, run {priority['run_id']}")
    for task in record["tasks"]:
        by = f", by {task['deadline_at']:%Y-%m-%d %H:%M %Z}" if task["deadline_at"] else ""
        out.print(f"\ntask for {task['owner']}{by}: {shown(task['description'])}\n  “{shown(task['evidence'])}”")
    if verdict is None and priority is None:
        out.print("Nothing was decided yet; `rl-emails backfill` does it.")


def _find_message(connection: Connection, name: str) -> tuple[uuid.UUID, uuid.UUID, str]:
    query = text(
        "select mailbox_id, coalesce(duplicate_of, message_id), subject from mail.messages "
        "where message_id::text = :name or rfc822_message_id = :rfc822 order by duplicate_of nulls first, message_id"
    )
    row = connection.execute(query, {"name": name.lower(), "rfc822": name.strip("<> ")}).first()
    if row is None:
        raise NotFoundError(
            f"No message is called {name!r}. Name one by its id or its Message-ID; `rl-emails inbox --json` shows both."
        )
    return row[0], row[1], row[2]


def _readable(record: dict[str, Any]) -> dict[str, Any]:
    """Hashes as hexadecimal."""
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(record, default=lambda value: bytes(value).hex() if isinstance(value, bytes) else plain(value))
    )


def show_search(
    engine: Engine, settings: Settings, query: str, mailbox_name: str | None, *, limit: int, is_json: bool
) -> None:
    """Messages by words and meaning."""
    encoder = QueryEncoder(lambda: load_encoder(settings.encoder, settings.models_dir))
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
        found = searching.answer(connection, mailbox.mailbox_id, query, encoder, limit=limit)
    items = [_flat(item) for item in found.items]
    if is_json:
        print_json(
            {
                "mailbox": mailbox.address,
                "query": query,
                "words_only": encoder.why_not or None,
                "notes": found.notes,
                "items": items,
            }
        )
        return
    out = console()
    for note in found.notes:
        out.print(f"[dim]{shown(note)}[/]")
    for item in items:
        who = item["from_name"] or item["from_address"]
        out.print(f"{item['received_at']:%Y-%m-%d}  [bold]{shown(item['subject'])}[/]  {shown(who)}")
        out.print(f"            {shown(item['snippet'])}")
    if not items:
        out.print("Nothing found.")


def _flat(item: Found) -> dict[str, Any]:
    """A match as one level of values."""
    row = item.model_dump(exclude={"from_", "snippet"})
    return row | {"from_name": item.from_.name, "from_address": item.from_.address, "snippet": item.snippet.text}


def export(engine: Engine, mailbox_name: str | None, *, with_copies: bool) -> None:
    """Every message of a mailbox as a line of JSON."""
    with engine.connect() as connection:
        mailbox = find_mailbox(connection, mailbox_name)
    for item in exported_messages(engine, mailbox, with_copies=with_copies):
        sys.stdout.write(json.dumps(item, ensure_ascii=False, default=plain) + "\n")


def show_status(engine: Engine, *, is_json: bool) -> None:
    """How fresh and how complete every mailbox is, and what waits."""
    with engine.connect() as connection:
        counted = {row["mailbox_id"]: dict(row) for row in figures.counts(connection)}
        waiting = {row["mailbox_id"]: row["pending_count"] for row in figures.pending(connection)}
        mailboxes = [
            {**row, **counted[row["mailbox_id"]], "pending_count": waiting.get(row["mailbox_id"], 0)}
            for row in standings(connection)
        ]
        states = queue.summary(connection)
        gaps = [dict(row) for row in all_gaps(connection, most=2**31 - 1 if is_json else SHOWN_GAPS)]
    if is_json:
        queued = {item.state: {"count": item.request_count, "oldest_at": item.oldest_at} for item in states}
        print_json({"mailboxes": mailboxes, "queue": queued, "gaps": gaps})
        return
    out = console()
    table = Table(box=None, pad_edge=False)
    for name in (
        "mailbox",
        "state",
        "to fetch",
        "stored",
        "copies",
        "ranked",
        "pending",
        "gaps",
        "synced",
        "ranked at",
    ):
        table.add_column(name)
    for mailbox in mailboxes:
        table.add_row(
            shown(mailbox["address"]),
            mailbox["state"].replace("_", " "),
            *(str(mailbox[f"{name}_count"]) for name in ("backlog", "stored", "duplicate", "ranked", "pending", "gap")),
            _moment(mailbox["synced_at"]),
            _moment(mailbox["materialized_at"]),
        )
    out.print(table if mailboxes else "No mailbox is connected; `rl-emails import PATH --mailbox ADDRESS` makes one.")
    for item in states:
        out.print(f"queue: {item.request_count} {item.state}, the oldest since {_moment(item.oldest_at)}")
    for gap in gaps:
        out.print(f"gap: {shown(gap['provider_message_id'])}: {shown(gap['reason'])} (tried {gap['attempts']}x)")


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
