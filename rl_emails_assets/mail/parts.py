"""The MIME tree of a message: offsets into its bytes, bounded in number and depth. Nothing is decoded here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rl_emails_assets.mail.headers import Decoder, Fields, parse_parameters, split_headers
from rl_emails_assets.mail.limits import DefectLog
from rl_emails_assets.mail.transfer import decode_transfer

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+\-]{1,127}/[a-z0-9!#$&^_.+\-]{1,127}")
_LINE_REST = re.compile(rb"[ \t]{0,100}(?=\r?\n|\r?\Z)")
_SNIFFED_BOUNDARY = re.compile(rb"(?:^|\n)--([!-~][ -~]{0,69}?)[ \t]*\r?\n")
_NEAREST_TYPES = {
    "application": "application/octet-stream",
    "audio": "application/octet-stream",
    "html": "text/html",
    "image": "application/octet-stream",
    "multipart": "multipart/mixed",
    "text": "text/plain",
    "video": "application/octet-stream",
}
_TRANSPARENT = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(slots=True)
class Part:
    """One node. `path` is its IMAP part number ("1", "2.1"), "" for the root of a multipart."""

    path: str
    fields: Fields
    source: bytes
    start: int
    end: int
    content_type: str
    params: dict[str, str]
    disposition: str
    disposition_params: dict[str, str]
    children: list["Part"] = field(default_factory=list)

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding as written."""
        values = self.fields.get("content-transfer-encoding")
        return values[0].decode("latin-1") if values else ""

    def content(self, log: DefectLog) -> bytes:
        """The decoded bytes of a leaf."""
        return decode_transfer(self.source[self.start : self.end], self.encoding, log, self.path)

    @property
    def is_multipart(self) -> bool:
        """Whether the children are its content."""
        return self.content_type.startswith("multipart/")

    @property
    def is_message(self) -> bool:
        """Whether it is a message of its own."""
        return self.content_type in {"message/rfc822", "message/global", "message/news", "message/partial"}

    @property
    def declared_name(self) -> str:
        """The file name as declared, not yet made safe."""
        return self.disposition_params.get("filename") or self.params.get("name") or ""

    def walk(self) -> Iterator["Part"]:
        """This part and all below, in order."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


class _Builder:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.limits = decoder.limits
        self.log = decoder.log
        self.count = 0

    def part(self, source: bytes, start: int, end: int, path: str, default_type: str) -> Part:
        """The part whose header block is at `start`; its children are not read yet."""
        fields, body_start = split_headers(source, start, end, self.limits, self.log)
        self.count += 1
        values = fields.get("content-type")
        content_type = default_type
        params: dict[str, str] = {}
        if values:
            if len(values) > 1:
                self.log.add("header-repeated", "content-type")
            token, params = parse_parameters(self.decoder.raw(values[0], "content-type"), self.decoder, "content-type")
            content_type = self._media_type(token, default_type)
        disposition = ""
        disposition_params: dict[str, str] = {}
        values = fields.get("content-disposition")
        if values:
            where = "content-disposition"
            disposition, disposition_params = parse_parameters(self.decoder.raw(values[0], where), self.decoder, where)
        return Part(path, fields, source, body_start, end, content_type, params, disposition, disposition_params)

    def _media_type(self, token: str, default_type: str) -> str:
        token = token.strip("\"' ").partition(" ")[0]
        if _MEDIA_TYPE.fullmatch(token):
            return token
        self.log.add("content-type-unreadable", "the nearest readable type is taken")
        return _NEAREST_TYPES.get(token.partition("/")[0], default_type)


def part_tree(data: bytes, decoder: Decoder) -> Part:
    """The tree of a whole message. What exceeds the limits of parts and depth stays undivided, with a defect."""
    builder = _Builder(decoder)
    root = builder.part(data, 0, len(data), "", "text/plain")
    queue = [(root, 0)]
    # Breadth first, so that a bomb in one branch leaves the others their share of the part limit.
    for part, depth in queue:
        if not part.is_multipart and not part.is_message:
            if not part.path:
                part.path = "1"
            continue
        if depth >= builder.limits.depth:
            builder.log.add("depth", f"parts below depth {builder.limits.depth} are not read")
            part.content_type = "application/octet-stream"
            part.path = part.path or "1"
            continue
        if part.is_multipart:
            _divide(part, builder)
        else:
            _open_message(part, builder)
        queue.extend((child, depth + 1) for child in part.children)
    return root


def _child_path(parent: Part, number: int) -> str:
    return f"{parent.path}.{number}" if parent.path else str(number)


def _open_message(part: Part, builder: _Builder) -> None:
    part.path = part.path or "1"
    if builder.count >= builder.limits.parts:
        builder.log.add("part-count", f"parts after the first {builder.limits.parts} are not read")
        return
    source, start, end = part.source, part.start, part.end
    if part.encoding.strip().lower() not in _TRANSPARENT:
        source = part.content(builder.log)
        start, end = 0, len(source)
    while source.startswith((b"\n", b"\r\n"), start, end):
        start += 1 if source.startswith(b"\n", start, end) else 2
    if start >= end:
        return
    inner = builder.part(source, start, end, "", "text/plain")
    # IMAP numbers the only part of an attached message as its first part; a multipart's children directly.
    inner.path = part.path if inner.is_multipart else f"{part.path}.1"
    part.children.append(inner)


def _divide(part: Part, builder: _Builder) -> None:
    """Split a multipart at its boundary; without a usable one it becomes plain text."""
    source, start, end = part.source, part.start, part.end
    if part.encoding.strip().lower() not in _TRANSPARENT:
        builder.log.add("multipart-encoded", part.path or "1")
        decoded = part.content(builder.log)
        if b"--" in decoded and part.params.get("boundary", "").encode("utf-8", "replace") in decoded:
            source, start, end = b"\n" + decoded, 1, len(decoded) + 1
    boundary = part.params.get("boundary", "").rstrip().encode("latin-1", "ignore")
    spans = _spans(source, start, end, boundary, builder) if boundary else []
    if not spans:
        found = _SNIFFED_BOUNDARY.search(source, start, min(end, start + 64 * 1024))
        if found is not None:
            builder.log.add("boundary-wrong", "the first line that looks like a boundary is taken")
            spans = _spans(source, start, end, found[1], builder)
    if not spans:
        builder.log.add("boundary-missing", "a multipart without parts is read as text")
        part.content_type = "text/plain"
        part.path = part.path or "1"
        return
    default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    for number, (part_start, part_end) in enumerate(spans, start=1):
        part.children.append(builder.part(source, part_start, part_end, _child_path(part, number), default))


def _spans(source: bytes, start: int, end: int, boundary: bytes, builder: _Builder) -> list[tuple[int, int]]:
    """(start, end) of each part between the delimiter lines of `boundary`."""
    room = builder.limits.parts - builder.count
    spans: list[tuple[int, int]] = []
    opened = -1
    # The first delimiter may stand where the body starts; the line end before it belongs to the header block.
    position = max(0, start - 1)
    for line_start, line_end, is_last in _delimiters(source, position, end, b"\n--" + boundary):
        if opened >= 0:
            stop = line_start
            if stop > opened and source[stop - 1 : stop] == b"\r":
                stop -= 1
            spans.append((opened, max(opened, stop)))
        if is_last:
            return spans
        if len(spans) >= room:
            builder.log.add("part-count", f"parts after the first {builder.limits.parts} are not read")
            return spans
        newline = source.find(b"\n", line_end, end)
        opened = end if newline < 0 else newline + 1
    if opened >= 0:
        builder.log.add("boundary-unclosed", "the last part ends with the message")
        spans.append((opened, end))
    return spans


def _delimiters(source: bytes, start: int, end: int, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it closes) of each line that is `delimiter` and nothing else but "--" and blanks.

    Every multipart has a boundary of its own; compiling an expression for each took an eighth of the time of parsing.
    """
    found = source.find(delimiter, start, end)
    while found >= 0:
        position = found + len(delimiter)
        is_last = source.startswith(b"--", position, end)
        rest = _LINE_REST.match(source, position + 2 if is_last else position, end)
        if rest is not None:
            yield found, rest.end(), is_last
        found = source.find(delimiter, position, end)
