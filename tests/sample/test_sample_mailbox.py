"""The sample mailbox is what people see first: it must be whole, invented, varied, and built from its scenes."""

import json
import mailbox
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from rl_emails_assets.classification.verdict import CATEGORIES, NEEDS, URGENCIES
from rl_emails_assets.sample import build as sample_build
from rl_emails_assets.sample.build import FOLDER, build

OWNER = {"maya.lindqvist@harborlight.example", "maya@lindqvist.example"}
RESERVED = re.compile(r"(?:^|\.)(?:example|test|invalid|example\.(?:com|org|net))$")


def messages() -> list[EmailMessage]:
    """Every message of the committed file, read as a stranger's program would: mboxrd lines unquoted, modern policy."""
    parser = BytesParser(policy=policy.default)
    raw = mailbox.mbox(FOLDER / "mailbox.mbox", create=False)
    found = [parser.parsebytes(re.sub(rb"(?m)^>(>*From )", rb"\1", raw.get_bytes(key))) for key in raw.keys()]  # noqa: SIM118
    raw.close()
    return found


MESSAGES = messages()
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text("utf-8"))["messages"]


def labels(message: EmailMessage) -> set[str]:
    return set(str(message["X-Gmail-Labels"]).split(","))


def message_id(message: EmailMessage) -> str:
    return str(message["Message-ID"] or "").strip("<> ")


def said(message: EmailMessage) -> str:
    """Subject and decoded text parts on one line, without quotation marks of replies."""
    texts = [str(message["Subject"])]
    for part in message.walk():
        if part.get_content_type() in {"text/plain", "text/html"}:
            declared = part.get_content_charset("utf-8")
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            texts.append(data.decode(declared if declared != "us-ascii" else "utf-8", "replace"))
    plain = re.sub(r"<[^<>]{0,500}>", "", "\n".join(texts))
    return " ".join(plain.split())


