"""GET /healthz and GET /readyz; open, and they tell nothing about mail."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from sqlalchemy import Engine

from rl_emails_api.health import queries
from rl_emails_api.health.schemas import Health
from rl_emails_api.problems import ProblemError
from rl_emails_assets.db.migrate import is_at_head

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process answers")
def get_healthz() -> Health:
    """Says that the process runs; asks nothing else."""
    return Health(status="ok")


@router.get("/readyz", summary="Requests can be served")
def get_readyz(request: Request) -> Health:
    """The database can be reached and its schema is the one this release needs; 503 otherwise."""
    engine: Engine = request.app.state.engine
    queries.ping(engine)
    if not is_at_head(engine):
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "schema",
            "The database's schema is not the one this release needs. Start `rl-emails up`, which migrates it.",
        )
    return Health(status="ok")
