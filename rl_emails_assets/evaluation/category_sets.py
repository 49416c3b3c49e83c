"""The labelled sets beside SpamAssassin on which categories are measured, with the answers a reader would accept."""

import csv
import io
import json
import random
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

from rl_emails_assets.classification.inputs import ClassifierInput
from rl_emails_assets.classification.message_input import input_of
from rl_emails_assets.classification.unwanted_corpus import without_headers
from rl_emails_assets.classification.verdict import Category
from rl_emails_assets.mail.parse import parse

PER_MAILBOX = 100
PROCUREMENT_SAMPLE = 120
_PLACEHOLDER = re.compile(r"\{\{[^{}]{0,80}\}\}")
_BRACKETED = re.compile(r"\[(?:Product Name|Company Name|Sender Name|[A-Z][\w ,-]{2,60})\]")
_NOTICES: tuple[Category, ...] = ("notification", "receipt")
_TEMPLATES: dict[str, tuple[Category, ...]] = {
    "receipt": ("receipt",), "invoice": ("receipt",), "dunning": _NOTICES, "password-reset": ("notification",),
    "password-reset-help": ("notification",), "comment-notification": ("notification",),
    "trial-expired": ("notification", "promotion"), "trial-expiring": ("notification", "promotion"),
    "user-invitation": ("notification", "person"), "welcome": ("notification", "promotion", "newsletter"),
}  # fmt: skip
_SENT_FOLDERS = frozenset(("sent", "sent_items", "_sent_mail"))


@dataclass(frozen=True, slots=True)
class Case:
    """A message of a set, the categories a reader would accept, and the group it is drawn with (sender, template)."""

    given: ClassifierInput
    accepted: tuple[Category, ...]
    group: str


def cases(data: Path, *, seed: int) -> dict[str, list[Case]]:
    """The cases of each set that is there, by the set's name."""
    found = {
        "Postmark templates (HTML)": list(_postmark(data)),
        "Calendar attachments": list(_invitations(data)),
        "Procurement mails": list(_procurement(data, seed)),
        "Triage scenarios": list(_triage(data)),
        "Enron categories (UCB)": list(_enron(data)),
        "Mail that the Enron owners wrote": list(_owners(data, seed)),
    }
    return {name: members for name, members in found.items() if members}


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        with tarfile.open(path) as archive:
            for member in archive:
                opened = archive.extractfile(member) if member.isfile() and member.size <= 2_000_000 else None
                if opened is not None:
                    yield member.name, opened.read()


def _postmark(data: Path) -> Iterator[Case]:
    """Rendered as the product that sends them would: a role address, HTML alone, no header that names the kind."""
    for name, content in _members(data / "labelled" / "postmark-templates.tar.gz"):
        parts = name.split("/")
        accepted = _TEMPLATES.get(parts[-2])
        if parts[-1] != "content.html" or accepted is None or "templates-inlined" not in parts:
            continue
        page = _BRACKETED.sub("Acme", _PLACEHOLDER.sub("7", content.decode("utf-8", "replace")))
        message = EmailMessage()
        message["From"], message["To"] = "Acme <hello@acme.example>", "ana@home.example"
        message["Subject"] = f"{parts[-2].replace('-', ' ').capitalize()} from Acme"
        message["Date"], message["Message-ID"] = "Tue, 04 Mar 2025 09:14:27 +0000", f"<{len(page)}.1@mtasv.example>"
        message.set_content(page, subtype="html")
        yield Case(_to_owner(input_of(parse(message.as_bytes()))), accepted, parts[-2])


def _invitations(data: Path) -> Iterator[Case]:
    """Each file with a method of invitations, attached to a bare letter as calendar programs do."""
    for name, content in _members(data / "labelled" / "ics-samples.tar.gz"):
        method = re.search(rb"^METHOD:(REQUEST|CANCEL|REPLY|COUNTER)\s*$", content, re.MULTILINE | re.IGNORECASE)
        if not name.endswith(".ics") or method is None:
            continue
        kind = method[1].decode().upper()
        body = (
            b"From: Ana Berg <ana@home.example>\nTo: ida@quay.example\nSubject: Quay\nMIME-Version: 1.0\n"
            b'Content-Type: multipart/alternative; boundary="=_c"\n\n--=_c\nContent-Type: text/plain\n\nSee you.\n'
            b"--=_c\nContent-Type: text/calendar; charset=utf-8; method=" + kind.encode() + b"\n\n"
        )
        yield Case(_to_owner(input_of(parse(body + content + b"\n--=_c--\n"))), ("calendar",), name)


