"""Organizations with people and mailboxes in one database, and the API over HTTP as any of them."""

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

import httpx
import psycopg
import pytest
import seed
import serving
from psycopg import sql
from sqlalchemy import Engine, insert, text

from rl_emails_api.identity.credential_secrets import hash_of, new_api_key, new_secret
from rl_emails_api.identity.principal import SCOPES
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.tables import identity, mail, mailboxes

ISSUER = "https://id.example.org"
PEOPLE = {"olga": "owner", "adam": "admin", "mia": "member", "max": "member"}


@dataclass(frozen=True)
class Person:
    """Somebody with an API key and a session."""

    user_id: uuid.UUID
    address: str
    key: str
    session: str


@dataclass
class Place:
    """An organization in which a test acts."""

    engine: Engine
    url: str
    organization_id: uuid.UUID
    people: dict[str, Person] = field(default_factory=dict)
    clients: list[httpx.Client] = field(default_factory=list)

    def __getitem__(self, name: str) -> httpx.Client:
        """A client with the person's API key."""
        return self._client({"Authorization": f"Bearer {self.people[name].key}"})

    def signed_in(self, name: str) -> httpx.Client:
        """A client with the person's session, as the page has it."""
        cookie = f"rl_emails_user={self.people[name].session}"
        return self._client({"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=30))
        return self.clients[-1]

    def id_of(self, name: str) -> str:
        """A person's id, as the API writes it."""
        return str(self.people[name].user_id)

    def add(self, name: str, role: str | None, *, address: str | None = None) -> Person:
        """A person, and their membership; None: they only have an organization of their own."""
        user_id, home = uuid.uuid4(), self.organization_id
        person = Person(user_id, address or f"{name}@{user_id.hex[:8]}.example", new_api_key(), new_secret())
        with self.engine.begin() as connection:
            connection.execute(
                insert(identity.users).values(
                    user_id=user_id, issuer=ISSUER, subject=user_id.hex, address=person.address, display_name=name
                )
            )
            if role is None:
                home, role = uuid.uuid4(), "owner"
                connection.execute(
                    insert(identity.organizations).values(organization_id=home, name="Personal", is_personal=True)
                )
            connection.execute(insert(identity.memberships).values(organization_id=home, user_id=user_id, role=role))
            expires_at = datetime.now(UTC) + timedelta(days=1)
            connection.execute(
                insert(identity.api_keys).values(
                    api_key_id=uuid.uuid4(),
                    organization_id=home,
                    user_id=user_id,
                    name="test",
                    prefix=person.key[:10],
                    key_hash=hash_of(person.key),
                    scopes=sorted(SCOPES),
                    expires_at=expires_at,
                )
            )
            connection.execute(
                insert(identity.sessions).values(
                    session_id=uuid.uuid4(),
                    organization_id=home,
                    user_id=user_id,
                    token_hash=hash_of(person.session),
                    expires_at=expires_at,
                )
            )
        self.people[name] = person
        return person

    def mailbox(self, owner: str | None, *, is_shared: bool = False, provider: str = "gmail") -> uuid.UUID:
        """A mailbox of the organization."""
        mailbox_id = uuid.uuid4()
        with self.engine.begin() as connection:
            connection.execute(
                insert(mailboxes.connections).values(
                    mailbox_id=mailbox_id,
                    address=f"{mailbox_id.hex[:8]}@example.org",
                    provider=provider,
                    organization_id=self.organization_id,
                    owner_user_id=owner and self.people[owner].user_id,
                    is_shared=is_shared,
                )
            )
        return mailbox_id

    def thread(self, mailbox_id: uuid.UUID) -> uuid.UUID:
        """A conversation without messages in a mailbox."""
        thread_id = uuid.uuid4()
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            seed._put(
                connection,
                mail.threads,
                thread_id=thread_id,
                mailbox_id=mailbox_id,
                first_at=now,
                last_at=now,
                last_message_id=uuid.uuid4(),
            )
        return thread_id

    def one(self, query: str, **parameters: Any) -> Any:
        """The only row of a query, as the tables' owner."""
        with self.engine.connect() as connection:
            return connection.execute(text(query), parameters).one()

    def do(self, statement: str, **parameters: Any) -> None:
        """A statement as the tables' owner."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def actions(self) -> list[tuple[str, str]]:
        """Who did what in the organization, in order, as the audit log has it."""
        names = {person.user_id: name for name, person in self.people.items()}
        query = (
            "select user_id, action from identity.audit_events "
            "where organization_id = :id and action not like 'sign_in.%' order by created_at"
        )
        with self.engine.connect() as connection:
            rows = connection.execute(text(query), {"id": self.organization_id})
            return [(names.get(row.user_id, "?"), row.action) for row in rows]


@pytest.fixture(scope="module")
def database(postgres_server, template_database) -> Iterator[str]:
    """A database for the tests of one file; each makes organizations of its own in it."""
    name = f"organizations_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    yield postgres_server.url(name)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def api(database) -> Iterator[serving.Server]:
    """The API with an identity provider that vouches for people and knows no organizations."""
    running = serving.start(make_engine(database, "api"), oidc_issuer=ISSUER, oidc_client_id="client")
    yield running.server
    running.stop()


@pytest.fixture
def make_place(api) -> Iterator[Callable[..., Place]]:
    """Makes an organization: `make_place("owner", "admin", ...)` by the names in PEOPLE; everybody unless named."""
    made: list[Place] = []

    def make(*names: str) -> Place:
        place = Place(api.engine, api.url, uuid.uuid4())
        made.append(place)
        place.do(
            "insert into identity.organizations (organization_id, name) values (:id, 'Kestrel')",
            id=place.organization_id,
        )
        for name in names or PEOPLE:
            place.add(name, PEOPLE[name])
        return place

    yield make
    for place in made:
        for client in place.clients:
            client.close()


@pytest.fixture
def place(make_place) -> Place:
    """An organization with everybody of PEOPLE."""
    return make_place()
