"""A message as Gmail holds it, and the forms in which messages.get returns it."""

import base64
import email
import re
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from email.policy import SMTP
from functools import cached_property
from typing import Any

SYSTEM_LABELS = (
    "CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "CATEGORY_FORUMS", "CATEGORY_UPDATES",
    "CATEGORY_PERSONAL", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL", "STARRED", "UNREAD",
)  # fmt: skip
UNSETTABLE_LABELS = {"SENT", "DRAFT", "CHAT"}
"""Labels that Gmail puts and removes itself; modify refuses them."""

_REPLY_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg)\s*(\[\d+\])?:\s*)+", re.IGNORECASE)


def base64url(content: bytes) -> str:
    """As the API writes bytes: URL-safe, padded."""
    return base64.urlsafe_b64encode(content).decode()


def from_base64url(text: str) -> bytes:
    """As the API reads bytes: URL-safe, padded or not."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class StoredMessage:
    """One message of one mailbox."""

    id: str
    thread_id: str
    rfc822: bytes
    labels: set[str]
    internal_date: int
    """Milliseconds since 1970."""
    history_id: int
    raw_fault: str | None = None
    """`missing` or `invalid_base64`: how a raw get of it is broken, for good."""
    oversized_bytes: int = 0
    """How large it pretends to be, for good."""
    attachments: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def parsed(self) -> Message:
        """By the standard library's lenient parser."""
        return email.message_from_bytes(self.rfc822)

    @cached_property
    def headers(self) -> Message:
        """The header alone, which is quicker to read."""
        return BytesHeaderParser().parsebytes(self.rfc822)

    @cached_property
    def rfc822_message_id(self) -> str:
        """The Message-ID header without its brackets; empty without one."""
        return next(iter(_ids(self.headers.get("Message-ID", ""))), "")

    @cached_property
    def references(self) -> list[str]:
        """Message-IDs that it answers to, nearest first."""
        return [*_ids(self.headers.get("In-Reply-To", "")), *reversed(_ids(self.headers.get("References", "")))]

    @cached_property
    def subject(self) -> str:
        """Without reply prefixes, in small letters: Gmail joins a conversation only under one subject."""
        return _REPLY_PREFIX.sub("", str(self.headers.get("Subject", ""))).strip().lower()

    @cached_property
    def snippet(self) -> str:
        """The first words of the text."""
        part = next((p for p in self.parsed.walk() if p.get_content_type() == "text/plain"), None)
        text = (part.get_payload(decode=True) or b"").decode("utf-8", "replace") if part is not None else ""
        return " ".join(text.split())[:100]

    @property
    def in_bin(self) -> bool:
        """Whether a listing leaves it out unless spam and trash are asked for."""
        return bool(self.labels & {"SPAM", "TRASH"})

    def minimal(self) -> dict[str, Any]:
        """Format `minimal`."""
        return {
            "id": self.id,
            "threadId": self.thread_id,
            "labelIds": sorted(self.labels),
            "snippet": self.snippet,
            "sizeEstimate": max(len(self.rfc822), self.oversized_bytes),
            "historyId": str(self.history_id),
            "internalDate": str(self.internal_date),
        }

    def raw(self, fault: str | None = None) -> dict[str, Any]:
        """Format `raw`; broken by `fault` for once, or for good if the message was marked as such."""
        answer = self.minimal()
        match fault or self.raw_fault:
            case "missing":
                return answer
            case "invalid_base64":
                return {**answer, "raw": "@@ not base64url @@"}
        padding = b"x" * max(0, self.oversized_bytes - len(self.rfc822))
        return {**answer, "raw": base64url(self.rfc822 + padding)}

    def metadata(self, headers: list[str]) -> dict[str, Any]:
        """Format `metadata`, with the headers asked for or all."""
        wanted = {name.lower() for name in headers}
        found = [
            {"name": name, "value": str(value)}
            for name, value in self.parsed.items()
            if not wanted or name.lower() in wanted
        ]
        return {**self.minimal(), "payload": {"mimeType": self.parsed.get_content_type(), "headers": found}}

    def full(self) -> dict[str, Any]:
        """Format `full`."""
        return {**self.minimal(), "payload": self._payload(self.parsed, "")}

    def _payload(self, part: Message, part_id: str) -> dict[str, Any]:
        name = part.get_filename() or ""
        payload: dict[str, Any] = {
            "partId": part_id,
            "mimeType": part.get_content_type(),
            "filename": name,
            "headers": [{"name": key, "value": str(value)} for key, value in part.items()],
        }
        if part.is_multipart():
            prefix = f"{part_id}." if part_id else ""
            payload["body"] = {"size": 0}
            payload["parts"] = [
                self._payload(child, f"{prefix}{index}")
                for index, child in enumerate(part.get_payload())  # type: ignore[arg-type]
            ]
            return payload
        content = part.get_payload(decode=True) or b""
        if name:
            attachment_id = f"ANGjdJ-{self.id}-{part_id}"
            self.attachments[attachment_id] = content
            payload["body"] = {"attachmentId": attachment_id, "size": len(content)}
        else:
            payload["body"] = {"size": len(content), "data": base64url(content)}
        return payload


def _ids(header: Any) -> list[str]:
    return re.findall(r"<([^<>\s]+)>", str(header))


def compose(
    *,
    sender: str = "alex@example.net",
    to: str = "owner@example.org",
    subject: str = "Hello",
    text: str = "Hello there.\n",
    message_id: str | None = None,
    date: str | None = None,
    in_reply_to: str | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """A small message; Message-IDs are given without brackets."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    if date is not None:
        made["Date"] = date
    if message_id is not None:
        made["Message-ID"] = f"<{message_id}>"
    if in_reply_to is not None:
        made["In-Reply-To"] = made["References"] = f"<{in_reply_to}>"
    for name, value in (headers or {}).items():
        made[name] = value
    made.set_content(text)
    return made.as_bytes(policy=SMTP)
