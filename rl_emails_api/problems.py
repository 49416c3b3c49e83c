"""Errors as RFC 9457 problem documents: every answer that is not a success is `application/problem+json`."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from rl_emails_assets.errors import NotFoundError, TransientError

MEDIA_TYPE = "application/problem+json"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""On every answer, unless the answer brings its own value for one of them."""

_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One field of the request that cannot be used."""

    location: list[str | int] = Field(description="Where it is: query, path or body, then the field's name.")
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """RFC 9457, section 3.1."""

    type: str = Field(
        examples=["urn:rl-emails:problem:not-found"],
        description="A stable name of the problem; compare this, not the words.",
    )
    title: str = Field(description="The problem in a few words.")
    status: int = Field(examples=[404], description="The HTTP status code.")
    detail: str = Field(description="What happened, to what, and what to do next.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[FieldError] = Field(default=[], description="For 422: each field that cannot be used.")


class ProblemError(Exception):
    """Ends the request with a problem document; `code` is the last part of its `type`."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = tuple(errors)


def not_found(what: str) -> ProblemError:
    """A 404 that does not say whether the thing exists in another mailbox."""
    return ProblemError(
        HTTPStatus.NOT_FOUND, "not-found", f"There is no such {what} in this mailbox. Check the id and the mailbox."
    )


def problem_body(
    status: int, code: str, detail: str, instance: str, errors: Sequence[FieldError] = ()
) -> dict[str, Any]:
    """The document itself, for answers that are made outside FastAPI too."""
    problem = Problem(
        type=f"urn:rl-emails:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        errors=list(errors),
    )
    return problem.model_dump(exclude_defaults=True)


def problem_response(request: Request, problem: ProblemError) -> JSONResponse:
    """The answer for `problem`, with the security headers (an answer to a crash passes no middleware)."""
    return JSONResponse(
        problem_body(problem.status, problem.code, problem.detail, request.url.path, problem.errors),
        status_code=problem.status,
        headers={**SECURITY_HEADERS, "Cache-Control": "no-store", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class only
    return problem_response(request, error)


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.BAD_REQUEST: "The body cannot be read. Send JSON in UTF-8, with numbers of an ordinary length.",
        HTTPStatus.NOT_FOUND: "There is nothing at this path. The paths are listed in /v1/openapi.json.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here. See /v1/openapi.json.",
    }
    code = status.phrase.lower().replace(" ", "-")
    detail = details.get(status, str(error.detail))
    return problem_response(request, ProblemError(status, code, detail, headers=error.headers))


def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [FieldError(location=list(item["loc"]), message=item["msg"]) for item in error.errors()]
    detail = "The request has fields that cannot be used; `errors` names them."
    return problem_response(
        request, ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors)
    )


def _on_unavailable(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "57014":
        detail = "The database took too long to answer and was stopped. Narrow the request, or try again later."
    else:
        detail = "The database cannot be reached. Look at `rl-emails status`, then try again."
    _log.warning("%s %s: %s", request.method, request.url.path, type(error).__name__)
    return problem_response(
        request,
        ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, headers={"Retry-After": "2"}),
    )


def _on_database_bug(request: Request, error: Exception) -> JSONResponse:
    # Postgres repeats the value that it could not take, which may be a word of a mail or of a request: not into a log.
    assert isinstance(error, DBAPIError)  # noqa: S101 - registered for this class only
    _log.error(
        "%s %s: %s, SQLSTATE %s\n%s",
        request.method,
        getattr(request.scope.get("route"), "path", "?"),
        type(error.orig).__name__,
        getattr(error.orig, "sqlstate", None),
        "".join(traceback.format_tb(error.__traceback__)),
    )
    return _on_crash(request, error)


def _on_missing(request: Request, error: Exception) -> JSONResponse:
    return problem_response(request, ProblemError(HTTPStatus.NOT_FOUND, "not-found", str(error)))


def _on_crash(request: Request, error: Exception) -> JSONResponse:
    # The traceback is logged by the server, which gets the exception after this answer; the answer tells nothing of it.
    del error
    detail = "The server failed on this request. Its log has the reason; the same request may fail again."
    return problem_response(request, ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail))


def install(app: FastAPI) -> None:
    """Turns every error of `app` into a problem document."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    for unavailable in (OperationalError, InterfaceError, PoolTimeoutError, TransientError):
        app.add_exception_handler(unavailable, _on_unavailable)
    app.add_exception_handler(DBAPIError, _on_database_bug)
    app.add_exception_handler(NotFoundError, _on_missing)
    app.add_exception_handler(Exception, _on_crash)
