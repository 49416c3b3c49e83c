"""Builds the sample mailbox from its scenes: `python -m rl_emails_assets.sample.build`.

It writes mailbox.mbox (mboxrd, as Google Takeout makes it) and expected.json (what the engines should find) beside this
file. Both are committed; a test holds them to what is built.
"""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rl_emails_assets.sample.cast import OWNER, Mail, Person, person, resolve
from rl_emails_assets.sample.letters import letter, new_text
from rl_emails_assets.sample.mime_bytes import (
    Headers,
    digest,
    file_part,
    fold,
    header_text,
    mailbox_text,
    multipart,
    part,
    pdf,
    png,
    text_part,
)
from rl_emails_assets.sample.page_layout import page_html, page_text
from rl_emails_assets.sample.scene_text import read_folder

FOLDER = Path(__file__).parent
_FLAGS = {"U": "Unread", "I": "Important", "S": "Starred"}
_REST = "Mailbox of Maya Lindqvist; every person, firm and address in it is invented."


def _number(*words: str) -> int:
    return 1_800_000_000_000_000_000 + int(digest(*words)[:14], 16) // 1000


def labels(mail: Mail) -> str:
    """The Takeout labels: "Flags" holds U(nread), I(mportant), S(tarred), A(rchived), and "Labels" the owner's own."""
    flags = mail.scene.get("Flags")
    places = ["Sent"] if mail.is_sent else ["Archived"] if "A" in flags else ["Inbox"]
    marks = [name for flag, name in _FLAGS.items() if flag in flags]
    opened = [] if "U" in flags else ["Opened"]
    category = mail.scene.get("Cat")
    named = [f"Category {category}"] if category else []
    own = [word.strip() for word in mail.scene.get("Labels").split(",") if word.strip()]
    return header_text(",".join([*places, *marks, *opened, *named, *own]))


def _calendar(mail: Mail) -> str:
    method, uid, start, minutes, place, summary = (word.strip() for word in mail.scene.get("Event").split("|"))
    begins = datetime.strptime(f"{start} +0000", "%Y-%m-%d %H:%M %z")
    ends = begins + timedelta(minutes=int(minutes))
    mine = "MAILTO:maya.lindqvist@harborlight.example"
    theirs = f"MAILTO:{mail.sender.address}"
    organizer, attendee = (mine, theirs) if method == "REPLY" else (theirs, mine)
    answer = "ACCEPTED" if method == "REPLY" else "NEEDS-ACTION"
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Harborlight//Calendar 4.2//EN",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{uid}@calendar.example",
        f"DTSTAMP:{mail.at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{begins:%Y%m%dT%H%M%SZ}",
        f"DTEND:{ends:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{summary.replace(',', chr(92) + ',')}",
        f"LOCATION:{place.replace(',', chr(92) + ',')}",
        f"ORGANIZER:{organizer}",
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={answer}:{attendee}",
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        f"SEQUENCE:{1 if method == 'CANCEL' else 0}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\n".join(lines)


def _bounce(lost: Mail, text: str) -> bytes:
    status = (
        "Reporting-MTA: dns; mx.harborlight.example\r\n\r\n"
        f"Final-Recipient: rfc822; {lost.to[0][1]}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user here\r\n"
    )
    head = f"From: {lost.sender.written}\r\nTo: {mailbox_text(*lost.to[0])}\r\nSubject: {header_text(lost.subject)}\r\n"
    head += f"Message-ID: <{lost.message_id}>\r\nDate: {format_datetime(lost.at)}\r\n"
    parts = [
        text_part(text, "plain"),
        part((("Content-Type", "message/delivery-status"),), status.encode()),
        part((("Content-Type", "text/rfc822-headers"),), head.encode()),
    ]
    return multipart("report", parts, parameters="; report-type=delivery-status")


