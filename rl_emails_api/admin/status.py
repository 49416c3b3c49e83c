"""The status, put together from the rows of queries.py and live_queries.py."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping

from rl_emails_api.admin import live_queries
from rl_emails_api.admin.figures import FigureKeeper, Figures
from rl_emails_api.admin.schemas import (
    Cost,
    DeadLetter,
    Failure,
    Gap,
    MailboxStatus,
    Pushes,
    Queue,
    QueueState,
    Quota,
    Request,
    Run,
    Status,
    Upkeep,
    Watch,
    Worker,
)
from rl_emails_api.mailboxes import queries as mailboxes
from rl_emails_api.mailboxes.endpoints import freshness_of, open_notices
from rl_emails_api.run_links import RunLinks
from rl_emails_assets.settings import Settings
from rl_emails_assets.sync_queue import dead_letters, queue

SHOWN_GAPS = 20
"""Gaps of one mailbox in an answer; `rl-emails status --json` has all."""
SHOWN_DEAD_LETTERS = 20
SHOWN_COSTS = 60

_NONE_COUNTED = dict.fromkeys(
    ("stored_count", "parsed_count", "duplicate_count", "embedded_count", "classified_count", "ranked_count"), 0
)


def read_status(
    connection: Connection,
    settings: Settings,
    keeper: FigureKeeper,
    links: RunLinks,
    *,
    organization_id: UUID | None = None,
) -> Status:
    """The status now: of the organization whose administrator `connection` reads for, or of the whole installation."""
    figures = keeper.figures(connection, organization_id)
    pressure = live_queries.pressure(connection)
    return Status(
        version=version("rl-emails"),
        dagster_url=links.dagster_url,
        asked_at=pressure["asked_at"],
        counted_at=figures.counted_at,
        takes_pushes=settings.gmail_push_audience is not None and settings.gmail_push_service_account is not None,
        mailboxes=_mailboxes(connection, settings, figures, links),
        queue=_queue(connection, pressure, links),
        workers=[Worker(**row) for row in live_queries.workers(connection)],
        last_push_at=live_queries.last_push_at(connection),
        pushes=[Pushes(**row) for row in live_queries.pushes(connection)],
        upkeep=[Upkeep(**links.onto(dict(row)), state=upkeep_state(row)) for row in live_queries.upkeep(connection)],
        costs=[Cost(**row) for row in figures.costs[:SHOWN_COSTS]],
        runs=[Run(**links.onto(dict(row))) for row in figures.runs],
    )


def as_dead_letter(letter: dead_letters.DeadLetter, links: RunLinks) -> DeadLetter:
    """A dead letter with what to do about it, as it is answered."""
    return DeadLetter(**_only(DeadLetter, links.onto(asdict(letter))), next_step=letter.next_step)


def upkeep_state(row: RowMapping) -> str:
    """running, succeeded or failed."""
    if row["error"] is not None:
        return "failed"
    return "running" if row["finished_at"] is None else "succeeded"


def by_mailbox(rows: Iterable[RowMapping]) -> dict[UUID, Mapping[Any, Any]]:
    """The one row of each mailbox."""
    return {row["mailbox_id"]: row for row in rows}


def _queue(connection: Connection, pressure: RowMapping, links: RunLinks) -> Queue:
    states = queue.summary(connection)
    waiting = [state.oldest_at for state in states if state.state == "todo"]
    return Queue(
        states=[QueueState(**asdict(state)) for state in states],
        oldest_waiting_at=min(waiting, default=None),
        oldest_due_at=pressure["oldest_due_at"],
        lapsed_count=pressure["lapsed_count"],
        requests=[Request(**links.onto(dict(row))) for row in live_queries.requests(connection)],
        dead_letters=[
            as_dead_letter(letter, links) for letter in dead_letters.dead_letters(connection)[:SHOWN_DEAD_LETTERS]
        ],
    )


def _mailboxes(connection: Connection, settings: Settings, figures: Figures, links: RunLinks) -> list[MailboxStatus]:
    counts, pending = by_mailbox(figures.counts), by_mailbox(figures.pending)
    per_minute = settings.gmail_quota_units_per_minute
    quotas = by_mailbox(live_queries.quotas(connection, units_per_minute=per_minute))
    errors = by_mailbox(live_queries.errors(connection))
    notices = open_notices(connection)
    gaps: dict[UUID, list[Gap]] = {}
    for row in live_queries.gaps(connection, most=SHOWN_GAPS):
        gaps.setdefault(row["mailbox_id"], []).append(Gap(**_only(Gap, row)))
    costs: defaultdict[UUID, float] = defaultdict(float)
    for row in figures.costs:
        costs[row["mailbox_id"]] += float(row["cost_usd"])
    opinions: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for row in figures.opinions:
        opinions[row["mailbox_id"]][row["state"]] = row["row_count"]
    found: list[MailboxStatus] = []
    for row in mailboxes.standings(connection):
        mailbox_id = row["mailbox_id"]
        quota, error, waiting = quotas.get(mailbox_id), errors.get(mailbox_id), pending.get(mailbox_id, {})
        as_of = row["current_as_of"]
        told: dict[str, Any] = {
            **row,
            **counts.get(mailbox_id, _NONE_COUNTED),
            "pending_count": waiting.get("pending_count", 0),
            "oldest_pending_at": waiting.get("oldest_pending_at"),
            "freshness": freshness_of(row, settings),
            "current_age_seconds": None if as_of is None else (row["asked_at"] - as_of).total_seconds(),
            "watch": _watch(row) if row["has_watch"] else None,
            "quota": quota and Quota(**_only(Quota, quota), units_per_minute=per_minute),
            "failure": error and Failure(**_only(Failure, links.onto(dict(error)))),
            "cost_usd": costs[mailbox_id],
            "opinions": opinions[mailbox_id],
            "notices": notices.get(mailbox_id, []),
            "gaps": gaps.get(mailbox_id, []),
        }
        found.append(MailboxStatus(**_only(MailboxStatus, told)))
    return found


def _watch(row: RowMapping) -> Watch:
    expires_at = row["watch_expires_at"]
    return Watch(
        topic=row["topic"],
        expires_at=expires_at,
        seconds_left=None if expires_at is None else (expires_at - row["asked_at"]).total_seconds(),
        renewed_at=row["renewed_at"],
        last_push_at=row["last_push_at"],
        push_count=row["push_count"],
        error=row["watch_error"],
        error_at=row["watch_error_at"],
    )


def _only(model: type[BaseModel], row: Mapping[Any, Any]) -> dict[str, Any]:
    """What of the row the model has fields for."""
    return {name: row[name] for name in model.model_fields if name in row}
