"""mbox files of every dialect, whole and damaged."""

import gzip
import io
import re
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_emails_assets.providers.files.compressed import DamagedStreamError, GzipStream
from rl_emails_assets.providers.files.envelope import (
    envelope_time,
    is_archive_envelope,
    is_envelope,
    is_header_start,
)
from rl_emails_assets.providers.files.limits import Limits
from rl_emails_assets.providers.files.mbox import (
    SAMPLE_BYTES,
    Dialect,
    MboxGap,
    MboxMessage,
    detect_dialect,
    read_mbox,
    unquote,
)

ENVELOPE = b"From ann@x.test Sat Mar  1 09:30:00 2031\n"
LIMITS = Limits()


def written(messages: list[bytes], dialect: Dialect) -> bytes:
    """An mbox as a program of the dialect writes it. Messages end with a newline."""
    out = b""
    for message in messages:
        head, _, body = message.partition(b"\n\n")
        if dialect is Dialect.MBOXRD:
            body = re.sub(rb"(?m)^(>*From )", rb">\1", body)
        elif dialect in {Dialect.MBOXO, Dialect.MBOXCL}:
            body = re.sub(rb"(?m)^From ", b">From ", body)
        if dialect in {Dialect.MBOXCL, Dialect.MBOXCL2}:
            head += b"\nContent-Length: %d" % len(body)
        out += ENVELOPE + head + b"\n\n" + body + b"\n"
    return out


def without_length(message: bytes) -> bytes:
    return re.sub(rb"\nContent-Length: \d+", b"", message, count=1)


def read(data: bytes, dialect: Dialect = Dialect.MBOXRD, limits: Limits = LIMITS) -> list[MboxMessage | MboxGap]:
    return list(read_mbox(io.BytesIO(data), start=0, limits=limits, dialect=dialect))


def mails(data: bytes, dialect: Dialect = Dialect.MBOXRD, limits: Limits = LIMITS) -> list[bytes]:
    parts = read(data, dialect, limits)
    assert all(isinstance(part, MboxMessage) for part in parts)
    return [part.rfc822 for part in parts if isinstance(part, MboxMessage)]


LINES = st.sampled_from(
    [b"", b"text", b"From here on", b">From there", b">>From far", b"> quoted", b"From: x", b"From ", b"\xff\xfe", b" "]
)
BODIES = st.lists(LINES, min_size=1, max_size=6).map(lambda lines: b"\n".join(lines) + b"\n")
MESSAGES = st.lists(BODIES.map(lambda body: b"Subject: s\n\n" + body), min_size=1, max_size=5)


@settings(max_examples=80, deadline=None)
@given(MESSAGES, st.sampled_from([Dialect.MBOXRD, Dialect.MBOXCL2]), st.sampled_from([600, 1024 * 1024]))
def test_any_bodies_round_trip(messages: list[bytes], dialect: Dialect, block_bytes: int) -> None:
    """A line of a body that begins with From would be changed, or cut its message in two."""
    found = mails(written(messages, dialect), dialect, Limits(block_bytes=block_bytes))
    assert [without_length(message) for message in found] == messages


@settings(max_examples=40, deadline=None)
@given(MESSAGES, st.sampled_from([Dialect.MBOXO, Dialect.MBOXCL]))
def test_bodies_round_trip_where_the_dialect_keeps_them_apart(messages: list[bytes], dialect: Dialect) -> None:
    """mboxo cannot tell ">From " from "From "; everything else has to come back."""
    messages = [re.sub(rb"(?m)^>From ", b"> From ", message) for message in messages]
    found = mails(written(messages, dialect), dialect)
    assert [without_length(message) for message in found] == messages


@settings(max_examples=40, deadline=None)
@given(MESSAGES, st.integers(1, 5), st.booleans())
def test_reading_from_the_end_of_any_message_gives_the_rest(messages: list[bytes], cut: int, crlf: bool) -> None:
    """A continued import would lose a message or read one twice."""
    data = written(messages, Dialect.MBOXRD)
    data = data.replace(b"\n", b"\r\n") if crlf else data
    parts = read(data)
    assert len(parts) == len(messages)
    for index, part in enumerate(parts):
        stream = io.BytesIO(data[part.end :])
        assert (
            list(read_mbox(stream, start=part.end, limits=Limits(block_bytes=cut), dialect=Dialect.MBOXRD))
            == (parts[index + 1 :])
        )


