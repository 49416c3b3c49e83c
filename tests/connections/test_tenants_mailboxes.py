"""Whose a mailbox becomes that somebody connects or imports, where several organizations hold the same address."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from rl_emails_assets.connections import google_oauth
from rl_emails_assets.connections.credentials import Grant
from rl_emails_assets.connections.google_endpoints import GMAIL_READONLY
from rl_emails_assets.connections.lifecycle import connect_gmail
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.mailbox_rows import (
    LOCAL_TENANT,
    Tenant,
    connect_files,
    ensure_mailbox,
    find_mailbox,
    mailbox_id_of,
)
from rl_emails_assets.errors import NotFoundError, SignInError
from rl_emails_assets.settings import Settings
from tests.connections.conftest import ADDRESS, OTHER, REDIRECT, SESSION, SignIn, one
from tests.gmail.standin.users import User


def _tenant(engine: Engine, organization_id: uuid.UUID | None = None) -> Tenant:
    """Somebody new in a new organization, or in this one."""
    tenant = Tenant(organization_id or uuid.uuid4(), uuid.uuid4())
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into identity.organizations (organization_id, name) values (:id, 'Kestrel') "
                "on conflict do nothing"
            ),
            {"id": tenant.organization_id},
        )
        connection.execute(
            text("insert into identity.users (user_id, issuer, subject) values (:id, 'x', :subject)"),
            {"id": tenant.user_id, "subject": tenant.user_id.hex},
        )
        connection.execute(
            text("insert into identity.memberships (organization_id, user_id, role) values (:o, :u, 'member')"),
            {"o": tenant.organization_id, "u": tenant.user_id},
        )
    return tenant


def _sign_in(sign_in: SignIn, tenant: Tenant, *, login_hint: str = "") -> google_oauth.Connected:
    with sign_in.engine.begin() as connection:
        url = google_oauth.begin(
            connection,
            sign_in.settings,
            session=SESSION,
            redirect_uri=REDIRECT,
            login_hint=login_hint,
            tenant=tenant,
            credential="session",
        )
    return sign_in.finish(sign_in.consent(url))


def _owner(engine: Engine, mailbox_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID | None, bool]:
    query = "select organization_id, owner_user_id, is_shared from mailboxes.connections where mailbox_id = :id"
    return tuple(one(engine, query, id=mailbox_id))


def test_each_organization_has_a_mailbox_of_its_own(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """One address, two organizations: the second one to connect it would join the first one's mailbox and read it."""
    local = sign_in()
    assert local.mailbox_id == mailbox_id_of(ADDRESS), "as it always was"
    tenants = [_tenant(engine), _tenant(engine)]
    connected = [_sign_in(sign_in, tenant) for tenant in tenants]
    assert len({local.mailbox_id, *(each.mailbox_id for each in connected)}) == 3
    assert _owner(engine, local.mailbox_id) == (LOCAL_TENANT.organization_id, LOCAL_TENANT.user_id, False)
    for tenant, each in zip(tenants, connected, strict=True):
        assert _owner(engine, each.mailbox_id) == (tenant.organization_id, tenant.user_id, False)
        event = one(engine, "select * from identity.audit_events where target = :id", id=str(each.mailbox_id))
        assert event.action == "mailbox.connected"
        assert (event.organization_id, event.user_id) == (tenant.organization_id, tenant.user_id)
        assert event.credential == "session"
    again = _sign_in(sign_in, tenants[0], login_hint=ADDRESS)
    assert again.mailbox_id == connected[0].mailbox_id


