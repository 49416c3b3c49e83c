"""Reading whole sources: files, trees and Maildirs, and continuing anywhere."""

import gzip
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rl_emails_assets.errors import SourceError
from rl_emails_assets.providers.files import mail_file
from rl_emails_assets.providers.files.folders import order_key
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.source import FileProvider, Kind, detect, estimate, open_source
from rl_emails_assets.providers.provider import Position, Provider, RawItem, UnreadableItem

ENVELOPE = b"From ann@x.test Sat Mar  1 09:30:00 2031\n"
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "mailboxes"

Item = RawItem | UnreadableItem


def message(subject: str, body: str = "text", extra: str = "") -> bytes:
    return f"{extra}From: ann@x.test\nDate: Sat, 1 Mar 2031 09:30:00 +0000\nSubject: {subject}\n\n{body}\n".encode()


def mbox(*messages: bytes) -> bytes:
    return b"".join(ENVELOPE + one + b"\n" for one in messages)


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def mails(items: Iterator[Item]) -> list[RawItem]:
    found = list(items)
    assert all(isinstance(item, RawItem) for item in found), found
    return [item for item in found if isinstance(item, RawItem)]


def subjects(items: Iterator[Item]) -> list[str]:
    return [item.rfc822.partition(b"Subject: ")[2].partition(b"\n")[0].decode() for item in mails(items)]


def gaps(items: Iterator[Item]) -> dict[str, str]:
    return {item.source: item.reason for item in items if isinstance(item, UnreadableItem)}


def test_same_mail_from_every_kind_of_source_has_one_id(tmp_path: Path) -> None:
    """A mailbox exported twice in two formats would be imported twice."""
    one = message("a", "From me\n>From you")
    quoted = one.replace(b"\n>From you", b"\n>>From you").replace(b"\nFrom me", b"\n>From me")
    put(
        tmp_path,
        {
            "a.mbox": mbox(quoted),
            "b.mbox.gz": gzip.compress(mbox(quoted)),
            "c.eml": one,
            "d.eml": one.replace(b"\n", b"\r\n"),
            "e.eml": b"\xef\xbb\xbf" + one,
            "f.eml.gz": gzip.compress(one),
            "tree/x/1.": one,
            "maildir/cur/1:2,S": one,
            "maildir/new/.keep": b"",
        },
    )
    found = [item for path in sorted(tmp_path.iterdir()) for item in mails(open_source(path))]
    assert len(found) == 8
    assert len({item.provider_message_id for item in found}) == 1


def test_detect_says_what_a_path_holds(tmp_path: Path) -> None:
    """The import would read a source as something else."""
    put(
        tmp_path,
        {
            "m": mbox(message("a")),
            "m.gz": gzip.compress(mbox(message("a"))),
            "e.eml": message("a"),
            "blank.mbox": b"\n\n" + mbox(message("a")),
            "odd.eml": b"From nobody\nSubject: x\n\ny\n",
            "empty": b"",
            "md/cur/1": message("a"),
            "md/new/1": message("a"),
        },
    )
    kinds = {path.name: detect(path) for path in tmp_path.iterdir()}
    assert kinds == {
        "m": Kind.MBOX,
        "m.gz": Kind.MBOX,
        "e.eml": Kind.MESSAGE,
        "blank.mbox": Kind.MBOX,
        "odd.eml": Kind.MBOX,
        "empty": Kind.MBOX,
        "md": Kind.MAILDIR,
    }
    assert detect(tmp_path) is Kind.FOLDER
    assert subjects(open_source(tmp_path / "blank.mbox")) == ["a"]
    assert mails(open_source(tmp_path / "odd.eml"))[0].rfc822 == b"Subject: x\n\ny\n"


@pytest.mark.parametrize("name", ["missing", "picture.png", "text.txt", "loop", "fifo"])
def test_what_is_no_source_is_refused_with_advice(tmp_path: Path, name: str) -> None:
    """A mistyped path would look like an empty mailbox."""
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (tmp_path / "text.txt").write_text("Dear diary\n")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "fifo")
    for use in (detect, estimate, open_source):
        with pytest.raises(SourceError, match=rf"{name} .*\. .+"):
            use(tmp_path / name)


