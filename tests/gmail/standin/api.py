"""The Gmail API: who may call, what it costs, which fault it meets, and the methods that read."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.gmail.standin import mutations, reading
from tests.gmail.standin.calls import Call
from tests.gmail.standin.faults import Fault
from tests.gmail.standin.fields_mask import apply_mask
from tests.gmail.standin.replies import (
    ApiError,
    Request,
    Response,
    json_response,
    unauthenticated,
)
from tests.gmail.standin.users import User

if TYPE_CHECKING:
    from tests.gmail.standin.gmail import Gmail

AUTH = "https://www.googleapis.com/auth/gmail."
FULL = "https://mail.google.com/"
READ = {FULL, f"{AUTH}modify", f"{AUTH}readonly"}
READ_OR_METADATA = {*READ, f"{AUTH}metadata"}
LABELS = {*READ_OR_METADATA, f"{AUTH}labels"}
WRITE = {FULL, f"{AUTH}modify"}


@dataclass(frozen=True)
class Asked:
    """A call on its way to a method."""

    gmail: "Gmail"
    user: User
    scopes: tuple[str, ...]
    id: str
    arguments: dict[str, list[str]]
    request: Request
    fault: Fault | None

    def one(self, name: str, default: str = "") -> str:
        """A query argument's value."""
        return self.arguments.get(name, [default])[0]

    def effect(self, effect: str) -> Any:
        """What the fault that this call met wants of an effect."""
        return self.fault.get(effect) if self.fault is not None else None


Method = Callable[[Asked], Any]

_ID = r"(?P<id>[^/]+)"
ROUTES: list[tuple[str, str, str, Method, set[str]]] = [
    ("GET", "profile", "getProfile", reading.profile, READ_OR_METADATA),
    ("GET", "messages", "messages.list", reading.list_messages, READ_OR_METADATA),
    ("GET", f"messages/{_ID}", "messages.get", reading.get_message, READ_OR_METADATA),
    ("GET", f"messages/{_ID}/attachments/(?P<part>[^/]+)", "attachments.get", reading.get_attachment, READ),
    ("GET", "threads", "threads.list", reading.list_threads, READ_OR_METADATA),
    ("GET", f"threads/{_ID}", "threads.get", reading.get_thread, READ_OR_METADATA),
    ("GET", "history", "history.list", reading.list_history, READ_OR_METADATA),
    ("GET", "labels", "labels.list", reading.list_labels, LABELS),
    ("GET", f"labels/{_ID}", "labels.get", reading.get_label, LABELS),
    ("POST", "labels", "labels.create", mutations.create_label, {*WRITE, f"{AUTH}labels"}),
    ("DELETE", f"labels/{_ID}", "labels.delete", mutations.delete_label, {*WRITE, f"{AUTH}labels"}),
    ("POST", "watch", "watch", mutations.watch, READ_OR_METADATA),
    ("POST", "stop", "stop", mutations.stop, READ_OR_METADATA),
    ("POST", "messages/batchModify", "messages.batchModify", mutations.batch_modify, WRITE),
    ("POST", "messages/batchDelete", "messages.batchDelete", mutations.batch_delete, {FULL}),
    ("POST", "messages/import", "messages.import", mutations.import_message, {*WRITE, f"{AUTH}insert"}),
    ("POST", "messages/send", "messages.send", mutations.send, {*WRITE, f"{AUTH}send", f"{AUTH}compose"}),
    ("POST", "messages", "messages.insert", mutations.insert, {*WRITE, f"{AUTH}insert"}),
    ("POST", f"messages/{_ID}/modify", "messages.modify", mutations.modify, WRITE),
    ("POST", f"messages/{_ID}/trash", "messages.trash", mutations.trash, WRITE),
    ("POST", f"messages/{_ID}/untrash", "messages.untrash", mutations.untrash, WRITE),
    ("DELETE", f"messages/{_ID}", "messages.delete", mutations.delete, {FULL}),
]
_COMPILED = [
    (verb, re.compile(rf"(?:/upload)?/gmail/v1/users/(?P<user>[^/]+)/{path}"), name, method, scopes)
    for verb, path, name, method, scopes in ROUTES
]


class GmailApi:
    """Answers one request, alone or as a part of a batch."""

    def __init__(self, gmail: "Gmail") -> None:
        self.gmail = gmail

    def answer(self, request: Request) -> Response:
        """The response; raises BrokenConnectionError where there is to be none."""
        verb = request.headers.get("x-http-method-override", request.verb)
        for expected, pattern, name, method, scopes in _COMPILED:
            found = pattern.fullmatch(request.path) if expected == verb else None
            if found is not None:
                return self._call(name, method, scopes, found.groupdict(), request)
        return json_response({"error": {"code": 404, "message": "Not Found", "status": "NOT_FOUND"}}, 404)

    def _call(self, name: str, method: Method, scopes: set[str], groups: dict[str, str], request: Request) -> Response:
        gmail = self.gmail
        arguments = request.arguments()
        if request.headers.get("x-http-method-override"):
            arguments = Request("GET", "", request.body.decode(), {}, b"").arguments()
        noted = groups.get("id") or next(
            (arguments[key][0] for key in ("startHistoryId", "q", "pageToken") if key in arguments), ""
        )
        address, units, response, fault = "", 0, None, None
        entered = False
        try:
            user, granted = self._whose(request, groups["user"])
            address = user.address
            with gmail.lock:
                fault = gmail.faults.pick(name, address)
                if not request.in_batch:
                    gmail.quota.enter(address)
                    entered = True
            if fault is not None:
                fault.strike(gmail.pause, user.revoke)
                user, granted = self._whose(request, groups["user"])
            gmail.pause(gmail.latency_seconds)
            if not scopes & set(granted):
                raise _insufficient()
            with gmail.lock:
                units = gmail.quota.charge(address, name, gmail.clock.milliseconds())
                asked = Asked(gmail, user, granted, groups.get("id") or "", arguments, request, fault)
                content = method(asked)
            response = _success(content, arguments)
            if fault is not None:
                response = fault.spoil(response)
        except ApiError as error:
            response = error.response()
        finally:
            with gmail.lock:
                if entered:
                    gmail.quota.leave(address)
                status = response.status if response is not None else 0
                gmail.calls.add(Call(name, address, status, units, request.in_batch, noted))
        return response

    def _whose(self, request: Request, named: str) -> tuple[User, tuple[str, ...]]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self.gmail.lock:
            grant = self.gmail.oauth.whose(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            raise unauthenticated()
        if unquote(named) not in {"me", grant.user.address}:
            raise ApiError(403, f"Delegation denied for {grant.user.address}", "forbidden", "PERMISSION_DENIED")
        return grant.user, grant.scopes


def _success(content: Any, arguments: dict[str, list[str]]) -> Response:
    if content is None:
        return Response(204)
    mask = arguments.get("fields", [""])[0]
    if isinstance(content, str):
        if not mask:
            return json_response(content)
        content = json.loads(content)
    return json_response(apply_mask(content, mask) if mask else content)


def _insufficient() -> ApiError:
    return ApiError(
        403,
        "Request had insufficient authentication scopes.",
        "insufficientPermissions",
        "PERMISSION_DENIED",
        headers={
            "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"',
        },
    )
