"""Mailboxes on disk -> signals and what the owner did, to train and measure the ranker on.

A tool, not a part of the engine: it alone joins the ranker with the sibling engines that make its input. It reads
folder trees with one message a file, packed as `enron-USER.tar.gz`, and pipermail archives, `NAME.mbox.gz`, where a
frequent author stands in for the owner. Read messages are bounded in size; unreadable ones are skipped and counted.
"""

import gzip
import hashlib
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message as StdMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from rl_emails_assets.classification.classifier import Classifier
from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.mail.subjects import is_reply, subject_key
from rl_emails_assets.mail.zones import split_zones
from rl_emails_assets.ranking.words import subject_words, text_words
from rl_emails_assets.signals.content import content_features, owner_names
from rl_emails_assets.signals.history import history_features
from rl_emails_assets.signals.keys import HISTORY_SCHEMA, domain_key

MAX_MESSAGE_BYTES = 2_000_000
REPLY_WINDOW = timedelta(days=30)
"""A later reply is no longer an answer to the message."""
UNTITLED_WINDOW = timedelta(days=3)
"""The same for messages without a subject, where nothing but the people ties a reply to its parent."""
SENT_FOLDERS = frozenset({"sent", "sent_items", "_sent_mail"})
_LIST_OWNERS: dict[str, dict[str, tuple[str, ...]]] = {
    "r-sig-mac": {"urbanek": ("simon urbanek",), "ripley": ("brian ripley",)},
    "r-sig-finance": {"peterson": ("brian g. peterson",), "ulrich": ("joshua ulrich", "josh ulrich")},
}
"""Who stands in for the owner of a list, by the names that they write under."""
# How archives since 2018 hide addresses: "n@me @end|ng |rom ho@t@org".
_HIDDEN = re.compile(r"^([^<>()\s]{1,200}) @end(?:\||i)ng (?:\||f)rom ([^<>()\s]{1,200})")
_MBOX_FROM = re.compile(rb"^From \S{1,200} .{0,250}\d\d:\d\d:\d\d \d{4}$")


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """One message before it is placed in its mailbox."""

    folder: str
    rfc822_message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    received_at: datetime
    from_address: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One owner's mail: `rows` has a row for each message received while the owner was active, in order of time, with
    what `RankInput.from_row` reads, `thread_id`, `received_at`, and the target: `is_replied`, and when (`answered_at`).
    """

    name: str
    rows: pl.DataFrame
    message_count: int
    skipped_count: int


def load_mailboxes(folder: Path, classifier: Classifier | None = None) -> Iterator[Mailbox]:
    """Each mailbox of the folder, in order of name; a mailing list gives one for each of its chosen owners.

    With a classifier, people's mailboxes get its verdicts. A list's do not: on a list the verdict is about what was
    written to others, and must not teach what it means to the one it is about.
    """
    for path in sorted(folder.glob("enron-*.tar.gz")):
        name = path.name.removesuffix(".tar.gz")
        messages, skipped = _read(_tar_items(path))
        yield mailbox(name, messages, _enron_owner(name, messages), skipped, classifier)
    for path in sorted(folder.glob("*.mbox.gz")):
        name = path.name.removesuffix(".mbox.gz")
        messages, skipped = _read(_mbox_items(path))
        listed = [_through_list(message, name) for message in messages]
        for author, names in _LIST_OWNERS.get(name, {}).items():
            yield mailbox(f"{name}/{author}", listed, _authors(listed, names), skipped)


def judge() -> Classifier:
    """The shipped classifier: what its verdicts mean for a reply is taught, so they have to be its own."""
    return Classifier.load()


def mailbox(
    name: str, messages: list[Raw], owners: frozenset[str], skipped_count: int, classifier: Classifier | None = None
) -> Mailbox:
    """The mailbox of one owner: threads, signals, the target, and with a classifier its verdicts."""
    messages = _without_copies(messages)
    threads = _threads(messages, owners)
    ids = [f"{index:08d}" for index in range(len(messages))]
    history = pl.DataFrame(
        {
            "message_id": ids,
            "thread_id": threads,
            "rfc822_message_id": [message.rfc822_message_id for message in messages],
            "in_reply_to": [message.in_reply_to for message in messages],
            "received_at": [message.received_at for message in messages],
            "from_address": [message.from_address for message in messages],
            "to": [list(message.to) for message in messages],
            "cc": [list(message.cc) for message in messages],
        },
        schema=HISTORY_SCHEMA,
    )
    names = owner_names("", owners)
    answered = _answered(messages, threads, owners)
    said = [_said(message, names) for message in messages]
    rows = (
        pl.concat([history.select("message_id", "thread_id", "received_at"), _frame(said)], how="horizontal")
        .with_columns(
            pl.Series("answered_at", answered, dtype=pl.Datetime("us", "UTC")),
            pl.Series("is_own", [m.from_address in owners for m in messages]),
        )
        .with_columns(pl.col("answered_at").is_not_null().alias("is_replied"))
    )
    own = rows.filter("is_own")["received_at"]
    rows = (
        rows.filter(~pl.col("is_own"), pl.col("received_at").is_between(own.min(), own.max()))
        .drop("is_own")
        .join(history_features(history, None, owners), on="message_id")
        .sort("received_at", "message_id")
    )
    if classifier is not None:
        verdicts = [
            _verdict(classifier, messages[int(row["message_id"])], row, owners) for row in rows.iter_rows(named=True)
        ]
        rows = pl.concat([rows, _frame(verdicts)], how="horizontal")
    return Mailbox(name, rows, len(messages), skipped_count)


def _tar_items(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isfile() and member.size <= MAX_MESSAGE_BYTES:
                parts = member.name.split("/")
                handle = archive.extractfile(member)
                yield parts[1] if len(parts) > 2 else "", handle.read() if handle else b""


def _mbox_items(path: Path) -> Iterator[tuple[str, bytes]]:
    lines: list[bytes] = []
    with gzip.open(path, "rb") as handle:
        for line in handle:
            if line.startswith(b"From ") and _MBOX_FROM.match(line.rstrip()):
                if lines:
                    yield "list", b"".join(lines)
                lines = []
            else:
                lines.append(line)
    if lines:
        yield "list", b"".join(lines)


def _read(items: Iterator[tuple[str, bytes]]) -> tuple[list[Raw], int]:
    messages: list[Raw] = []
    skipped = 0
    for folder, data in items:
        message = _raw(folder, data)
        if message is None:
            skipped += 1
        else:
            messages.append(message)
    return messages, skipped


def _raw(folder: str, data: bytes) -> Raw | None:
    parsed = BytesParser().parsebytes(data)
    try:
        at = parsedate_to_datetime(str(parsed.get("date", "")))
    except (ValueError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    senders = _addresses(parsed, "from")
    if not senders or not 1990 < at.year < 2030:
        return None
    return Raw(
        folder=folder,
        rfc822_message_id=_ids(parsed, "message-id")[0],
        in_reply_to=_ids(parsed, "in-reply-to")[0],
        references=_ids(parsed, "references"),
        received_at=at,
        from_address=senders[0],
        to=_addresses(parsed, "to"),
        cc=_addresses(parsed, "cc"),
        subject=" ".join(str(parsed.get("subject", "")).split()),
        text=_text(parsed),
        headers={name.lower(): str(value) for name, value in parsed.items()},
    )


def _addresses(parsed: StdMessage, name: str) -> tuple[str, ...]:
    values = [str(value).replace("\n", " ") for value in parsed.get_all(name, [])]
    values = [_HIDDEN.sub(_shown, value).replace(" at ", "@") for value in values]
    found = (address.strip().lower() for _, address in getaddresses(values))
    return tuple(dict.fromkeys(address for address in found if "@" in address))


def _shown(hidden: re.Match[str]) -> str:
    """One address a person again: what stands for a letter becomes a dot."""
    return "@".join(re.sub("[@|]", ".", part) for part in hidden.groups())


def _ids(parsed: StdMessage, name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"<([^<>\s]{1,300})>", str(parsed.get(name, "")))) or ("",)


def _text(parsed: StdMessage) -> str:
    for part in parsed.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            return payload.decode("latin-1") if isinstance(payload, bytes) else ""
    return ""


def _through_list(message: Raw, name: str) -> Raw:
    """An archive drops what every copy had: the list as recipient, and its headers."""
    headers = {**message.headers, "list-id": name, "list-post": name, "list-unsubscribe": name, "precedence": "list"}
    return Raw(
        folder=message.folder,
        rfc822_message_id=message.rfc822_message_id,
        in_reply_to=message.in_reply_to,
        references=message.references,
        received_at=message.received_at,
        from_address=message.from_address,
        to=(f"{name}@lists.example",),
        cc=(),
        subject=message.subject,
        text=message.text,
        headers=headers,
    )


def _without_copies(messages: list[Raw]) -> list[Raw]:
    """Each message once, in order of time: folder copies share date, sender, subject and words."""
    seen: dict[bytes, Raw] = {}
    for message in messages:
        words = " ".join(message.text.split())
        said = f"{message.received_at.isoformat()}\n{message.from_address}\n{message.subject}\n{words}"
        seen.setdefault(hashlib.sha256(said.encode("utf-8", "replace")).digest(), message)
    return sorted(seen.values(), key=lambda message: message.received_at)


def _enron_owner(name: str, messages: list[Raw]) -> frozenset[str]:
    """Who wrote what is in the sent folders, and the same person's short address in the same domain."""
    authors = Counter(message.from_address for message in messages if message.folder in SENT_FOLDERS)
    total = sum(authors.values())
    found = {address for address, count in authors.items() if count >= 0.05 * total}
    surname, _, initial = name.removeprefix("enron-").rpartition("-")
    hosts = {address.partition("@")[2] for address in found}
    return frozenset(found | {f"{initial}{surname}@{host}" for host in hosts})