def test_estimate_counts_what_will_be_read(tmp_path: Path) -> None:
    """The progress bar would pass its end."""
    put(tmp_path, {"a/1.": message("a"), "a/2.": message("b"), "m.mbox": mbox(message("c"))})
    for path in (tmp_path, tmp_path / "m.mbox"):
        items = list(open_source(path))
        assert estimate(path).bytes_total == items[-1].position.bytes_done
        assert items[-1].position.items_done == len(items)
    assert estimate(tmp_path).files_total == 3


def test_tree_is_read_in_the_order_of_numbers(tmp_path: Path) -> None:
    """An import that continues would skip files that sort otherwise."""
    put(tmp_path, {name: message(name) for name in ("b/10.", "b/2.", "b/1.", "a/x", "c", "b/sub/3.", "b/002.")})
    assert subjects(open_source(tmp_path)) == ["a/x", "b/1.", "b/002.", "b/2.", "b/10.", "b/sub/3.", "c"]


def test_tree_folders_become_labels(tmp_path: Path) -> None:
    """The inbox and the sent folder of an exported mailbox would not be known as such."""
    put(
        tmp_path,
        {
            "inbox/1.": message("a"),
            "_sent_mail/1.": message("b"),
            "work/plans/1.": message("c"),
            "top.eml": message("d"),
            "Lists.mbox": mbox(message("e", extra="Status: O\n")),
            "Sent.mbox/mbox": mbox(message("f")),
        },
    )
    labels = {item.source.removeprefix(f"{tmp_path}/"): set(item.labels) for item in mails(open_source(tmp_path))}
    assert labels == {
        "inbox/1.": {"inbox", "INBOX"},
        "_sent_mail/1.": {"_sent_mail", "SENT"},
        "work/plans/1.": {"work/plans"},
        "top.eml": set(),
        "Lists.mbox:0": {"Lists", "UNREAD"},
        "Sent.mbox/mbox:0": {"Sent", "SENT"},
    }
    assert mails(open_source(tmp_path / "inbox"))[0].labels == {"INBOX"}


def test_single_mbox_named_as_a_folder_is_that_folder(tmp_path: Path) -> None:
    """An exported Sent folder would be imported as received mail."""
    put(tmp_path, {"Sent.mbox": mbox(message("a")), "archive.mbox": mbox(message("a"))})
    assert mails(open_source(tmp_path / "Sent.mbox"))[0].labels == {"SENT"}
    assert mails(open_source(tmp_path / "archive.mbox"))[0].labels == set()


def test_maildir_folders_and_flags(tmp_path: Path) -> None:
    """Flags and folders of a Maildir would be lost, or its housekeeping files be taken for mail."""
    put(
        tmp_path,
        {
            "cur/1:2,S": message("a"),
            "cur/2:2,FS": message("b"),
            "new/3": message("c"),
            "tmp/4": message("d"),
            "dovecot-uidlist": b"3 V1",
            "subscriptions": b"x",
            ".Sent/cur/5:2,S": message("e"),
            ".Sent/new/.x": b"",
            ".Sent/maildirfolder": b"",
            ".Work.Old/cur/6:2,S": message("f"),
            ".Work.Old/new/.x": b"",
            "plain/cur/7:2,S": message("g"),
            "plain/new/.x": b"",
        },
    )
    items = list(open_source(tmp_path))
    labels = {Path(item.source).name: set(item.labels) for item in items if isinstance(item, RawItem)}
    assert labels == {
        "1:2,S": {"INBOX"},
        "2:2,FS": {"INBOX", "STARRED"},
        "3": {"INBOX", "UNREAD"},
        "5:2,S": {"Sent", "SENT"},
        "6:2,S": {"Work/Old"},
        "7:2,S": {"plain"},
    }
    assert [reason.partition("(")[0] for reason in gaps(iter(items)).values()] == ["a delivery that was not finished "]


def test_maildirs_in_folders(tmp_path: Path) -> None:
    """Maildirs laid out as folders would be read without their flags."""
    put(tmp_path, {"INBOX/cur/1:2,": message("a"), "INBOX/new/.x": b"", "Work/Sent/cur/1:2,S": message("b")})
    put(tmp_path, {"Work/Sent/new/.x": b""})
    assert [set(item.labels) for item in mails(open_source(tmp_path))] == [{"INBOX", "UNREAD"}, {"Work/Sent", "SENT"}]


