"""The shared mailboxes with everything that the product's own parser reads of them: names, zones, conversations."""

import hashlib
import re
import tarfile
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message as HeaderMessage
from pathlib import Path

from rl_emails_assets.errors import SourceError
from rl_emails_assets.mail.message import Message
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.mail.threading import Arrival, ThreadState, assign

SENT_FOLDERS = frozenset({"sent", "sent_items", "_sent_mail"})
MAX_MESSAGE_BYTES = 200_000
_NAMESPACE = uuid.UUID("0d9e1e64-7f5d-4f39-9b54-6f4a31d0a6b8")


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the mail system's own directory beside an address: the name, and the account ("" where it names
    none), which is one for each person, list or function whatever addresses and names lead there."""

    address: str
    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Placed:
    """One message in its conversation. `directory_name` is the name that the mail system's own directory wrote beside
    the sender's address (X-From), `directory` what it wrote beside all addresses (X-From, X-To, X-cc), as far as the
    two can be laid side by side. No engine reads them: labels."""

    message_id: uuid.UUID
    thread_id: uuid.UUID
    at: datetime
    message: Message
    is_from_owner: bool
    directory_name: str
    directory: tuple[Listed, ...] = ()

    @property
    def from_address(self) -> str:
        """The sender's address, or ""."""
        return self.message.from_.address if self.message.from_ else ""


@dataclass(frozen=True, slots=True)
class WholeMailbox:
    """One person's mail in order of time, folder copies dropped."""

    name: str
    owners: frozenset[str]
    messages: tuple[Placed, ...]


def whole_mailboxes(data: Path, *, names: tuple[str, ...] = ()) -> Iterator[WholeMailbox]:
    """The whole mailboxes under `data`, in order of name; only those of `names` when there are any.

    Raises:
        SourceError: There is none.
    """
    paths = sorted((data / "mailboxes").glob("enron-*.tar.gz"))
    if not paths:
        raise SourceError(f"No mailbox is in {data / 'mailboxes'}: put enron-USER.tar.gz files there.")
    for path in paths:
        name = path.name.removesuffix(".tar.gz")
        if not names or name in names:
            yield _mailbox(name, path)


def _mailbox(name: str, path: Path) -> WholeMailbox:
    read: dict[bytes, tuple[datetime, Message, str, tuple[Listed, ...]]] = {}
    authors: Counter[str] = Counter()
    for folder, data in _items(path):
        message = parse(data)
        at = message.received_at or message.sent_at
        if at is None or message.from_ is None:
            continue
        if folder in SENT_FOLDERS:
            authors[message.from_.address] += 1
        said = f"{at.isoformat()}\n{message.from_.address}\n{message.subject}\n{' '.join(message.text.split())}"
        key = hashlib.sha256(said.encode("utf-8", "replace")).digest()
        if key not in read:
            headers = message_from_bytes(data[:20_000])
            read[key] = (at, message, str(headers.get("X-From", "")), tuple(_directory(message, headers)))
    total = authors.total()
    owners = frozenset(address for address, count in authors.items() if count >= 0.05 * total)
    ordered = sorted(read.items(), key=lambda item: (item[1][0], item[0]))
    arrivals = [_arrival(seq, key, at, message) for seq, (key, (at, message, _, _)) in enumerate(ordered)]
    threads = assign(arrivals, ThreadState()).thread_of
    placed = tuple(
        Placed(
            arrival.message_id, threads[arrival.message_id], at, message, _sender(message) in owners, name, directory
        )
        for arrival, (_, (at, message, name, directory)) in zip(arrivals, ordered, strict=True)
    )
    return WholeMailbox(name, owners, placed)


_ENTRY = re.compile(r"([^<>]{0,200})<([^<>]{0,300})>")
_ACCOUNT = re.compile(r"/CN=RECIPIENTS/CN=([^/>]{1,80})$", re.IGNORECASE)


def _directory(message: Message, headers: HeaderMessage) -> Iterator[Listed]:
    """The directory's entries beside the message's addresses, where there are as many of them as of these."""
    senders = (message.from_,) if message.from_ else ()
    for addresses, header in ((senders, "X-From"), (message.to, "X-To"), (message.cc, "X-cc")):
        entries = _ENTRY.findall(" ".join(str(headers.get(header, "")).split()))
        if len(entries) != len(addresses):
            continue
        for one, (name, at) in zip(addresses, entries, strict=True):
            account = _ACCOUNT.search(at)
            yield Listed(one.address, name.strip(" ,\"'"), account[1].lower() if account else "")


def _items(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isfile() and member.size <= MAX_MESSAGE_BYTES:
                handle = archive.extractfile(member)
                yield member.name.split("/")[1] if member.name.count("/") > 1 else "", handle.read() if handle else b""


def _sender(message: Message) -> str:
    return message.from_.address if message.from_ else ""


def _arrival(seq: int, key: bytes, at: datetime, message: Message) -> Arrival:
    return Arrival(
        message_id=uuid.uuid5(_NAMESPACE, key.hex()),
        seq=seq,
        rfc822_message_id=message.rfc822_message_id,
        in_reply_to=message.in_reply_to,
        references=message.references,
        subject=message.subject,
        from_address=_sender(message),
        recipients=frozenset(one.address for one in (*message.to, *message.cc)),
        received_at=at,
    )
