"""An mbox as a stream of messages, whatever program wrote it.

A "From " line starts a message only at the beginning or after a blank line, when it looks like an envelope line with a
date and a header follows it, so that unquoted "From " lines in bodies stay there (archives of mailing lists miss that
blank line at times; their own form of the line is enough). Where a file's messages carry
true Content-Length headers (mboxcl, mboxcl2), these say where a message ends. Descriptions of the dialects: the
mbox(5) manual pages of qmail and mutt.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rl_emails_assets.providers.files.compressed import DamagedStreamError
from rl_emails_assets.providers.files.envelope import (
    LONGEST_ENVELOPE,
    is_archive_envelope,
    is_envelope,
    is_header_start,
)
from rl_emails_assets.providers.files.limits import Limits

SAMPLE_BYTES = 1024 * 1024
"""How much of a file decides about its dialect."""

_LONGEST_HEAD = 256 * 1024
_CONTENT_LENGTH = re.compile(
    rb"^content-length[ \t]{0,8}:[ \t]{0,8}(\d{1,12})[ \t]{0,8}\r?$", re.IGNORECASE | re.MULTILINE
)
_QUOTED_ONCE = re.compile(rb"^>From ", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


class Dialect(StrEnum):
    """How a program keeps "From " lines of bodies apart from envelope lines."""

    MBOXO = "mboxo"
    """"From " becomes ">From "; ">From " stays."""
    MBOXRD = "mboxrd"
    """"From ", ">From " ... get one ">" more."""
    MBOXCL = "mboxcl"
    """As mboxo, and a Content-Length header."""
    MBOXCL2 = "mboxcl2"
    """A Content-Length header and nothing quoted."""


class ByteStream(Protocol):
    """What is read: an open file or a `GzipStream`."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, empty at the end."""


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """One message of an mbox: where it begins and ends in the file, its envelope line, and its bytes unquoted."""

    start: int
    end: int
    envelope: bytes
    rfc822: bytes


@dataclass(frozen=True, slots=True)
class MboxGap:
    """A stretch of an mbox that did not become a message."""

    start: int
    end: int
    reason: str


def detect_dialect(head: bytes) -> Dialect:
    """The dialect of a file that begins with `head`; mboxrd where nothing speaks for another.

    Content-Length headers are believed when at least four of five in the sample point to the end of their message.
    """
    right = wrong = 0
    has_bare = has_quoted = False
    is_all = len(head) < SAMPLE_BYTES
    begin = 0
    while begin < len(head):
        body, length = _declared_body(head, begin)
        end = body + length if length is not None else -1
        following = _after_declared(head, end, is_all=is_all) if length is not None and end <= len(head) else -1
        if following >= 0:
            right += 1
            text = b"\n" + head[body:end]
            has_bare = has_bare or b"\nFrom " in text
            has_quoted = has_quoted or b"\n>From " in text
        else:
            wrong += length is not None and (is_all or end <= len(head))
            following = _separator(head, begin, begin, is_all=True)[1]
        begin = following
    if right and right >= 4 * wrong:
        return Dialect.MBOXCL if has_quoted and not has_bare else Dialect.MBOXCL2
    return Dialect.MBOXRD


def unquote(body: bytes, dialect: Dialect) -> bytes:
    """The bytes as they were before the program that wrote the mbox quoted "From " lines."""
    if dialect is Dialect.MBOXCL2 or b">From " not in body:
        return body
    if dialect is Dialect.MBOXRD:
        return _QUOTED.sub(rb"\1", body)
    return _QUOTED_ONCE.sub(b"From ", body)


def read_mbox(stream: ByteStream, *, start: int, limits: Limits, dialect: Dialect) -> Iterator[MboxMessage | MboxGap]:
    """The messages of a stream that stands at offset `start`, where a message begins.

    A message above the limit is skipped without being held; a damaged stream ends in one gap.
    """
    has_lengths = dialect in {Dialect.MBOXCL, Dialect.MBOXCL2}
    buffer = bytearray()
    base = start
    """Offset of the buffer's first byte."""
    scanned = 0
    """Up to here the buffer holds no separator."""
    skipped_from: int | None = None
    """Where the message began whose beginning is no longer in the buffer."""
    while True:
        try:
            block = stream.read(limits.block_bytes)
        except (DamagedStreamError, OSError) as error:
            at = base if skipped_from is None else skipped_from
            reason = f"{error}; everything before this place was read. Get a complete copy and import again."
            yield MboxGap(at, base + len(buffer), reason)
            return
        buffer += block
        begin = 0
        while begin < len(buffer):
            if has_lengths and skipped_from is None:
                end, following = _declared_end(buffer, begin, scanned, limits, is_all=not block)
            else:
                end, following = _separator(buffer, begin, scanned, is_all=not block)
            if following < 0:
                scanned = end
                break
            if skipped_from is not None or end - begin > limits.max_item_bytes:
                at = base + begin if skipped_from is None else skipped_from
                yield MboxGap(at, base + following, too_large(base + end - at, limits))
                skipped_from = None
            else:
                line_end = buffer.find(b"\n", begin, end) + 1 or end
                rfc822 = unquote(bytes(buffer[line_end:end]), dialect)
                yield MboxMessage(base + begin, base + following, bytes(buffer[begin:line_end]), rfc822)
            begin = scanned = following
        if not block:
            return
        if len(buffer) - begin > limits.max_item_bytes + LONGEST_ENVELOPE:
            skipped_from = base + begin if skipped_from is None else skipped_from
            begin = max(begin, scanned - 4)
        del buffer[:begin]
        base += begin
        scanned -= begin