def _body(mail: Mail, mails: dict[str, Mail], people: dict[str, Person]) -> bytes:
    scene = mail.scene
    form = scene.get("Form", "plain" if mail.sender.client == "machine" else "letter")
    charset, encoding = scene.get("Charset", "utf-8"), scene.get("Enc")
    declared = scene.get("Declared")
    pixel = f"https://track.{mail.sender.domain}/o/{digest(scene.key)[:12]}.gif" if scene.get("Pixel") else ""
    page = page_html(scene.text, title=mail.subject, preheader=scene.get("Preheader"), pixel=pixel)
    if form == "letter":
        body = letter(mail, mails, charset=charset, encoding=encoding, declared=declared)
    elif form == "html":
        body = text_part(page, "html", charset=charset, encoding=encoding or "quoted-printable")
    elif form == "alternative":
        plain = text_part(page_text(scene.text), "plain", encoding=encoding)
        body = multipart("alternative", [plain, text_part(page, "html", encoding=encoding or "quoted-printable")])
    elif form == "calendar":
        method = scene.get("Event").split("|", maxsplit=1)[0].strip()
        event = text_part(_calendar(mail), "calendar").replace(
            b"text/calendar;", f"text/calendar; method={method};".encode(), 1
        )
        body = multipart("alternative", [text_part(new_text(mail), "plain"), event])
    elif form == "bounce":
        body = _bounce(mails[scene.get("Of")], scene.text)
    else:
        body = text_part(scene.text, "plain", charset=charset, encoding=encoding, declared=declared)
    inline = scene.get("Inline")
    if inline:
        body = multipart("related", [body, file_part(inline, "image/png", png(inline), content_id=inline)])
    files = [_attachment(line) for line in scene.all("Attach")]
    if form == "calendar" and not mail.is_sent and scene.get("Ics"):
        files.append(file_part("invite.ics", "application/ics", _calendar(mail).replace("\n", "\r\n").encode()))
    if form == "letter" and scene.get("Of"):
        inner = _plain_message(mails[scene.get("Of")], mails, people)
        files.append(part((("Content-Type", "message/rfc822"), ("Content-Disposition", "attachment")), inner))
    if files:
        return multipart("mixed", [body, *files], is_closed=scene.get("Break") != "unclosed")
    return body


def _attachment(line: str) -> bytes:
    name, _, content = (word.strip() for word in line.partition("|"))
    if name.endswith(".csv"):
        rows = "\r\n".join(row.strip() for row in content.split(";"))
        return file_part(name, "text/csv; charset=utf-8", rows.encode() + b"\r\n")
    if name.endswith(".png"):
        return file_part(name, "image/png", png(name))
    return file_part(name, "application/pdf", pdf(content))


