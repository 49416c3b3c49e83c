"""Transfer encodings, uuencode, yEnc, TNEF and RTF: what is damaged is read as far as it goes."""

import binascii
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_emails_assets.mail.limits import DEFAULT_LIMITS, DefectLog, Limits
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.mail.rtf import decompress_rtf, rtf_to_text
from rl_emails_assets.mail.tnef import parse_tnef
from rl_emails_assets.mail.transfer import decode_transfer, inline_files


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("", b"a=3D", b"a=3D"),
        ("8BIT", b"\xff", b"\xff"),
        ("Base64", b"aGVs\r\nbG8=\r\n", b"hello"),
        ("base64", b"aGVsbG8", b"hello"),
        ("base64", b"aGVsbG8hA", b"hello!"),
        ("base64", b"aGVs!bG8=", b"hello"),
        ("base64", b"aGk=\r\naGk=", b"hihi"),
        ("base64", b"aGk=\r\n-- footer", b"hi"),
        ('"quoted-printable"', b"a=3Db=\r\nc=ZZ", b"a=bc=ZZ"),
        ("x-uuencode", b"begin 644 a\n#0V%T\nend\n", b"Cat"),
        ("uuencode", b"no file", b"no file"),
        ("unheard-of", b"x", b"x"),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, data: bytes, expected: bytes) -> None:
    assert decode_transfer(data, encoding, DefectLog(), "1") == expected


@given(st.binary(max_size=400), st.sampled_from(["base64", "quoted-printable", "uuencode"]))
def test_decoding_never_grows_much(data: bytes, encoding: str) -> None:
    assert len(decode_transfer(data, encoding, DefectLog(), "1")) <= len(data) + 4


def uuencoded(content: bytes) -> bytes:
    """The lines of a uuencoded file."""
    return b"".join(binascii.b2a_uu(content[start : start + 45]) for start in range(0, len(content), 45))


def test_files_in_the_text_are_found_in_order() -> None:
    text = b"a\nbegin 644 one.bin\n" + uuencoded(b"x" * 100) + b"`\nend\nb\nbegin-base64 644 two\naGk=\n====\nc"
    files = inline_files(text)
    assert [(file.filename, file.content) for file in files] == [(b"one.bin", b"x" * 100), (b"two", b"hi")]
    assert text[files[0].end : files[1].start] == b"b\n"
    assert inline_files(b"begin 644 a\n#0V%T\n\nend\n")[0].content == b"Cat"
    assert inline_files(b"begin 644 a\n\n\nwords") == []
    assert inline_files(b"begin 644 cut.bin\n" + uuencoded(b"hello"))[0].content == b"hello"


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 is how\nthis sentence starts",
        b"begin 644 x\n\x80\n",
        b"begin 644 x\nM\n",
        b"begin 644 x\n#" + b" " * 9 + b"\n",
        b"begin-base64 644 x\na\n",
        b"begin 644 x",
        b"begin",
    ],
)
def test_text_that_begins_like_a_file_stays_text(text: bytes) -> None:
    assert inline_files(text) == []


def yenc(content: bytes) -> bytes:
    """yEnc of a content without characters that need an escape, but one that is escaped anyway."""
    return b"=" + bytes([(content[0] + 42 + 64) & 255]) + bytes((byte + 42) & 255 for byte in content[1:])


@pytest.mark.parametrize(
    ("head", "tail"), [(b"\n", b"\n=yend size=5\nafter"), (b"\n=ypart begin=1 end=5\n", b"\n=yend"), (b"\n", b"")]
)
def test_yenc_files_are_found(head: bytes, tail: bytes) -> None:
    files = inline_files(b"text\n=ybegin line=128 size=5 name=a.bin" + head + yenc(b"hello") + tail)
    assert [(file.filename, file.content) for file in files] == [(b"a.bin", b"hello")]


def test_at_most_a_hundred_files_are_cut_out() -> None:
    assert len(inline_files(b"begin 644 a\n#0V%T\nend\n" * 300)) == 100