def test_takeout_headers_become_labels_and_thread(tmp_path: Path) -> None:
    """Gmail's labels and conversations would be lost."""
    extra = "X-GM-THRID: 1650000000000000001\nX-Gmail-Labels: Inbox,=?UTF-8?Q?B=C3=BCcher?=,\n Category Updates\n"
    put(tmp_path, {"All mail.mbox": mbox(message("a", extra=extra)), "b.eml": message("b", extra=extra)})
    for path in tmp_path.iterdir():
        (item,) = mails(open_source(path))
        assert item.labels == {"INBOX", "Bücher", "CATEGORY_UPDATES"}
        assert item.provider_thread_id == "1650000000000000001"


@pytest.mark.parametrize("line", ["Received: from evil", "received: from evil\nX-Other: y"])
def test_labels_that_the_sender_wrote_are_not_believed(tmp_path: Path, line: str) -> None:
    """A sender could file the mail as sent, or into a conversation of the owner."""
    extra = f"{line}\nX-GM-THRID: 1\nX-Gmail-Labels: Sent,Important\n"
    real = "X-GM-THRID: 2\nX-Gmail-Labels: Spam\n"
    put(tmp_path, {"m": mbox(message("a", extra=extra), message("b", extra=real + extra))})
    first, second = mails(open_source(tmp_path / "m"))
    assert (first.labels, first.provider_thread_id) == (frozenset(), None)
    assert (second.labels, second.provider_thread_id) == (frozenset({"SPAM"}), "2")


def test_status_headers_of_an_mbox_become_labels(tmp_path: Path) -> None:
    """Mail read in the old program would be new again."""
    lines = ["Status: RO\nX-Status: F\n", "Status: O\n", "X-Mozilla-Status: 0001\n", "Order-Status: x\n", ""]
    put(tmp_path, {"m": mbox(*(message("a", extra=line) for line in lines)).replace(b"\n", b"\r\n")})
    found = [set(item.labels) for item in mails(open_source(tmp_path / "m"))]
    assert found == [{"STARRED"}, {"UNREAD"}, set(), set(), set()]


def test_envelope_date_counts_only_where_it_is_exact_or_alone(tmp_path: Path) -> None:
    """A mail would be placed hours off by an envelope in local time, or nowhere without a date."""
    exact = b"From 1@xxx Sat Mar 01 09:30:00 +0100 2031\n"
    put(tmp_path, {"m": mbox(message("a")) + exact + message("b") + b"\n" + mbox(b"Subject: c\n\nx\n")})
    assert [item.received_at for item in mails(open_source(tmp_path / "m"))] == [
        None,
        datetime(2031, 3, 1, 8, 30, tzinfo=UTC),
        datetime(2031, 3, 1, 9, 30, tzinfo=UTC),
    ]


def test_everything_unreadable_is_named(tmp_path: Path) -> None:
    """Mail that could not be read would be missing without a word."""
    outside = put(tmp_path / "outside", {"secret": message("s")})
    root = put(
        tmp_path / "root",
        {
            "a/1.": message("ok"),
            "a/empty": b"",
            "a/picture": b"\x89PNG\0",
            "a/zip.gz": gzip.compress(message("x", "y" * 9000))[:-20],
            "a/big": message("x", "y" * 9000),
            "a/big.gz": gzip.compress(message("x", "y" * 2_000_000)),
            "a/cut.mbox.gz": gzip.compress(mbox(message("kept"), message("lost", os.urandom(2000).hex())))[:-500],
            "a/none.mbox": ENVELOPE + b"\n" + mbox(message("kept too")),
            "a/thumbs.db": b"x",
            ".hidden/1.": b"",
        },
    )
    (root / "a/out").symlink_to(outside / "secret")
    (root / "a/outdir").symlink_to(outside)
    (root / "a/nowhere").symlink_to(root / "gone")
    (root / "a/twice").symlink_to(root / "a/1.")
    os.mkfifo(root / "a/fifo")
    items = list(open_source(root, limits=Limits(max_item_bytes=5000, block_bytes=1000)))
    reasons = {
        source.removeprefix(f"{root}/"): reason.partition(";")[0] for source, reason in gaps(iter(items)).items()
    }
    assert reasons == {
        ".hidden/1.": "the file is empty",
        "a/empty": "the file is empty",
        "a/picture": "not mail: it begins neither with a header nor with an mbox envelope line",
        "a/zip.gz": "the compressed file is cut off",
        "a/big": "the message has 9067 bytes, the limit is 5000",
        "a/big.gz": reasons["a/big.gz"],
        f"a/cut.mbox.gz:{len(mbox(message('kept')))}": "the compressed file is cut off",
        "a/none.mbox:0": "an envelope line without a message",
        "a/out": "a link out of the folder is not followed",
        "a/outdir": "a link to a folder is not followed",
        "a/nowhere": "a link that leads nowhere",
        "a/fifo": "neither a file nor a folder",
    }
    assert "limit is 5000" in reasons["a/big.gz"]
    assert subjects(item for item in items if isinstance(item, RawItem)) == ["ok", "kept", "kept too", "ok"]
    assert [item.position.items_done for item in items] == list(range(1, len(items) + 1))


