"""winmail.dat: what Outlook packs into TNEF ([MS-OXTNEF]): body, attachments. Bounded and forgiving."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from rl_emails_assets.mail.charsets import clean, codec_name
from rl_emails_assets.mail.limits import DefectLog, Limits
from rl_emails_assets.mail.rtf import decompress_rtf, rtf_to_text

_SIGNATURE = b"\x78\x9f\x3e\x22"
_MOST_ATTRIBUTES = 5_000
_MOST_PROPERTIES = 5_000
_MOST_VALUES = 1_000
_BODY, _MAPI, _CODEPAGE = 0x800C, 0x9003, 0x9007
_ATTACH_START, _ATTACH_DATA, _ATTACH_TITLE, _ATTACH_MAPI = 0x9002, 0x800F, 0x8010, 0x9005
_PR_BODY, _PR_HTML, _PR_RTF = 0x1000, 0x1013, 0x1009
_PR_LONG_NAME, _PR_NAME, _PR_DISPLAY_NAME, _PR_TYPE, _PR_CONTENT_ID, _PR_DATA = (
    0x3707, 0x3704, 0x3001, 0x370E, 0x3712, 0x3701,
)  # fmt: skip
_STRING8, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_MULTIPLE = 0x1000
_FIXED_BYTES = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}


@dataclass(slots=True)
class TnefAttachment:
    """One file inside."""

    filename: str = ""
    content_type: str = "application/octet-stream"
    content_id: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Tnef:
    """What was found; `text` and `html` are "" when the stream has none."""

    text: str = ""
    html: str = ""
    attachments: list[TnefAttachment] = field(default_factory=list)


def parse_tnef(data: bytes, limits: Limits, log: DefectLog, where: str) -> Tnef | None:  # noqa: PLR0912 - one branch an attribute
    """The contents of a TNEF stream as far as it is whole; None when it is none."""
    if not data.startswith(_SIGNATURE):
        log.add("tnef-unreadable", where)
        return None
    found = Tnef()
    codec = "cp1252"
    rtf = b""
    attachment: TnefAttachment | None = None
    for identifier, value in _attributes(data[: limits.tnef_bytes], log, where):
        if identifier == _CODEPAGE and len(value) >= 4:
            codec = codec_name(f"cp{struct.unpack_from('<I', value)[0]}") or codec
        elif identifier == _BODY:
            found.text = found.text or _string(value, codec)
        elif identifier == _MAPI:
            for prop, kind, raw in _properties(value, 0):
                if prop == _PR_BODY:
                    found.text = _typed_string(raw, kind, codec) or found.text
                elif prop == _PR_HTML:
                    found.html = _typed_string(raw, kind, codec)
                elif prop == _PR_RTF:
                    rtf = decompress_rtf(raw, limits.rtf_chars)
        elif identifier == _ATTACH_START:
            attachment = None
            if len(found.attachments) < limits.parts:
                attachment = TnefAttachment()
                found.attachments.append(attachment)
        elif attachment is not None:
            _attachment_attribute(attachment, identifier, value, codec)
    if not found.text and not found.html and rtf:
        found.text = clean(rtf_to_text(rtf))
    return found


def _attachment_attribute(attachment: TnefAttachment, identifier: int, value: bytes, codec: str) -> None:
    if identifier == _ATTACH_TITLE:
        attachment.filename = attachment.filename or _string(value, codec)
    elif identifier == _ATTACH_DATA:
        attachment.content = value
    elif identifier == _ATTACH_MAPI:
        names: dict[int, str] = {}
        for prop, kind, raw in _properties(value, 0):
            if prop in {_PR_LONG_NAME, _PR_NAME, _PR_DISPLAY_NAME}:
                names[prop] = _typed_string(raw, kind, codec)
            elif prop == _PR_TYPE:
                attachment.content_type = _typed_string(raw, kind, codec).lower() or attachment.content_type
            elif prop == _PR_CONTENT_ID:
                attachment.content_id = _typed_string(raw, kind, codec)
            elif prop == _PR_DATA and kind == _OBJECT:
                # An embedded message: the interface's id, then a TNEF stream. What the older attribute holds instead
                # is an empty stand-in.
                attachment.content, attachment.content_type = raw[16:], "application/ms-tnef"
            elif prop == _PR_DATA and not attachment.content:
                attachment.content = raw
        attachment.filename = (
            names.get(_PR_LONG_NAME) or attachment.filename or names.get(_PR_NAME) or names.get(_PR_DISPLAY_NAME, "")
        )


def _attributes(data: bytes, log: DefectLog, where: str) -> Iterator[tuple[int, bytes]]:
    """(attribute id, value) of each attribute that is whole."""
    position = 6
    for _ in range(_MOST_ATTRIBUTES):
        if position + 9 > len(data):
            return
        identifier, length = struct.unpack_from("<xHxxI", data, position)
        start = position + 9
        if length > len(data) - start:
            log.add("tnef-damaged", where)
            return
        yield identifier, data[start : start + length]
        position = start + length + 2
    log.add("tnef-damaged", where)


def _properties(data: bytes, start: int) -> Iterator[tuple[int, int, bytes]]:
    """(property id, type, value) of each MAPI property; of several values the first."""
    if len(data) < start + 4:
        return
    count = min(int.from_bytes(data[start : start + 4], "little"), _MOST_PROPERTIES)
    position = start + 4
    for _ in range(count):
        if position + 4 > len(data):
            return
        kind, prop = struct.unpack_from("<HH", data, position)
        position += 4
        if prop >= 0x8000:
            position = _after_name(data, position)
        is_multiple = bool(kind & _MULTIPLE)
        kind &= ~_MULTIPLE
        is_sized = kind in {_STRING8, _UNICODE, _OBJECT, _BINARY}
        values = 1
        if is_multiple or is_sized:
            values = int.from_bytes(data[position : position + 4], "little")
            position += 4
        if values > _MOST_VALUES:
            return
        first = b""
        for index in range(values):
            if is_sized:
                length = int.from_bytes(data[position : position + 4], "little")
                position += 4
            elif kind in _FIXED_BYTES:
                length = _FIXED_BYTES[kind]
            else:
                return
            if length > len(data) - position:
                return
            if index == 0:
                first = data[position : position + length]
            position += length + (-length % 4)
        yield prop, kind, first


def _after_name(data: bytes, position: int) -> int:
    """Where the value of a named property starts: after its GUID and its number or name."""
    position += 16
    kind = int.from_bytes(data[position : position + 4], "little")
    position += 4
    if kind == 0:
        return position + 4
    length = int.from_bytes(data[position : position + 4], "little")
    return position + 4 + length + (-length % 4)


def _typed_string(raw: bytes, kind: int, codec: str) -> str:
    if kind == _UNICODE:
        return clean(raw.decode("utf-16-le", "replace")).rstrip("\0")
    return _string(raw, codec)


def _string(raw: bytes, codec: str) -> str:
    return clean(raw.decode(codec, "replace"))
