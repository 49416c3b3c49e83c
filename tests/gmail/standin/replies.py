"""What goes over the wire: requests as read, responses as sent, and Google's error bodies."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

NOT_A_TOKEN = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


@dataclass
class Request:
    """A request, or a part of a batch."""

    verb: str
    path: str
    query: str
    headers: dict[str, str]
    """By name in small letters."""
    body: bytes
    in_batch: bool = False

    def arguments(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse_qs(self.query, keep_blank_values=True)

    def json(self) -> dict[str, Any]:
        """The body as an object; refused as Google refuses it."""
        if not self.body:
            return {}
        try:
            read = json.loads(self.body)
        except ValueError as error:
            raise ApiError(400, "Invalid JSON payload received.", "parseError", "INVALID_ARGUMENT") from error
        if not isinstance(read, dict):
            raise ApiError(400, "Invalid JSON payload received.", "parseError", "INVALID_ARGUMENT")
        return read


@dataclass
class Response:
    """A response, and how the connection is to break while it is sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    reset_mid_body: bool = False


class BrokenConnectionError(Exception):
    """The connection is to be reset without a response."""


class ApiError(Exception):
    """An error answer in Google's form."""

    def __init__(
        self, status: int, message: str, reason: str, rpc_status: str, *, domain: str = "global", **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.rpc_status = rpc_status
        self.domain = domain
        self.headers: dict[str, str] = more.pop("headers", {})
        self.more = more
        self.is_page = False
        """Whether the front end answers, with a page, instead of the API."""

    def response(self) -> Response:
        """As it is sent."""
        if self.is_page:
            page = f"<!DOCTYPE html><html lang=en><title>Error {self.status} (Server Error)!!1</title>"
            return Response(self.status, page.encode(), {"Content-Type": "text/html; charset=UTF-8", **self.headers})
        entry = {"message": self.message, "domain": self.domain, "reason": self.reason, **self.more}
        error = {"code": self.status, "message": self.message, "errors": [entry], "status": self.rpc_status}
        return json_response({"error": error}, self.status, self.headers)


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON as Google sends it; a string is JSON already."""
    return Response(
        status,
        (content if isinstance(content, str) else json.dumps(content)).encode(),
        {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "private", **(headers or {})},
    )


def not_found() -> ApiError:
    """An id that does not exist, or no longer."""
    return ApiError(404, "Requested entity was not found.", "notFound", "NOT_FOUND")


def invalid(message: str) -> ApiError:
    """An argument that Gmail refuses."""
    return ApiError(400, message, "invalidArgument", "INVALID_ARGUMENT")


def unauthenticated() -> ApiError:
    """A token that is expired, revoked or unknown; the three cannot be told apart."""
    return ApiError(
        401,
        NOT_A_TOKEN,
        "authError",
        "UNAUTHENTICATED",
        location="Authorization",
        locationType="header",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


PER_MINUTE = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per {whom}' of service "
    "'gmail.googleapis.com' for consumer 'project_number:181818181818'."
)


def rate_limited(
    status: int, reason: str, *, whom: str = "user", retry_after: float | None = None, retry_at: str = ""
) -> ApiError:
    """The quota's refusals; 403 and 429 are both in use, and Retry-After is mostly absent."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    if reason == "userRateLimitExceeded":
        message = "User Rate Limit Exceeded"
    elif reason == "concurrent":
        message, reason = "Too many concurrent requests for user", "rateLimitExceeded"
    elif reason == "exhausted":
        message, reason = "Resource has been exhausted (e.g. check quota).", "rateLimitExceeded"
    elif reason == "until":
        message, reason = f"User-rate limit exceeded.  Retry after {retry_at}", "rateLimitExceeded"
    elif reason == "dailyLimitExceeded":
        message = "Daily Limit Exceeded"
    else:
        message = PER_MINUTE.format(whom=whom)
    domain = "usageLimits" if status == 403 else "global"
    return ApiError(status, message, reason, "RESOURCE_EXHAUSTED", domain=domain, headers=headers)


_PLAIN = {
    400: ("Precondition check failed.", "failedPrecondition", "FAILED_PRECONDITION"),
    404: ("Requested entity was not found.", "notFound", "NOT_FOUND"),
    500: ("Internal error encountered.", "backendError", "INTERNAL"),
    502: ("Bad Gateway", "backendError", "UNAVAILABLE"),
    503: ("The service is currently unavailable.", "backendError", "UNAVAILABLE"),
    504: ("The service took too long.", "backendError", "DEADLINE_EXCEEDED"),
}


def fault_error(
    status: int, reason: str | None = None, retry_after: float | None = None, *, html: bool = False
) -> ApiError:
    """The body that goes with a status which a fault asked for; with `html` the front end's page, not the API's."""
    error = _fault_error(status, reason, retry_after)
    error.is_page = html
    return error


def _fault_error(status: int, reason: str | None, retry_after: float | None) -> ApiError:
    if status == 401:
        return unauthenticated()
    if status in {403, 429} and reason not in {"domainPolicy", "insufficientPermissions"}:
        return rate_limited(status, reason or ("userRateLimitExceeded" if status == 403 else "exhausted"),
                            retry_after=retry_after)  # fmt: skip
    if status == 403:
        return ApiError(403, "Request is prohibited.", str(reason), "PERMISSION_DENIED")
    message, plain_reason, rpc_status = _PLAIN[status]
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return ApiError(status, message, reason or plain_reason, rpc_status, headers=headers)