def test_a_hint_says_nothing_of_other_organizations(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """Whoever names an address of another organization would be bound to it: a way to learn what is connected there."""
    sign_in()
    tenant = _tenant(engine)
    ada.gmail.add_user(OTHER)
    ada.gmail.oauth.consent.address = OTHER
    connected = _sign_in(sign_in, tenant, login_hint=ADDRESS)
    assert connected.address == OTHER
    with pytest.raises(SignInError, match="was to be connected again"):
        sign_in(login_hint=ADDRESS)


def test_a_personal_mailbox_is_not_taken_over(sign_in: SignIn, ada: User, engine: Engine) -> None:
    """A colleague who can sign in to the account at Google is shown what its owner has here."""
    owner = _tenant(engine)
    mailbox_id = _sign_in(sign_in, owner).mailbox_id
    colleague = _tenant(engine, owner.organization_id)
    with pytest.raises(SignInError, match="another member"):
        _sign_in(sign_in, colleague)
    assert _owner(engine, mailbox_id) == (owner.organization_id, owner.user_id, False)
    with engine.begin() as connection:
        connection.execute(text("update mailboxes.connections set is_shared = true"))
    assert _sign_in(sign_in, colleague).mailbox_id == mailbox_id, "a shared one anybody may connect again"
    assert _owner(engine, mailbox_id)[1] == owner.user_id
    with engine.begin() as connection:
        connection.execute(text("delete from identity.memberships where user_id = :id"), {"id": owner.user_id})
    assert _owner(engine, mailbox_id)[1] is None
    _sign_in(sign_in, colleague)
    assert _owner(engine, mailbox_id)[1] == colleague.user_id, "and one without an owner has one then"


@pytest.mark.parametrize(
    "ended",
    [
        "delete from identity.memberships where user_id = :id",
        "update identity.users set deactivated_at = now() where user_id = :id",
    ],
)
def test_who_was_removed_meanwhile_connects_nothing(sign_in: SignIn, ada: User, engine: Engine, ended: str) -> None:
    """A mailbox that appears in an organization by somebody who is not in it any more."""
    tenant = _tenant(engine)
    with engine.begin() as connection:
        url = google_oauth.begin(connection, sign_in.settings, session=SESSION, redirect_uri=REDIRECT, tenant=tenant)
    with engine.begin() as connection:
        connection.execute(text(ended), {"id": tenant.user_id})
    with pytest.raises(SignInError, match="not a member"):
        sign_in.finish(sign_in.consent(url))
    assert one(engine, "select count(*) from mailboxes.connections")[0] == 0


def test_files_are_imported_into_the_own_organization(engine: Engine) -> None:
    """An import that adds its mail to the mailbox that another organization has under the address."""
    tenant = _tenant(engine)
    with engine.begin() as connection:
        local = connect_files(connection, ADDRESS, {"path": "/a", "kind": "mbox"}, aliases=())
        own = connect_files(connection, ADDRESS.upper(), {"path": "/b", "kind": "mbox"}, aliases=(), tenant=tenant)
        again = connect_files(connection, ADDRESS, {"path": "/c", "kind": "mbox"}, aliases=(), tenant=tenant)
    assert local.mailbox_id == mailbox_id_of(ADDRESS) != own.mailbox_id == again.mailbox_id
    sources = (
        "select jsonb_path_query_array(sources, '$[*].path') as s from mailboxes.connections where mailbox_id = :id"
    )
    assert one(engine, sources, id=local.mailbox_id).s == ["/a"]
    assert one(engine, sources, id=own.mailbox_id).s == ["/b", "/c"]


def test_an_id_that_is_taken_is_not_shared(engine: Engine) -> None:
    """A mailbox that was handed to another organization keeps its id: the next one of the address gets another."""
    tenant = _tenant(engine)
    with engine.begin() as connection:
        moved, _ = ensure_mailbox(connection, ADDRESS, provider="files")
        connection.execute(
            text("update mailboxes.connections set organization_id = :o, owner_user_id = :u"),
            {"o": tenant.organization_id, "u": tenant.user_id},
        )
        own, is_new = ensure_mailbox(connection, ADDRESS, provider="files")
        same, is_new_again = ensure_mailbox(connection, ADDRESS, provider="files")
    assert own.mailbox_id != moved.mailbox_id
    assert (is_new, is_new_again, same) == (True, False, own)
    assert _owner(engine, own.mailbox_id)[0] == LOCAL_TENANT.organization_id


def test_a_command_names_one_of_several_by_its_id(engine: Engine) -> None:
    """A command that works on the mailbox of another organization than was meant, and erases it perhaps."""
    tenant = _tenant(engine)
    with engine.begin() as connection:
        local, _ = ensure_mailbox(connection, ADDRESS, provider="files")
        own, _ = ensure_mailbox(connection, ADDRESS, tenant, provider="files")
        with pytest.raises(NotFoundError, match=f"{own.mailbox_id} \\(Kestrel\\)") as told:
            find_mailbox(connection, ADDRESS.upper())
        assert str(local.mailbox_id) in str(told.value)
        assert find_mailbox(connection, str(own.mailbox_id)) == own
        with pytest.raises(NotFoundError, match="name one with --mailbox"):
            find_mailbox(connection, None)


def test_connecting_asks_for_a_sync_of_ones_own_mailbox(engine: Engine, live: Settings) -> None:
    """The grant kept with, or the sync asked of, the mailbox that another organization has under the address."""
    tenant = _tenant(engine)
    grant = Grant("access", "refresh", datetime.now(UTC) + timedelta(hours=1), (GMAIL_READONLY,))
    with engine.begin() as connection:
        local = connect_gmail(connection, Sealer.of(live), ADDRESS, grant)
        own = connect_gmail(connection, Sealer.of(live), ADDRESS, grant, tenant=tenant)
        for table in ("mailboxes.credentials", "sync_queue.requests", "mailboxes.aliases"):
            rows = connection.execute(text(f"select mailbox_id from {table}")).scalars().all()  # noqa: S608 - constants
            assert set(rows) == {local, own}