def test_from_line_in_a_body_starts_no_message() -> None:
    """A sentence, a quoted envelope or a text of an mbox would become a message."""
    body = (
        b"Subject: s\n\nFrom now on\n\nFrom the desk of Ann, Monday\n\n"
        + ENVELOPE
        + b"no header follows\nFrom ann@x.test Sat Mar  1 09:30:00 2031\nSubject: no blank line before\n"
    )
    assert mails(ENVELOPE + body + b"\n" + ENVELOPE + b"Subject: t\n\nb\n\n") == [body, b"Subject: t\n\nb\n"]


def test_list_archive_without_blank_line_before_the_next_message() -> None:
    """Messages at the joints of monthly archives would be glued to the one before."""
    line = b"From ann at x.test  Sat Mar  1 09:30:00 2031\n"
    data = line + b"From: ann at x.test (Ann)\n\none\n" + line + b"From: ann at x.test (Ann)\n\ntwo\n"
    assert mails(data) == [b"From: ann at x.test (Ann)\n\none\n", b"From: ann at x.test (Ann)\n\ntwo\n"]


def test_empty_and_unended_messages_keep_their_place() -> None:
    """A message without text, or without its last newline, would disappear."""
    assert mails(ENVELOPE + b"\n" + ENVELOPE + b"Subject: s\n\nx") == [b"", b"Subject: s\n\nx"]
    assert mails(ENVELOPE) == [b""]
    assert mails(ENVELOPE.rstrip()) == [b""]
    assert mails(b"") == []


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        (b"From ann@x.test Sat Mar  1 09:30:00 2031", True),
        (b"From ann@x.test  Sat Mar  1 09:30 2031", True),
        (b"From - Sat Mar 01 09:30:00 2031", True),
        (b"From 1234567@xxx Sat Mar 01 09:30:00 +0000 2031", True),
        (b"From ann at x.test  Sat Mar  1 09:30:00 CET 2031", True),
        (b'From "a b"@x.test Sat, 1 Mar 2031 09:30:00 +0100', True),
        (b"From ann@x.test Sat Mar  1 09:30:00 2031 remote from host", True),
        (b"From Monday on we meet at 10:30", False),
        (b"From ann@x.test Sat Mar  1 2031", False),
        (b"From ann@x.test Sat Mar  1 09:30:00", False),
        (b"From ann@x.test", False),
        (b"from ann@x.test Sat Mar  1 09:30:00 2031 ", True),
    ],
)
def test_envelope_line_needs_a_date(line: bytes, is_one: bool) -> None:
    """Sentences would be taken for envelopes, or some program's envelopes for text."""
    assert is_envelope(line) is is_one


@pytest.mark.parametrize(
    ("line", "at", "is_exact"),
    [
        (b"From a Sat Mar  1 09:30:05 2031", datetime(2031, 3, 1, 9, 30, 5, tzinfo=UTC), False),
        (b"From a Sat Mar 01 09:30:05 +0130 2031", datetime(2031, 3, 1, 8, 0, 5, tzinfo=UTC), True),
        (b"From a Sat, 1 Mar 2031 09:30 -0130", datetime(2031, 3, 1, 11, 0, tzinfo=UTC), True),
        (b"From a Sat Mar  1 09:30:60 2031", datetime(2031, 3, 1, 9, 30, 59, tzinfo=UTC), False),
        (b"From a Sat Xyz  1 09:30:00 2031", None, False),
        (b"From a Sat Mar 41 09:30:00 2031", None, False),
        (b"From a", None, False),
    ],
)
def test_envelope_time_is_utc(line: bytes, at: datetime | None, is_exact: bool) -> None:
    """A message without a date would be placed hours off, or an impossible date would stop the import."""
    assert envelope_time(line) == (at, is_exact)


