"""Tokens at rest: who can open them, and what happens to what nobody should be able to open."""

import base64
import os
import stat
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.connections import key_ring
from rl_emails_assets.connections.sealing import HEADER_BYTES, NONCE_BYTES, VERSION, Place, Sealer
from rl_emails_assets.errors import SealError, SettingsError
from rl_emails_assets.settings import Settings

PLAIN = b'{"refresh_token": "1//0secret"}'
TENANT = uuid.UUID(int=7)
ROW = Place("mailboxes.credentials", "sealed", "one", TENANT)


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings on the test's own home; nothing here asks for a database."""
    return Settings(home=home)


def _key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _named(settings: Settings, *keys: str) -> Settings:
    return settings.model_copy(update={"secret_keys": ",".join(keys)})


def test_what_is_sealed_opens_again_and_shows_nothing(settings: Settings) -> None:
    """A token that can be read in a copy of the database, or not be read by its owner."""
    sealer = Sealer.of(settings)
    sealed = sealer.seal(PLAIN, bound_to=ROW)
    assert sealer.open(sealed, bound_to=ROW) == PLAIN
    assert b"secret" not in sealed
    assert sealer.seal(PLAIN, bound_to=ROW) != sealed, "the same nonce twice gives the key stream away"
    assert Sealer.of(settings).open(sealed, bound_to=ROW) == PLAIN
    assert sealed[1:HEADER_BYTES].hex() == sealer.key_id


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(ROW, row="two"),
        replace(ROW, column="key_id"),
        replace(ROW, table="mailboxes.oauth_states"),
        replace(ROW, organization_id=uuid.UUID(int=8)),
        replace(ROW, organization_id=None),
    ],
    ids=["row", "column", "table", "tenant", "no tenant"],
)
def test_a_value_moved_elsewhere_does_not_open(settings: Settings, elsewhere: Place) -> None:
    """Somebody who may write to the table lets their mailbox, or their organization, use another one's grant."""
    sealer = Sealer.of(settings)
    sealed = sealer.seal(PLAIN, bound_to=ROW)
    with pytest.raises(SealError, match="does not belong there"):
        sealer.open(sealed, bound_to=elsewhere)


def sealed_by_an_older_release(sealer: Sealer, plain: bytes, place: Place) -> bytes:
    """As version 1 did: bound to the table, the row and the column, and to no tenant."""
    key = sealer._keys[sealer._first]
    header, nonce = b"\x01" + sealer._first, os.urandom(NONCE_BYTES)
    bound = header + f"{place.table}/{place.row}/{place.column}".encode()
    return header + nonce + key.encrypt(nonce, plain, bound)


def test_what_an_older_release_sealed_still_opens_where_it_was(settings: Settings) -> None:
    """An update after which every mailbox has to be connected again; or one after which the old form goes anywhere."""
    sealer = Sealer.of(settings)
    older = sealed_by_an_older_release(sealer, PLAIN, ROW)
    assert sealer.open(older, bound_to=ROW) == PLAIN
    with pytest.raises(SealError, match="does not belong there"):
        sealer.open(older, bound_to=replace(ROW, row="two"))
    with pytest.raises(SealError):
        sealer.open(VERSION + older[1:], bound_to=ROW)
    newer = sealer.seal(PLAIN, bound_to=ROW)
    with pytest.raises(SealError):
        sealer.open(b"\x01" + newer[1:], bound_to=ROW)


