"""POST /v1/privacy/export, POST /v1/privacy/erase and the receipts of erasures."""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from sqlalchemy import Connection, Row
from starlette.responses import StreamingResponse

from rl_emails_api.audit.log import AuditLog
from rl_emails_api.connections.queries import is_owner
from rl_emails_api.identity.principal import Principal, needs, principal_of
from rl_emails_api.organizations import rules
from rl_emails_api.organizations.management import allow
from rl_emails_api.pagination import Cursor, Limit, decode_cursor, encode_cursor
from rl_emails_api.privacy import queries
from rl_emails_api.privacy.schemas import EraseRequest, ExportRequest, Receipt, Receipts
from rl_emails_api.problems import MEDIA_TYPE, FieldError, ProblemError, not_found
from rl_emails_api.transactions import Transaction, transaction_of
from rl_emails_assets.connections import lifecycle
from rl_emails_assets.db import receipts
from rl_emails_assets.db.mailbox_rows import Mailbox
from rl_emails_assets.privacy.export import Subject, exported
from rl_emails_assets.privacy.person import is_owner as is_owners_address

router = APIRouter(tags=["privacy"])

_ORDER = "receipts"
_KEY: TypeAdapter[tuple[datetime, UUID]] = TypeAdapter(tuple[datetime, UUID])
_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.FORBIDDEN: {"description": "Only an administrator may do this.", **_PROBLEM},
    HTTPStatus.NOT_FOUND: {"description": "There is no such mailbox that you may see.", **_PROBLEM},
    HTTPStatus.CONFLICT: {"description": "The address is the owner's, or the organization's only owner's.", **_PROBLEM},
}
_ARCHIVE: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {
        "description": "A zip file: README.txt, mail.mbox, JSON lines of every table, manifest.json.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    },
    HTTPStatus.FORBIDDEN: _REFUSALS[HTTPStatus.FORBIDDEN],
    HTTPStatus.NOT_FOUND: _REFUSALS[HTTPStatus.NOT_FOUND],
}


@router.post(
    "/v1/privacy/export",
    summary="Everything that is kept of a mailbox or a person",
    response_class=StreamingResponse,
    responses=_ARCHIVE,
    dependencies=[needs("export:read")],
)
def post_export(request: Request, transaction: Transaction, audit: AuditLog, body: ExportRequest) -> StreamingResponse:
    """Streams a zip file while it is made, whatever the size: mail as mbox, everything else as JSON lines.

    Its last file is `manifest.json` with the SHA-256 of each; without it the download was cut. A person is looked for
    in the mailboxes that you may read; with a member comes who they are here: for themselves and administrators.
    """
    principal = principal_of(request)
    subject = _subject(transaction, principal, body)
    name = "mailbox" if body.kind == "mailbox" else "person"
    target: UUID | str = subject.mailboxes[0].mailbox_id if body.kind == "mailbox" else (subject.user_id or "")
    audit.record(f"{name}.exported", target=target, details={"mailbox_count": len(subject.mailboxes)})
    connect = partial(transaction_of, request.app.state.engine, principal, is_readonly=True)
    now = datetime.now(UTC)
    filename = f"rl-emails-{name}-{now:%Y%m%dT%H%M%SZ}.zip"
    return StreamingResponse(
        exported(connect, subject, now),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


@router.post(
    "/v1/privacy/erase",
    status_code=HTTPStatus.ACCEPTED,
    summary="Erase a mailbox or a person",
    responses=_REFUSALS,
    dependencies=[needs("erase:write")],
)
def post_erase(request: Request, transaction: Transaction, audit: AuditLog, body: EraseRequest) -> Receipt:
    """Asks for the erasure and answers its receipt, which fills within minutes. It cannot be undone.

    A mailbox: what DELETE /v1/connections does. A person: messages from, to or naming them leave your own mailboxes
    (or, `everywhere`, all of the organization), with everything made of them; what was learned from them is learned
    again, and they do not come back with the next sync. Mail at the provider is not touched.
    """
    if body.confirmation.strip().lower() != body.address:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "not-confirmed",
            "Nothing was erased: `confirmation` is not the address. Type the address that is to be erased once more.",
            errors=[FieldError(location=["body", "confirmation"], message="not the same as `address`")],
        )
    principal = principal_of(request)
    ask = _ask_for_mailbox if body.kind == "mailbox" else _ask_for_person
    receipt_id = ask(transaction, principal, body)
    audit.record(
        f"{body.kind}.erasure_asked", target=receipt_id, details={"everywhere": body.everywhere, "kind": body.kind}
    )
    row = receipts.receipt(transaction, receipt_id)
    if row is None:
        raise not_found("receipt")
    return _as_receipt(row)


