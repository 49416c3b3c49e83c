"""Who takes care of a conversation, and internal notes on it.

Whoever sees a mailbox may assign its conversations and write notes. A note stays here: no mail, no export of messages
and no language model gets it.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.collaboration import queries
from rl_emails_api.collaboration.schemas import Assignment, AssignmentChange, Note, NoteChange, Notes, Person
from rl_emails_api.identity.principal import needs
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.management import Asking, allow
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.problems import MEDIA_TYPE, FieldError, ProblemError
from rl_emails_api.schemas import When
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["collaboration"])

_WRITTEN: TypeAdapter[tuple[When, UUID]] = TypeAdapter(tuple[When, UUID])
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_CHANGED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.CONFLICT: {"description": "Somebody else has the conversation by now.", "content": _PROBLEM}
}
_FORBIDDEN: dict[int | str, dict[str, Any]] = {
    HTTPStatus.FORBIDDEN: {"description": "Somebody else wrote the note.", "content": _PROBLEM}
}


@router.get(
    "/v1/threads/{thread_id}/assignment",
    summary="Who takes care of a conversation",
    dependencies=[needs("mail:read")],
)
def get_assignment(transaction: Transaction, thread_id: UUID) -> Assignment:
    """The member it is assigned to, or nobody."""
    return _assignment(transaction, _mailbox_of(transaction, thread_id), thread_id)


@router.put(
    "/v1/threads/{thread_id}/assignment",
    summary="Assign a conversation",
    dependencies=[needs("mail:write")],
    responses=_CHANGED,
)
def put_assignment(
    transaction: Transaction, principal: Asking, audit: AuditLog, thread_id: UUID, change: AssignmentChange
) -> Assignment:
    """To a member who sees the mailbox, or to nobody. Send whom you saw it assigned to as `was`: when it has changed
    hands meanwhile nothing is overwritten, and the answer is 409."""
    mailbox_id = _mailbox_of(transaction, thread_id)
    if change.user_id is not None:
        _require_assignable(transaction, mailbox_id, change.user_id)
    present = queries.assignment(transaction, mailbox_id, thread_id)
    holder: UUID | None = present["user_id"] if present else None
    was = change.was
    if "was" not in change.model_fields_set and holder == principal.user_id:
        was = holder
    if holder != change.user_id:
        try:
            is_assigned = holder == was and queries.assign(
                transaction, mailbox_id, thread_id, user_id=change.user_id, was=was, by=principal.user_id
            )
        except IntegrityError as error:
            # They left at this very moment; the database looks once more.
            raise _not_assignable() from error
        if not is_assigned:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "assignment-changed",
                f"Somebody else has this conversation by now. GET /v1/threads/{thread_id}/assignment tells who; to "
                "take it from them, send their id as `was`.",
            )
        audit.record("thread.assigned", target=thread_id, details={"user_id": change.user_id, "was": was})
    return _assignment(transaction, mailbox_id, thread_id)


@router.get(
    "/v1/threads/{thread_id}/notes", summary="A conversation's internal notes", dependencies=[needs("mail:read")]
)
def get_notes(
    transaction: Transaction, principal: Asking, thread_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Notes:
    """Oldest first."""
    rows = queries.notes(
        transaction,
        _mailbox_of(transaction, thread_id),
        thread_id,
        after=decode_cursor(cursor, "written", _WRITTEN),
        limit=limit + 1,
    )
    items = [note(row, principal.user_id) for row in rows[:limit]]
    next_cursor = encode_cursor("written", (items[-1].created_at, items[-1].note_id)) if len(rows) > limit else None
    return Notes(items=items, next_cursor=next_cursor)


@router.post(
    "/v1/threads/{thread_id}/notes",
    summary="Write an internal note",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("mail:write")],
)
def post_note(transaction: Transaction, principal: Asking, thread_id: UUID, written: NoteChange) -> Note:
    """For whoever sees the mailbox, and nobody else: a note is part of no mail."""
    mailbox_id = _mailbox_of(transaction, thread_id)
    note_id = queries.add_note(transaction, mailbox_id, thread_id, author=principal.user_id, content=written.text)
    return note(_note(transaction, note_id), principal.user_id)


@router.patch("/v1/notes/{note_id}", summary="Change a note", dependencies=[needs("mail:write")], responses=_FORBIDDEN)
def patch_note(transaction: Transaction, principal: Asking, note_id: UUID, written: NoteChange) -> Note:
    """Only its author may."""
    row = _note(transaction, note_id)
    allow(rules.refuse_note_change(is_author=row["author_user_id"] == principal.user_id))
    queries.change_note(transaction, note_id, written.text)
    return note(_note(transaction, note_id), principal.user_id)


@router.delete(
    "/v1/notes/{note_id}",
    summary="Delete a note",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[needs("mail:write")],
    responses=_FORBIDDEN,
)
def delete_note(transaction: Transaction, principal: Asking, note_id: UUID) -> None:
    """Its author may, and owners and administrators of the organization."""
    row = _note(transaction, note_id)
    allow(rules.refuse_note_deletion(principal.role, is_author=row["author_user_id"] == principal.user_id))
    queries.delete_note(transaction, note_id)


def note(row: RowMapping, user_id: UUID) -> Note:
    """A row of the notes' queries as this person sees it."""
    values = dict(row)
    author, name = values.pop("author_user_id"), values.pop("author_name")
    return Note(
        **values,
        author=None if author is None else Person(user_id=author, display_name=name),
        is_yours=author == user_id,
    )


def _mailbox_of(connection: Connection, thread_id: UUID) -> UUID:
    found = queries.mailbox_of(connection, thread_id)
    if found is None:
        raise _not_found("conversation")
    return found


def _note(connection: Connection, note_id: UUID) -> RowMapping:
    row = queries.note(connection, note_id)
    if row is None:
        raise _not_found("note")
    return row


def _not_found(what: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, "not-found", f"There is no such {what} in the mailboxes that you see. Check the id."
    )


def _require_assignable(connection: Connection, mailbox_id: UUID, user_id: UUID) -> None:
    mailbox = queries.whose(connection, mailbox_id)
    sees_it = rules.may_be_assigned(is_shared=mailbox["is_shared"], is_own=user_id == mailbox["owner_user_id"])
    if not sees_it or not queries.is_active_member(connection, mailbox["organization_id"], user_id):
        raise _not_assignable()


def _not_assignable() -> ProblemError:
    """The same for a person of another organization, one who does not see the mailbox, and nobody."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not-assignable",
        "This is nobody who sees the mailbox. GET /v1/organization/members lists who may be assigned a conversation of "
        "a shared mailbox; in a personal one it is its owner only.",
        errors=[FieldError(location=["body", "user_id"], message="no member who sees the mailbox")],
    )


def _assignment(connection: Connection, mailbox_id: UUID, thread_id: UUID) -> Assignment:
    row = queries.assignment(connection, mailbox_id, thread_id)
    if row is None:
        return Assignment(thread_id=thread_id, user_id=None, display_name="", assigned_by=None, assigned_at=None)
    return Assignment(thread_id=thread_id, **row)
