"""Every route there is, schema or none: strict policies, no way to elsewhere, nothing echoed as markup, silent logs."""

import logging
import re
import time
import uuid
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute
from mails import MAILS, seed_id
from serving import TOKEN
from sqlalchemy import text

from rl_emails_api.app import FEATURES
from rl_emails_api.remote_images.links import PATH as IMAGES
from rl_emails_assets.errors import DatabaseUnavailableError

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "/%09/evil.example",
)
REDIRECTING = ("return_to", "next", "url", "redirect", "redirect_uri", "continue", "to", "dest", "target", "back", "r")
MARKUP = "<script>marked()</script>\"'><img src=x onerror=marked()>"
ASKED = (
    "q",
    "state",
    "code",
    "error",
    "error_description",
    "iss",
    "token",
    "mailbox",
    "cursor",
    "fields",
    "image",
    "since",
)
SECRET = "Marked-7f3a91c2"
"""Is part of whatever a test sends that no log may repeat."""

_STREAMS = ("/v1/events",)


def routes() -> list[tuple[str, str]]:
    """(method, path with made-up ids) of every route."""
    found = [
        ("GET", "/"),
        ("GET", "/admin"),
        ("GET", "/web/index.html"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/nothing"),
    ]
    for route in (route for feature in FEATURES for route in feature.router.routes):
        assert isinstance(route, APIRoute)
        if route.path in _STREAMS:
            continue
        path = route.path.replace("{message_id}", str(seed_id("quote"))).replace("{part_path}", "2")
        path = re.sub(r"\{[^}]*\}", str(seed_id("thread pier")), path)
        found += [(method, path) for method in sorted(route.methods)]
    return found


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    """The Content-Security-Policy, by directive."""
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


@pytest.fixture
def ask(shared_server):
    """Asks a route as somebody with the token, or nobody; follows nothing. Deletions are asked of ids that are none."""
    with shared_server.client() as client, httpx.Client(base_url=shared_server.url, timeout=30) as nobody:

        def one(method: str, path: str, *, known: bool = True, **more) -> httpx.Response:
            if method in ("DELETE", "POST", "PUT", "PATCH"):
                path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", str(uuid.UUID(int=7)), path)
            return (client if known else nobody).request(method, path, follow_redirects=False, **more)

        yield one


@pytest.mark.parametrize("known", [True, False])
def test_every_answer_has_a_strict_policy(ask, known):
    """One page or error that may run inline script, be framed, sniffed or kept by a shared cache."""
    for method, path in routes():
        answer = ask(method, path, known=known)
        where = (method, path, answer.status_code)
        directives = policy(answer)
        assert directives["default-src"] == ["'none'"], where
        for name, sources in directives.items():
            assert not {"*", "'unsafe-eval'", "https:", "http:", "blob:"} & set(sources), where
            if name != "style-src":
                assert "'unsafe-inline'" not in sources, where
        is_letter = path.endswith("/html") and answer.status_code == 200
        if is_letter or "/attachments/" in path:
            assert "sandbox" in directives or answer.status_code != 200, where
            assert not {"allow-scripts", "allow-same-origin"} & set(directives.get("sandbox", [])), where
        else:
            assert "'unsafe-inline'" not in directives.get("style-src", []), where
        if path != IMAGES or answer.status_code != 200:
            assert (
                directives.get("frame-ancestors") == (["'self'"] if is_letter else ["'none'"])
                or "/attachments/" in path
            )
            assert answer.headers["cross-origin-resource-policy"] == "same-origin", where
        assert answer.headers["x-content-type-options"] == "nosniff", where
        assert answer.headers["referrer-policy"] == "no-referrer", where
        assert "access-control-allow-origin" not in answer.headers, where
        if not path.startswith("/web/"):
            assert {"no-store", "private", "no-cache"} & set(re.split(r"[ ,=]+", answer.headers["cache-control"])), (
                where
            )


def test_no_route_leads_elsewhere(ask):
    """An open redirect: a link to us that ends at a stranger's sign-in page."""
    for method, path in routes():
        for place in ELSEWHERE:
            query = "&".join(f"{name}={quote(place, safe='')}" for name in REDIRECTING)
            hosts = {"X-Forwarded-Host": "evil.example", "X-Original-URL": place, "Forwarded": "host=evil.example"}
            answer = ask(method, f"{path}?{query}", known=False, headers=hosts)
            target = answer.headers.get("location", "")
            assert not target.startswith(("//", "/\\", "\\")), (method, path, place, target)
            assert urlsplit(target).hostname in (None, "127.0.0.1", "localhost"), (method, path, place, target)
            assert "evil.example" not in answer.headers.get("refresh", "")
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "evil.example" not in answer.text, (method, path, place)
    for slashes in (
        "//evil.example",
        "//evil.example/..",
        "/%5cevil.example",
        "/web//evil.example/",
        "/web/../..//evil.example",
    ):
        for known in (True, False):
            assert "location" not in ask("GET", slashes, known=known).headers


def test_no_answer_echoes_markup(ask):
    """A query or a path that is run as script by whoever opens a link to us."""
    sent = quote(MARKUP, safe="")
    query = "&".join(f"{name}={sent}" for name in ASKED)
    for method, path in [*routes(), ("GET", f"/{sent}"), ("GET", f"/v1/{sent}"), ("GET", f"/web/{sent}")]:
        for known in (True, False):
            answer = ask(method, f"{path}?{query}", known=known, headers={"Cookie": f"rl_emails_sign_in={sent}"})
            kind = answer.headers.get("content-type", "")
            assert kind.startswith(("application/", "text/html", "text/plain; version", "image/", "")), (path, kind)
            if "html" in kind or "xml" in kind or not kind:
                assert "marked()" not in answer.text.replace("&lt;script&gt;marked()", ""), (method, path)


class Kept(logging.Handler):
    """Everything that is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, the traceback included; but not what the tests' own client says."""
        if not record.name.startswith(("httpx", "httpcore")):
            self.lines.append(self.format(record))


@pytest.fixture
def logged(shared_server):
    """What the server's loggers say, in all detail."""
    kept, names = Kept(), ("", "uvicorn", "uvicorn.error", "rl_emails_api", "rl_emails_assets")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG if name.startswith("rl_") else logging.INFO)
    for name in ("", "uvicorn"):
        logging.getLogger(name).addHandler(kept)
    yield kept
    for name in ("", "uvicorn"):
        logging.getLogger(name).removeHandler(kept)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def private_words() -> set[str]:
    """Words of the seeded mail that are nowhere else: texts, subjects, names and addresses."""
    texts = [text for item in MAILS for text in (item.subject, item.text, *item.sender)]
    return {line.strip() for each in texts for line in each.splitlines() if len(line.strip()) > 12}


