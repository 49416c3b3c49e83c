"""Labels from folder names, flags and headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.providers.files.identity import fingerprint, is_same_file, item_id
from rl_emails_assets.providers.files.labels import (
    folder_labels,
    maildir_folder,
    maildir_labels,
    status_labels,
    storable,
    takeout_labels,
    with_default_folder,
)
from rl_emails_assets.providers.provider import Position


@pytest.mark.parametrize(
    ("folder", "labels"),
    [
        ("", set()),
        ("inbox", {"inbox", "INBOX"}),
        ("Work/Sent Items", {"Work/Sent Items", "SENT"}),
        ("_sent_mail", {"_sent_mail", "SENT"}),
        ("sent", {"sent", "SENT"}),
        ("deleted_items", {"deleted_items", "TRASH"}),
        ("Drafts", {"Drafts", "DRAFT"}),
        ("Junk E-mail", {"Junk E-mail", "SPAM"}),
        ("inbox/projects", {"inbox/projects"}),
        ("Entwürfe", {"Entwürfe", "DRAFT"}),
        ("INBOX", {"INBOX"}),
        ("x" * 300, {"x" * 255}),
    ],
)
def test_folder_names_become_labels(folder: str, labels: set[str]) -> None:
    """The owner's sent mail would count as received."""
    assert folder_labels(folder) == labels


@pytest.mark.parametrize(
    ("name", "is_new", "labels"),
    [
        ("1:2,S", False, set()),
        ("1:2,", False, {"UNREAD"}),
        ("1", True, {"UNREAD"}),
        ("1:2,S", True, {"UNREAD"}),
        ("1:2,FS", False, {"STARRED"}),
        ("1;2,DST", False, {"DRAFT", "TRASH"}),
        ("1!2,RS", False, set()),
    ],
)
def test_maildir_flags_become_labels(name: str, is_new: bool, labels: set[str]) -> None:
    """Mail that was read would be shown as new, or a star be lost."""
    assert maildir_labels(name, is_new=is_new) == labels


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        (".Sent", "Sent"),
        (".Work.Clients", "Work/Clients"),
        (".Entw&APw-rfe", "Entwürfe"),
        (".A &- B", "A & B"),
        (".&!!-", "&!!-"),
        (".&A-", "&A-"),
        (".&2AA-", "\\ud800"),
        (".&AAA-x", "x"),
    ],
)
def test_maildir_folder_names_are_decoded(name: str, folder: str) -> None:
    """A folder would be shown as code, or a name would break the database."""
    assert maildir_folder(name) == folder


@pytest.mark.parametrize(
    ("header", "labels"),
    [
        (b" Inbox,Unread,Category Promotions", {"INBOX", "UNREAD", "CATEGORY_PROMOTIONS"}),
        (b" Sent,Starred,Important,Opened", {"SENT", "STARRED", "IMPORTANT", "Opened"}),
        (b' "Travel, work",Inbox', {"Travel, work", "INBOX"}),
        (b" =?UTF-8?Q?Inbox,B=C3=BCcher,=22a,_b=22?=", {"INBOX", "Bücher", "a, b"}),
        (b" =?UTF-8?Q?Inbox,B=C3?=\r\n =?UTF-8?Q?=BCcher?=", {"INBOX", "Bücher"}),
        (b" Inbox,\r\n Work", {"INBOX", "Work"}),
        (b" Spam,Trash,Drafts,Chat", {"SPAM", "TRASH", "DRAFT", "CHAT"}),
        (b" =?UTF-8?B?a?=", {"=?UTF-8?B?a?="}),
        (b" =?no-such-charset?Q?abc?=", {"=?no-such-charset?Q?abc?="}),
        (b"", set()),
        (b" ,,", set()),
        (b' "open', {'"open'}),
        (b' "say \\"x\\", y"', {'say "x", y'}),
        ("Bücher".encode(), {"Bücher"}),
        (b"a\0b", {"ab"}),
    ],
)
def test_takeout_labels_are_decoded(header: bytes, labels: set[str]) -> None:
    """Gmail's labels would be lost or cut at a comma inside a name."""
    assert takeout_labels(header) == labels


def test_takeout_labels_are_bounded() -> None:
    """A forged header would make a million labels."""
    assert len(takeout_labels(b",".join(b"l%d" % n for n in range(100_000)))) == 200
    assert len(takeout_labels(b'"' * 300_000)) < 3


@pytest.mark.parametrize(
    ("status", "x_status", "mozilla", "labels"),
    [
        (None, None, None, set()),
        (b" RO", None, None, set()),
        (b" O", None, None, {"UNREAD"}),
        (b" RO", b" AF", None, {"STARRED"}),
        (None, b" D", None, {"TRASH"}),
        (None, None, b" 0001", set()),
        (None, None, b" 0004", {"STARRED", "UNREAD"}),
        (None, None, b" 0009", {"TRASH"}),
        (None, None, b" zz", set()),
    ],
)
def test_status_headers_become_labels(
    status: bytes | None, x_status: bytes | None, mozilla: bytes | None, labels: set[str]
) -> None:
    """An archive without such headers would be all unread."""
    assert status_labels(status, x_status, mozilla) == labels


def test_mail_without_a_folder_gets_one() -> None:
    """Mail of a plain archive would be in no folder, and the owner's own in the inbox."""
    assert with_default_folder(frozenset(), is_from_owner=False) == {"INBOX"}
    assert with_default_folder(frozenset({"UNREAD"}), is_from_owner=False) == {"UNREAD", "INBOX"}
    assert with_default_folder(frozenset({"STARRED"}), is_from_owner=True) == {"STARRED", "SENT"}
    assert with_default_folder(frozenset({"Archived"}), is_from_owner=False) == {"Archived"}


@given(st.text())
def test_any_name_can_be_stored(name: str) -> None:
    """A file name that is not UTF-8 would break the database."""
    assert "\0" not in storable(name)
    storable(name).encode()
    assert storable("a\udcffb") == "a\\udcffb"


def test_id_is_the_same_whatever_the_line_ends() -> None:
    """The same mail from two programs would be imported twice."""
    assert item_id(b"a: b\r\n\r\nx\r\n") == item_id(b"a: b\n\nx\n") == item_id(b"a: b\n\nx")
    assert item_id(b"a: b\n\nx") != item_id(b"a: b\n\ny")
    assert len(item_id(b"")) == 64


def test_fingerprint_knows_a_file_that_has_grown() -> None:
    """An import that continues would start over each time the mailbox has grown."""
    assert is_same_file(b"abcdef", fingerprint(b"abc"))
    assert not is_same_file(b"abXdef", fingerprint(b"abc"))
    assert not is_same_file(b"ab", fingerprint(b"abc"))
    for rubbish in ("", "x:y", "3", "99999999999:1", "-1:a"):
        assert not is_same_file(b"abc", rubbish)


def test_position_survives_json() -> None:
    """An interrupted import would begin again, or a damaged row would stop it."""
    position = Position("a/b", 7, "3:x", 10, 2)
    assert Position.from_json(position.as_json()) == position
    assert Position.from_json({}) == Position()
    assert Position.from_json({**position.as_json(), "offset": "7"}) == Position()
