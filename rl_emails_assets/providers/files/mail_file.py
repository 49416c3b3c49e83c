"""One file as items: an mbox, or a single message, plain or gzip."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO

from rl_emails_assets.providers.files.compressed import GZIP_MAGIC, DamagedStreamError, GzipStream
from rl_emails_assets.providers.files.envelope import envelope_time, is_envelope, is_header_start
from rl_emails_assets.providers.files.folders import FoundFile, Place, folder_name
from rl_emails_assets.providers.files.identity import FINGERPRINT_BYTES, fingerprint, is_same_file, item_id
from rl_emails_assets.providers.files.labels import (
    folder_labels,
    maildir_labels,
    status_labels,
    takeout_labels,
)
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.mbox import (
    SAMPLE_BYTES,
    ByteStream,
    MboxGap,
    MboxMessage,
    detect_dialect,
    read_mbox,
    too_large,
)
from rl_emails_assets.providers.provider import Position, RawItem, UnreadableItem

_LONGEST_HEAD = 64 * 1024
_NOTED = re.compile(
    rb"^(x-gmail-labels|x-gm-thrid|x-status|status|x-mozilla-status)[ \t]{0,4}:((?:[^\n]|\n[ \t]){0,20000})",
    re.IGNORECASE | re.MULTILINE,
)
_THREAD_ID = re.compile(rb"\s{0,8}(\d{1,20})\s{0,8}")
_OFFSET = re.compile(rb" [+-]\d{4}\b")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Content(Enum):
    """What the beginning of a file looks like."""

    MBOX = auto()
    MESSAGE = auto()
    EMPTY = auto()
    OTHER = auto()


def file_head(path: Path) -> bytes:
    """The first bytes of a file, after decompression. Raises OSError."""
    with path.open("rb") as file:
        return _sample(_decompressed(file), FINGERPRINT_BYTES)[0]


def content_of(head: bytes) -> Content:
    """Judges a file by its first bytes."""
    if not head.strip():
        return Content.EMPTY
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n")
    line, _, following = text.partition(b"\n")
    if line.startswith(b"From ") and (is_envelope(line) or is_header_start(following.partition(b"\n")[0])):
        return Content.MBOX
    is_header = line.strip() and is_header_start(line) and b"\0" not in head
    return Content.MESSAGE if is_header else Content.OTHER


class _Prefixed:
    """A stream of which the beginning has been read already."""

    def __init__(self, head: bytes, stream: ByteStream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._stream.read(size)
        data, self._head = self._head[:size], self._head[size:]
        return data


def _decompressed(file: BinaryIO) -> BinaryIO | GzipStream:
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return GzipStream(file) if magic == GZIP_MAGIC else file


@dataclass(frozen=True, slots=True)
class Reading:
    """One file to be read, and what is known around it."""

    found: FoundFile
    source: str
    """The file for people."""
    labels: frozenset[str]
    """What its place says."""
    is_whole_source: bool
    bytes_before: int
    items_done: int
    limits: Limits

    def position(self, offset: int, print_: str, bytes_in: int, items: int) -> Position:
        """The position in this file after its first `items` items, which end at `offset`."""
        return Position(self.found.relative, offset, print_, self.bytes_before + bytes_in, self.items_done + items)

    def gap(self, reason: str) -> UnreadableItem:
        """The file as a whole is unreadable."""
        return UnreadableItem(self.source, reason, self.source, self.position(-1, "", self.found.size_bytes, 1))


def read_file(reading: Reading, start: Position | None) -> Iterator[RawItem | UnreadableItem]:
    """The items of one file; from `start` on, if that is a place in this very file, else from its beginning."""
    try:
        with reading.found.path.open("rb") as file:
            stream = _decompressed(file)
            is_packed = isinstance(stream, GzipStream)
            sample, damage = _sample(
                stream, SAMPLE_BYTES if is_packed else min(SAMPLE_BYTES, reading.found.size_bytes + 1)
            )
            content = content_of(sample[:FINGERPRINT_BYTES])
            if content is Content.MBOX:
                yield from _mbox_items(reading, file, stream, sample, start)
            elif damage is not None:
                yield reading.gap(f"{damage}; get a complete copy and import again")
            elif content is Content.MESSAGE:
                yield _message(reading, stream, sample)
            elif content is Content.EMPTY:
                yield reading.gap("the file is empty")
            else:
                yield reading.gap("not mail: it begins neither with a header nor with an mbox envelope line")
    except OSError as error:
        yield reading.gap(f"the file cannot be read ({error.strerror or error}); give this user the right to read it")


def _sample(stream: ByteStream, size: int) -> tuple[bytes, str | None]:
    """The first `size` bytes of a stream, or all of a shorter one, and what stopped it before that."""
    parts: list[bytes] = []
    while size > 0:
        try:
            part = stream.read(size)
        except DamagedStreamError as error:
            return b"".join(parts), str(error)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts), None


def _message(reading: Reading, stream: ByteStream, sample: bytes) -> RawItem | UnreadableItem:
    """A file that is one message."""
    limit = reading.limits.max_item_bytes
    parts = [sample]
    size = len(sample)
    try:
        while size <= limit and (part := stream.read(reading.limits.block_bytes)):
            parts.append(part)
            size += len(part)
    except DamagedStreamError as error:
        return reading.gap(f"{error}; get a complete copy and import again")
    if size > limit:
        return reading.gap(too_large(max(size, reading.found.size_bytes), reading.limits))
    rfc822 = b"".join(parts).removeprefix(_BYTE_ORDER_MARK)
    noted = _noted(rfc822)
    labels = reading.labels
    if reading.found.place is not Place.FOLDER:
        is_new = reading.found.place is Place.MAILDIR_NEW
        labels |= maildir_labels(reading.found.path.name, is_new=is_new)
    if (gmail := noted.get(b"x-gmail-labels")) is not None:
        labels = takeout_labels(gmail)
    return RawItem(
        provider_message_id=item_id(rfc822),
        rfc822=rfc822,
        labels=labels,
        received_at=None,
        provider_thread_id=_thread_id(noted),
        source=reading.source,
        position=reading.position(-1, "", reading.found.size_bytes, 1),
    )


def _mbox_items(
    reading: Reading, file: BinaryIO, stream: BinaryIO | GzipStream, sample: bytes, start: Position | None
) -> Iterator[RawItem | UnreadableItem]:
    print_ = fingerprint(sample)
    first = sample.find(b"From ")
    offset = first
    mail: ByteStream = _Prefixed(sample[first:], stream)
    items = 0
    if start is not None and is_same_file(sample, start.fingerprint) and start.offset >= first:
        continued = _continued(reading, stream, sample, start.offset)
        if continued is not None:
            mail, offset = continued, start.offset
        else:
            file.seek(0)
            stream = _decompressed(file)
            mail = _Prefixed(b"", stream)
            _skip(mail, first)
    if start is not None and reading.is_whole_source and offset == first:
        items = -reading.items_done
    base = reading.labels if reading.is_whole_source else _mbox_folder_labels(reading)
    for part in read_mbox(mail, start=offset, limits=reading.limits, dialect=detect_dialect(sample[first:])):
        items += 1
        source = f"{reading.source}:{part.start}"
        bytes_in = stream.tell() if isinstance(stream, GzipStream) else part.end
        position = reading.position(part.end, print_, bytes_in, items)
        if isinstance(part, MboxGap):
            yield UnreadableItem(source, part.reason, source, position)
        elif not part.rfc822.strip():
            yield UnreadableItem(source, "an envelope line without a message", source, position)
        else:
            yield _mbox_item(part, base, source, position)


def _mbox_item(part: MboxMessage, base: frozenset[str], source: str, position: Position) -> RawItem:
    noted = _noted(part.rfc822)
    gmail = noted.get(b"x-gmail-labels")
    if gmail is not None:
        labels = takeout_labels(gmail)
    elif noted:
        labels = base | status_labels(noted.get(b"status"), noted.get(b"x-status"), noted.get(b"x-mozilla-status"))
    else:
        labels = base
    return RawItem(
        provider_message_id=item_id(part.rfc822),
        rfc822=part.rfc822,
        labels=labels,
        received_at=_received_at(part),
        provider_thread_id=_thread_id(noted) if noted else None,
        source=source,
        position=position,
    )


def _continued(reading: Reading, stream: BinaryIO | GzipStream, sample: bytes, offset: int) -> ByteStream | None:
    """The stream from `offset` on; None when no message begins there, so that the file must have changed."""
    if isinstance(stream, GzipStream):
        mail: ByteStream = _Prefixed(sample, stream)
        if not _skip(mail, offset):
            return None
    else:
        if reading.found.size_bytes < offset:
            return None
        stream.seek(offset)
        mail = stream
    try:
        head = mail.read(SAMPLE_BYTES)
    except DamagedStreamError:
        return mail
    return _Prefixed(head, mail) if head.startswith(b"From ") or not head else None


def _skip(stream: ByteStream, size: int) -> bool:
    """Read past `size` bytes; whether there were so many."""
    while size > 0:
        try:
            data = stream.read(min(size, SAMPLE_BYTES))
        except DamagedStreamError:
            return False
        if not data:
            return False
        size -= len(data)
    return True


def _mbox_folder_labels(reading: Reading) -> frozenset[str]:
    """The labels of an mbox inside a tree: the file is a folder, unless it is called just "mbox"."""
    name = folder_name(reading.found.relative.rpartition("/")[2])
    if name.casefold() == "mbox":
        return reading.labels
    return folder_labels(f"{reading.found.folder}/{name}" if reading.found.folder else name)


def _noted(rfc822: bytes) -> dict[bytes, bytes]:
    """The headers by which programs note labels and flags, the first of each.

    Gmail's are believed only above the first Received header, where a sender cannot write.
    """
    blank = rfc822.find(b"\n\n", 0, _LONGEST_HEAD)
    end = blank + 1 if blank >= 0 else min(len(rfc822), _LONGEST_HEAD)
    crlf = rfc822.find(b"\n\r\n", 0, end)
    head = rfc822[: crlf + 1 if crlf >= 0 else end]
    lower = head.lower()
    if b"x-gm" not in lower and b"status" not in lower:
        return {}
    received = lower.find(b"\nreceived:")
    if lower.startswith(b"received:"):
        received = 0
    noted: dict[bytes, bytes] = {}
    for match in _NOTED.finditer(head):
        name = match[1].lower()
        if name in noted or (name.startswith(b"x-gm") and 0 <= received < match.start()):
            continue
        noted[name] = match[2]
    return noted


def _thread_id(noted: dict[bytes, bytes]) -> str | None:
    match = _THREAD_ID.fullmatch(noted.get(b"x-gm-thrid", b""))
    return match[1].decode() if match is not None else None


def _received_at(part: MboxMessage) -> datetime | None:
    """The envelope line's date where it says its offset, or where the mail has no date of its own."""
    has_date = part.rfc822.startswith((b"Date:", b"date:")) or b"\nDate:" in part.rfc822 or b"\ndate:" in part.rfc822
    if has_date and _OFFSET.search(part.envelope) is None:
        return None
    at, is_exact = envelope_time(part.envelope)
    return at if is_exact or not has_date else None