def attribute(level: int, identifier: int, value: bytes) -> bytes:
    """One TNEF attribute."""
    return struct.pack("<BHHI", level, identifier, 0, len(value)) + value + b"\0\0"


def prop(kind: int, identifier: int, value: bytes) -> bytes:
    """One MAPI property with one sized value."""
    return struct.pack("<HHII", kind, identifier, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def properties(*items: bytes) -> bytes:
    """A MAPI property list."""
    return struct.pack("<I", len(items)) + b"".join(items)


TNEF_START = b"\x78\x9f\x3e\x22\x01\x00"


def tnef(*attributes: bytes) -> bytes:
    """A TNEF stream."""
    return TNEF_START + b"".join(attributes)


FULL = tnef(
    attribute(1, 0x9007, struct.pack("<II", 1251, 0)),
    attribute(1, 0x800C, "Привет".encode("cp1251") + b"\0"),
    attribute(
        1,
        0x9003,
        properties(
            struct.pack("<HHI", 0x03, 0x0001, 5),
            struct.pack("<HH", 0x03, 0x8001) + b"g" * 16 + struct.pack("<II", 0, 7) + struct.pack("<I", 5),
            struct.pack("<HH", 0x1003, 0x8002)
            + b"g" * 16
            + struct.pack("<II", 1, 3)
            + b"abc\0"
            + struct.pack("<III", 2, 1, 2),
            prop(0x102, 0x1013, "<p>Привет</p>".encode("cp1251")),
        ),
    ),
    attribute(2, 0x9002, b""),
    attribute(2, 0x8010, b"SHORT~1.TXT\0"),
    attribute(2, 0x800F, b"data"),
    attribute(
        2,
        0x9005,
        properties(
            prop(0x1F, 0x3707, "длинное.txt\0".encode("utf-16-le")),
            prop(0x1E, 0x370E, b"Text/Plain\0"),
            prop(0x1E, 0x3712, b"cid1\0"),
            prop(0x102, 0x3701, b"ignored"),
        ),
    ),
    attribute(2, 0x9002, b""),
    attribute(2, 0x9005, properties(prop(0x1E, 0x3001, b"Inner\0"), prop(0x0D, 0x3701, b"i" * 16 + TNEF_START))),
    attribute(2, 0x9002, b""),
    attribute(2, 0x9005, properties(prop(0x102, 0x3701, b"bytes"))),
)


def test_tnef_gives_body_and_files() -> None:
    found = parse_tnef(FULL, DEFAULT_LIMITS, DefectLog(), "1")
    assert found is not None
    assert (found.text, found.html) == ("Привет", "<p>Привет</p>")
    first, second, third = found.attachments
    assert (first.filename, first.content_type, first.content_id, first.content) == (
        "длинное.txt",
        "text/plain",
        "cid1",
        b"data",
    )
    assert (second.filename, second.content_type, second.content) == ("Inner", "application/ms-tnef", TNEF_START)
    assert third.content == b"bytes"


def test_winmail_dat_is_opened_and_its_body_used() -> None:
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    message = parse(raw + binascii.b2a_base64(FULL))
    assert message.text == "Привет"
    assert message.html == "<p>Привет</p>"
    assert [(one.filename, one.part_path) for one in message.attachments] == [
        ("длинное.txt", "1.1"),
        ("Inner", "1.2"),
        ("", "1.3"),
    ]
    only_file = tnef(attribute(2, 0x9002, b""), attribute(2, 0x8010, b"a.txt\0"))
    assert parse(raw + binascii.b2a_base64(only_file)).attachments[0].filename == "a.txt"


@pytest.mark.parametrize("data", [b"not tnef", tnef(b"\x01\x00"), tnef(attribute(1, 0x800C, b"x" * 50))[:40], tnef()])
def test_broken_winmail_dat_stays_an_attachment(data: bytes) -> None:
    raw = b"Content-Type: application/octet-stream; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    assert [one.filename for one in parse(raw + binascii.b2a_base64(data)).attachments] == ["winmail.dat"]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xff\xff\xff",
        properties(b"\x1e\x00"),
        properties(struct.pack("<HHI", 0x1E, 0x1000, 2_000)),
        properties(struct.pack("<HH", 0x99, 0x1000)),
        properties(struct.pack("<HHII", 0x1E, 0x1000, 1, 9_999)),
        properties(struct.pack("<HHI", 0x03, 0x1000, 1)),
    ],
)
def test_broken_properties_end_quietly(value: bytes) -> None:
    found = parse_tnef(
        tnef(attribute(1, 0x9003, value), attribute(1, 0x800C, b"text\0")), DEFAULT_LIMITS, DefectLog(), "1"
    )
    assert found is not None
    assert found.text.startswith("text") or found.text == "\x01"


