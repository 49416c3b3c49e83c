"""A new key in use while everything runs."""

import uuid

import pytest
from sqlalchemy import Engine, insert, select, text, update

from rl_emails_assets.connections import key_ring, key_rotation
from rl_emails_assets.connections.credentials import TokenSource, place_of, read_grant
from rl_emails_assets.connections.sealing import Sealer
from rl_emails_assets.db.tables import identity, mailboxes
from rl_emails_assets.db.tables.identity import LOCAL_ORGANIZATION
from rl_emails_assets.errors import SealError
from rl_emails_assets.settings import Settings
from tests.connections.conftest import connect, one
from tests.connections.test_sealing import sealed_by_an_older_release
from tests.gmail.standin.gmail import Gmail


@pytest.fixture
def three(engine: Engine, live: Settings, gmail: Gmail) -> list[uuid.UUID]:
    """Three connected mailboxes."""
    return sorted(connect(engine, live, gmail.add_user(f"{name}@example.org")) for name in ("ada", "bob", "cy"))


def _key_ids(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(mailboxes.credentials.c.key_id)).scalars())


def test_every_grant_is_sealed_again_and_still_opens(three: list[uuid.UUID], engine: Engine, live: Settings) -> None:
    """A rotation that loses a grant, or leaves one with the key that was to go."""
    with engine.connect() as connection:
        before = [read_grant(connection, live, mailbox_id) for mailbox_id in three]
    old = Sealer.of(live).key_id
    key_ring.add_key(live)
    new = Sealer.of(live).key_id
    assert key_rotation.counts(engine, live) == {new: 0, old: 3}
    done = key_rotation.rewrap(engine, live)
    assert (done.key_id, done.rewrapped_count, done.busy, done.unreadable) == (new, 3, [], {})
    assert key_rotation.counts(engine, live) == {new: 3, old: 0}
    with engine.connect() as connection:
        assert [read_grant(connection, live, mailbox_id) for mailbox_id in three] == before
    assert key_rotation.rewrap(engine, live).rewrapped_count == 0


def test_a_row_in_use_is_waited_for_not_blocked_on(three: list[uuid.UUID], engine: Engine, live: Settings) -> None:
    """A rotation that waits behind a refresh, or that forgets the row."""
    key_ring.add_key(live)
    with engine.begin() as connection:
        connection.execute(
            select(mailboxes.credentials.c.mailbox_id)
            .where(mailboxes.credentials.c.mailbox_id == three[1])
            .with_for_update()
        )
        done = key_rotation.rewrap(engine, live, patience_seconds=0.3)
        assert done.busy == [three[1]]
        assert done.rewrapped_count == 2
    done = key_rotation.rewrap(engine, live)
    assert (done.busy, done.rewrapped_count) == ([], 1)
    assert _key_ids(engine) == {Sealer.of(live).key_id}


def test_a_refresh_seals_with_the_new_key(three: list[uuid.UUID], engine: Engine, live: Settings) -> None:
    """A process that was started before the rotation and cannot read what is sealed after it."""
    source = TokenSource(engine, live, three[0])
    key_ring.add_key(live)
    key_rotation.rewrap(engine, live)
    assert source.access_token()
    assert _key_ids(engine) == {Sealer.of(live).key_id}


def test_a_grant_that_cannot_be_opened_is_named_and_left(
    three: list[uuid.UUID], engine: Engine, live: Settings
) -> None:
    """One damaged row that keeps all others from being sealed again."""
    with engine.begin() as connection:
        connection.execute(
            text("update mailboxes.credentials set sealed = sealed || '\\x00' where mailbox_id = :id"), {"id": three[0]}
        )
    before = one(engine, "select sealed from mailboxes.credentials where mailbox_id = :id", id=three[0]).sealed
    key_ring.add_key(live)
    done = key_rotation.rewrap(engine, live)
    assert list(done.unreadable) == [three[0]]
    assert str(three[0]) in done.unreadable[three[0]]
    assert done.rewrapped_count == 2
    assert one(engine, "select sealed from mailboxes.credentials where mailbox_id = :id", id=three[0]).sealed == before


def test_a_key_that_is_missing_is_seen(three: list[uuid.UUID], engine: Engine, live: Settings) -> None:
    """A restored database whose keys were not restored, found when the first sync fails."""
    old = Sealer.of(live).key_id
    key_ring.key_file(live.home).unlink()
    assert key_rotation.counts(engine, live) == {Sealer.of(live).key_id: 0, old: 3}


def _seal_as_before(engine: Engine, live: Settings, mailbox_ids: list[uuid.UUID]) -> None:
    sealer = Sealer.of(live)
    with engine.begin() as connection:
        for mailbox_id in mailbox_ids:
            place = place_of(mailbox_id, LOCAL_ORGANIZATION)
            is_this = mailboxes.credentials.c.mailbox_id == mailbox_id
            sealed = connection.execute(select(mailboxes.credentials.c.sealed).where(is_this)).scalar_one()
            older = sealed_by_an_older_release(sealer, sealer.open(sealed, bound_to=place), place)
            connection.execute(update(mailboxes.credentials).where(is_this).values(sealed=older))


def test_what_an_older_release_sealed_is_bound_to_its_tenant_in_the_background(
    three: list[uuid.UUID], engine: Engine, live: Settings
) -> None:
    """An update that binds only the tokens of mailboxes connected from then on; or nobody knows how far it is."""
    with engine.connect() as connection:
        before = [read_grant(connection, live, mailbox_id) for mailbox_id in three]
    _seal_as_before(engine, live, three[:2])
    with engine.connect() as connection:
        assert [read_grant(connection, live, mailbox_id) for mailbox_id in three] == before
        assert key_rotation.outdated_count(connection) == 2
        assert key_rotation.has_work(connection, live)
    assert key_rotation.rewrap(engine, live).rewrapped_count == 2
    with engine.connect() as connection:
        assert [read_grant(connection, live, mailbox_id) for mailbox_id in three] == before
        assert key_rotation.outdated_count(connection) == 0
        assert not key_rotation.has_work(connection, live)
    key_ring.add_key(live)
    with engine.connect() as connection:
        assert key_rotation.has_work(connection, live)


def test_nothing_to_seal_makes_no_key(engine: Engine, live: Settings) -> None:
    """A schedule that makes keys on a machine that was never meant to hold any."""
    with engine.connect() as connection:
        assert not key_rotation.has_work(connection, live)
    assert not key_ring.key_file(live.home).exists()


def test_a_mailbox_that_is_given_to_another_tenant_takes_no_grant_along(
    three: list[uuid.UUID], engine: Engine, live: Settings
) -> None:
    """Whoever can write to the table of mailboxes reads another organization's mail."""
    other = uuid.UUID(int=9)
    with engine.begin() as connection:
        connection.execute(insert(identity.organizations).values(organization_id=other, name="Other"))
        connection.execute(
            update(mailboxes.connections)
            .where(mailboxes.connections.c.mailbox_id == three[0])
            .values(organization_id=other)
        )
    with engine.connect() as connection, pytest.raises(SealError, match="does not belong there"):
        read_grant(connection, live, three[0])
