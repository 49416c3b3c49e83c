"""SQL of the inbox.

The page of ids is found first, by the index of the order asked for; everything else is read for those ids only, so the
cost of a page does not grow with the mailbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from rl_emails_api.collaboration.queries import assigned_threads, assigned_to
from rl_emails_api.visibility import HIDDEN_LABELS, has_label, is_from_owner
from rl_emails_assets.db.tables import app, classifications, entities, mail, priorities, raw

State = Literal["open", "done", "snoozed", "all"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the inbox is asked for; None and () mean everything."""

    state: State = "open"
    unread: bool | None = None
    categories: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    assigned: UUID | Literal["nobody"] | None = None
    since: datetime | None = None
    until: datetime | None = None


PriorityKey = tuple[float, datetime, UUID]
DateKey = tuple[datetime, UUID]


def by_priority(
    connection: Connection, mailbox_id: UUID, filters: Filters, after: PriorityKey | None, limit: int
) -> Sequence[RowMapping]:
    """Ranked messages, strictly by score, then newest, then id, all descending."""
    message, ranked = mail.messages.alias("m"), priorities.messages.alias("p")
    statement = (
        select(ranked.c.message_id, ranked.c.score, ranked.c.received_at)
        .select_from(ranked.join(message, message.c.message_id == ranked.c.message_id))
        .where(ranked.c.mailbox_id == mailbox_id)
        .order_by(ranked.c.score.desc(), ranked.c.received_at.desc(), ranked.c.message_id.desc())
        .limit(limit)
    )
    if after is not None:
        key = tuple_(ranked.c.score, ranked.c.received_at, ranked.c.message_id)
        statement = statement.where(key < tuple_(*after))
    if filters.since is not None:
        statement = statement.where(ranked.c.received_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(ranked.c.received_at < filters.until)
    page = _filtered(statement, message, mailbox_id, filters).subquery("page")
    order = (page.c.score.desc(), page.c.received_at.desc(), page.c.message_id.desc())
    return connection.execute(_items(page, mailbox_id).order_by(*order)).mappings().all()


def by_date(
    connection: Connection, mailbox_id: UUID, filters: Filters, after: DateKey | None, limit: int
) -> Sequence[RowMapping]:
    """Parsed messages, ranked or not, newest first; equal times by ascending id, as the index has them."""
    message = mail.messages.alias("m")
    statement = (
        select(message.c.message_id, message.c.received_at)
        .where(message.c.mailbox_id == mailbox_id)
        .order_by(message.c.received_at.desc(), message.c.message_id)
        .limit(limit)
    )
    if after is not None:
        received_at, message_id = after
        statement = statement.where(
            message.c.received_at <= received_at,
            or_(message.c.received_at < received_at, message.c.message_id > message_id),
        )
    if filters.since is not None:
        statement = statement.where(message.c.received_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(message.c.received_at < filters.until)
    page = _filtered(statement, message, mailbox_id, filters).subquery("page")
    return (
        connection.execute(_items(page, mailbox_id).order_by(page.c.received_at.desc(), page.c.message_id))
        .mappings()
        .all()
    )


def _filtered(statement: Select[Any], message: Any, mailbox_id: UUID, filters: Filters) -> Select[Any]:
    statement = statement.where(
        message.c.mailbox_id == mailbox_id,
        message.c.duplicate_of.is_(None),
        ~is_from_owner(message, mailbox_id),
        ~has_label(message, mailbox_id, HIDDEN_LABELS),
    )
    if filters.state != "all":
        statement = statement.where(_is_in_state(message, mailbox_id, filters.state))
    if filters.unread is not None:
        unread = _is_unread(message, mailbox_id)
        statement = statement.where(unread if filters.unread else ~unread)
    if filters.assigned == "nobody":
        statement = statement.where(message.c.thread_id.not_in(assigned_threads(mailbox_id, None)))
    elif filters.assigned is not None:
        statement = statement.where(message.c.thread_id.in_(assigned_threads(mailbox_id, filters.assigned)))
    verdict = classifications.messages
    if filters.needs:
        statement = statement.where(
            exists().where(
                verdict.c.message_id == message.c.message_id,
                verdict.c.mailbox_id == mailbox_id,
                verdict.c.needs.in_(filters.needs),
            )
        )
    if filters.categories:
        # The owner's word wins over the verdict's: who files a message under receipts looks for it there. As a list of
        # ids, so that a rare category is read first instead of walking the whole inbox for it.
        corrected = _corrected("category", mailbox_id)
        statement = statement.where(
            message.c.message_id.in_(
                union_all(
                    select(verdict.c.message_id).where(
                        verdict.c.mailbox_id == mailbox_id,
                        verdict.c.category.in_(filters.categories),
                        verdict.c.message_id.not_in(select(corrected.c.message_id)),
                    ),
                    select(corrected.c.message_id).where(corrected.c.value.in_(filters.categories)),
                )
            )
        )
    return statement


def _is_unread(message: Any, mailbox_id: UUID) -> ColumnElement[bool]:
    state = app.message_states.alias()
    opened = exists().where(
        state.c.message_id == message.c.message_id, state.c.mailbox_id == mailbox_id, state.c.read_at.is_not(None)
    )
    return and_(has_label(message, mailbox_id, ("UNREAD",)), ~opened)


def _is_in_state(message: Any, mailbox_id: UUID, wanted: State) -> ColumnElement[bool]:
    """Done, snoozed, or open: neither of the two. A snooze that has passed is none."""
    state = app.message_states.alias()
    is_snoozed = state.c.snoozed_until > func.now()
    condition = {
        "open": or_(state.c.done_at.is_not(None), is_snoozed),
        "done": state.c.done_at.is_not(None),
        "snoozed": and_(state.c.done_at.is_(None), is_snoozed),
    }[wanted]
    found = exists().where(state.c.message_id == message.c.message_id, state.c.mailbox_id == mailbox_id, condition)
    return ~found if wanted == "open" else found


def _corrected(kind: str, mailbox_id: UUID) -> Subquery:
    table = app.feedback.alias()
    return (
        select(table.c.message_id, table.c.value)
        .ext(distinct_on(table.c.message_id))
        .where(table.c.mailbox_id == mailbox_id, table.c.kind == kind)
        .order_by(table.c.message_id, table.c.created_at.desc(), table.c.feedback_id)
        .subquery()
    )


def _items(page: Subquery, mailbox_id: UUID) -> Select[Any]:
    message, ranked = mail.messages.alias("m"), priorities.messages.alias("p")
    verdict, label = classifications.messages.alias("c"), raw.labels.alias("l")
    task, status, feedback = entities.tasks.alias("t"), app.task_states.alias("ts"), app.feedback.alias("f")
    progress, state = entities.task_progress.alias("tp"), app.message_states.alias("s")
    closed = case((progress.c.state == "closed", "done"), else_="open")
    labels = (
        select(func.array_agg(aggregate_order_by(label.c.label, label.c.label)))
        .where(label.c.message_id == page.c.message_id, label.c.mailbox_id == mailbox_id)
        .scalar_subquery()
    )
    open_tasks = (
        select(func.count())
        .select_from(
            task.outerjoin(status, status.c.task_id == task.c.task_id).outerjoin(
                progress, progress.c.task_id == task.c.task_id
            )
        )
        .where(
            task.c.message_id == page.c.message_id,
            task.c.mailbox_id == mailbox_id,
            task.c.kind != "question",
            func.coalesce(status.c.status, closed) == "open",
        )
        .scalar_subquery()
    )

    def correction(kind: str) -> Any:
        return (
            select(feedback.c.value)
            .where(
                feedback.c.message_id == page.c.message_id,
                feedback.c.mailbox_id == mailbox_id,
                feedback.c.kind == kind,
            )
            .order_by(feedback.c.created_at.desc(), feedback.c.feedback_id)
            .limit(1)
            .scalar_subquery()
        )

    return (
        select(
            message.c.message_id,
            message.c.thread_id,
            message.c.from_name,
            message.c.from_address,
            message.c.subject,
            message.c.snippet,
            message.c.received_at,
            _is_unread(page, mailbox_id).label("is_unread"),
            func.coalesce(labels, text("'{}'::text[]")).label("labels"),
            verdict.c.category,
            verdict.c.needs,
            verdict.c.urgency,
            ranked.c.score.label("priority"),
            func.coalesce(ranked.c.reasons, text("'{}'::text[]")).label("reasons"),
            open_tasks.label("task_count"),
            func.jsonb_path_exists(message.c.attachments, text("'$[*] ? (@.is_inline == false)'")).label(
                "has_attachments"
            ),
            correction("importance").label("corrected_importance"),
            correction("category").label("corrected_category"),
            assigned_to(message, mailbox_id).label("assigned_to"),
            state.c.done_at.is_not(None).label("is_done"),
            state.c.starred_at.is_not(None).label("is_starred"),
            case((state.c.snoozed_until > func.now(), state.c.snoozed_until)).label("snoozed_until"),
        )
        .select_from(
            page.join(message, message.c.message_id == page.c.message_id)
            .outerjoin(state, state.c.message_id == page.c.message_id)
            .outerjoin(ranked, ranked.c.message_id == page.c.message_id)
            .outerjoin(verdict, verdict.c.message_id == page.c.message_id)
        )
        .where(message.c.mailbox_id == mailbox_id)
    )


# Stored, and not yet in the inbox: not parsed yet, or parsed, the owner's to see, and not ranked yet.
_PENDING = text(
    """
    with unranked as materialized (
        select message_id
        from raw.messages as stored
        where mailbox_id = :mailbox_id
            and not exists (
                select from priorities.messages as ranked
                where ranked.message_id = stored.message_id and ranked.mailbox_id = :mailbox_id
            )
    )
    select count(*)
    from unranked
    left join mail.messages as message
        on message.message_id = unranked.message_id and message.mailbox_id = :mailbox_id
    where
        message.duplicate_of is null
        and not exists (
            select from raw.labels as label
            where label.message_id = unranked.message_id
                and label.mailbox_id = :mailbox_id
                and label.label = any(:hidden_labels)
        )
        and (
            message.message_id is null
            or message.from_address not in (
                select address from mailboxes.aliases where mailbox_id = :mailbox_id
                union all
                select address from mailboxes.connections where mailbox_id = :mailbox_id
            )
        )
    """
)


def pending_count(connection: Connection, mailbox_id: UUID) -> int:
    """Messages that will enter the inbox once they are ranked."""
    count: int = connection.execute(
        _PENDING, {"mailbox_id": mailbox_id, "hidden_labels": list(HIDDEN_LABELS)}
    ).scalar_one()
    return count
