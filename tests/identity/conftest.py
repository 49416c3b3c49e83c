"""An identity provider, and APIs that believe it, on one database a file."""

import ssl
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text

from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import make_engine
from tests.identity.standin_issuer import CLIENT_ID, CLIENT_SECRET, StandInIssuer, running_issuer

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from serving import Running, Server, start

TRUST = ssl.create_default_context()
"""Read once: a client that reads the authorities for itself takes longer than its requests."""
PARTY = "https://mail.example.org"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def issuer() -> Iterator[StandInIssuer]:
    """The issuer; `fresh_issuer` sees that no test leaves it changed."""
    with running_issuer() as made:
        yield made


@pytest.fixture(autouse=True)
def fresh_issuer(request: pytest.FixtureRequest) -> None:
    """Undo what the test before did to the issuer."""
    if "issuer" in request.fixturenames:
        told: StandInIssuer = request.getfixturevalue("issuer")
        told.described, told.redirect_to, told.id_token, told.is_down = {}, {}, None, False
        told.claims = {"sub": "user_1"}
        told.asked.clear()


@pytest.fixture(scope="module")
def database(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[str]:
    """A migrated database that the tests of a file share."""
    name = f"identity_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    yield postgres_server.url(name)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def serving(database: str) -> Iterator[Callable[..., Server]]:
    """Starts an API with these settings on the file's database."""
    running: list[Running] = []

    def begin(**settings: Any) -> Server:
        running.append(start(make_engine(database, "api"), **settings))
        return running[-1].server

    yield begin
    for each in running:
        each.stop()


@pytest.fixture(scope="module")
def clerk_server(serving: Callable[..., Server], issuer: StandInIssuer) -> Server:
    """An API that believes Clerk's tokens, made for PARTY."""
    return serving(
        oidc_issuer=issuer.url,
        oidc_kind="clerk",
        oidc_authorized_parties=PARTY,
        clerk_webhook_secrets=WEBHOOK_SECRET,
        sign_in_url="https://accounts.example.org/sign-in",
    )


@pytest.fixture(scope="module")
def web_server(serving: Callable[..., Server], issuer: StandInIssuer) -> Server:
    """An API that browsers sign in to, and that takes bearer tokens for the audience `rl-api`."""
    return serving(
        oidc_issuer=issuer.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_audience="rl-api",
    )


@dataclass(frozen=True)
class Browser:
    """A browser: it keeps cookies, follows redirects when told, and says where a request comes from."""

    client: httpx.Client
    server: Server

    def sign_in(self, return_to: str = "/") -> httpx.Response:
        """All of a sign-in; the answer of the callback."""
        return self.client.get(self.come_back(self.begin(return_to)))

    def begin(self, return_to: str = "/") -> str:
        """The issuer's address that a sign-in leads to."""
        answer = self.client.get("/auth/login", params={"return_to": return_to})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, location: str) -> str:
        """Where the issuer sends the browser back to."""
        return self.client.get(location, headers={"Cookie": ""}).headers["location"]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """As the page's own script asks."""
        return self.client.get(path, headers={"Sec-Fetch-Site": "same-origin", **headers})

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The same, writing."""
        return self.client.request(method, path, headers={"Sec-Fetch-Site": "same-origin"}, **more)


@pytest.fixture
def new_browser(web_server: Server) -> Iterator[Callable[..., Browser]]:
    """Makes a browser that nobody is signed in with."""
    made: list[httpx.Client] = []

    def new(user_agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0") -> Browser:
        made.append(httpx.Client(base_url=web_server.url, timeout=30, verify=TRUST, headers={"User-Agent": user_agent}))
        return Browser(made[-1], web_server)

    yield new
    for each in made:
        each.close()


@pytest.fixture
def browser(new_browser: Callable[..., Browser]) -> Browser:
    """A browser that nobody is signed in with."""
    return new_browser()


@dataclass(frozen=True)
class Bearer:
    """Asks a server with a bearer token, or with none."""

    server: Server
    client: httpx.Client

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        """A GET."""
        return self.send("GET", path, token, headers=headers)

    def send(self, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
        """Any request."""
        headers = {**more.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return self.client.request(method, f"{self.server.url}{path}", headers=headers, **more)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """A client that keeps nothing; making one for each request takes longer than the request."""
    with httpx.Client(timeout=30, verify=TRUST) as made:
        made.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield made


@pytest.fixture(scope="module")
def asking(http: httpx.Client) -> Callable[[Server], Bearer]:
    """Makes what asks a server."""
    return lambda server: Bearer(server, http)


@pytest.fixture(scope="module")
def clerk(clerk_server: Server, http: httpx.Client) -> Bearer:
    """Asks the API that believes Clerk's tokens."""
    return Bearer(clerk_server, http)


@pytest.fixture(scope="module")
def web(web_server: Server, http: httpx.Client) -> Bearer:
    """Asks the API that browsers sign in to, without one."""
    return Bearer(web_server, http)


def rows(engine: Engine, query: str, **parameters: Any) -> list[Any]:
    """What a query finds, as the tables' owner."""
    with engine.begin() as connection:
        found = connection.execute(text(query), parameters)
        return list(found.all()) if found.returns_rows else []


def code_of(answer: httpx.Response) -> str:
    """The problem's name."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:rl-emails:problem:")
