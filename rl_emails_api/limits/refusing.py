"""Problem documents from outside the application, which has made nothing of the request yet."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import Scope

from rl_emails_api.limits.buckets import Buckets, Standing
from rl_emails_api.problems import MEDIA_TYPE, SECURITY_HEADERS, ProblemError, problem_body


def refusal(scope: Scope, problem: ProblemError) -> JSONResponse:
    """The answer for `problem`; a path of any length is repeated up to 200 characters."""
    return JSONResponse(
        problem_body(problem.status, problem.code, problem.detail, scope["path"][:200]),
        status_code=problem.status,
        headers={**SECURITY_HEADERS, "Cache-Control": "no-store", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def too_many(buckets: Buckets, standing: Standing, what: str) -> ProblemError:
    """A 429 that says when to come again."""
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        f"{what} Wait {standing.next_in_seconds} seconds, then go on more slowly; RateLimit says how many are left.",
        headers={"Retry-After": str(standing.next_in_seconds), **buckets.headers(standing)},
    )