@router.get("/v1/privacy/receipts", summary="What erasures removed", dependencies=[needs("export:read")])
def get_receipts(request: Request, transaction: Transaction, cursor: Cursor = None, limit: Limit = 50) -> Receipts:
    """Receipts of the erasures that you asked for; for administrators, of all of the organization. Latest first."""
    principal = principal_of(request)
    rows = receipts.receipts(
        transaction,
        organization_id=principal.organization_id,
        asked_by=None if _is_administrator(principal) else principal.user_id,
        after=decode_cursor(cursor, _ORDER, _KEY),
        limit=limit + 1,
    )
    items = [_as_receipt(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Receipts(
        items=items, next_cursor=encode_cursor(_ORDER, (items[-1].asked_at, items[-1].receipt_id)) if more else None
    )


@router.get(
    "/v1/privacy/receipts/{receipt_id}", summary="What one erasure removed", dependencies=[needs("export:read")]
)
def get_receipt(request: Request, transaction: Transaction, receipt_id: UUID) -> Receipt:
    """The receipt; `state` says how far the erasure is."""
    principal = principal_of(request)
    row = receipts.receipt(transaction, receipt_id)
    if row is None or not (_is_administrator(principal) or row.asked_by == principal.user_id):
        raise not_found("receipt")
    return _as_receipt(row)


def _subject(transaction: Connection, principal: Principal, body: ExportRequest) -> Subject:
    readable = queries.readable(transaction, principal.user_id)
    if body.kind == "mailbox":
        return Subject([_mailbox(readable, body.address)])
    member = queries.member(transaction, principal.organization_id, body.address)
    if member is not None and member != principal.user_id and not _is_administrator(principal):
        member = None
    own = queries.own(transaction, principal.user_id) if member == principal.user_id else []
    return Subject(readable, body.address, member, own)


def _ask_for_mailbox(transaction: Connection, principal: Principal, body: EraseRequest) -> UUID:
    mailbox = queries.in_organization(transaction, principal.organization_id, body.address)
    is_own = None if mailbox is None else is_owner(transaction, mailbox.mailbox_id, principal.user_id)
    if mailbox is None or is_own is None:
        raise _no_mailbox()
    allow(rules.refuse_disconnection(principal.role, is_own=is_own))
    receipt_id = receipts.ask(
        transaction,
        "mailbox",
        mailbox.address,
        organization_id=principal.organization_id,
        mailbox_ids=[mailbox.mailbox_id],
        asked_by=principal.user_id,
        credential=principal.credential,
    )
    lifecycle.ask_to_disconnect(transaction, mailbox.mailbox_id, asked_by="button")
    return receipt_id


def _ask_for_person(transaction: Connection, principal: Principal, body: EraseRequest) -> UUID:
    is_administrator = _is_administrator(principal)
    if body.everywhere and not is_administrator:
        raise _forbidden("Only an administrator may erase a person from every mailbox of the organization.")
    member = queries.member(transaction, principal.organization_id, body.address)
    if member is not None and member != principal.user_id and not is_administrator:
        raise _forbidden("They are a member; only an administrator, or they themselves, may erase what is theirs.")
    if member is not None and queries.is_last_owner(transaction, principal.organization_id, member):
        detail = "They are the organization's only owner. Make somebody else an owner first, then try again."
        raise ProblemError(HTTPStatus.CONFLICT, "last-owner", detail)
    mine = [
        mailbox.mailbox_id
        for mailbox in (queries.readable if is_administrator else queries.own)(transaction, principal.user_id)
    ]
    others = [each for each in mine if not is_owners_address(transaction, each, body.address)]
    if member is None and not body.everywhere and not others:
        detail = "This is your own address. Erase the mailbox instead (`kind`: mailbox), or everything as a member."
        if not mine:
            detail = "You have no mailbox to erase anybody from."
        raise ProblemError(HTTPStatus.CONFLICT, "own-address", detail)
    return receipts.ask(
        transaction,
        "person",
        body.address,
        organization_id=principal.organization_id,
        mailbox_ids=None if body.everywhere else mine,
        user_id=member,
        asked_by=principal.user_id,
        credential=principal.credential,
    )


def _mailbox(readable: list[Mailbox], address: str) -> Mailbox:
    for mailbox in readable:
        if mailbox.address == address:
            return mailbox
    raise _no_mailbox()


def _no_mailbox() -> ProblemError:
    detail = "There is no mailbox with this address that you may see. GET /v1/mailboxes lists them."
    return ProblemError(HTTPStatus.NOT_FOUND, "mailbox-not-found", detail)


def _forbidden(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.FORBIDDEN, "role-missing", detail)


def _is_administrator(principal: Principal) -> bool:
    return "admin:write" in principal.scopes and principal.role in {"owner", "admin"}


def _as_receipt(row: Row[Any]) -> Receipt:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values["subject_hash"], values["subject_salt"] = row.subject_hash.hex(), row.subject_salt.hex()
    return Receipt.model_validate(values)
