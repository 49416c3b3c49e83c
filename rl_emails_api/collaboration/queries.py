"""SQL about assignments and notes. Row-level security shows those of mailboxes that the person may see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from rl_emails_assets.db.tables import collaboration, identity, mail, mailboxes

NoteKey = tuple[datetime, UUID]

_assigned, _notes = collaboration.thread_assignments, collaboration.thread_notes


def name_of(person: Any) -> ColumnElement[str]:
    """How colleagues call a person; `person` is identity.users, perhaps outer-joined."""
    return func.coalesce(func.nullif(person.c.display_name, ""), person.c.address, "")


def mailbox_of(connection: Connection, thread_id: UUID) -> UUID | None:
    """The mailbox of a conversation; None when there is no such conversation for this person."""
    threads = mail.threads.c
    found: UUID | None = connection.execute(
        select(threads.mailbox_id).where(threads.thread_id == thread_id)
    ).scalar_one_or_none()
    return found


def whose(connection: Connection, mailbox_id: UUID) -> RowMapping:
    """Organization, `is_shared` and owner of a mailbox; locked, so that it does not change hands meanwhile."""
    columns = mailboxes.connections.c
    return (
        connection.execute(
            select(columns.organization_id, columns.is_shared, columns.owner_user_id)
            .where(columns.mailbox_id == mailbox_id)
            .with_for_update(read=True)
        )
        .mappings()
        .one()
    )


def is_active_member(connection: Connection, organization_id: UUID, user_id: UUID) -> bool:
    """The person is a member of the organization and may sign in."""
    member, person = identity.memberships.c, identity.users.c
    found = connection.execute(
        select(member.user_id)
        .join_from(identity.memberships, identity.users, person.user_id == member.user_id)
        .where(
            member.organization_id == organization_id,
            member.user_id == user_id,
            person.deactivated_at.is_(None),
        )
    )
    return found.first() is not None


# -- assignments -------------------------------------------------------------------------------------------------------


def assignment(connection: Connection, mailbox_id: UUID, thread_id: UUID) -> RowMapping | None:
    """Who takes care of the conversation; None for nobody."""
    person = identity.users
    return (
        connection.execute(
            select(
                _assigned.c.user_id,
                name_of(person).label("display_name"),
                _assigned.c.assigned_by,
                _assigned.c.assigned_at,
            )
            .outerjoin_from(_assigned, person, person.c.user_id == _assigned.c.user_id)
            .where(_assigned.c.thread_id == thread_id, _assigned.c.mailbox_id == mailbox_id)
        )
        .mappings()
        .one_or_none()
    )


def assign(
    connection: Connection, mailbox_id: UUID, thread_id: UUID, *, user_id: UUID | None, was: UUID | None, by: UUID
) -> bool:
    """Give the conversation to `user_id`, provided that `was` has it; False, and nothing done, when somebody else has.

    One statement, so of two people who act at the same moment one is told.
    """
    columns = _assigned.c
    values = {"user_id": user_id, "assigned_by": by, "assigned_at": func.now()}
    is_as_seen = and_(columns.thread_id == thread_id, columns.mailbox_id == mailbox_id, columns.user_id == was)
    statement: Any
    if was is None:
        statement = upsert(_assigned).values(thread_id=thread_id, mailbox_id=mailbox_id, **values)
        statement = statement.on_conflict_do_nothing()
    elif user_id is None:
        statement = delete(_assigned).where(is_as_seen)
    else:
        statement = update(_assigned).where(is_as_seen).values(values)
    return connection.execute(statement.returning(columns.thread_id)).first() is not None


def assigned_to(thread: Any, mailbox_id: UUID) -> ScalarSelect[Any]:
    """`{user_id, display_name}` of who takes care of a conversation, or null; `thread` has a `thread_id`."""
    row, person = _assigned.alias(), identity.users.alias()
    return (
        select(func.jsonb_build_object("user_id", row.c.user_id, "display_name", name_of(person)))
        .outerjoin_from(row, person, person.c.user_id == row.c.user_id)
        .where(row.c.thread_id == thread.c.thread_id, row.c.mailbox_id == mailbox_id)
        .scalar_subquery()
    )


def assigned_threads(mailbox_id: UUID, user_id: UUID | None) -> Select[tuple[UUID]]:
    """The conversations of a mailbox that somebody takes care of: this person, or anybody."""
    row = _assigned.alias()
    statement = select(row.c.thread_id).where(row.c.mailbox_id == mailbox_id)
    return statement if user_id is None else statement.where(row.c.user_id == user_id)


# -- notes -------------------------------------------------------------------------------------------------------------


def notes(
    connection: Connection, mailbox_id: UUID, thread_id: UUID, *, after: NoteKey | None, limit: int
) -> Sequence[RowMapping]:
    """A conversation's notes, oldest first."""
    statement = _listing().where(_notes.c.mailbox_id == mailbox_id, _notes.c.thread_id == thread_id)
    if after is not None:
        statement = statement.where(tuple_(_notes.c.created_at, _notes.c.note_id) > tuple_(*after))
    return connection.execute(statement.order_by(_notes.c.created_at, _notes.c.note_id).limit(limit)).mappings().all()


def latest_notes(connection: Connection, mailbox_id: UUID, thread_id: UUID, *, limit: int) -> Sequence[RowMapping]:
    """The latest of them, oldest first."""
    statement = _listing().where(_notes.c.mailbox_id == mailbox_id, _notes.c.thread_id == thread_id)
    statement = statement.order_by(_notes.c.created_at.desc(), _notes.c.note_id.desc()).limit(limit)
    return list(reversed(connection.execute(statement).mappings().all()))


def note(connection: Connection, note_id: UUID) -> RowMapping | None:
    """One note."""
    return connection.execute(_listing().where(_notes.c.note_id == note_id)).mappings().one_or_none()


def add_note(connection: Connection, mailbox_id: UUID, thread_id: UUID, *, author: UUID, content: str) -> UUID:
    """Write a note; returns its id."""
    note_id = uuid4()
    connection.execute(
        insert(_notes).values(
            note_id=note_id, mailbox_id=mailbox_id, thread_id=thread_id, author_user_id=author, text=content
        )
    )
    return note_id


def change_note(connection: Connection, note_id: UUID, content: str) -> None:
    """Change what a note says."""
    connection.execute(update(_notes).where(_notes.c.note_id == note_id).values(text=content, edited_at=func.now()))


def delete_note(connection: Connection, note_id: UUID) -> None:
    """Delete a note."""
    connection.execute(delete(_notes).where(_notes.c.note_id == note_id))


def _listing() -> Select[Any]:
    person = identity.users
    return select(
        _notes.c.note_id,
        _notes.c.thread_id,
        _notes.c.author_user_id,
        name_of(person).label("author_name"),
        _notes.c.text,
        _notes.c.created_at,
        _notes.c.edited_at,
    ).outerjoin_from(_notes, person, person.c.user_id == _notes.c.author_user_id)
