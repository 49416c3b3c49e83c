"""Keyset pagination: a cursor holds the sort key of the last item, so rows that arrive meanwhile move no page."""

import base64
import json
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import TypeAdapter, ValidationError

from rl_emails_api.problems import FieldError, ProblemError

_MAX_CURSOR_LENGTH = 512

_Key = TypeVar("_Key", bound=tuple[Any, ...])

Cursor = Annotated[
    str | None,
    Query(
        max_length=_MAX_CURSOR_LENGTH,
        description="`next_cursor` of the previous page, unchanged; with the same filters and order.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in a page.")]


def encode_cursor(order: str, key: tuple[Any, ...]) -> str:
    """An opaque cursor after the item with the sort key `key` in the order named `order`."""
    payload = TypeAdapter(list[Any]).dump_json([order, *key])
    return base64.urlsafe_b64encode(payload).decode().rstrip("=")


def decode_cursor(cursor: str | None, order: str, key: TypeAdapter[_Key]) -> _Key | None:
    """The sort key in `cursor`; raises a 422 problem when it was not made by `encode_cursor` for `order`."""
    if cursor is None:
        return None
    try:
        payload = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _refused() from error
    if not isinstance(payload, list) or payload[:1] != [order]:
        raise _refused()
    try:
        return key.validate_python(payload[1:])
    except ValidationError as error:
        raise _refused() from error


def _refused() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-cursor",
        "The cursor does not belong to this listing. Start again without one.",
        errors=[FieldError(location=["query", "cursor"], message="not a cursor of this listing and order")],
    )
