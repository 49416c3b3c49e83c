"""Several calls in one HTTP request: Gmail's batch format, and how many calls to put in one.

The client library's own batch is not used. It raises KeyError and forgets every answer when a single part is missing,
sends parts that were refused with 401 once more with the same token, and needs seven times the answer's memory (one
here) and twice the time. Here a part that is missing or cut is a part that failed, whatever became of the others.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message

from rl_emails_assets.errors import ProviderUnavailableError

LARGEST_BATCH = 50
"""Gmail advises against more (batch guide); its hard limit is 100."""
GROWTH = 2
"""Parts added after a full batch without a refusal."""
ANSWER_BYTES = 32 * 1024 * 1024
"""An answer larger than this makes the next batch smaller, so that memory holds a few of the largest messages only."""

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: [^\r\n]*)?\r?\n")
_CONTENT_ID = re.compile(rb"^content-id:[ \t]*<?[^>\r\n]*\+[ \t]*(\d{1,4})>?[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one call of a batch."""

    index: int
    """Which call of the batch it answers."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes


@dataclass(slots=True)
class BatchSize:
    """How many calls to put in one batch: a few more after each clean one, half after a refusal (AIMD).

    Gmail's limit on concurrent work for a mailbox is not documented and is shared by all of the mailbox's programs.
    """

    size: int
    most: int = LARGEST_BATCH

    def clean(self, parts: int, answer_bytes: int) -> None:
        """A batch of `parts` came back without a refusal."""
        if parts >= self.size:
            self.size = min(self.size + GROWTH, self.most)
        if answer_bytes > ANSWER_BYTES:
            self.size = max(1, min(self.size, parts * ANSWER_BYTES // answer_bytes))

    def refused(self) -> None:
        """Gmail refused a part for its rate, or the batch as a whole failed."""
        self.size = max(1, self.size // 2)


def compose(paths: Sequence[str], host: str) -> tuple[bytes, str]:
    """The body of a batch of GET requests, and its content type. `paths` begin with a slash."""
    boundary, base = f"batch_{uuid.uuid4().hex}", uuid.uuid4()
    lines: list[str] = []
    for index, path in enumerate(paths):
        lines += (
            f"--{boundary}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            f"Content-ID: <{base} + {index}>",
            "",
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Accept: application/json",
            "",
            "",
        )
    lines += (f"--{boundary}--", "")
    return "\r\n".join(lines).encode("ascii"), f'multipart/mixed; boundary="{boundary}"'


def parts_of(content_type: str, body: bytes) -> Iterator[Part]:
    """The parts of a batch's answer, in whatever order they came; a part that is cut or malformed is left out.

    Raises ProviderUnavailableError when the answer is not a batch's at all.
    """
    boundary = _boundary(content_type)
    delimiter = b"--" + boundary.encode("latin-1", "replace")
    start = 0 if body.startswith(delimiter) else body.find(b"\n" + delimiter) + 1
    if not body.startswith(delimiter, start):
        raise ProviderUnavailableError(
            f"Gmail's answer to a batch holds no parts ({len(body)} bytes). The batch is asked for again."
        )
    start += len(delimiter)
    while not body.startswith(b"--", start):
        end = body.find(b"\n" + delimiter, start)
        if end < 0:
            return
        part = _part(body[start:end])
        if part is not None:
            yield part
        start = end + 1 + len(delimiter)


def _boundary(content_type: str) -> str:
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_maintype() != "multipart" or not boundary:
        raise ProviderUnavailableError(
            "Gmail's answer to a batch is not multipart. The batch is asked for again; if it stays so, check "
            "RL_EMAILS_GMAIL_BATCH_URL and any proxy."
        )
    return boundary


def _part(raw: bytes) -> Part | None:
    around = _BLANK_LINE.search(raw)
    if around is None:
        return None
    content_id = _CONTENT_ID.search(raw, 0, around.start() + 1)
    status = _STATUS_LINE.match(raw, around.end())
    if content_id is None or status is None:
        return None
    # A part without headers has its blank line right after the status line.
    blank = _BLANK_LINE.search(raw, status.end() - 2)
    if blank is None:
        return None
    headers = {}
    for line in raw[status.end() : max(blank.start(), status.end())].splitlines():
        name, _, value = line.partition(b":")
        headers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
    # The line end before the next boundary belongs to the boundary.
    content = raw[blank.end() :].removesuffix(b"\r")
    return Part(int(content_id[1]), int(status[1]), headers, content)