def test_committed_files_are_what_the_scenes_build(tmp_path: Path) -> None:
    """Somebody edits the mbox and not the scenes, or the other way round."""
    sample_build.main(tmp_path)
    for name in ("mailbox.mbox", "expected.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), f"rebuild {name}"
    assert build()[0] == build()[0]


def test_size_and_count_stay_small_enough_to_ship() -> None:
    """The wheel grows without anybody noticing, or messages get lost at a "From " line."""
    data = (FOLDER / "mailbox.mbox").read_bytes()
    assert len(data) < 600_000
    assert 150 <= len(MESSAGES) <= 200
    assert len(re.findall(rb"(?m)^From \d+@xxx ", data)) == len(MESSAGES)
    assert b"\r" not in data


def test_every_message_has_the_headers_of_a_takeout_export() -> None:
    """An import that relies on Takeout's headers is never exercised by the demo."""
    for message in MESSAGES:
        who = message["Subject"]
        assert message["X-GM-THRID"].isdigit(), who
        assert labels(message) & {"Inbox", "Sent", "Archived"}, who
        assert message["From"].addresses[0].addr_spec, who
        assert message["To"].addresses, who
        is_sent = "Sent" in labels(message)
        assert is_sent == (message["From"].addresses[0].addr_spec in OWNER), who
        assert is_sent == (message["Received"] is None), who
        assert is_sent or message["Delivered-To"] in OWNER, who


def test_only_the_deliberate_ones_are_broken() -> None:
    """A slip of the writer makes ordinary mail invalid, and the demo shows defects that nobody meant."""
    assert [str(m["Subject"]) for m in MESSAGES if not m["Message-ID"]] == ["Scan from MFP-2"]
    broken = Counter(
        type(defect).__name__ for message in MESSAGES for part in message.walk() for defect in part.defects
    )
    assert broken == {"CloseBoundaryNotFoundDefect": 1}
    raw_headers = [m for m in MESSAGES if "René" not in str(m["From"]) and "phare-conseil" in str(m["From"])]
    assert len(raw_headers) == 1, "the 8-bit From header became valid"
    wrong_charset = [
        part
        for message in MESSAGES
        for part in message.walk()
        if part.get_content_charset() == "us-ascii" and not (part.get_payload(decode=True) or b"").isascii()  # type: ignore[union-attr]
    ]
    assert len(wrong_charset) == 1
    ids = [message_id(message) for message in MESSAGES if message["Message-ID"]]
    assert len(ids) == len(set(ids))


def test_dates_lie_in_two_months_and_in_several_zones() -> None:
    """The demo's time line has holes or mail from the future."""
    dates = [parsedate_to_datetime(m["Date"]) for m in MESSAGES if m["Message-ID"]]
    assert min(dates) >= datetime(2026, 9, 20, tzinfo=UTC)
    assert max(dates) < datetime(2026, 11, 21, tzinfo=UTC)
    assert len({date.utcoffset() for date in dates}) >= 4
    weeks = Counter(date.isocalendar().week for date in dates)
    assert min(weeks.values()) >= 2
    assert len(weeks) >= 9
    received = [parsedate_to_datetime(m["Received"].rpartition(";")[2]) for m in MESSAGES if m["Received"]]
    assert received == sorted(received)


def test_only_reserved_domains_occur() -> None:
    """The sample names a real person's or firm's address."""
    text = "\n".join([(FOLDER / "mailbox.mbox").read_text("latin-1"), *map(said, MESSAGES)])
    for part in (part for message in MESSAGES for part in message.walk() if not part.is_multipart()):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        text += "\n" + payload.decode("latin-1")
    text = re.sub(r"\d@xxx ", "", text.replace("=\n", ""))
    hosts = re.findall(r"@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", text)
    hosts += re.findall(r"//([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", text)
    hosts += re.findall(r"(?:from|by|\() ?([a-z0-9-]+(?:\.[a-z0-9-]+)+) ", text)
    assert len(hosts) > 500
    assert {host for host in hosts if not RESERVED.search(host.lower())} == set()
    addresses = re.findall(r"\[(\d+\.\d+\.\d+)\.\d+\]", text)
    assert set(addresses) == {"203.0.113"}


def test_threads_are_whole() -> None:
    """A reply whose parent is not there, or in another Takeout thread, would split conversations in the demo."""
    thread_of = {message_id(m): m["X-GM-THRID"] for m in MESSAGES}
    threads: dict[str, list[EmailMessage]] = defaultdict(list)
    for message in MESSAGES:
        threads[message["X-GM-THRID"]].append(message)
        references = str(message["References"] or "").split()
        for reference in references:
            assert thread_of[reference.strip("<>")] == message["X-GM-THRID"]
        assert (str(message["In-Reply-To"]) if message["In-Reply-To"] else None) == (
            references[-1] if references else None
        )
    sizes = [len(thread) for thread in threads.values() if len(thread) > 1]
    assert 30 <= len(sizes) <= 45
    assert max(sizes) <= 7
    with_owner = [t for t in threads.values() if len(t) > 1 and any("Sent" in labels(m) for m in t)]
    assert len(with_owner) >= 28


def test_labels_give_the_demo_something_of_everything() -> None:
    """An inbox with nothing unread, or without promotions, shows an empty page."""
    counts = Counter(label for message in MESSAGES for label in labels(message))
    assert counts["Unread"] >= 30
    assert 33 <= counts["Sent"] <= 45
    assert counts["Category Promotions"] >= 6
    assert counts["Category Updates"] >= 20
    assert counts["Starred"] >= 5
    assert counts["Important"] >= 15
    assert min(counts[label] for label in ("Beacon 2", "Move", "Audit", "Madeira", "Northgate")) >= 8
    newest = [message for message in MESSAGES if "20 Nov 2026" in message["Date"] and "Unread" in labels(message)]
    needs = [EXPECTED.get(message_id(message), {}).get("needs") for message in newest]
    assert sum(need in {"reply", "decision", "task"} for need in needs) >= 5


def test_mime_forms_and_charsets() -> None:
    """The demo would prove nothing about HTML-only mail, invitations, attachments and charsets if it had none."""
    forms = Counter(message.get_content_type() for message in MESSAGES)
    parts = Counter(part.get_content_type() for message in MESSAGES for part in message.walk())
    assert forms["text/html"] >= 18
    assert forms["multipart/report"] == 1
    assert parts["multipart/related"] == 1
    assert parts["message/rfc822"] == 1
    assert min(parts[kind] for kind in ("application/pdf", "text/csv", "image/png", "application/ics")) >= 2
    methods = Counter(
        part.get_param("method")
        for message in MESSAGES
        for part in message.walk()
        if part.get_content_type() == "text/calendar"
    )
    assert methods == {"REQUEST": 4, "CANCEL": 1, "REPLY": 1}
    charsets = {part.get_content_charset() for message in MESSAGES for part in message.walk()}
    assert charsets >= {"us-ascii", "utf-8", "iso-8859-1", "iso-8859-2", "iso-2022-jp"}
    encodings = {str(part["Content-Transfer-Encoding"]) for message in MESSAGES for part in message.walk()}
    assert encodings >= {"7bit", "8bit", "base64", "quoted-printable"}
    assert sum(m.get_param("format") == "flowed" for m in MESSAGES) >= 15
    assert sum(message["List-Unsubscribe"] is not None for message in MESSAGES) >= 15
    assert sum("lamp-restorers" in str(message["List-Id"]) for message in MESSAGES) == 4


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ("und|nicht|bitte|Ihnen", 6),
        ("nous|vous|bien", 3),
        ("Hola|gracias|por favor", 2),
        ("och|inte|jag", 4),
        ("お世話|サンプル", 2),
        ("Dzień|Pozdrawiam|wysyłamy", 2),
    ],
)
def test_languages(words: str, least: int) -> None:
    """A language is lost to a wrong charset or an edit."""
    assert sum(bool(re.search(rf"(?i){words}", said(message))) for message in MESSAGES) >= least


