"""Small mailboxes to break things with, and the tables as they look to anyone but a clock."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from sqlalchemy import Engine, Text, cast, select

from rl_emails_assets.db.schema import metadata

OWNER = "owner@example.org"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

# What differs between two histories that ended in the same state: who wrote a row, when, and in which order.
VOLATILE = {
    "run_id",
    "computed_at",
    "stored_at",
    "added_at",
    "seq",
    "created_at",
    "updated_at",
    "synced_at",
    "materialized_at",
    "current_as_of",
    "first_seen_at",
    "last_seen_at",
    "started_at",
    "attempts",
    "is_stale",
    # Of the pass that ended last, which is a new one after a crash that came later than the reading.
    "imported_count",
    "duplicate_count",
}
# What was asked for, and what changed on the way: two histories that end alike have not had the same.
UNCOMPARED_TABLES = {"sync_queue.requests", "sync_queue.ended_requests", "app.changes"}


def mail(
    index: int,
    sender: str,
    *,
    to: str = OWNER,
    subject: str = "",
    body: str = "",
    hours: float = 0,
    in_reply_to: int | None = None,
    references: str = "",
) -> bytes:
    """One message, number `index`, written `hours` after START."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject or f"Subject {index}"
    message["Date"] = format_datetime(START + timedelta(hours=hours or index))
    message["Message-ID"] = f"<m{index}@example.org>"
    if in_reply_to is not None:
        message["In-Reply-To"] = f"<m{in_reply_to}@example.org>"
    if references:
        message["References"] = references
    message.set_content(body or f"This is what message {index} says.\n")
    return message.as_bytes()


def conversation() -> list[bytes]:
    """Thirty messages over a month: threads with answers, requests with deadlines, and a newsletter."""
    messages: list[bytes] = []
    for week in range(6):
        base = week * 5
        at = week * 100.0
        messages += [
            mail(base, "Ada <ada@one.example>", subject=f"Plan {week}", hours=at + 1, body="Can you send me the plan?"),
            mail(base + 1, OWNER, to="ada@one.example", subject=f"Re: Plan {week}", hours=at + 3, in_reply_to=base,
                 body="I will send it by Friday.\n"),
            mail(base + 2, "Ada <ada@one.example>", subject=f"Re: Plan {week}", hours=at + 4, in_reply_to=base + 1,
                 body="Thank you. Please review the numbers by Thursday noon."),
            mail(base + 3, "Bo <bo@two.example>", subject=f"Numbers {week}", hours=at + 9, body="Is the budget final?"),
            mail(base + 4, "News <news@three.example>", subject="Weekly news", hours=at + 20, body=f"Issue {week}."),
        ]  # fmt: skip
    return messages


def state(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every table's rows without what is volatile, in the order of their values."""
    found: dict[str, list[dict[str, Any]]] = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            name = f"{table.schema}.{table.name}"
            if name in UNCOMPARED_TABLES:
                continue
            columns = [
                cast(column, Text).label("vector") if column.name == "vector" else column
                for column in table.c
                if column.name not in VOLATILE
            ]
            rows = [dict(row) for row in connection.execute(select(*columns)).mappings()]
            found[name] = sorted(rows, key=repr)
    return _with_plain_ids(found)


def _with_plain_ids(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The ids of projects and people, which last over regroupings and so depend on what was there before, replaced by
    what the groups hold now: two histories that end in the same groups compare equal."""
    first_thread: dict[Any, str] = {}
    for row in found["entities.project_threads"]:
        known = first_thread.get(row["project_id"])
        thread = str(row["thread_id"])
        first_thread[row["project_id"]] = thread if known is None else min(known, thread)
    for name in ("entities.projects", "entities.project_threads"):
        rows = [row | {"project_id": first_thread[row["project_id"]]} for row in found[name]]
        found[name] = sorted(rows, key=repr)
    people = [row | {"person_id": min(row["addresses"])} for row in found["entities.people"]]
    found["entities.people"] = sorted(people, key=repr)
    return found