def too_large(size: int, limits: Limits) -> str:
    """The reason for an item above the limit."""
    return f"the message has {size} bytes, the limit is {limits.max_item_bytes}; raise the limit to import it"


def _separator(buffer: bytes | bytearray, begin: int, scanned: int, *, is_all: bool) -> tuple[int, int]:
    """Where the message at `begin` ends and the next one begins.

    (place to scan from next time, -1) when the buffer does not say yet.
    """
    at = max(begin, scanned)
    while True:
        at = buffer.find(b"\nFrom ", at)
        if at < 0:
            break
        lines = _two_lines(buffer, at + 1, is_all=is_all)
        if lines is None:
            return at, -1
        content_end = _blank_line_start(buffer, begin, at)
        if content_end >= 0:
            if is_envelope(lines[0]) and is_header_start(lines[1]):
                return content_end, at + 1
        elif is_archive_envelope(*lines):
            return at + 1, at + 1
        at += 1
    if is_all:
        return _without_blank_line(buffer, begin), len(buffer)
    return max(begin, len(buffer) - 6), -1


def _two_lines(
    buffer: bytes | bytearray, at: int, *, is_all: bool
) -> tuple[bytes | bytearray, bytes | bytearray] | None:
    """The line at `at` and the one after, each cut at `LONGEST_ENVELOPE`; None while the buffer ends too early."""
    end = buffer.find(b"\n", at, at + LONGEST_ENVELOPE)
    if end < 0:
        if not is_all and len(buffer) < at + LONGEST_ENVELOPE:
            return None
        end = min(at + LONGEST_ENVELOPE, len(buffer))
    after = buffer.find(b"\n", end + 1, end + LONGEST_ENVELOPE)
    if after < 0:
        if not is_all and len(buffer) < end + LONGEST_ENVELOPE:
            return None
        after = min(end + LONGEST_ENVELOPE, len(buffer))
    return buffer[at:end], buffer[end + 1 : after]


def _blank_line_start(buffer: bytes | bytearray, begin: int, at: int) -> int:
    """Where the blank line begins that the newline at `at` ends; -1 when that line is not blank."""
    if at > begin and buffer[at - 1] == 10:
        return at
    if at > begin + 1 and buffer[at - 1] == 13 and buffer[at - 2] == 10:
        return at - 1
    return -1


def _without_blank_line(buffer: bytes | bytearray, begin: int) -> int:
    """The end of the last message: the buffer's, less the blank line that ends it."""
    end = len(buffer)
    if end > begin and buffer[end - 1] == 10:
        content_end = _blank_line_start(buffer, begin, end - 1)
        return end if content_end < 0 else content_end
    return end


def _declared_body(buffer: bytes | bytearray, begin: int) -> tuple[int, int | None]:
    """Where the body of the message at `begin` starts, and its Content-Length; (-1, None) without a blank line."""
    blank = buffer.find(b"\n\n", begin, begin + _LONGEST_HEAD)
    crlf = buffer.find(b"\n\r\n", begin, blank if blank >= 0 else begin + _LONGEST_HEAD)
    if crlf >= 0:
        body, head_end = crlf + 3, crlf + 1
    elif blank >= 0:
        body, head_end = blank + 2, blank + 1
    else:
        return -1, None
    match = _CONTENT_LENGTH.search(buffer, begin, head_end)
    return body, int(match[1]) if match is not None else None


def _after_declared(buffer: bytes | bytearray, end: int, *, is_all: bool) -> int:
    """Where the next message begins when the body ends at `end`; -1 when there is neither an envelope nor the end."""
    at = end
    while at < len(buffer) and at < end + 4 and buffer[at] in b"\r\n":
        at += 1
    if at >= len(buffer):
        return at if is_all else -1
    line_end = buffer.find(b"\n", at, at + LONGEST_ENVELOPE)
    is_next = buffer.startswith(b"From ", at) and is_envelope(buffer[at : line_end if line_end >= 0 else len(buffer)])
    return at if is_next else -1


def _declared_end(
    buffer: bytes | bytearray, begin: int, scanned: int, limits: Limits, *, is_all: bool
) -> tuple[int, int]:
    """As `_separator`, but by Content-Length where that is true."""
    body, length = _declared_body(buffer, begin)
    if body < 0 and not is_all and len(buffer) - begin < _LONGEST_HEAD:
        return begin, -1
    if length is not None and length <= limits.max_item_bytes:
        end = body + length
        if not is_all and len(buffer) < end + LONGEST_ENVELOPE:
            return begin, -1
        following = _after_declared(buffer, end, is_all=is_all) if end <= len(buffer) else -1
        if following >= 0:
            return end, following
    return _separator(buffer, begin, scanned, is_all=is_all)