def _addresses(people: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(mailbox_text(name, address) for name, address in people)


def _mail_headers(mail: Mail, mails: dict[str, Mail]) -> Headers:
    """The headers that the sender's side wrote."""
    charset = mail.scene.get("Charset", "utf-8")
    headers = [("From", mailbox_text(mail.sender.name, mail.sender.address, charset)), ("To", _addresses(mail.to))]
    if mail.cc:
        headers.append(("Cc", _addresses(mail.cc)))
    headers.append(("Subject", header_text(mail.subject, charset)))
    broken = mail.scene.get("Break")
    headers.append(("Date", "Thursday at 16:05" if broken == "date" else format_datetime(mail.at)))
    if broken != "date":
        headers.append(("Message-ID", f"<{mail.message_id}>"))
    if mail.parent:
        chain, at = [], mail.parent
        while at:
            chain.append(f"<{mails[at].message_id}>")
            at = mails[at].parent
        headers.append(("In-Reply-To", chain[0]))
        headers.append(("References", " ".join(reversed(chain))))
    headers += [*mail.sender.headers, *mail.scene.mail_headers(), ("MIME-Version", "1.0")]
    return tuple(headers)


def _plain_message(mail: Mail, mails: dict[str, Mail], people: dict[str, Person]) -> bytes:
    head = part(_mail_headers(mail, mails), b"")[:-2]
    if mail.scene.get("Break") == "raw-header":
        charset = mail.scene.get("Charset")
        coded = fold("From", mailbox_text(mail.sender.name, mail.sender.address, charset)).encode()
        head = head.replace(coded, f"From: {mail.sender.written}\r\n".encode(charset))
    return head + _body(mail, mails, people)


def _transport(mail: Mail, people: dict[str, Person]) -> Headers:
    """The headers that the owner's side added: Takeout's own, and how the mail came in."""
    headers = [("X-GM-THRID", str(_number("thread", mail.root))), ("X-Gmail-Labels", labels(mail))]
    if mail.is_sent:
        return tuple(headers)
    owner = people[OWNER].address
    received = mail.at.astimezone(UTC) + timedelta(seconds=2 + int(digest(mail.scene.key)[:2], 16) % 40)
    alias = people["home"].address
    if any(address == alias for _, address in mail.to):
        headers.append(("X-Forwarded-For", f"{alias} {owner}"))
    host = f"mail-{digest(mail.sender.domain)[:3]}.{mail.sender.domain}"
    verdict = "fail" if mail.scene.get("Auth") == "fail" else "pass"
    domain = mail.sender.domain
    headers += [
        ("Delivered-To", owner),
        (
            "Received",
            (
                f"from {host} ({host} [203.0.113.{int(digest(domain)[:2], 16) % 250 + 1}]) by "
                f"mx.harborlight.example with ESMTPS id {digest('received', mail.scene.key)[:14]} "
                f"for <{owner}>; {format_datetime(received)}"
            ),
        ),
        (
            "Authentication-Results",
            (
                f"mx.harborlight.example; spf={verdict} smtp.mailfrom={domain}; dkim={verdict} header.d={domain}; "
                f"dmarc={verdict} header.from={domain}"
            ),
        ),
        ("Return-Path", f"<{'' if mail.scene.get('Form') == 'bounce' else mail.sender.address}>"),
    ]
    return tuple(headers)


def _mboxrd(message: bytes) -> bytes:
    """One message's lines for an mboxrd file: a line of any number of ">" and "From " gets one more ">"."""
    lines = message.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines).rstrip(b"\n")


def build(scenes: Path = FOLDER / "scenes") -> tuple[bytes, dict[str, dict[str, Any]]]:
    """The mbox file's bytes, oldest message first, and the expected facts by Message-ID. Raises SourceError."""
    entries = read_folder(scenes)
    people = {entry.key: person(entry) for entry in entries if entry.get("Address")}
    mails = resolve(people, [entry for entry in entries if not entry.get("Address")])
    out = []
    expected: dict[str, dict[str, Any]] = {}
    for mail in sorted(mails.values(), key=lambda mail: mail.at):
        if mail.scene.get("Hidden"):
            continue
        head = part(_transport(mail, people), b"")[:-2]
        at = mail.at.astimezone(UTC)
        start = f"From {_number('message', mail.scene.key)}@xxx {at:%a %b %d %H:%M:%S} +0000 {at.year}\n"
        out.append(start.encode() + _mboxrd(head + _plain_message(mail, mails, people)) + b"\n\n")
        if mail.scene.get("Expect"):
            expected[mail.message_id] = _expected(mail)
    return b"".join(out), expected


def _expected(mail: Mail) -> dict[str, Any]:
    category, needs, *urgency = mail.scene.get("Expect").split()
    facts: dict[str, Any] = {"subject": mail.subject, "category": category, "needs": needs}
    if urgency:
        facts["urgency"] = urgency[0]
    deadlines = [line.split(" | ", 1) for line in mail.scene.all("Deadline")]
    tasks = [line.split(" | ", 1) for line in mail.scene.all("Task")]
    facts["deadlines"] = [{"at": at, "text": text} for at, text in deadlines]
    facts["tasks"] = [{"owner": owner, "evidence": evidence} for owner, evidence in tasks]
    return facts


def main(folder: Path = FOLDER) -> None:
    """Write mailbox.mbox and expected.json into the folder."""
    mbox, expected = build()
    (folder / "mailbox.mbox").write_bytes(mbox)
    text = json.dumps({"about": _REST, "messages": expected}, ensure_ascii=False, indent=1)
    (folder / "expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":  # pragma: no cover
    main()
