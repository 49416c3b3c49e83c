"""SQL about conversations."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, func, select

from rl_emails_api.collaboration.queries import assigned_to
from rl_emails_api.visibility import has_label, is_from_owner
from rl_emails_assets.db.tables import app, classifications, entities, mail, priorities

MAX_MESSAGES = 200
MAX_TEXT_CHARACTERS = 20_000


def by_id(connection: Connection, mailbox_id: UUID, thread_id: UUID) -> RowMapping | None:
    """The conversation with its score and project."""
    thread, ranked = mail.threads, priorities.threads
    member, project = entities.project_threads, entities.projects
    return (
        connection.execute(
            select(
                thread.c.thread_id,
                thread.c.subject,
                thread.c.message_count,
                thread.c.participants,
                thread.c.first_at,
                thread.c.last_at,
                ranked.c.score.label("priority"),
                project.c.project_id,
                project.c.name.label("project_name"),
                assigned_to(thread, mailbox_id).label("assigned_to"),
            )
            .select_from(
                thread.outerjoin(ranked, ranked.c.thread_id == thread.c.thread_id)
                .outerjoin(member, member.c.thread_id == thread.c.thread_id)
                .outerjoin(project, project.c.project_id == member.c.project_id)
            )
            .where(thread.c.thread_id == thread_id, thread.c.mailbox_id == mailbox_id)
        )
        .mappings()
        .one_or_none()
    )


def messages(connection: Connection, mailbox_id: UUID, thread_id: UUID) -> Sequence[RowMapping]:
    """Its latest messages, oldest of them first, without folder copies; long texts cut."""
    message, verdict, ranked = mail.messages, classifications.messages, priorities.messages
    state = app.message_states
    latest = (
        select(
            message.c.message_id,
            message.c.from_name,
            message.c.from_address,
            message.c.to,
            message.c.cc,
            message.c.subject,
            message.c.snippet,
            message.c.received_at,
            func.left(message.c.new_text, MAX_TEXT_CHARACTERS).label("new_text"),
            (func.length(message.c.new_text) > MAX_TEXT_CHARACTERS).label("is_cut"),
            is_from_owner(message, mailbox_id).label("is_from_owner"),
            and_(has_label(message, mailbox_id, ("UNREAD",)), state.c.read_at.is_(None)).label("is_unread"),
            verdict.c.category,
            verdict.c.needs,
            ranked.c.score.label("priority"),
        )
        .select_from(
            message.outerjoin(verdict, verdict.c.message_id == message.c.message_id)
            .outerjoin(ranked, ranked.c.message_id == message.c.message_id)
            .outerjoin(state, state.c.message_id == message.c.message_id)
        )
        .where(message.c.thread_id == thread_id, message.c.mailbox_id == mailbox_id, message.c.duplicate_of.is_(None))
        .order_by(message.c.received_at.desc(), message.c.message_id.desc())
        .limit(MAX_MESSAGES)
    )
    return list(reversed(connection.execute(latest).mappings().all()))