def refuse(name: str, original: Callable[..., object]) -> Callable[..., object]:
    def opened(path: object, *args: object) -> object:
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied")
        return original(path, *args)

    return opened


def test_what_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission would look empty."""
    root = put(tmp_path, {"a/1.": message("a"), "b/1.": message("b"), "b/2.": message("c"), "d/1.": message("d")})
    monkeypatch.setattr(Path, "open", refuse("b/1.", Path.open))
    monkeypatch.setattr(os, "scandir", refuse("d", os.scandir))
    items = list(open_source(root))
    assert [type(item) for item in items] == [RawItem, UnreadableItem, RawItem, UnreadableItem]
    assert all("Permission denied" in reason for reason in gaps(iter(items)).values())
    with pytest.raises(SourceError, match="right to read"):
        detect(root / "b/1.")


def test_file_that_vanishes_while_reading_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that another program moves away would stop the import, or be missing without a word."""
    root = put(tmp_path, {"1.": message("a"), "2.": message("b")})
    items = open_source(root)
    next(items)
    (root / "2.").unlink()
    assert [type(item) for item in items] == [UnreadableItem]
    put(tmp_path, {"2.": message("b")})
    monkeypatch.setattr(mail_file, "_decompressed", lambda _file: Broken())
    assert [reason.partition(";")[0] for reason in gaps(open_source(root)).values()] == [
        "the file cannot be read (Input/output error)"
    ] * 2


class Broken:
    """A file on a disk that fails."""

    def read(self, _size: int, /) -> bytes:
        raise OSError(5, "Input/output error")