def test_first_lines_of_mail() -> None:
    """A body line after an envelope in a text would count as a header."""
    assert is_header_start(b"Subject: x")
    assert is_header_start(b"")
    assert is_header_start(b">From ann")
    assert not is_header_start(b"a sentence: no")
    assert not is_archive_envelope(b"From ann at x.test  Sat Mar  1 09:30:00 2031", b"Subject: x at y")


def test_dialect_is_seen_from_the_file() -> None:
    """Quoting would be undone that nobody did, or be left in."""
    plain = b"Subject: s\n\ntext\n"
    quoted = b"Subject: s\n\nFrom me\n"
    assert detect_dialect(written([plain, quoted], Dialect.MBOXO)) is Dialect.MBOXRD
    assert detect_dialect(written([plain, quoted], Dialect.MBOXCL)) is Dialect.MBOXCL
    assert detect_dialect(written([plain, quoted], Dialect.MBOXCL2)) is Dialect.MBOXCL2
    assert detect_dialect(written([plain, plain], Dialect.MBOXCL2)) is Dialect.MBOXCL2
    assert detect_dialect(b"") is Dialect.MBOXRD
    long = written([b"Subject: s\n\n" + b"x" * SAMPLE_BYTES + b"\n"], Dialect.MBOXCL2)
    assert detect_dialect(long[:SAMPLE_BYTES]) is Dialect.MBOXRD


def test_unquoting_by_dialect() -> None:
    """Text would gain or lose a ">"."""
    text = b">From a\n>>From b\n"
    assert unquote(text, Dialect.MBOXRD) == b"From a\n>From b\n"
    assert unquote(text, Dialect.MBOXO) == b"From a\n>>From b\n"
    assert unquote(text, Dialect.MBOXCL) == b"From a\n>>From b\n"
    assert unquote(text, Dialect.MBOXCL2) == text


def test_false_content_length_swallows_no_message() -> None:
    """A forged or stale length would hide the messages after it."""
    one = b"Subject: s\nContent-Length: 60\n\nx\n"
    huge = b"Subject: s\nContent-Length: 99999999999\n\nx\n"
    past = b"Subject: s\nContent-Length: 999\n\nx\n"
    for message in (one, huge, past):
        data = (ENVELOPE + message + b"\n") * 3
        assert detect_dialect(data) is Dialect.MBOXRD
        assert mails(data, Dialect.MBOXCL2) == [message] * 3


def test_content_length_with_crlf_and_no_blank_line_after() -> None:
    """A mail of a program that ends messages without a blank line would be glued to the next one."""
    head = b"Subject: s\r\nContent-Length: 3\r\n\r\n"
    data = (ENVELOPE.replace(b"\n", b"\r\n") + head + b"x\r\n") * 2
    assert detect_dialect(data) is Dialect.MBOXCL2
    assert mails(data, Dialect.MBOXCL2, Limits(block_bytes=7)) == [head + b"x\r\n"] * 2


def test_headers_without_end_are_read_in_content_length_files() -> None:
    """A message that is all header would make the reader wait for more until the end of the file."""
    data = ENVELOPE + b"Subject: s\n" + b"X: y\n" * 60_000 + b"\n" + ENVELOPE + b"Subject: t\n\nb\n"
    assert len(mails(data, Dialect.MBOXCL2, Limits(block_bytes=50_000))) == 2
    assert mails(ENVELOPE + b"Subject: s\n", Dialect.MBOXCL2) == [b"Subject: s\n"]


@pytest.mark.parametrize("block_bytes", [100, 4096])
def test_message_above_the_limit_is_one_gap_and_the_rest_is_read(block_bytes: int) -> None:
    """One giant message would fill the memory, or end the import."""
    small = b"Subject: s\n\nx\n"
    giant = b"Subject: g\n\n" + b"y" * 30_000 + b"\n"
    data = written([small, giant, small, giant], Dialect.MBOXRD)
    parts = read(data, limits=Limits(max_item_bytes=1000, block_bytes=block_bytes))
    assert [type(part) for part in parts] == [MboxMessage, MboxGap, MboxMessage, MboxGap]
    assert parts[-1].end == len(data)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    gap = parts[1]
    assert isinstance(gap, MboxGap)
    assert "limit is 1000" in gap.reason


