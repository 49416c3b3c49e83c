"""Reads the labelled sets that the model is trained on (their places and licences are in the data's own README).

Only the training command imports this. What it yields lives in memory; no text of it reaches the model file.
"""

import csv
import email
import email.errors
import email.header
import email.policy
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as EmailMessage
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from rl_emails_assets.errors import SourceError

_MAX_ITEM_BYTES = 2_000_000
SENT_PER_MAILBOX = 60
_SENT_FOLDERS = frozenset(("sent", "sent_items", "_sent_mail"))
_ADDRESS = re.compile(r"[^\s<>@\"]{1,64}@([\w.-]{1,200})")
_PLACEHOLDER = re.compile(r"\{\{[^{}]{0,80}\}\}")
_BRACKETED = re.compile(r"\[(Product Name|Company Name|Sender Name|[A-Z][\w -]{2,40})[^\]]{0,40}\]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and whether it asks for something."""

    text: str
    is_request: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A message with its genre. Messages of one `group` (a sender, a list, a template) stay on one side of a split."""

    subject: str
    text: str
    genre: str
    group: str
    source: str


def parakweet_sentences(data: Path) -> list[Sentence]:
    """labelled/intent-parakweet-ask0729.txt: "Yes<TAB>sentence" is a request or proposal."""
    found = []
    for line in _file(data, "intent-parakweet-ask0729.txt").read_text("utf-8", "replace").split("\n"):
        label, tab, text = line.partition("\t")
        if tab and label in ("Yes", "No"):
            found.append(Sentence(text.strip(), label == "Yes"))
    return found


def actionable_sentences(data: Path) -> list[Sentence]:
    """labelled/actionable-sentences.csv: class 1 is actionable. Noisy; used to check, never to train."""
    with _file(data, "actionable-sentences.csv").open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        return [Sentence(row["sentences"].strip(), row["class"] == "1") for row in csv.DictReader(opened)]


def documents(data: Path) -> list[Document]:
    """Every labelled message of the sets that the genre model is trained on, in a fixed order."""
    found = [*_spamassassin(data), *_enron_categories(data), *_sent_mail(data), *_postmark(data), *_triage(data)]
    return sorted(found, key=lambda item: (item.source, item.group, item.subject, item.text))


def _file(data: Path, name: str) -> Path:
    path = data / "labelled" / name
    if not path.is_file():
        raise SourceError(f"{name} is not in {data / 'labelled'}; give --data the folder that holds labelled/")
    return path


def _members(data: Path, name: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(_file(data, name)) as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() and member.size <= _MAX_ITEM_BYTES else None
            if opened is not None:
                yield member.name, opened.read()


def _spamassassin(data: Path) -> Iterator[Document]:
    for name, content in _members(data, "spamassassin.tar.gz"):
        folder, _, leaf = name.rpartition("/")
        if leaf == "cmds" or not folder:
            continue
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        sender = str(message["from"] or "").lower()
        if "spam" in folder.rpartition("/")[2]:
            genre = "promotion"
        elif "hard_ham" in folder or "rssfeeds@" in sender or "perl.org" in sender:
            # The easy folders hold a news-feed gateway and a daily bulletin beside people's mail.
            genre = "newsletter"
        else:
            genre = "person"
        yield Document(
            _decoded(message["subject"]), new_words(_body(message)), genre, _group(message, sender), "spamassassin"
        )


def _enron_categories(data: Path) -> Iterator[Document]:
    texts: dict[str, str] = {}
    codes: dict[str, set[str]] = {}
    for name, content in _members(data, "enron-categories-ucb.tar.gz"):
        stem, _, suffix = name.rpartition(".")
        text = content.decode("utf-8", "replace")
        if suffix == "cats":
            codes[stem] = {".".join(line.split(",")[:2]) for line in text.split()}
        elif suffix == "txt" and not name.endswith("categories.txt"):
            texts[stem] = text
    for stem in sorted(texts.keys() & codes.keys()):
        message = email.message_from_string(texts[stem], policy=email.policy.compat32)
        marks = codes[stem]
        is_news = "2.10" in marks or ("2.4" in marks and "2.1" not in marks and "1.1" not in marks)
        sender = str(message["from"] or "").lower()
        genre = "newsletter" if is_news else "person"
        yield Document(_decoded(message["subject"]), new_words(_body(message)), genre, sender, "enron")


def _sent_mail(data: Path) -> Iterator[Document]:
    """What the owners of the Enron mailboxes wrote themselves: mail of persons by construction."""
    for path in sorted((data / "mailboxes").glob("enron-*.tar.gz")):
        taken = 0
        with tarfile.open(path) as archive:
            for member in archive:
                if taken == SENT_PER_MAILBOX:
                    break
                folders = member.name.split("/")[1:-1]
                if not _SENT_FOLDERS.intersection(folders) or not member.isfile() or member.size > _MAX_ITEM_BYTES:
                    continue
                opened = archive.extractfile(member)
                message = email.message_from_bytes(opened.read() if opened else b"", policy=email.policy.compat32)
                text = new_words(_body(message))
                if text.strip():
                    taken += 1
                    yield Document(_decoded(message["subject"]), text, "person", path.name, "enron-sent")


def _postmark(data: Path) -> Iterator[Document]:
    for name, content in _members(data, "postmark-templates.tar.gz"):
        parts = name.split("/")
        if parts[-1] != "content.txt" or parts[-2] == "example" or "templates-inlined" not in parts:
            continue
        text = _PLACEHOLDER.sub("7", content.decode("utf-8", "replace"))
        text = _BRACKETED.sub("Acme", text)
        subject = parts[-2].replace("-", " ")
        yield Document(subject, text, "transaction", parts[-2], "postmark")


def _triage(data: Path) -> Iterator[Document]:
    for name, content in _members(data, "triage-scenarios.tar.gz"):
        if "/inbox-scenarios/" not in name or not name.endswith(".json"):
            continue
        scenario = json.loads(content)
        message, tier = scenario.get("message"), scenario.get("expected_tier")
        if not message or tier not in ("reply_needed", "noise"):
            continue
        genre = "person" if tier == "reply_needed" else "promotion"
        yield Document(message.get("subject", ""), message.get("snippet", ""), genre, scenario["id"], "triage")


def _group(message: EmailMessage, sender: str) -> str:
    listed = str(message["list-id"] or message["x-beenthere"] or "")
    if listed:
        return listed.lower()
    found = _ADDRESS.search(sender)
    return found.group(0) if found else sender


def _decoded(value: object) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(str(value or ""))))
    except (LookupError, ValueError, email.errors.MessageError):
        return str(value)


def _body(message: EmailMessage) -> str:
    html = ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html"):
            continue
        payload = part.get_payload(decode=True)
        charset = part.get_content_charset() or "utf-8"
        raw = payload if isinstance(payload, bytes) else b""
        try:
            text = raw.decode(charset, "replace")
        except LookupError:
            text = raw.decode("latin-1")
        if kind == "text/plain" and text.strip():
            return text
        html = html or text
    return html_words(html)


def html_words(html: str) -> str:
    """The visible words of HTML, a line for each block, "" for ""."""
    if not html:
        return ""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["script", "style", "head", "title"])
    return (tree.body or tree.root).text(separator="\n") if tree.root is not None else ""


def new_words(text: str) -> str:
    """A body without quoted lines, forwarded mail, signature and list footer (footers name the list)."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        bare = line.strip()
        if bare.startswith((">", "|")) or (bare.endswith("wrote:") and len(bare) < 120):
            continue
        if line in ("-- ", "--") or bare.startswith(("_____", "-----", "=====")):
            if len("".join(kept)) > 40:
                break
            continue
        kept.append(line)
    return "\n".join(kept)
