"""What `rl-emails parse` prints: everything the parser sees in one message."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rl_emails_assets.mail.html_text import html_to_text
from rl_emails_assets.mail.message import Address, Message


def view(message: Message) -> dict[str, Any]:
    """The message as JSON values: addresses, times, text and its zones, HTML as text, attachments, defects."""
    return {
        "rfc822_message_id": message.rfc822_message_id,
        "in_reply_to": message.in_reply_to,
        "references": list(message.references),
        "from": _address(message.from_),
        "sender": _address(message.sender),
        "reply_to": [_address(one) for one in message.reply_to],
        "to": [_address(one) for one in message.to],
        "cc": [_address(one) for one in message.cc],
        "bcc": [_address(one) for one in message.bcc],
        "subject": message.subject,
        "sent_at": _time(message.sent_at),
        "received_at": _time(message.received_at),
        "text": message.text,
        "html_as_text": html_to_text(message.html) if message.html else "",
        "is_html_only": message.is_html_only,
        "new_text": message.new_text,
        "quoted_text": message.quoted_text,
        "signature": message.signature,
        "greeting": message.greeting,
        "forwarded": message.forwarded,
        "disclaimer": message.disclaimer,
        "attachments": [asdict(one) for one in message.attachments],
        "calendar": _calendar(message),
        "headers": dict(message.headers),
        "defects": [asdict(one) for one in message.defects],
        "size_bytes": message.size_bytes,
    }


def to_json(message: Message) -> str:
    """`view` as indented JSON."""
    return json.dumps(view(message), ensure_ascii=False, indent=2)


def to_text(message: Message) -> str:
    """`view` for a terminal: one line a value, then the text in its zones."""
    values = view(message)
    lines: list[str] = []
    lines += [f"{name}: {_shown(values[name])}" for name in ("from", "sender") if values[name]]
    for name in ("reply_to", "to", "cc", "bcc"):
        lines += [f"{name}: {_shown(one)}" for one in values[name]]
    for name in ("subject", "sent_at", "received_at", "rfc822_message_id", "in_reply_to"):
        if values[name]:
            lines.append(f"{name}: {values[name]}")
    lines += [f"reference: {one}" for one in values["references"]]
    lines += [f"header {name}: {value}" for name, value in sorted(values["headers"].items())]
    lines += [
        f"attachment {one['part_path']}: {one['filename'] or '(no name)'} {one['content_type']} {one['size_bytes']} B"
        for one in values["attachments"]
    ]
    if values["calendar"]:
        lines.append(f"calendar: {values['calendar']['method']} {values['calendar']['summary']}")
        lines.append(f"calendar time: {values['calendar']['starts_at']} to {values['calendar']['ends_at']}")
    lines += [f"defect {one['code']}: {one['detail']}" for one in values["defects"]]
    # The other zones are parts of these and would be shown twice.
    for name in ("new_text", "quoted_text", "signature"):
        if values[name]:
            lines += ["", f"--- {name} ---", values[name]]
    return "\n".join(lines) + "\n"


def _shown(address: dict[str, str]) -> str:
    return f"{address['name']} <{address['address']}>" if address["name"] else address["address"]


def _address(address: Address | None) -> dict[str, str] | None:
    return {"name": address.name, "address": address.address} if address is not None else None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _calendar(message: Message) -> dict[str, Any] | None:
    if message.calendar is None:
        return None
    values = asdict(message.calendar)
    return {name: _time(value) if isinstance(value, datetime) else value for name, value in values.items()}
