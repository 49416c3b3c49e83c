"""The shape of a message as numbers: headers, sender, subject, characters and markup, but none of its words.

They go, with what the text model says, to the trees that tell unwanted mail (see `forest`). Left out on purpose is
what tells where a set of mail was collected and not what the mail is: hosts it passed, dates, list names, marks of spam
filters and of mail stores, the names of mail programs beyond their family.
"""

import math
import re

from rl_emails_assets.classification.reading import Reading

_ZONE = re.compile(r"([+-])(\d\d)(\d\d)\b")
_USUAL_DATE = re.compile(r"(?:[A-Z][a-z]{2}, {1,2})?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d ")
_URL = re.compile(r"https?://([^\s/\">]{1,255})")
_BARE = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_SERIAL_END = re.compile(r"\s{2,}\S{3,}$|\s[a-z]*\d[a-z\d]{3,}$|\[[a-z\d]{4,6}\]$")
_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_BEYOND_ASCII = bytes(range(128, 256))
_TEXT_CHARS = 4_000
_LONGEST_HEADER = 300

MARKUP_COUNTS: tuple[str, ...] = (
    "images", "links", "tables", "cells", "fonts", "forms", "breaks", "blocks", "comments", "scripts", "colours",
    "mail_links", "media_queries", "person_marks", "preheaders", "hosts", "bare_hosts", "masked_hosts", "hidden",
    "white", "tiny", "characters",
)  # fmt: skip
HEADER_FEATURES: tuple[str, ...] = (
    "type_plain", "type_html", "type_alternative", "type_mixed", "type_none",
    "id_absent", "id_of_sender", "id_without_dot", "id_dollars",
    "answers_elsewhere", "has_reply_to", "to_count", "cc_count", "has_priority", "has_mailer",
    "outlook_mailer", "has_agent", "is_reply", "re_without_reference", "zone_absent", "zone_odd", "date_odd",
)  # fmt: skip
PLAIN_FEATURES: tuple[str, ...] = (
    "no_name", "person_name", "free_domain", "address_digits", "name_is_address", "no_reply", "mailing_domain",
    "known_kind",
    "subject_length", "subject_loud", "subject_marks", "subject_foreign", "subject_serial", "subject_money",
    "subject_spaces", "attachments", "html_only", "mismatched_link",
    "text_length", "upper", "foreign", "digits", "exclamations", "money", "quoted", "lines", "urls", "bare_urls",
    "masked_urls", "unsubscribe_words",
)  # fmt: skip
SHAPE_FEATURES: tuple[str, ...] = (*PLAIN_FEATURES, *(f"markup_{name}" for name in MARKUP_COUNTS), *HEADER_FEATURES)
UNKNOWN = -1.0
"""Of every header feature of a message that came without headers: an archive's, a test's."""


def shape(reading: Reading) -> list[float]:
    """The values of `SHAPE_FEATURES`, in that order."""
    values = _plain(reading)
    counts = reading.given.markup
    length = math.log1p(counts.get("characters", 0))
    values += [math.log1p(counts.get(name, 0)) for name in MARKUP_COUNTS[:-1]]
    values.append(length)
    values += _of_headers(reading)
    return values


def has_headers(reading: Reading) -> bool:
    """Whether the message came with the headers that every mail program writes."""
    return "date" in reading.headers and bool(reading.given.rfc822_message_id or "content-type" in reading.headers)


def _plain(reading: Reading) -> list[float]:
    given, sender, subject = reading.given, reading.sender, reading.subject
    text = given.text[:_TEXT_CHARS] or reading.body
    hundreds = max(1.0, len(text) / 100)
    raw = text.encode("utf-8", "replace")
    letters = len(raw) or 1
    hosts = _URL.findall(text)
    name = given.from_name.strip().lower()
    return [
        float(not name),
        float(sender.has_person_name),
        float(sender.is_free_domain),
        float(min(6, sum(map(str.isdigit, sender.local[:64])))),
        float(bool(name) and name in (given.from_address, sender.local)),
        float(sender.is_no_reply),
        float(sender.is_mailing_domain),
        float(bool(sender.kind)),
        math.log1p(len(subject)),
        float(len(subject) > 4 and subject.isupper()),
        float(min(5, subject.count("!") + subject.count("?") // 2)),
        float(not subject.isascii()),
        float(_SERIAL_END.search(subject) is not None),
        float("$" in subject or "%" in subject),
        float("  " in subject),
        float(min(5, len(given.attachment_names))),
        float(given.is_html_only),
        float(given.has_mismatched_link),
        math.log1p(len(given.text or text)),
        (letters - len(raw.translate(None, _CAPITALS))) / letters,
        (letters - len(raw.translate(None, _BEYOND_ASCII))) / letters,
        (letters - len(raw.translate(None, b"0123456789"))) / letters,
        text.count("!") / hundreds,
        (text.count("$") + text.count("€") + text.count("£")) / hundreds,
        text.count("\n>") / hundreds,
        text.count("\n") / hundreds,
        math.log1p(len(hosts)),
        float(any(_BARE.match(host) for host in hosts)),
        float(any("@" in host or ":" in host for host in hosts)),
        float(reading.has_unsubscribe_words),
    ]


def _of_headers(reading: Reading) -> list[float]:
    if not has_headers(reading):
        return [UNKNOWN] * len(HEADER_FEATURES)
    given, headers, domain = reading.given, reading.headers, reading.sender.domain
    kind = headers.get("content-type", "")[:_LONGEST_HEADER].lower()
    id_host = given.rfc822_message_id[-_LONGEST_HEADER:].rpartition("@")[2].lower()
    answers = given.reply_to_address[-_LONGEST_HEADER:].lower().rpartition("@")[2]
    date = headers.get("date", "")[:_LONGEST_HEADER]
    zone = _ZONE.search(date)
    mailer = headers.get("x-mailer", "")[:_LONGEST_HEADER].lower()
    is_re = reading.low_subject.startswith(("re:", "re[", "aw:", "sv:"))
    return [
        float(kind.startswith("text/plain")),
        float(kind.startswith("text/html")),
        float(kind.startswith("multipart/alternative")),
        float(kind.startswith(("multipart/mixed", "multipart/related"))),
        float(not kind),
        float(not id_host),
        float(bool(id_host) and _site(id_host) == _site(domain)),
        float(bool(id_host) and "." not in id_host),
        float(given.rfc822_message_id[:_LONGEST_HEADER].count("$") >= 2),
        float(bool(answers) and _site(answers) != _site(domain)),
        float(bool(answers)),
        float(min(20, given.to_count)),
        float(min(20, given.cc_count)),
        float("x-priority" in headers or "x-msmail-priority" in headers or "importance" in headers),
        float(bool(mailer)),
        float(mailer.startswith("microsoft outlook")),
        float("user-agent" in headers),
        float(given.is_reply),
        float(is_re and not given.is_reply),
        float(zone is None),
        float(zone is not None and (int(zone[2]) > 14 or zone[3] not in ("00", "30", "45"))),
        float(_USUAL_DATE.match(date) is None),
    ]


def _site(host: str) -> str:
    return ".".join(host.split(".")[-2:])