def test_logs_hold_no_secret_and_no_mail(shared_server, ask, logged, capfd, monkeypatch):
    """A token, a search, a body or a sentence of a mail that whoever reads the logs gets to see."""
    sent = {"Authorization": f"Bearer {SECRET}", "Cookie": f"rl_emails_session={SECRET}", "X-Request-Id": SECRET}
    body = {"value": SECRET, "kind": SECRET, "token": SECRET, "text": f"\x00{SECRET}", "message_ids": [SECRET]}
    query = "&".join(f"{name}={SECRET}%00" for name in ASKED)
    for method, path in routes():
        ask(method, path)
        ask(method, f"{path}?{query}", json=body)
        ask(method, f"{path}?{query}", known=False, headers=sent)
        ask(
            method,
            f"{path.rstrip('/')}/{SECRET}%0aINFO:%20forged",
            content=SECRET.encode(),
            headers={"Content-Type": "application/json"},
        )

    def away(*_, **__):
        raise DatabaseUnavailableError(f"no database at postgresql://user:{SECRET}@host")

    def wrong(connection, *_, **__):
        return connection.execute(text("select cast(:word as uuid)"), {"word": SECRET})

    def crash(*_, **__):
        raise RuntimeError("a bug")

    for failure in (away, wrong, crash):
        monkeypatch.setattr("rl_emails_api.people.queries.listed", failure)
        answer = ask("GET", f"/v1/people?cursor={SECRET}")
        answer = ask("GET", f"/v1/people?unknown={SECRET}")
        assert answer.status_code in (500, 503)
        assert SECRET not in answer.text
    # The server logs a crash after it has answered.
    deadline = time.monotonic() + 20
    while not any("RuntimeError: a bug" in line for line in logged.lines) and time.monotonic() < deadline:
        time.sleep(0.01)
    written = capfd.readouterr()
    everything = "\n".join([*logged.lines, written.out, written.err])
    # The failures themselves are there, with what a person needs to find them.
    assert "GET /v1/people: InvalidTextRepresentation, SQLSTATE 22P02" in everything
    assert "RuntimeError: a bug" in everything
    assert "wrong(" in everything or "in wrong" in everything
    for secret in (SECRET, TOKEN, *private_words()):
        assert secret not in everything, secret
    assert not [line for line in everything.splitlines() if line.startswith("INFO: forged")]