def test_tnef_is_bounded() -> None:
    log = DefectLog()
    found = parse_tnef(tnef(attribute(2, 0x9002, b"") * 6_000), Limits(parts=10), log, "1")
    assert found is not None
    assert len(found.attachments) == 10
    assert [defect.code for defect in log.found] == ["tnef-damaged"]


def compressed(control: bytes, raw_size: int = 1_000) -> bytes:
    """An LZFu stream with these control bytes."""
    return struct.pack("<II4sI", len(control) + 12, raw_size, b"LZFu", 0) + control


def test_compressed_rtf_is_read() -> None:
    # The dictionary starts with "{\\rtf1\\ansi": eleven bytes at offset 0, then seven literal ones.
    example = compressed(b"\x01" + (11 - 2).to_bytes(2, "big") + b" hello}", raw_size=18)
    rtf = decompress_rtf(example, 1_000)
    assert rtf == b"{\\rtf1\\ansi hello}"
    assert rtf_to_text(rtf) == "hello"
    found = parse_tnef(
        tnef(attribute(1, 0x9003, properties(prop(0x102, 0x1009, example)))), DEFAULT_LIMITS, DefectLog(), "1"
    )
    assert found is not None
    assert found.text == "hello"


def test_rtf_that_is_plain_cut_or_a_bomb_is_bounded() -> None:
    assert decompress_rtf(struct.pack("<II4sI", 0, 0, b"MELA", 0) + b"{\\rtf x}", 4) == b"{\\rt"
    assert decompress_rtf(b"short", 10) == b""
    assert decompress_rtf(struct.pack("<II4sI", 0, 0, b"WHAT", 0), 10) == b""
    assert decompress_rtf(compressed(b"\x01\x00"), 10) == b""
    assert decompress_rtf(compressed(b"\x00ab"), 10) == b"ab"
    assert decompress_rtf(compressed(b"\x01" + ((207 << 4) | 1).to_bytes(2, "big")), 10) == b""
    bomb = compressed(b"\xff" + b"\x00\x0f" * 8 + (b"\xff" + b"\x00\x0f" * 8) * 100, raw_size=2**31)
    assert len(decompress_rtf(bomb, 500)) == 500


@pytest.mark.parametrize(
    ("rtf", "expected"),
    [
        (b"no rtf", ""),
        (
            b"{\\rtf1{\\fonttbl{\\f0 Arial;}}\\pard a\\par b\\tab c\\'e9 \\u8211? d\\~e\\{f\\}\\_g\\-h}",
            "a\nb\tcé – d e{f}-gh",
        ),
        (b"{\\rtf1{\\*\\htmltag <p>}text{\\pict 00ff}}}", "text"),
        (b"{\\rtf1\\ansicpg1251 \\'cf\\'f0\\u1078\\'3f x}", "Прж x"),
        (b"{\\rtf1" + b"{" * 500 + b"deep", "deep"),
        (b"{\\rtf1 {\\*\\x \\'41\\par gone}kept}", "kept"),
        (b"{\\rtf1\\ansicpg99999 \\'e9}", "é"),
    ],
)
def test_rtf_reads_as_plain_text(rtf: bytes, expected: str) -> None:
    assert rtf_to_text(rtf) == expected
