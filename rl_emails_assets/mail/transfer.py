"""Content-Transfer-Encoding, uuencode and yEnc: encoded bytes to bytes. Nothing here can grow its input."""

import binascii
import re
from dataclasses import dataclass

from rl_emails_assets.mail.limits import DefectLog

_NOT_BASE64 = bytes(
    byte for byte in range(256) if not (chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "+/"))
)
_FOREIGN_LINE = re.compile(rb"[^A-Za-z0-9+/\r\n]")
_PAD = re.compile(rb"=+")
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?$", re.MULTILINE)
_UU_LINE = re.compile(rb"[\x20-\x60]{0,128}")
_YENC_BEGIN = re.compile(rb"^=ybegin [^\r\n]{0,200}?name=([^\r\n]{1,255})\r?$", re.MULTILINE)
_MOST_INLINE_FILES = 100


def decode_transfer(data: bytes, encoding: str, log: DefectLog, where: str) -> bytes:
    """The decoded body of one part; what is damaged is decoded as far as it goes and recorded."""
    encoding = encoding.strip().strip("\"';").lower()
    if encoding in {"", "7bit", "8bit", "binary"}:
        return data
    if encoding == "base64":
        return decode_base64(data, log, where)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        files = inline_files(data)
        return files[0].content if files else data
    log.add("transfer-encoding-unknown", where)
    return data


def decode_base64(data: bytes, log: DefectLog, where: str) -> bytes:
    """Base64 with foreign characters dropped. Padding in the middle ends one run of digits and starts the next."""
    try:
        return binascii.a2b_base64(data.translate(None, b"\r\n \t"), strict_mode=True)
    except binascii.Error:
        log.add("base64-damaged", where)
    runs = _PAD.split(data.strip(b"\r\n \t="), maxsplit=1_000)
    out: list[bytes] = []
    for number, run in enumerate(runs):
        if number and _FOREIGN_LINE.search(run):
            # After padding only whole lines of digits are more of the same; anything else is a footer or garbage.
            break
        digits = run.translate(None, _NOT_BASE64)
        if len(digits) % 4 == 1:
            digits = digits[:-1]
        out.append(binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)))
    return b"".join(out)


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A file that was written into the text; `start` and `end` are its place there."""

    filename: bytes
    content: bytes
    start: int
    end: int


def inline_files(data: bytes) -> list[InlineFile]:
    """The uuencoded and yEnc files in a text, in order, at most a hundred."""
    found: list[InlineFile] = []
    if b"begin" not in data:
        return found
    position = 0
    while len(found) < _MOST_INLINE_FILES:
        begin = _UU_BEGIN.search(data, position)
        if begin is None:
            break
        file = _uu_file(data, begin)
        position = begin.end() if file is None else file.end
        if file is not None:
            found.append(file)
    if not found:
        begin = _YENC_BEGIN.search(data)
        if begin is not None:
            found.append(_yenc_file(data, begin))
    return found


def _uu_file(data: bytes, begin: re.Match[bytes]) -> InlineFile | None:
    """The file that starts at `begin`; None when what follows is ordinary text."""
    position = begin.end() + 1
    out: list[bytes] = []
    is_base64 = data.startswith(b"begin-base64", begin.start())
    while position < len(data):
        newline = data.find(b"\n", position)
        next_line = len(data) if newline < 0 else newline + 1
        line = data[position:next_line].rstrip(b"\r\n")
        if line in {b"end", b"===="}:
            return InlineFile(begin[1].strip(), b"".join(out), begin.start(), next_line)
        decoded = _decoded_line(line, is_base64)
        if decoded is None:
            break
        out.append(decoded)
        position = next_line
    if not any(out):
        return None
    return InlineFile(begin[1].strip(), b"".join(out), begin.start(), position)


def _decoded_line(line: bytes, is_base64: bool) -> bytes | None:
    try:
        if is_base64:
            return binascii.a2b_base64(line)
        if _UU_LINE.fullmatch(line) is None:
            return None
        if not line:
            return b""
        # Some encoders leave out trailing spaces or write one character too many; the count byte decides.
        length = (line[0] - 32) & 63
        needed = 1 + (length + 2) // 3 * 4
        if len(line) < needed - 3 or len(line) > needed + 2:
            return None
        return binascii.a2b_uu(line[:needed])
    except binascii.Error:
        return None


def _yenc_file(data: bytes, begin: re.Match[bytes]) -> InlineFile:
    end = data.find(b"\n=yend", begin.end())
    stop = len(data) if end < 0 else end
    after = len(data) if end < 0 else data.find(b"\n", end + 1) + 1 or len(data)
    body = data[begin.end() : stop]
    if body.startswith((b"\n=ypart", b"\r\n=ypart")):
        body = body[body.find(b"\n", 2) + 1 :]
    body = body.translate(None, b"\r\n")
    escaped = re.sub(rb"=(.)", lambda match: bytes([(match[1][0] - 64) & 255]), body, flags=re.DOTALL)
    return InlineFile(begin[1].strip(), escaped.translate(_YENC), begin.start(), after)


_YENC = bytes((byte - 42) & 255 for byte in range(256))