@given(parts=st.lists(st.tuples(st.uuids(), st.text(), st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_no_two_places_are_bound_alike(parts: list[tuple[uuid.UUID, str, str, str]]) -> None:
    """Names that run into each other, so that one place passes for another."""
    first, second = (Place(table, column, row, tenant) for tenant, table, column, row in parts)
    assert first.associated(VERSION) != second.associated(VERSION)


def test_damage_anywhere_is_found(settings: Settings) -> None:
    """A flipped bit that turns into another token, or into a crash without a word."""
    sealer = Sealer.of(settings)
    sealed = sealer.seal(PLAIN, bound_to=ROW)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(SealError):
            sealer.open(bytes(damaged), bound_to=ROW)
    for length in (0, 1, HEADER_BYTES, HEADER_BYTES + NONCE_BYTES + 15, len(sealed) - 1):
        with pytest.raises(SealError):
            sealer.open(sealed[:length], bound_to=ROW)


def test_the_first_key_seals_and_all_open(settings: Settings) -> None:
    """A rotation after which what the older key sealed is lost, or the older key goes on sealing."""
    old, new = _key(), _key()
    before = Sealer.of(_named(settings, old))
    after = Sealer.of(_named(settings, f" {new}", f"{old} "))
    assert after.key_id != before.key_id
    assert after.key_ids == [after.key_id, before.key_id]
    assert after.open(before.seal(PLAIN, bound_to=ROW), bound_to=ROW) == PLAIN
    with pytest.raises(SealError) as unknown:
        before.open(after.seal(PLAIN, bound_to=ROW), bound_to=ROW)
    assert after.key_id in str(unknown.value)
    assert before.key_id in str(unknown.value)
    assert "RL_EMAILS_SECRET_KEYS" in str(unknown.value)


@pytest.mark.parametrize(
    "keys",
    ["", ",", "abc", "not base64!", base64.b64encode(b"x" * 31).decode(), f"{_key()},", f"{_key()},\u00e9"],
    ids=["nothing", "commas", "short", "words", "31 bytes", "one too few", "one wrong"],
)
def test_keys_that_are_not_keys_are_refused_without_being_shown(settings: Settings, keys: str) -> None:
    """A short key that weakens every token, or a log with most of a key in it."""
    with pytest.raises(SettingsError) as refused:
        Sealer.of(_named(settings, keys))
    assert "RL_EMAILS_SECRET_KEYS" in str(refused.value)
    for key in filter(None, keys.split(",")):
        assert key not in str(refused.value)


def test_keys_are_made_once_for_their_user_only(settings: Settings) -> None:
    """Two first uses at once, each with a key of its own: what one sealed the other cannot open. Or a readable key."""
    barrier = threading.Barrier(8)
    found: list[str] = []

    def first_use() -> None:
        barrier.wait()
        found.append(Sealer.of(settings).key_id)

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    path = key_ring.key_file(settings.home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in path.parent.iterdir()) == [".lock", "secret-keys"]


def test_a_key_file_that_others_can_read_is_refused(settings: Settings) -> None:
    """A restored backup whose keys every user of the machine can read."""
    Sealer.of(settings)
    path = key_ring.key_file(settings.home)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        Sealer.of(settings)


@pytest.mark.parametrize("content", [b"", b"\n", b"abc\n", b"\xff\xfe"])
def test_a_broken_key_file_is_not_replaced(settings: Settings, content: bytes) -> None:
    """A new key in the place of one that could have been restored: every token would be lost for good."""
    Sealer.of(settings)
    path = key_ring.key_file(settings.home)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="secret-keys"):
        Sealer.of(settings)
    assert path.read_bytes() == content


def test_a_home_that_cannot_hold_keys_is_said(settings: Settings, tmp_path: Path) -> None:
    """A traceback in the place of what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="RL_EMAILS_SECRET_KEYS"):
        Sealer.of(settings.model_copy(update={"home": tmp_path / "file"}))


def test_a_new_key_goes_before_the_others(settings: Settings) -> None:
    """A rotation that forgets the older key, or that is not used."""
    before = Sealer.of(settings)
    key_ring.add_key(settings)
    after = Sealer.of(settings)
    assert after.key_ids[1:] == before.key_ids
    assert after.key_id != before.key_id
    with pytest.raises(SettingsError, match="openssl rand"):
        key_ring.add_key(_named(settings, _key()))


def test_a_rotation_before_the_first_use_makes_a_key(settings: Settings) -> None:
    """A new installation whose first command fails."""
    key_ring.add_key(settings)
    assert len(Sealer.of(settings).key_ids) == 1
