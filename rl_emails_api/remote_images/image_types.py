"""What an image is, by its bytes; what a server says it is counts for nothing."""

import struct
from dataclasses import dataclass

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header, which holds the size; the three are tables."""
_MOST_JPEG_SEGMENTS = 1_000


@dataclass(frozen=True, slots=True)
class ImageType:
    """The media type and the size in pixels."""

    media_type: str
    width: int
    height: int


def image_type(content: bytes) -> ImageType | None:
    """PNG, JPEG, GIF or WebP; None for anything else (SVG runs scripts) and for a header that is cut off."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
            return ImageType("image/png", *struct.unpack_from(">II", content, 16))
        if content.startswith((b"GIF87a", b"GIF89a")):
            return ImageType("image/gif", *struct.unpack_from("<HH", content, 6))
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp(content)
    except struct.error:
        return None
    return None


def _jpeg(content: bytes) -> ImageType | None:
    position = 2
    for _ in range(_MOST_JPEG_SEGMENTS):
        fill, marker, length = struct.unpack_from(">BBH", content, position)
        if fill != 0xFF:
            return None
        if marker == 0xFF:
            position += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return ImageType("image/jpeg", width, height)
        position += 2 + length
    return None


def _webp(content: bytes) -> ImageType | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return ImageType("image/webp", width, height) if len(content) >= 30 else None
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return ImageType("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return ImageType("image/webp", width & 0x3FFF, height & 0x3FFF)
    return None