def _procurement(data: Path, seed: int) -> Iterator[Case]:
    """Buyers and sellers writing to one another; an invoice or a confirmation may be called a receipt."""
    rows: list[dict[str, str]] = []
    for name, content in _members(data / "labelled" / "procurement-fields.tar.gz"):
        if name.endswith(".csv"):
            rows += csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace")))
    for row in random.Random(seed).sample(rows, min(PROCUREMENT_SAMPLE, len(rows))):  # noqa: S311 - a sample
        given = ClassifierInput(
            subject=row["subject"], new_text=row["body"], text=row["body"], from_name=row["sender_name"],
            from_address=row["sender_email"].lower(),
        )  # fmt: skip
        yield Case(_to_owner(given), ("person", "receipt"), row["sender_email"].lower())


def _triage(data: Path) -> Iterator[Case]:
    expected: dict[str, tuple[Category, ...]] = {"reply_needed": ("person",), "noise": ("promotion", "newsletter")}
    for name, content in _members(data / "labelled" / "triage-scenarios.tar.gz"):
        if "/inbox-scenarios/" in name and name.endswith(".json"):
            scenario = json.loads(content)
            message, accepted = scenario.get("message"), expected.get(scenario.get("expected_tier", ""))
            if message and accepted:
                raw = f"From: {message['from']}\nSubject: {message['subject']}\n\n{message['snippet']}\n"
                yield Case(_to_owner(input_of(parse(raw.encode()))), accepted, scenario["id"])


def _enron(data: Path) -> Iterator[Case]:
    """News and newsletters by their codes; what else has a coarse genre is somebody's letter or announcement."""
    texts: dict[str, bytes] = {}
    codes: dict[str, set[str]] = {}
    for name, content in _members(data / "labelled" / "enron-categories-ucb.tar.gz"):
        stem, _, suffix = name.rpartition(".")
        if suffix == "cats":
            codes[stem] = {".".join(line.split(",")[:2]) for line in content.decode().split()}
        elif suffix == "txt" and not name.endswith("categories.txt"):
            texts[stem] = content
    for stem in sorted(texts.keys() & codes.keys()):
        marks = codes[stem]
        is_news = "2.10" in marks or ("2.4" in marks and "2.1" not in marks and "1.1" not in marks)
        given = without_headers(input_of(parse(texts[stem])))
        wanted: tuple[Category, ...] = ("newsletter", "promotion") if is_news else ("person",)
        if not is_news and not {"1.1", "1.2", "1.3", "1.4", "1.5", "1.6"} & marks:
            continue
        # A colleague's mail of the owner's own company, as it was.
        yield Case(replace(given, owner_domain="enron.com"), wanted, given.from_address)


def _owners(data: Path, seed: int) -> Iterator[Case]:
    """What each owner sent, as a stranger at another company would get it."""
    for path in sorted((data / "mailboxes").glob("enron-*.tar.gz")):
        found = [content for name, content in _members(path) if _SENT_FOLDERS.intersection(name.split("/")[1:-1])]
        seen: set[str] = set()
        for content in random.Random(seed).sample(found, min(PER_MAILBOX, len(found))):  # noqa: S311 - a sample
            given = without_headers(input_of(parse(content)))
            opening = " ".join(given.new_text.split())[:400]
            # Folder copies, and letters that only forward something, say nothing of the owner's own words.
            if len(opening) >= 20 and opening not in seen:
                seen.add(opening)
                yield Case(_to_owner(given), ("person",), path.name)


def _to_owner(given: ClassifierInput) -> ClassifierInput:
    return replace(given, to_count=1, is_owner_in_to=True, is_owner_only_recipient=True, owner_domain="quay.example")
