"""Promise 8: tenants are separated by the database, whatever a statement forgets."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from rl_emails_api.identity.principal import SCOPES, Principal, Role
from rl_emails_api.transactions import transaction_of
from rl_emails_assets.db.row_security import API_ROLE, FIGURES_ROLE
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables import app, identity, mail, mailboxes
from rl_emails_assets.db.tables.base import SCHEMAS
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION, LOCAL_USER

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from seed import seed

OWNER = Principal(LOCAL_USER, LOCAL_ORGANIZATION, "owner", SCOPES, "local")
OF_MAILBOXES = [table for table in metadata.sorted_tables if "mailbox_id" in table.c]
OF_TENANTS = [
    table for table in metadata.sorted_tables if {"mailbox_id", "organization_id", "user_id"} & set(table.c.keys())
]


@pytest.fixture
def mailbox_id(engine: Engine) -> uuid.UUID:
    return seed(engine)


def add_person(engine: Engine, organization_id: uuid.UUID, role: Role, *, is_new: bool = False) -> Principal:
    """A new person in the organization, which is made too if it `is_new`."""
    user_id = uuid.uuid4()
    with engine.begin() as connection:
        if is_new:
            connection.execute(insert(identity.organizations).values(organization_id=organization_id, name="Other"))
        connection.execute(insert(identity.users).values(user_id=user_id, issuer="https://i", subject=str(user_id)))
        connection.execute(
            insert(identity.memberships).values(organization_id=organization_id, user_id=user_id, role=role)
        )
    return Principal(user_id, organization_id, role, SCOPES, "session")


@contextmanager
def as_nobody(engine: Engine) -> Iterator[Connection]:
    """The API's role in a transaction that has not said who asks."""
    with engine.connect() as connection, connection.begin():
        connection.execute(text(f"set local role {API_ROLE}"))
        yield connection


def counted(connection: Connection, table: Table) -> int:
    """Rows of the table that are seen; 0 where the role has no right to look."""
    try:
        with connection.begin_nested():
            return connection.execute(select(func.count()).select_from(table)).scalar_one()
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return 0


