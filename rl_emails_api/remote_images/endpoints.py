"""A remote image of a message, fetched for its reader."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Engine, exists, select
from starlette.concurrency import run_in_threadpool

from rl_emails_api.identity.principal import Principal
from rl_emails_api.problems import ProblemError
from rl_emails_api.remote_images.fetching import RefusedImageError
from rl_emails_api.remote_images.links import LONGEST_TOKEN, PATH, ImageLink
from rl_emails_api.remote_images.proxy import ImageProxy
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db.tables import mailboxes

CACHE_SECONDS = 3_600

router = APIRouter(tags=["messages"])


@router.get(
    PATH,
    summary="A remote image of a message",
    response_class=Response,
    responses={
        HTTPStatus.OK: {
            "description": "The image.",
            "content": {
                f"image/{kind}": {"schema": {"type": "string", "format": "binary"}}
                for kind in ("png", "jpeg", "gif", "webp")
            },
        },
        HTTPStatus.NOT_FOUND: {"description": "The address is not one of ours, or has expired."},
        HTTPStatus.CONFLICT: {"description": "This server fetches no remote images."},
        HTTPStatus.BAD_GATEWAY: {"description": "The image cannot be had, or is refused; `detail` says why."},
    },
)
async def get_image(
    request: Request,
    image: Annotated[
        str,
        Query(
            max_length=LONGEST_TOKEN,
            description="Sealed: which image, for whom, until when. GET /v1/messages/{id}/html?images=proxy makes it.",
        ),
    ],
) -> Response:
    """Fetches one image that the HTML of a message asked for, if the sealed address is still good for its mailbox.

    The address is the permission, for one to two hours: the frame that a message is shown in sends no cookie.
    """
    proxy: ImageProxy = request.app.state.remote_images
    link = proxy.links.opened(image)
    if link is None or not await run_in_threadpool(_may_see, request.app.state.engine, link):
        proxy.count("link")
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "image-link-invalid",
            "This address of an image is not one of ours, or no longer. Load the message again.",
        )
    require_on(proxy)
    try:
        picture = await proxy.fetch(link)
    except RefusedImageError as refused:
        raise ProblemError(HTTPStatus.BAD_GATEWAY, f"image-{refused.reason}", str(refused)) from refused
    return Response(
        picture.content,
        media_type=picture.media_type,
        headers={
            "Cache-Control": f"private, max-age={CACHE_SECONDS}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            # The sandboxed frame has an origin of its own, which is no other's and not ours either.
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def require_on(proxy: ImageProxy) -> None:
    """Raises a 409 problem where remote images are not fetched."""
    if not proxy.is_on:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "remote-images-off",
            "This server fetches no remote images: RL_EMAILS_REMOTE_IMAGES is false, or an HTTP proxy is set and "
            "RL_EMAILS_REMOTE_IMAGES_PROXY_FILTERS does not say that it refuses private addresses.",
        )


def _may_see(engine: Engine, link: ImageLink) -> bool:
    """Whether the person the link was made for still sees its mailbox. Ends before anything is fetched."""
    reader = Principal(link.user_id, link.organization_id, "member", frozenset({"mail:read"}), "session")
    found = exists().where(mailboxes.connections.c.mailbox_id == link.mailbox_id)
    with transaction_of(engine, reader, is_readonly=True) as transaction:
        return bool(transaction.execute(select(found)).scalar_one())
