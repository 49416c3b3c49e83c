"""The batch endpoint: several calls in one request, each judged alone."""

import email
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.gmail.standin.calls import Call
from tests.gmail.standin.replies import ApiError, Request, Response, rate_limited

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail

MOST_PARTS = 100


def answer_batch(gmail: "Gmail", request: Request) -> Response:
    """A multipart answer with status 200 whose parts may have failed; parts come in any order."""
    response = None
    address, entered = "", False
    try:
        with gmail.lock:
            grant = gmail.oauth.whose(request.headers.get("authorization", "").partition(" ")[2].strip())
            address = grant.user.address if grant is not None else ""
            fault = gmail.faults.pick("batch", address or None)
            if address:
                gmail.quota.enter(address)
                entered = True
        dropped = 0
        if fault is not None:
            fault.strike(gmail.pause, grant.user.revoke if grant is not None else lambda: None)
            dropped = fault.get("drop_parts") or 0
        answered = _run(gmail, address, parts_of(request))
        with gmail.lock:
            if gmail.shuffle_parts:
                gmail.rng.shuffle(answered)
            boundary = f"batch_{gmail.rng.getrandbits(120):030x}"
        response = multipart(boundary, answered[dropped:])
        if fault is not None:
            response = fault.spoil(response)
    except ApiError as error:
        response = error.response()
    finally:
        with gmail.lock:
            if entered:
                gmail.quota.leave(address)
            gmail.calls.add(Call("batch", address, response.status if response else 0, 0, False, request.path))
    return response


def parts_of(request: Request) -> list[tuple[str, Request]]:
    """Content-ID and request of every part of a batch."""
    kind = request.headers.get("content-type", "")
    read = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    if not kind.startswith("multipart/mixed") or not read.is_multipart():
        raise ApiError(400, "Failed to parse batch request, error: missing boundary", "badRequest", "INVALID_ARGUMENT")
    payload = read.get_payload()
    if len(payload) > MOST_PARTS:
        message = f"Inner request count exceeds the limit. Received: {len(payload)}, Limit: {MOST_PARTS}"
        raise ApiError(400, message, "badRequest", "INVALID_ARGUMENT")
    return [(str(part.get("Content-ID", "")), _inner(part.get_payload(), request)) for part in payload]  # type: ignore[union-attr]


def _inner(text: str, outer: Request) -> Request:
    """The request that a part holds; what it does not authorize itself is authorized by the whole."""
    line, _, rest = text.lstrip().replace("\r\n", "\n").partition("\n")
    head, _, body = rest.partition("\n\n")
    pieces = line.split(" ")
    if len(pieces) < 2:
        raise ApiError(400, "Failed to parse batch request, error: bad request line", "badRequest", "INVALID_ARGUMENT")
    headers = {}
    for entry in head.split("\n"):
        name, colon, value = entry.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    headers.setdefault("authorization", outer.headers.get("authorization", ""))
    target = urlsplit(pieces[1])
    return Request(pieces[0], target.path, target.query, headers, body.strip().encode(), in_batch=True)


def _run(gmail: "Gmail", address: str, parts: list[tuple[str, Request]]) -> list[tuple[str, Response]]:
    with gmail.lock:
        running = gmail.quota.parts_that_run(address) if address else len(parts)
    answered = []
    for index, (content_id, part) in enumerate(parts):
        if index < running:
            answered.append((content_id, gmail.api.answer(part)))
            continue
        refused = rate_limited(429, "concurrent").response()
        with gmail.lock:
            gmail.calls.add(Call("refused part", address, 429, 0, True, part.path.rsplit("/", 1)[-1]))
        answered.append((content_id, refused))
    return answered


def multipart(boundary: str, answered: list[tuple[str, Response]]) -> Response:
    pieces: list[bytes] = []
    for content_id, inner in answered:
        headers = "".join(f"{name}: {value}\r\n" for name, value in inner.headers.items())
        head = (
            f"--{boundary}\r\nContent-Type: application/http\r\n"
            f"Content-ID: {content_id.replace('<', '<response-', 1)}\r\n\r\n"
            f"HTTP/1.1 {inner.status} {HTTPStatus(inner.status).phrase}\r\n{headers}"
            f"Content-Length: {len(inner.body)}\r\n\r\n"
        )
        pieces += [head.encode(), inner.body, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Response(200, b"".join(pieces), {"Content-Type": f"multipart/mixed; boundary={boundary}"})