def test_png_and_pdf_are_real_files() -> None:
    """A viewer refuses an attachment because its checksums or offsets are wrong."""
    for part in (part for message in MESSAGES for part in message.walk()):
        data = part.get_payload(decode=True)
        if part.get_content_type() == "application/pdf":
            assert isinstance(data, bytes)
            start = int(data.rpartition(b"startxref\n")[2].split()[0])
            assert data[start : start + 4] == b"xref"
        if part.get_content_type() == "image/png":
            assert isinstance(data, bytes)
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert data.endswith(b"IEND\xaeB`\x82")


def test_expected_facts_use_the_verdict_vocabulary_and_quote_the_mail() -> None:
    """An expectation about mail that is not there, or words that nobody wrote, would judge the engines wrongly."""
    by_id = {message_id(message): message for message in MESSAGES}
    assert len(EXPECTED) >= 60
    for key, facts in EXPECTED.items():
        message = by_id[key]
        text = said(message)
        assert facts["subject"] == str(message["Subject"])
        assert facts["category"] in CATEGORIES
        assert facts["needs"] in NEEDS
        assert facts.get("urgency", "now") in URGENCIES
        for deadline in facts["deadlines"]:
            at = datetime.fromisoformat(deadline["at"])
            assert datetime(2026, 9, 20) <= at <= datetime(2026, 12, 31)  # noqa: DTZ001
            assert deadline["text"] in text, key
        for task in facts["tasks"]:
            assert task["owner"] in {"me", "them", "someone_else"}
            assert task["evidence"] in text, key
    assert {facts["category"] for facts in EXPECTED.values()} == set(CATEGORIES)
    assert {facts["needs"] for facts in EXPECTED.values()} == set(NEEDS)
    assert sum(bool(facts["deadlines"]) for facts in EXPECTED.values()) >= 25
