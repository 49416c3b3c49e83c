"""Bytes to `Message`. Never raises on mail, whatever the bytes are; what is wrong with them becomes defects."""

import re

from rl_emails_assets.mail.addresses import parse_addresses
from rl_emails_assets.mail.body import Body, read_body
from rl_emails_assets.mail.charsets import GuessBudget
from rl_emails_assets.mail.dates import parse_date, received_at
from rl_emails_assets.mail.headers import KEPT_HEADERS, Decoder, Fields
from rl_emails_assets.mail.limits import DEFAULT_LIMITS, DefectLog, Limits
from rl_emails_assets.mail.message import Address, Defect, Message
from rl_emails_assets.mail.parts import Part, part_tree
from rl_emails_assets.mail.subjects import is_forward
from rl_emails_assets.mail.zones import split_zones

_MESSAGE_ID = re.compile(r"<([^<>]{1,998})>")
_LONGEST_ID = 998
_MOST_RECEIVED = 20
_ONCE = ("from", "sender", "subject", "date", "message-id", "to", "in-reply-to", "references")


def parse(rfc822: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Message:
    """The message that `rfc822` holds. Time and memory are bounded by `limits`."""
    log = DefectLog()
    data = prepared(rfc822, limits, log)
    decoder = Decoder(log, GuessBudget(limits.charset_guesses), limits)
    root = part_tree(data, decoder)
    decoder.fallback_charset = _body_charset(root)
    if decoder.fallback_charset and Defect("header-8bit", "content-disposition") in log.found:
        # File names in raw bytes are in the charset of the text, which only the whole tree tells.
        root = part_tree(data, decoder)
    body = read_body(root, decoder)
    return _message(root.fields, body, decoder, len(rfc822))


def prepared(rfc822: bytes, limits: Limits, log: DefectLog) -> bytes:
    """The bytes with a byte order mark and leading blank lines dropped and foreign line ends made usable."""
    data = rfc822
    if len(data) > limits.message_bytes:
        log.add("message-bytes", f"cut at {limits.message_bytes} bytes")
        data = data[: limits.message_bytes]
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data[:1] in {b"\n", b"\r", b" ", b"\t"}:
        data = data.lstrip(b"\r\n \t")
    if b"\r" in data:
        if b"\n" not in data:
            log.add("line-ends", "CR alone")
            return data.replace(b"\r", b"\n")
        if b"\r\r\n" in data[:8_192]:
            log.add("line-ends", "CR CR LF")
            return data.replace(b"\r\r\n", b"\r\n")
    return data


def _body_charset(root: Part) -> str:
    """The charset of the first part that names one: what raw 8-bit headers are most likely in."""
    for part in root.walk():
        charset = part.params.get("charset")
        if charset:
            return charset
    return ""


def _message(fields: Fields, body: Body, decoder: Decoder, size_bytes: int) -> Message:
    log = decoder.log
    for name in _ONCE:
        if len(fields.get(name, ())) > 1:
            log.add("header-repeated", name)

    def people(name: str) -> tuple[Address, ...]:
        values = fields.get(name)
        if not values:
            return ()
        if len(values) > 1 and name != "from":
            return parse_addresses(b", ".join(values)[: decoder.limits.header_value_chars], decoder, name)
        return parse_addresses(values[0], decoder, name)

    def text(name: str) -> str:
        values = fields.get(name)
        return decoder.text(values[0], name) if values else ""

    from_ = people("from")
    sender = people("sender")
    if not from_:
        log.add("from-missing", "no readable address")
    date = text("date")
    sent_at = parse_date(date)
    if sent_at is None:
        log.add("date-unreadable" if date else "date-missing", "date")
    hops = [decoder.raw(value, "received") for value in fields.get("received", [])[:_MOST_RECEIVED]]
    message_id = _one_id(text("message-id"))
    if not message_id:
        log.add("message-id-missing", "message-id")
    in_reply_to = _one_id(text("in-reply-to"))
    subject = text("subject")
    first = from_[0] if from_ else None
    zones = split_zones(
        body.text,
        html=body.html,
        sender=f"{first.name} {first.address}" if first else "",
        is_forward=is_forward(subject),
    )
    received = received_at(hops, sent_at, log)
    return Message(
        rfc822_message_id=message_id,
        in_reply_to=in_reply_to,
        references=_references(text("references"), message_id, decoder),
        from_=first,
        sender=sender[0] if sender else None,
        reply_to=people("reply-to"),
        to=people("to"),
        cc=people("cc"),
        bcc=people("bcc"),
        subject=subject[: decoder.limits.subject_chars],
        sent_at=sent_at,
        received_at=received,
        text=body.text,
        html=body.html,
        new_text=zones.new_text,
        quoted_text=zones.quoted_text,
        signature=zones.signature,
        greeting=zones.greeting,
        forwarded=zones.forwarded,
        disclaimer=zones.disclaimer,
        is_html_only=body.is_html_only,
        attachments=tuple(body.attachments),
        calendar=body.calendar,
        headers=_kept(fields, decoder),
        defects=tuple(log.found),
        size_bytes=size_bytes,
    )


def _kept(fields: Fields, decoder: Decoder) -> dict[str, str]:
    most = decoder.limits.kept_header_chars
    return {
        # Four raw bytes make at most one character, an encoded word needs more than that for each.
        name: decoder.text(values[0][: 8 * most], name)[:most]
        for name, values in fields.items()
        if name in KEPT_HEADERS
    }


def _one_id(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    if found is not None:
        return "".join(found[1].split())
    words = value.strip("<> ").split()
    # Without brackets only something that looks like an id is one.
    return words[0] if len(words) == 1 and len(words[0]) <= _LONGEST_ID else ""


def _references(value: str, message_id: str, decoder: Decoder) -> tuple[str, ...]:
    ids = ["".join(found.split()) for found in _MESSAGE_ID.findall(value)]
    if not ids and "@" in value:
        ids = [word.strip("<>,;") for word in value.split() if "@" in word and len(word) <= _LONGEST_ID]
    unique = [one for one in dict.fromkeys(ids) if one and one != message_id]
    most = decoder.limits.references
    if len(unique) > most:
        decoder.log.add("references", f"the first and the newest {most - 1} are kept")
        unique = [unique[0], *unique[1 - most :]]
    return tuple(unique)