def test_large_and_damaged_single_messages(tmp_path: Path) -> None:
    """A message above a megabyte would be cut, or a damaged one pass as whole."""
    large = message("a", os.urandom(1_000_000).hex())
    packed = gzip.compress(large)
    put(tmp_path, {"1.": large, "2.gz": packed, "3.gz": packed[:-1000], "4.gz": packed[:10]})
    items = list(open_source(tmp_path))
    assert [item.rfc822 for item in items if isinstance(item, RawItem)] == [large, large]
    assert [Path(source).name for source in gaps(iter(items))] == ["3.gz", "4.gz"]
    assert list(gaps(open_source(tmp_path / "4.gz"))) == [str(tmp_path / "4.gz")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A tree with every kind of file."""
    return put(
        tmp_path,
        {
            "a/1.": message("a1"),
            "a/2.": message("a2"),
            "a/empty": b"",
            "b.mbox": mbox(*(message(f"b{n}") for n in range(4))),
            "c.mbox.gz": gzip.compress(mbox(*(message(f"c{n}") for n in range(3)))),
            "d/cur/1:2,S": message("d1"),
            "d/new/2": message("d2"),
        },
    )


def test_reading_continues_after_any_item(source: Path) -> None:
    """An interrupted import would lose mail, or read it twice."""
    for path in (source, source / "b.mbox", source / "c.mbox.gz", source / "a/1."):
        whole = list(open_source(path))
        for index, item in enumerate(whole):
            stored = Position.from_json(item.position.as_json())
            assert list(open_source(path, resume=stored)) == whole[index + 1 :]
        assert list(open_source(path, resume=Position())) == whole


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(st.lists(st.sampled_from(["", "From a", ">From b", "x" * 50]), max_size=4), min_size=1, max_size=6),
    is_packed=st.booleans(),
)
def test_any_mbox_continues_after_any_message(tmp_path: Path, bodies: list[list[str]], is_packed: bool) -> None:
    """A message with a From line at the place of interruption would be lost."""
    data = mbox(*(message(str(n), "\n".join(body).replace("From ", ">From ")) for n, body in enumerate(bodies)))
    path = tmp_path / "m"
    path.write_bytes(gzip.compress(data) if is_packed else data)
    whole = list(open_source(path))
    assert len(whole) == len(bodies)
    for index, item in enumerate(whole):
        assert list(open_source(path, resume=item.position)) == whole[index + 1 :]


def test_grown_mbox_continues_and_replaced_one_starts_over(tmp_path: Path) -> None:
    """New mail in a file would be missed, or a replaced file be read from its middle."""
    path = tmp_path / "m"
    path.write_bytes(mbox(message("a"), message("b")))
    first, second = mails(open_source(path))
    path.write_bytes(mbox(message("a"), message("b"), message("c")))
    assert subjects(open_source(path, resume=second.position)) == ["c"]
    path.write_bytes(mbox(message("X"), message("Y")))
    again = mails(open_source(path, resume=second.position))
    assert subjects(iter(again)) == ["X", "Y"]
    assert [item.position.items_done for item in again] == [1, 2]
    path.write_bytes(mbox(message("a")))
    assert subjects(open_source(path, resume=second.position)) == ["a"]
    path.write_bytes(mbox(message("a" * 5000), message("b"), message("c")))
    middle = mails(open_source(path))[1].position
    path.write_bytes(mbox(message("a" * 5000), message("b, but longer"), message("c")))
    assert subjects(open_source(path, resume=middle))[1:] == ["b, but longer", "c"]
    path.write_bytes(mbox(message("a" * 5000)))
    assert len(mails(open_source(path, resume=middle))) == 1
    assert first.position.offset == len(mbox(message("a")))


def test_replaced_gzip_starts_over(tmp_path: Path) -> None:
    """A shorter or damaged archive under the old name would look complete."""
    path = tmp_path / "m.gz"
    long = mbox(message("a" * 5000), message("b"), message("c"))
    path.write_bytes(gzip.compress(long))
    last = mails(open_source(path))[-1].position
    path.write_bytes(gzip.compress(mbox(message("a" * 5000))))
    assert len(mails(open_source(path, resume=last))) == 1
    big = mbox(message("a" * 5000), *(message(os.urandom(3000).hex()) for _ in range(400)))
    packed = gzip.compress(big)
    path.write_bytes(packed)
    positions = [item.position for item in open_source(path)]
    path.write_bytes(packed[: len(packed) - 500])
    (gap,) = open_source(path, resume=positions[-2])
    assert "cut off" in gaps(iter([gap]))[gap.source]
    path.write_bytes(gzip.compress(big[: positions[5].offset]) + packed[:10])
    (gap,) = open_source(path, resume=positions[5])
    assert "cut off" in gaps(iter([gap]))[gap.source]
    path.write_bytes(packed[: len(packed) // 2])
    assert len(list(open_source(path, resume=positions[-2]))) > 100


def test_files_added_or_gone_before_the_position_do_no_harm(source: Path) -> None:
    """A flag that changes a Maildir's file name would make an interrupted import start over or fail."""
    whole = list(open_source(source))
    position = whole[1].position
    (source / "a/2.").unlink()
    assert [item.source for item in open_source(source, resume=position)] == [item.source for item in whole[2:]]


def test_provider_is_the_protocol(source: Path) -> None:
    """The import step would need to know files from other providers."""
    provider: Provider = FileProvider(source)
    assert provider.estimate() == estimate(source)
    assert list(provider.items()) == list(open_source(source))
    first = next(iter(provider.items()))
    assert next(iter(provider.items(first.position))) == list(open_source(source))[1]


@given(st.lists(st.text(alphabet="a1.0/Z", min_size=1, max_size=8), min_size=3, max_size=3))
def test_order_of_names_is_total(names: list[str]) -> None:
    """Two names that compare equal would be skipped when reading continues."""
    keys = sorted(order_key(name) for name in names)
    assert len(set(keys)) == len(set(names))


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data beside the repository")
def test_real_archive_is_read_whole() -> None:
    """A form of the envelope line that real archives have would be unknown."""
    path = DATA / "r-sig-mac.mbox.gz"
    with gzip.open(path) as file:
        separators = sum(line.startswith(b"From ") and line.rstrip()[-4:].isdigit() for line in file)
    items = list(open_source(path))
    assert len(items) == separators
    assert gaps(iter(items)) == {}