def test_every_table_is_under_forced_row_level_security(engine: Engine) -> None:
    """A table of tomorrow that nobody put a policy on, open to every tenant."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_forced "
                "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p') and n.nspname = any(:schemas)"
            ),
            {"schemas": list(SCHEMAS)},
        ).all()
    assert {row.name for row in rows} == {table.fullname for table in metadata.sorted_tables}
    assert [row.name for row in rows if not row.is_forced] == []


def test_the_roles_own_nothing_and_cannot_log_in(engine: Engine) -> None:
    """A role that owns a table can switch its policies off."""
    with engine.connect() as connection:
        for role in (API_ROLE, FIGURES_ROLE):
            row = connection.execute(
                text("select rolsuper, rolbypassrls, rolcanlogin, rolcreaterole from pg_roles where rolname = :role"),
                {"role": role},
            ).one()
            assert tuple(row) == (False, False, False, False)
            owned = text("select count(*) from pg_class where relowner = cast(:role as regrole)")
            assert connection.execute(owned, {"role": role}).scalar_one() == 0


def test_the_owner_sees_the_whole_mailbox(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """A policy that hides from people what is theirs; and a control for the tests below, which find nothing."""
    seen_at_all = {row.name for row in _policies(engine) if row.role == API_ROLE}
    filled = 0
    with transaction_of(engine, OWNER) as seen, engine.connect() as all_of_it:
        for table in OF_MAILBOXES:
            if table.fullname in seen_at_all:
                there = counted(all_of_it, table)
                filled += there > 0
                assert counted(seen, table) == there, table.fullname
    assert filled >= 20


@pytest.mark.parametrize("who", ["stranger", "colleague", "administrator", "removed", "deactivated", "nobody"])
def test_the_wrong_tenant_finds_no_row_in_any_table(engine: Engine, mailbox_id: uuid.UUID, who: str) -> None:
    """Anybody but its owner who reads a personal mailbox because a statement forgot whose it is."""
    asking: Principal | None = None
    if who == "stranger":
        asking = add_person(engine, uuid.uuid4(), "owner", is_new=True)
    elif who in ("colleague", "removed", "deactivated"):
        asking = add_person(engine, LOCAL_ORGANIZATION, "member")
    elif who == "administrator":
        asking = add_person(engine, LOCAL_ORGANIZATION, "admin")
    with engine.begin() as connection:
        if who == "removed":
            is_them = identity.memberships.c.user_id == asking.user_id
            connection.execute(delete(identity.memberships).where(is_them))
        elif who == "deactivated":
            is_them = identity.users.c.user_id == asking.user_id
            connection.execute(update(identity.users).where(is_them).values(deactivated_at=func.now()))
    # What is told of a mailbox without what it holds; an administrator sees that of the whole organization.
    operated = {
        row.name
        for row in _policies(engine)
        if who == "administrator" and "operated_mailboxes" in (row.condition or "") and row.role == API_ROLE
    }
    context = as_nobody(engine) if asking is None else transaction_of(engine, asking)
    with context as connection:
        for table in OF_MAILBOXES:
            if table.fullname not in operated:
                assert counted(connection, table) == 0, table.fullname
        if who in ("stranger", "nobody", "removed", "deactivated"):
            shared = set() if asking is None else {"identity.users", "identity.memberships", "identity.organizations"}
            for table in OF_TENANTS:
                if table.fullname not in shared:
                    assert counted(connection, table) == 0, table.fullname


def test_figures_are_counted_and_nothing_is_read(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """An administrator's status that needs the right to read everybody's mail."""
    asking = add_person(engine, LOCAL_ORGANIZATION, "admin")
    with transaction_of(engine, asking, role=FIGURES_ROLE) as connection:
        assert connection.execute(select(func.count(mail.messages.c.message_id))).scalar_one() > 10
        for column in (mail.messages.c.subject, mail.messages.c.text, mail.messages.c.from_address):
            with pytest.raises(DBAPIError, match="permission denied"), connection.begin_nested():
                connection.execute(select(column)).all()
    stranger = add_person(engine, uuid.uuid4(), "owner", is_new=True)
    with transaction_of(engine, stranger, role=FIGURES_ROLE) as connection:
        assert connection.execute(select(func.count(mail.messages.c.message_id))).scalar_one() == 0


def test_nobody_writes_into_another_tenants_mailbox(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """Rows of other tenants wiped, changed, or slipped in, by a statement without a condition."""
    stranger = add_person(engine, uuid.uuid4(), "owner", is_new=True)
    with transaction_of(engine, stranger) as connection:
        for table in (app.message_states, app.feedback, mail.messages, mailboxes.connections):
            assert connection.execute(delete(table)).rowcount == 0
            assert connection.execute(update(table).values(mailbox_id=uuid.uuid4())).rowcount == 0
        with pytest.raises(DBAPIError, match="row-level security"), connection.begin_nested():
            connection.execute(
                insert(app.task_states).values(task_id=uuid.uuid4(), mailbox_id=mailbox_id, status="done")
            )
        with pytest.raises(DBAPIError, match="row-level security"), connection.begin_nested():
            connection.execute(
                insert(mailboxes.connections).values(
                    mailbox_id=uuid.uuid4(),
                    address="x@example.org",
                    provider="files",
                    organization_id=LOCAL_ORGANIZATION,
                    owner_user_id=stranger.user_id,
                )
            )


def test_a_shared_mailbox_is_its_organizations_and_no_further(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """Sharing that reaches nobody, or everybody; and access that outlives a membership."""
    colleague = add_person(engine, LOCAL_ORGANIZATION, "member")
    stranger = add_person(engine, uuid.uuid4(), "owner", is_new=True)

    def seen(asking: Principal) -> int:
        with transaction_of(engine, asking) as connection:
            return counted(connection, mail.messages)

    assert seen(colleague) == 0
    with engine.begin() as connection:
        connection.execute(update(mailboxes.connections).values(is_shared=True))
    assert seen(colleague) == seen(OWNER) > 10
    assert seen(stranger) == 0
    with engine.begin() as connection:
        connection.execute(delete(identity.memberships).where(identity.memberships.c.user_id == colleague.user_id))
    assert seen(colleague) == 0


def test_who_leaves_is_signed_out_of_the_organization(engine: Engine) -> None:
    """A key in a script that goes on working after its owner was removed."""
    leaver = add_person(engine, LOCAL_ORGANIZATION, "member")
    common = {"user_id": leaver.user_id, "organization_id": LOCAL_ORGANIZATION, "expires_at": text("now() + '1 day'")}
    with engine.begin() as connection:
        connection.execute(insert(identity.sessions).values(session_id=uuid.uuid4(), token_hash=b"s", **common))
        connection.execute(
            insert(identity.api_keys).values(
                api_key_id=uuid.uuid4(), key_hash=b"k", name="", prefix="", scopes=[], **common
            )
        )
        connection.execute(delete(identity.memberships).where(identity.memberships.c.user_id == leaver.user_id))
        for table in (identity.sessions, identity.api_keys):
            assert connection.execute(select(func.count()).where(table.c.revoked_at.is_not(None))).scalar_one() == 1


def test_a_member_changes_nobodys_role(engine: Engine) -> None:
    """A member who makes themself an administrator through an endpoint that forgot to ask."""
    member = add_person(engine, LOCAL_ORGANIZATION, "member")
    with transaction_of(engine, member) as connection:
        assert counted(connection, identity.memberships) == 2
        assert connection.execute(update(identity.memberships).values(role="owner")).rowcount == 0
        assert connection.execute(delete(identity.memberships)).rowcount == 0
        assert connection.execute(update(identity.organizations).values(name="Mine")).rowcount == 0
        is_other = identity.users.c.user_id != member.user_id
        assert connection.execute(update(identity.users).where(is_other).values(address="x")).rowcount == 0
        with pytest.raises(DBAPIError, match="permission denied"), connection.begin_nested():
            connection.execute(delete(identity.audit_events))


def test_who_asked_is_forgotten_with_the_transaction(engine: Engine, mailbox_id: uuid.UUID) -> None:
    """Behind a transaction pooler the next request gets the same connection, and would be the one before."""
    with engine.connect() as connection:
        for _ in range(2):
            with transaction_of_connection(connection):
                assert counted(connection, mail.messages) > 0
            with connection.begin():
                connection.execute(text(f"set local role {API_ROLE}"))
                assert counted(connection, mail.messages) == 0
            with connection.begin():
                assert connection.execute(text("select current_user")).scalar_one() != API_ROLE


@contextmanager
def transaction_of_connection(connection: Connection) -> Iterator[None]:
    """What `transaction_of` does, on a connection that is used again."""
    with connection.begin():
        connection.execute(
            text(
                "select set_config('rl_emails.organization_id', :organization, true), "
                "set_config('rl_emails.user_id', :user, true), set_config('role', :role, true)"
            ),
            {"organization": str(LOCAL_ORGANIZATION), "user": str(LOCAL_USER), "role": API_ROLE},
        )
        yield


def _policies(engine: Engine) -> list:
    with engine.connect() as connection:
        return list(
            connection.execute(
                text(
                    "select schemaname || '.' || tablename as name, qual as condition, unnest(roles)::text as role "
                    "from pg_policies where policyname = 'tenant'"
                )
            )
        )