def _authors(messages: list[Raw], names: tuple[str, ...]) -> frozenset[str]:
    """The addresses that somebody of the names wrote from."""
    found = {message.from_address: message.headers["from"].lower() for message in messages}
    return frozenset(address for address, written in found.items() if any(name in written for name in names))


def _threads(messages: list[Raw], owners: frozenset[str]) -> list[str]:
    """In order of time: a message joins the conversation it names, else, as a reply, the latest one of its subject
    with somebody who takes part in both."""
    by_id: dict[str, str] = {}
    by_subject: dict[tuple[str, str], tuple[datetime, str]] = {}
    threads: list[str] = []
    for index, message in enumerate(messages):
        key = subject_key(message.subject)
        others = {message.from_address, *message.to, *message.cc} - owners
        thread = next((by_id[i] for i in (message.in_reply_to, *message.references[::-1]) if i and i in by_id), "")
        if not thread and is_reply(message.subject):
            since = message.received_at - (REPLY_WINDOW if key else UNTITLED_WINDOW)
            latest = max((by_subject[key, other] for other in others if (key, other) in by_subject), default=None)
            thread = latest[1] if latest is not None and latest[0] >= since else ""
        thread = thread or f"t{index:08d}"
        threads.append(thread)
        by_subject.update(((key, other), (message.received_at, thread)) for other in others)
        if message.rfc822_message_id:
            by_id.setdefault(message.rfc822_message_id, thread)
    return threads


