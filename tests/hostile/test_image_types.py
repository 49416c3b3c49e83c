"""What an image is, by its bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stranger import png

from rl_emails_api.remote_images.image_types import ImageType, image_type

GIF = b"GIF89a" + struct.pack("<HH", 30, 40) + b"\x00\x00\x00"
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc4\x00\x03x\xff\xc2\x00\x11\x08" + struct.pack(">HH", 40, 30) + b"\x03" * 10
)
LOSSLESS = b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f" + struct.pack("<I", 29 | 39 << 14)
LOSSY = b"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 30 | 1 << 14, 40)
EXTENDED = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x27\x00\x00"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(30, 40), "png"),
        (GIF, "gif"),
        (GIF.replace(b"89", b"87"), "gif"),
        (JPEG, "jpeg"),
        (LOSSLESS, "webp"),
        (LOSSY, "webp"),
        (EXTENDED, "webp"),
    ],
)
def test_images_are_known_by_their_bytes(content, kind):
    """A type believed, or a size misread so that a tracking pixel passes."""
    assert image_type(content) == ImageType(f"image/{kind}", 30, 40)
    # Each cut short is none, down to nothing.
    head = {"png": 24, "gif": 10, "jpeg": content.find(b"\xff\xc2") + 9, "webp": len(content)}[kind]
    assert image_type(content[:head])
    for length in range(head):
        assert image_type(content[:length]) is None


@pytest.mark.parametrize(
    "content",
    [b"RIFF\x00\x00\x00\x00WEBPXXXX" + b"\0" * 20, b"RIFF\x00\x00\x00\x00WAVE", b"BM" + b"\0" * 60, b"\xff\xd8\xff" * 2,
     b"\xff\xd8\xff\xe0\x00\x02" + b"\xff\xe0\x00\x02" * 2_000, b"\xff\xd8\xff\xe0\x00\x04ab\x00\x00\x00\x00",
     b"\x00\x00\x01\x00icon", b"<?xml version='1.0'?><svg/>", LOSSY.replace(b"\x9d", b"\x00")],
)  # fmt: skip
def test_what_is_none_of_them(content):
    """Another format, or a file of nothing but headers, walked through to its end."""
    assert image_type(content) is None


@given(
    st.binary(max_size=60), st.sampled_from([b"", GIF[:6], JPEG[:3], b"\x89PNG\r\n\x1a\n", LOSSY[:16], EXTENDED[:16]])
)
def test_no_bytes_break_it(rest, start):
    """A stranger's bytes as an exception."""
    found = image_type(start + rest)
    assert found is None or (found.width >= 0 and found.height >= 0)
