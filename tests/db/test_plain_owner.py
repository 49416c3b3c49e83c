"""A database whose owner is no superuser, as managed Postgres has them: forced row-level security holds for it too."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from rl_emails_api.identity.principal import LOCAL, Principal
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db.embedded_postgres import EmbeddedPostgres
from rl_emails_assets.db.engine import make_engine
from rl_emails_assets.db.migrate import migrate
from rl_emails_assets.db.row_security import API_ROLE, FIGURES_ROLE
from rl_emails_assets.db.tables import mailboxes


@dataclass(frozen=True)
class PlainOwner:
    """A role that may log in and no more, and an engine of its own database, which is empty."""

    name: str
    engine: Engine
    administrator_url: str

    def may_be_the_api(self) -> None:
        """What an administrator runs once on the server."""
        with psycopg.connect(self.administrator_url, autocommit=True) as connection:
            for role in (API_ROLE, FIGURES_ROLE):
                connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(self.name)))


@pytest.fixture
def plain_owner(postgres_server: EmbeddedPostgres, template_database: str) -> Iterator[PlainOwner]:
    """The API's roles are on the server already, because the template's migrations made them."""
    name = f"owner_{uuid.uuid4().hex[:12]}"
    quoted = sql.Identifier(name)
    url = postgres_server.url(name)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password 'p'").format(quoted))
        connection.execute(sql.SQL("create database {} owner {}").format(quoted, quoted))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create extension vector")
    own = make_url(url).set(username=name, password="p").render_as_string(hide_password=False)
    engine = make_engine(own, "plain owner")
    yield PlainOwner(name, engine, postgres_server.url())
    engine.dispose()
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(quoted))
        connection.execute(sql.SQL("drop role {}").format(quoted))


def test_its_steps_see_every_mailbox_and_its_requests_only_their_own(plain_owner: PlainOwner) -> None:
    """Forced row-level security that hides all mail from the graph; a superuser's rights would hide that in tests."""
    plain_owner.may_be_the_api()
    migrate(plain_owner.engine)
    mailbox_id = uuid.uuid4()
    count = select(func.count()).select_from(mailboxes.connections)
    with plain_owner.engine.begin() as connection:
        connection.execute(
            insert(mailboxes.connections).values(mailbox_id=mailbox_id, address="ada@example.org", provider="files")
        )
    with plain_owner.engine.connect() as connection:
        assert connection.execute(count).scalar_one() == 1
    with transaction_of(plain_owner.engine, LOCAL) as connection:
        assert connection.execute(count).scalar_one() == 1
    stranger = Principal(uuid.uuid4(), uuid.uuid4(), "owner", LOCAL.scopes, "session")
    with transaction_of(plain_owner.engine, stranger) as connection:
        assert connection.execute(count).scalar_one() == 0


def test_a_role_that_an_administrator_has_to_give_is_named(plain_owner: PlainOwner) -> None:
    """A migration that fails with "permission denied" and leaves the operator to guess what to run."""
    with pytest.raises(DBAPIError) as refused:
        migrate(plain_owner.engine)
    assert isinstance(refused.value.orig, psycopg.Error)
    assert f"grant {API_ROLE} to {plain_owner.name};" in str(refused.value.orig.diag.message_hint)