def _answered(messages: list[Raw], threads: list[str], owners: frozenset[str]) -> list[datetime | None]:
    """When the owner first replied to each message: by In-Reply-To where the mailbox has that header at all, else by a
    later "Re:" in its conversation to its sender."""
    own = [message for message in messages if message.from_address in owners]
    answers: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    has_parents = any(message.in_reply_to for message in own)
    if has_parents:
        for message in own:
            answers[message.in_reply_to, ""].append(message.received_at)
        answers.pop(("", ""), None)
    else:
        for message, thread in zip(messages, threads, strict=True):
            if message.from_address in owners and is_reply(message.subject):
                for address in {*message.to, *message.cc}:
                    answers[thread, address].append(message.received_at)
    found: list[datetime | None] = []
    for message, thread in zip(messages, threads, strict=True):
        key = (message.rfc822_message_id, "") if has_parents else (thread, message.from_address)
        after = [at for at in answers.get(key, ()) if at > message.received_at]
        first = min(after, default=None) if message.from_address not in owners else None
        is_late = first is not None and first - message.received_at > REPLY_WINDOW
        found.append(None if is_late else first)
    return found


def _said(message: Raw, names: frozenset[str]) -> dict[str, object]:
    new_text = _new_text(message)
    content = content_features(
        subject=message.subject,
        new_text=new_text,
        text=message.text,
        headers=message.headers,
        from_address=message.from_address,
        attachment_count=0,
        has_calendar=False,
        is_html_only=False,
        at=message.received_at,
        names=names,
        in_reply_to=message.in_reply_to,
    )
    return {
        **asdict(content),
        "sender": message.from_address,
        "domain": domain_key(message.from_address),
        "list_id": message.headers.get("list-id", ""),
        "subject_words": subject_words(message.subject),
        "text_words": text_words(new_text),
    }


@lru_cache(maxsize=40_000)
def _new_text(message: Raw) -> str:
    """A list is read once for each of its owners, and zoning costs the most."""
    return split_zones(message.text, sender=message.from_address).new_text


def _verdict(classifier: Classifier, message: Raw, row: dict[str, Any], owners: frozenset[str]) -> dict[str, object]:
    verdict = classifier.classify(
        ClassifierInput(
            subject=message.subject,
            new_text=_new_text(message),
            text=message.text,
            from_address=message.from_address,
            to_count=len(message.to),
            cc_count=len(message.cc),
            is_owner_in_to=row["is_owner_in_to"],
            is_owner_in_cc=row["is_owner_in_cc"],
            is_owner_only_recipient=row["is_owner_only_recipient"],
            is_reply_to_owner=row["is_reply_to_owner"],
            owner_domain=min(owners, default="").partition("@")[2],
            sender_replied_count=row["sender_replied_count"],
            sender_sent_count=row["sender_received_count"],
            headers=message.headers,
            link_count=row["link_count"],
            received_at=message.received_at,
        )
    )
    return {
        "category": verdict.category,
        "needs": verdict.needs,
        "urgency": verdict.urgency,
        "confidence": verdict.confidence,
    }


def _frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)
