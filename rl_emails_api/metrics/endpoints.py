"""GET /metrics: the status for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from prometheus_client.exposition import choose_encoder

from rl_emails_api.identity.principal import needs

router = APIRouter(tags=["metrics"], dependencies=[needs("operator:read")])


@router.get(
    "/metrics",
    summary="The same figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "rl_emails_workers_alive 1.0\n"}}}},
)
def get_metrics(
    request: Request, accept: Annotated[str, Header(description="Prometheus names the format it reads.")] = ""
) -> Response:
    """Read from the database at each scrape; mailboxes are named by their id, never by their address.

    When the database is away the answer is 200 with `rl_emails_database_up 0`, and only what this process counts.
    """
    encode, content_type = choose_encoder(accept)
    return Response(encode(request.app.state.registry), media_type=content_type)