def test_giant_message_is_not_held() -> None:
    """Skipping a message of a gigabyte would need a gigabyte."""

    class Giant:
        """A message of 64 MiB that is made while it is read."""

        blocks = 64

        def read(self, _size: int, /) -> bytes:
            self.blocks -= 1
            if self.blocks == 63:
                return ENVELOPE + b"Subject: g\n\n"
            return b"y" * (1024 * 1024) if self.blocks >= 0 else b""

    tracemalloc.start()
    try:
        parts = list(read_mbox(Giant(), start=0, limits=Limits(max_item_bytes=1024), dialect=Dialect.MBOXRD))
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert [part.end for part in parts] == [len(ENVELOPE) + 12 + 63 * 1024 * 1024]


@pytest.mark.parametrize(
    "trigger", [b"\nFrom ", b"\n\nFrom ", b"\n\nFrom x Sat Mar  1 09:30:00 2031\n", b"\r\n", b">From "]
)
def test_hostile_bytes_are_read_in_linear_time(trigger: bytes) -> None:
    """A file made of half separators would hold the import up for hours."""
    parts = read(ENVELOPE + b"S: x\n\n" + trigger * 40_000)
    assert parts[-1].end == len(ENVELOPE) + 6 + 40_000 * len(trigger)


def damaged(data: bytes) -> tuple[bytes, str]:
    stream = GzipStream(io.BytesIO(data))
    parts: list[bytes] = []
    try:
        while part := stream.read(1000):
            parts.append(part)
    except DamagedStreamError as error:
        with pytest.raises(DamagedStreamError):
            stream.read(1)
        return b"".join(parts), str(error)
    return b"".join(parts), ""


def test_gzip_gives_everything_before_the_damage() -> None:
    """What could be read before the damage would be lost."""
    text = bytes(range(256)) * 40 + b"".join(b"%d," % n for n in range(20_000))
    whole = gzip.compress(text[:5000]) + gzip.compress(text[5000:]) + b"\0" * 9
    assert damaged(whole) == (text, "")
    data, reason = damaged(whole[:-4000])
    assert text.startswith(data)
    assert len(data) > 5000
    assert "cut off" in reason
    wrong_sum = bytearray(gzip.compress(text[:900]))
    wrong_sum[-8] ^= 1
    data, reason = damaged(bytes(wrong_sum))
    assert data == text[:900]
    assert "damaged" in reason
    wrong_block = gzip.compress(text) + gzip.compress(text)[:10] + b"\x07" * 50
    assert damaged(wrong_block)[0] == text
    assert damaged(gzip.compress(text)[:10]) == (b"", "the compressed file is cut off")
    assert damaged(gzip.compress(text) + b"rubbish")[0] == text


def test_damaged_mbox_ends_in_one_gap() -> None:
    """The end of a half downloaded archive would be missing without a word."""
    messages = [b"Subject: %d\n\n" % n + b"%d " % n * 3000 + b"\n" for n in range(30)]
    packed = gzip.compress(written(messages, Dialect.MBOXRD))
    stream = GzipStream(io.BytesIO(packed[: len(packed) * 2 // 3]))
    parts = list(read_mbox(stream, start=0, limits=Limits(block_bytes=5000), dialect=Dialect.MBOXRD))
    *good, gap = parts
    assert isinstance(gap, MboxGap)
    assert "cut off" in gap.reason
    assert [part.rfc822 for part in good if isinstance(part, MboxMessage)] == messages[: len(good)]
    assert len(good) > 10
    skipped = list(
        read_mbox(GzipStream(io.BytesIO(packed[:-9])), start=0, limits=Limits(100, 500), dialect=Dialect.MBOXRD)
    )
    assert [part.start for part in skipped[1:]] == [part.end for part in skipped[:-1]]
    assert all(isinstance(part, MboxGap) for part in skipped)
