"""From the MIME tree to the body's text, its HTML, the attachments and the invitation."""

import re
from dataclasses import dataclass, field
from html import escape

from rl_emails_assets.mail.calendar import parse_calendar
from rl_emails_assets.mail.charsets import clean, decode_text
from rl_emails_assets.mail.flowed import unflow
from rl_emails_assets.mail.headers import Decoder
from rl_emails_assets.mail.html_text import html_to_text
from rl_emails_assets.mail.message import Attachment, CalendarEvent
from rl_emails_assets.mail.parts import Part
from rl_emails_assets.mail.tnef import Tnef, parse_tnef
from rl_emails_assets.mail.transfer import InlineFile, inline_files

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE)
_ENRICHED_TAG = re.compile(r"<(/?[A-Za-z\-]{1,60})>")
_PLACEHOLDER = re.compile(r"\bhtml\b", re.IGNORECASE)
_PLACEHOLDER_CHARS = 600
_NEVER_BODY = frozenset(
    {
        "text/calendar", "text/x-vcard", "text/vcard", "text/directory", "text/rfc822-headers", "text/rtf",
        "text/richtext-attachment", "text/css", "text/javascript", "text/csv", "text/xml", "text/x-vcalendar",
        "text/x-amp-html", "text/watch-html",
    }
)  # fmt: skip
_REPORTS = frozenset({"message/delivery-status", "message/disposition-notification", "message/feedback-report"})
_TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the body in one or both of its forms; None where the form is absent."""

    plain: str | None
    html: str | None


@dataclass(slots=True)
class Body:
    """What the parts of one message hold."""

    text: str = ""
    html: str = ""
    is_html_only: bool = False
    attachments: list[Attachment] = field(default_factory=list)
    calendar: CalendarEvent | None = None


def read_body(root: Part, decoder: Decoder) -> Body:
    """The body of the message whose tree is `root`."""
    reader = _Reader(decoder)
    segments = reader.read(root, parent="", index=0)
    body = reader.body
    _fill(body, segments, decoder)
    if not body.text and reader.tnef_texts:
        _fill(body, reader.tnef_texts, decoder)
    if not body.text and not body.html and reader.report_texts:
        _fill(body, reader.report_texts, decoder)
    # A message in a message: as deep as the tree goes, which is bounded.
    while not body.text and not body.html and reader.has_unread_messages:
        _fill(body, reader.read_attached_messages(), decoder)
    if not body.text and body.html:
        body.text = html_to_text(body.html, with_image_texts=True)
    body.text = _capped(body.text, decoder.limits.text_chars, "text", decoder)
    return body


def _fill(body: Body, segments: list[Segment], decoder: Decoder) -> None:
    """Text and HTML of the segments in order."""
    has_html = any(segment.html for segment in segments)
    texts: list[str] = []
    htmls: list[str] = []
    used_plain = False
    for segment in segments:
        html = segment.html or ""
        plain = segment.plain or ""
        text = plain.strip("\n")
        is_plain = bool(text.strip())
        if html:
            htmls.append(html)
            if not is_plain or _may_be_placeholder(text):
                from_html = html_to_text(html)
                if not is_plain or len(from_html) > 3 * len(text):
                    if is_plain:
                        decoder.log.add("plain-placeholder", "the plain text only points to the HTML")
                    text, is_plain = from_html, False
        elif has_html and is_plain:
            htmls.append(f"<pre>{escape(plain, quote=False)}</pre>")
        used_plain = used_plain or is_plain
        if text.strip():
            texts.append(text.rstrip())
    body.text = "\n\n".join(texts)
    body.html = _capped("\n".join(htmls), decoder.limits.html_chars, "html", decoder)
    body.is_html_only = has_html and not used_plain


def _may_be_placeholder(text: str) -> bool:
    return len(text) < _PLACEHOLDER_CHARS and _PLACEHOLDER.search(text) is not None


def _capped(text: str, most: int, what: str, decoder: Decoder) -> str:
    if len(text) <= most:
        return text
    decoder.log.add(f"{what}-length", f"cut at {most} characters")
    return text[:most]


class _Reader:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.body = Body()
        self.tnef_texts: list[Segment] = []
        self.report_texts: list[Segment] = []
        self._messages: list[Part] = []

    def read(self, part: Part, *, parent: str, index: int) -> list[Segment]:
        """The body segments of one part; what is no body goes to the attachments."""
        if part.is_multipart:
            if part.content_type == "multipart/alternative":
                return self._alternative(part)
            if part.content_type == "multipart/related":
                return self._related(part)
            segments: list[Segment] = []
            for number, child in enumerate(part.children):
                segments += self.read(child, parent=part.content_type, index=number)
            return segments
        if part.is_message:
            self._messages.append(part)
            self._attach(part, is_inline=False)
            return []
        return self._leaf(part, parent, index)

    def _alternative(self, part: Part) -> list[Segment]:
        plain: str | None = None
        html: str | None = None
        for child in part.children:
            segments = self.read(child, parent=part.content_type, index=0)
            plains = [segment.plain for segment in segments if segment.plain and segment.plain.strip()]
            htmls = [segment.html for segment in segments if segment.html and segment.html.strip()]
            if plains and plain is None:
                plain = "\n".join(plains)
            if htmls:
                html = "\n".join(
                    segment.html or f"<pre>{escape(segment.plain or '', quote=False)}</pre>" for segment in segments
                )
        return [Segment(plain, html)] if plain is not None or html is not None else []

    def _related(self, part: Part) -> list[Segment]:
        start = part.params.get("start", "").strip("<> ")
        root = 0
        for number, child in enumerate(part.children):
            if start and _content_id(child, self.decoder) == start:
                root = number
                break
        segments: list[Segment] = []
        for number, child in enumerate(part.children):
            if number == root:
                segments += self.read(child, parent=part.content_type, index=0)
            elif (
                child.content_type == "text/html"
                and not child.declared_name
                and segments
                and all(segment.html is None for segment in segments)
            ):
                # Some senders write "related" and mean "alternative".
                found = self.read(child, parent=part.content_type, index=0)
                segments = [
                    Segment("\n".join(segment.plain or "" for segment in segments), found[0].html if found else None)
                ]
            elif child.is_multipart:
                segments += self.read(child, parent=part.content_type, index=number)
            else:
                self._file(child, is_inline=True)
        return segments

    def _leaf(self, part: Part, parent: str, index: int) -> list[Segment]:
        kind = part.content_type
        if kind in {"text/calendar", "text/x-vcalendar"} or (kind == "application/ics" and self.body.calendar is None):
            self._calendar(part, parent)
            return []
        is_body = (
            kind.startswith("text/")
            and kind not in _NEVER_BODY
            and part.disposition != "attachment"
            and (index == 0 or not part.declared_name)
            and (kind in {"text/plain", "text/html"} or not part.declared_name)
        )
        if kind in _REPORTS:
            self.report_texts.append(Segment(self._plain(part), None))
        if not is_body:
            self._file(part, is_inline=part.disposition == "inline")
            return []
        if kind == "text/html":
            html = self._text(part, part.params.get("charset", ""))
            return [Segment(None, html)] if html.strip() else []
        text = self._plain(part)
        if kind == "text/enriched":
            text = _ENRICHED_TAG.sub("", text).replace("<<", "<")
        return [Segment(text, None)] if text.strip() else []

    def _plain(self, part: Part) -> str:
        data = part.content(self.decoder.log)
        files = inline_files(data) if b"begin" in data else []
        if files:
            kept: list[bytes] = []
            position = 0
            for number, file in enumerate(files, start=1):
                kept.append(data[position : file.start])
                position = file.end
                self._inline_file(part, number, file)
            kept.append(data[position:])
            data = b"".join(kept)
        text = self._decoded(data, part.params.get("charset", ""), part.path)
        if part.params.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
        return text

    def _text(self, part: Part, charset: str) -> str:
        data = part.content(self.decoder.log)
        if not charset:
            found = _META_CHARSET.search(data, 0, 2_048)
            charset = found[1].decode("ascii") if found else ""
        return self._decoded(data, charset, part.path)

    def _decoded(self, data: bytes, charset: str, where: str) -> str:
        # Four bytes is the longest character of any charset; what is cut off is past the text limit anyway.
        most = 4 * max(self.decoder.limits.text_chars, self.decoder.limits.html_chars)
        if len(data) > most:
            self.decoder.log.add("text-length", f"cut at {most} bytes")
            data = data[:most]
        text = decode_text(data, charset, self.decoder.log, self.decoder.guesses, where)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return clean(text)

    def _inline_file(self, part: Part, number: int, file: InlineFile) -> None:
        name = decode_text(file.filename, "", self.decoder.log, self.decoder.guesses, part.path)
        self._add(
            Attachment(
                part_path=f"{part.path}.{number}",
                filename=self._name(name),
                content_type="application/octet-stream",
                size_bytes=len(file.content),
                is_inline=False,
                content_id="",
            )
        )

    def _calendar(self, part: Part, parent: str) -> None:
        if self.body.calendar is None:
            text = self._text(part, part.params.get("charset", "") or "utf-8")
            self.body.calendar = parse_calendar(text, self.decoder.limits)
        if parent != "multipart/alternative" or part.disposition == "attachment" or part.declared_name:
            self._attach(part, is_inline=False)

    def _file(self, part: Part, *, is_inline: bool) -> None:
        name = part.declared_name.lower()
        if part.content_type in _TNEF_TYPES or name == "winmail.dat":
            found = parse_tnef(part.content(self.decoder.log), self.decoder.limits, self.decoder.log, part.path)
            if found is not None and (found.attachments or found.text or found.html):
                self._tnef(part, found)
                return
        if name.endswith(".ics") and self.body.calendar is None:
            text = self._text(part, part.params.get("charset", "") or "utf-8")
            self.body.calendar = parse_calendar(text, self.decoder.limits)
        self._attach(part, is_inline=is_inline)

    def _tnef(self, part: Part, found: Tnef) -> None:
        if found.text or found.html:
            text = found.text.replace("\r\n", "\n").replace("\r", "\n")
            self.tnef_texts.append(Segment(text or None, found.html or None))
        for number, file in enumerate(found.attachments, start=1):
            self._add(
                Attachment(
                    part_path=f"{part.path}.{number}",
                    filename=self._name(file.filename),
                    content_type=file.content_type,
                    size_bytes=len(file.content),
                    is_inline=bool(file.content_id),
                    content_id=file.content_id.strip("<> "),
                )
            )

    def _attach(self, part: Part, *, is_inline: bool) -> None:
        size = part.end - part.start if part.is_message else len(part.content(self.decoder.log))
        self._add(
            Attachment(
                part_path=part.path,
                filename=self._name(part.declared_name),
                content_type=part.content_type,
                size_bytes=size,
                is_inline=is_inline or part.disposition == "inline",
                content_id=_content_id(part, self.decoder),
            )
        )

    def _add(self, attachment: Attachment) -> None:
        if len(self.body.attachments) >= self.decoder.limits.attachments:
            self.decoder.log.add("attachment-count", f"cut at {self.decoder.limits.attachments}")
            return
        self.body.attachments.append(attachment)

    def _name(self, name: str) -> str:
        return " ".join(clean(name).split())[: self.decoder.limits.filename_chars]

    @property
    def has_unread_messages(self) -> bool:
        """Whether messages are attached whose text was not looked at."""
        return bool(self._messages)

    def read_attached_messages(self) -> list[Segment]:
        """The text of the attached messages, to be the body of a mail without words of its own."""
        messages, self._messages = self._messages, []
        segments: list[Segment] = []
        for part in messages:
            for child in part.children:
                segments += self.read(child, parent=part.content_type, index=0)
        return segments


def _content_id(part: Part, decoder: Decoder) -> str:
    values = part.fields.get("content-id")
    return decoder.text(values[0], "content-id").strip("<> ")[:500] if values else ""
