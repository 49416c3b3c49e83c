"""MIME written by hand: headers, parts and small attachments as bytes.

The standard library's generator folds headers differently from one Python version to the next; the sample mailbox is
committed and must come out byte for byte the same everywhere.
"""

import base64
import hashlib
import quopri
import struct
import zlib
from urllib.parse import quote

Headers = tuple[tuple[str, str], ...]


def digest(*words: str) -> str:
    """64 hexadecimal digits that depend on the words alone: the source of every id, boundary and jitter here."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _encoded_words(text: str, charset: str) -> str:
    words, chunk = [], ""
    for character in text:
        if len((chunk + character).encode(charset)) > 42:
            words.append(chunk)
            chunk = ""
        chunk += character
    words.append(chunk)
    return "\r\n ".join(f"=?{charset}?B?{base64.b64encode(word.encode(charset)).decode()}?=" for word in words)


def _q_word(text: str, charset: str) -> str:
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-!*+/"
    quoted = "".join(
        "_" if byte == 32 else chr(byte) if byte in safe else f"={byte:02X}" for byte in text.encode(charset)
    )
    return f"=?{charset}?Q?{quoted}?="


def header_text(text: str, charset: str = "utf-8") -> str:
    """Header text, as an RFC 2047 encoded word where it is not ASCII: Q when short, B in chunks when long."""
    if text.isascii():
        return text
    short = len(text.encode(charset)) <= 20 and not charset.startswith("iso-2022")
    return _q_word(text, charset) if short else _encoded_words(text, charset)


def mailbox_text(name: str, address: str, charset: str = "utf-8") -> str:
    """A name and an address for From, To and Cc."""
    if not name:
        return address
    if name.isascii() and not name.replace(" ", "").replace("-", "").isalnum():
        return f'"{name}" <{address}>'
    return f"{header_text(name, charset)} <{address}>"


def fold(name: str, value: str) -> str:
    """One header, folded at spaces to lines of about 78 characters; already folded values stay as they are."""
    if "\r\n" in value:
        return f"{name}: {value}\r\n"
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > 78 and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def part(headers: Headers, body: bytes) -> bytes:
    """Headers, a blank line and a body."""
    return "".join(fold(name, value) for name, value in headers).encode("latin-1") + b"\r\n" + body


def text_part(
    text: str, subtype: str, *, charset: str = "utf-8", encoding: str = "", flowed: bool = False, declared: str = ""
) -> bytes:
    """A text part. The encoding is 7bit where that is enough, else quoted-printable, unless one is named."""
    data = text.replace("\n", "\r\n").encode(charset)
    if not encoding:
        encoding = "7bit" if data.isascii() and max(map(len, data.split(b"\r\n"))) < 900 else "quoted-printable"
    if encoding == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        data = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    said = declared or ("us-ascii" if data.isascii() and encoding == "7bit" and charset == "utf-8" else charset)
    kind = f"text/{subtype}; charset={said}" + ("; format=flowed" if flowed else "")
    return part((("Content-Type", kind), ("Content-Transfer-Encoding", encoding)), data + b"\r\n")


def multipart(subtype: str, parts: list[bytes], *, parameters: str = "", is_closed: bool = True) -> bytes:
    """A multipart part; its boundary depends on what is in it."""
    boundary = "=_" + hashlib.sha256(b"".join(parts)).hexdigest()[:24]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    kind = f'multipart/{subtype}; boundary="{boundary}"{parameters}'
    return part((("Content-Type", kind),), body + (b"--" + boundary.encode() + b"--\r\n" if is_closed else b""))


def file_part(filename: str, content_type: str, data: bytes, *, content_id: str = "") -> bytes:
    """An attachment, or an inline image when it has a Content-ID; names that are not ASCII follow RFC 2231."""
    name = f'filename="{filename}"' if filename.isascii() else f"filename*=UTF-8''{quote(filename)}"
    headers: Headers = (
        ("Content-Type", content_type),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"{'inline' if content_id else 'attachment'}; {name}"),
    )
    if content_id:
        headers += (("Content-ID", f"<{content_id}>"),)
    return part(headers, base64.encodebytes(data).replace(b"\n", b"\r\n"))


def pdf(title: str) -> bytes:
    """A one-page PDF 1.4 file that says one line."""
    line = title.encode("latin-1", "replace").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 14 Tf 60 780 Td (" + line + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(seed: str) -> bytes:
    """A 24 by 24 picture of a lamp's glow. Its data is stored, not compressed: zlib's output differs between builds."""
    red, green, blue = bytes.fromhex(digest(seed)[:6])
    rows = bytearray()
    for y in range(24):
        rows.append(0)
        for x in range(24):
            dark = min(255, (x - 12) ** 2 + (y - 12) ** 2)
            rows += bytes(max(0, channel - dark) for channel in (red | 128, green | 128, blue))
    stored = struct.pack("<BHH", 1, len(rows), len(rows) ^ 0xFFFF) + bytes(rows)
    data = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(bytes(rows)))
    head = struct.pack(">IIBBBBB", 24, 24, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", head) + _png_chunk(b"IDAT", data) + _png_chunk(b"IEND", b"")
