"""One message: all of it, its HTML, its attachments, why it stands where it stands, and whether it was read."""

from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from rl_emails_api.feedback import queries as feedback
from rl_emails_api.feedback.schemas import Feedback
from rl_emails_api.identity.principal import needs, principal_of
from rl_emails_api.mailboxes.chosen import ChosenMailbox
from rl_emails_api.messages import mime, queries
from rl_emails_api.messages.schemas import (
    EmbeddingRecord,
    Explanation,
    ExtractionRecord,
    Message,
    PriorityRecord,
    ReadState,
    SignalsRecord,
    TaskRecord,
    VerdictRecord,
)
from rl_emails_api.problems import not_found
from rl_emails_api.remote_images.endpoints import require_on
from rl_emails_api.remote_images.proxy import ImageProxy
from rl_emails_api.run_links import Links
from rl_emails_api.schemas import Address, Corrections, as_json
from rl_emails_api.tasks import queries as tasks
from rl_emails_api.tasks.rows import task
from rl_emails_api.transactions import Transaction

router = APIRouter(tags=["messages"])

# Styles stay, because mail is laid out with them; nothing is fetched, nothing runs, nothing is sent.
HTML_CSP = (
    "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_DOCUMENT = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="referrer"
content="no-referrer"><base target="_blank"><title>Message</title><style>
html {{ color-scheme: light; background: #fff; color: #1d2126; }}
body {{ margin: 12px; font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
img {{ max-width: 100%; height: auto; }} table {{ max-width: 100%; }} pre {{ white-space: pre-wrap; }}
</style></head><body>{body}</body></html>
"""


@router.get("/v1/messages/{message_id}", summary="A message, taken apart", dependencies=[needs("mail:read")])
def get_message(transaction: Transaction, mailbox: ChosenMailbox, message_id: UUID) -> Message:
    """Headers, text zones, attachments, sanitized HTML, verdict, score and tasks of one message."""
    row = queries.by_id(transaction, mailbox.mailbox_id, message_id)
    if row is None:
        raise not_found("message")
    values = dict(row)
    labels = queries.labels(transaction, mailbox.mailbox_id, message_id)
    corrections = feedback.of_message(transaction, mailbox.mailbox_id, message_id)
    shown = mime.shown(queries.rfc822(transaction, mailbox.mailbox_id, message_id) or b"")
    sender = Address(name=values["from_name"], address=values["from_address"])
    return Message(
        **{name: values[name] for name in Message.model_fields if name in values and name != "reasons"},
        from_=sender,
        labels=labels,
        is_unread="UNREAD" in labels and values["read_at"] is None,
        is_done=values["done_at"] is not None,
        is_starred=values["starred_at"] is not None,
        quoted_text=mime.quoted_text(values["text"], sender),
        html=shown.html if shown.has_html else "",
        blocked_count=shown.blocked_count,
        tracker_count=shown.tracker_count,
        reasons=values["reasons"] or [],
        tasks=[task(row) for row in tasks.of_messages(transaction, mailbox.mailbox_id, [message_id])],
        corrections=Corrections(
            importance=next((each["value"] for each in corrections if each["kind"] == "importance"), None),
            category=next((each["value"] for each in corrections if each["kind"] == "category"), None),
        ),
    )


@router.get(
    "/v1/messages/{message_id}/html",
    summary="The HTML of a message, to be framed",
    response_class=HTMLResponse,
    responses={409: {"description": "Images were asked for, and this server fetches none."}},
    dependencies=[needs("mail:read")],
)
def get_message_html(
    request: Request,
    transaction: Transaction,
    mailbox: ChosenMailbox,
    message_id: UUID,
    images: Annotated[
        Literal["none", "proxy"],
        Query(description="proxy: remote images are fetched by this server, when the document is shown; none: never."),
    ] = "none",
) -> HTMLResponse:
    """A document of its own: sanitized, without remote content unless asked for, and sandboxed by its own policy."""
    rewrite = None
    if images == "proxy":
        proxy: ImageProxy = request.app.state.remote_images
        require_on(proxy)
        rewrite = proxy.rewriter(principal_of(request), mailbox.mailbox_id)
    content = queries.rfc822(transaction, mailbox.mailbox_id, message_id)
    if content is None:
        raise not_found("message")
    policy = HTML_CSP.format(images="'self' data:" if rewrite else "data:")
    return HTMLResponse(
        _DOCUMENT.format(body=mime.shown(content, rewrite).html),
        headers={
            "Content-Security-Policy": policy,
            "X-Frame-Options": "SAMEORIGIN",
            # The names of a letter's links are looked up when one is pressed, not when it is opened.
            "X-DNS-Prefetch-Control": "off",
        },
    )


@router.get(
    "/v1/messages/{message_id}/explain",
    summary="Why a message stands where it stands",
    dependencies=[needs("mail:read")],
)
def get_explanation(transaction: Transaction, mailbox: ChosenMailbox, links: Links, message_id: UUID) -> Explanation:
    """The recorded rows about one message: score with its contributions, verdict with its evidence, what was extracted,
    the signals, and the runs and models that wrote them. Nothing is worked out again."""
    if not feedback.message_exists(transaction, mailbox.mailbox_id, message_id):
        raise not_found("message")
    rows = queries.recorded(transaction, mailbox.mailbox_id, message_id)

    def known(name: str) -> dict[str, Any] | None:
        row = rows[name]
        return None if row is None else links.onto(as_json(row))

    priority, verdict, extraction = known("priority"), known("verdict"), known("extraction")
    signals, embedding = known("signals"), known("embedding")
    return Explanation(
        message_id=message_id,
        priority=PriorityRecord(**priority) if priority else None,
        verdict=VerdictRecord(**verdict) if verdict else None,
        extraction=ExtractionRecord(**extraction) if extraction else None,
        tasks=[
            TaskRecord(**links.onto(as_json(dict(task))))
            for task in queries.recorded_tasks(transaction, mailbox.mailbox_id, message_id)
        ],
        signals=SignalsRecord(**signals) if signals else None,
        embedding=EmbeddingRecord(**embedding) if embedding else None,
        corrections=[Feedback(**each) for each in feedback.of_message(transaction, mailbox.mailbox_id, message_id)],
    )


@router.get(
    "/v1/messages/{message_id}/attachments/{part_path}",
    summary="Download an attachment",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    dependencies=[needs("mail:read")],
)
def get_attachment(
    transaction: Transaction,
    mailbox: ChosenMailbox,
    message_id: UUID,
    part_path: Annotated[str, Path(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){0,63}$", description="As in `attachments`.")],
) -> Response:
    """The decoded bytes, always as a download of no particular type: the declared type is the sender's claim."""
    content = queries.rfc822(transaction, mailbox.mailbox_id, message_id)
    part = None if content is None else mime.attachment(content, part_path)
    if part is None:
        raise not_found("attachment")
    filename, data = part
    return Response(
        data,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition(filename),
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@router.post(
    "/v1/messages/{message_id}/read", summary="Mark a message read or unread", dependencies=[needs("mail:write")]
)
def post_read(
    transaction: Transaction, mailbox: ChosenMailbox, message_id: UUID, state: ReadState | None = None
) -> ReadState:
    """Stores that the owner opened it here; the provider's own labels stay as they are."""
    if not feedback.message_exists(transaction, mailbox.mailbox_id, message_id):
        raise not_found("message")
    state = state or ReadState()
    queries.set_read(transaction, mailbox.mailbox_id, message_id, is_read=state.is_read)
    return state


def content_disposition(filename: str) -> str:
    """RFC 6266: a plain name for old clients, and the name in UTF-8; no path, no control character."""
    name = "".join(each for each in filename if each.isprintable() and each not in "/\\") or "attachment"
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-()") else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
