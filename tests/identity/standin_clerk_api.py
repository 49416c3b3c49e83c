"""Clerk's Backend API, as it answers: pages, a rate limit, a secret key; with the faults that real ones have."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.identity.clerk_world import ClerkWorld

SECRET_KEY = "sk_test_1"


class ClerkBackend:
    """What the API answers."""

    def __init__(self, world: ClerkWorld, jwks: Callable[[], list[dict[str, Any]]]) -> None:
        self.world = world
        self.jwks = jwks
        self.url = ""
        self.most = 2
        """On one page, whatever is asked for: a page is then full of what the test has."""
        self.asked: list[str] = []
        self.faults: list[tuple[int, dict[str, str]]] = []
        """What the next requests are answered with instead: status and headers."""
        self.before_page: Callable[[str, int], None] = lambda _path, _offset: None
        self.instead: dict[str, Any] = {}
        """Answers by path, instead of what is true."""

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
        """Status and body."""
        if path in self.instead:
            return 200, self.instead[path]
        parts = path.strip("/").split("/")
        lists: dict[str, dict[str, dict[str, Any]]] = {
            "users": self.world.users,
            "organizations": self.world.organizations,
            "organization_memberships": self.world.memberships,
        }
        if parts == ["jwks"]:
            return 200, {"keys": self.jwks()}
        if parts[0] in lists and len(parts) == 1:
            found = self._page(path, list(lists[parts[0]].values()), asked)
            return 200, found if parts[0] == "users" else {"data": found, "total_count": len(lists[parts[0]])}
        if len(parts) == 2 and parts[0] in lists and parts[1] in lists[parts[0]]:
            return 200, lists[parts[0]][parts[1]]
        if len(parts) == 3 and parts[2] == "organization_memberships" and parts[1] in self.world.users:
            own = [each for each in self.world.memberships.values() if each["public_user_data"]["user_id"] == parts[1]]
            return 200, {"data": self._page(path, own, asked), "total_count": len(own)}
        return 404, {"errors": [{"code": "resource_not_found"}]}

    def _page(self, path: str, items: list[Any], asked: dict[str, str]) -> list[Any]:
        self.before_page(path, int(asked["offset"]))
        items = sorted(items, key=lambda each: each["created_at"])
        items = [each for each in items if self._is_there(each)]
        return items[int(asked["offset"]) :][: int(asked["limit"])]

    def _is_there(self, item: dict[str, Any]) -> bool:
        return any(item["id"] in found for found in (
            self.world.users, self.world.organizations, self.world.memberships,
        ))  # fmt: skip


@contextmanager
def running_backend(backend: ClerkBackend) -> Iterator[ClerkBackend]:
    """The API, listening."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = urlsplit(self.path)
            backend.asked.append(told.path)
            headers: dict[str, str] = {}
            if self.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
                status, body = 401, {"errors": [{"code": "authentication_invalid"}]}
            elif backend.faults:
                (status, headers), body = backend.faults.pop(0), {"errors": []}
            else:
                asked = {name: values[0] for name, values in parse_qs(told.query).items()}
                status, body = backend.answer(told.path, asked)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)
            date = self.date_time_string(backend.world.now_ms / 1000)
            for name, value in {"Date": date, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    backend.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
