"""GET /v1/events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from rl_emails_api.changes.cursors import MAX_CHARACTERS
from rl_emails_api.events.hub import ChangeHub
from rl_emails_api.events.stream import EventStream
from rl_emails_api.identity.principal import needs, principal_of

router = APIRouter(tags=["changes"], dependencies=[needs("mail:read")])

MEDIA_TYPE = "text/event-stream"
_EXAMPLE = 'id: AUbx3k...\nevent: changes\ndata: {"cursor": "AUbx3k..."}\n\n'


@router.get(
    "/v1/events",
    summary="Be told when something changes",
    response_class=StreamingResponse,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}}},
        429: {"description": "Too many streams of this person, or of all."},
    },
)
async def get_events(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(max_length=MAX_CHARACTERS, description="`id` of the last event, as browsers send it by themselves."),
    ] = None,
) -> StreamingResponse:
    """Server-sent events named `changes`, for EventSource. The data is `{"cursor": ...}`: what GET /v1/changes?since=
    is asked with for what the event is about. Events hold no mail. The stream ends after 15 minutes, and when who asked
    may see nothing any more; an EventSource comes again by itself."""
    hub: ChangeHub = request.app.state.change_hub
    principal = principal_of(request)
    hub.require_room(principal.user_id)
    keep_days = request.app.state.settings.keep_changes_days
    stream = EventStream(request.app.state.engine, hub, principal, last_event_id, keep_days)

    async def body() -> AsyncIterator[bytes]:
        with hub.waiting(principal.user_id) as waiter:
            async for event in stream.events(waiter):
                yield event

    return StreamingResponse(body(), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
