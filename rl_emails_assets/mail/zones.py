"""What the sender wrote this time, what is quoted, and the signature.

One pass over the lines. A line that begins with ">" is quoted. A boundary (attribution, divider, header block of
Outlook or Lotus Notes) is quoted too and decides about what follows: when the next text begins with ">", only such
lines are quoted and the rest stays the sender's (replies between the lines); otherwise everything below is quoted.
"""

from dataclasses import dataclass
from typing import NamedTuple

from rl_emails_assets.mail.signatures import signature_start
from rl_emails_assets.mail.zone_patterns import (
    ADDRESS_TAIL,
    ATTRIBUTION_START,
    ATTRIBUTION_VERB,
    BEGIN_FORWARD,
    DATE_EVIDENCE,
    DIVIDER,
    HEADER_KEYS,
    LONGEST_HEADER_KEY,
    LONGEST_LINE,
    NAME_AND_VERB,
    NOTES_DATE,
    RULE_LINE,
)

_DIVIDER_FIRST = frozenset("-_=*–— \t")
_COLONS = (":", "：")
_HEADER_BLOCK_LINES = 12
"""Lines below "From:" in which the other headers are looked for; long recipient lists wrap."""
_ATTRIBUTION_LINES = 4
_NOTES_LINES_ABOVE = 7


@dataclass(frozen=True, slots=True)
class Zones:
    """The lines of a text, sorted into three; line order is kept inside each, surrounding blank lines are not."""

    new_text: str
    quoted_text: str
    signature: str


class _Boundary(NamedTuple):
    start: int
    """First line of it, at or above the line where it was recognized."""
    end: int
    """The line after it."""


def split_zones(text: str, *, html: str = "", sender: str = "") -> Zones:
    """Sort the lines of a plain text body into new, quoted and signature.

    `sender` is the sender's name and address, which helps to recognize a bare name as a signature.
    """
    del html
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if "\r" in text else text.split("\n")
    is_quoted, cuts = _quoted_lines(lines)
    if not cuts and not any(is_quoted):
        start = signature_start(lines, sender)
        return Zones(_joined(lines[:start]), "", _joined(lines[start:]))
    return _assemble(lines, is_quoted, cuts, sender)


def _assemble(lines: list[str], is_quoted: list[bool], cuts: list[int], sender: str) -> Zones:
    new: list[str] = []
    signature: list[str] = []
    block: list[str] = []
    last = max((i for i, quoted in enumerate(is_quoted) if not quoted and lines[i].strip()), default=-1)
    signed_ends = {*cuts[:1], last + 1}
    for index in range(len(lines) + 1):
        if index < len(lines) and not is_quoted[index]:
            block.append(lines[index])
        if index + 1 in signed_ends or index == len(lines) or (index + 1 < len(lines) and is_quoted[index + 1]):
            start = signature_start(block, sender) if index + 1 in signed_ends else len(block)
            new += block[:start]
            signature += block[start:]
            block = []
    quoted = [line for line, is_q in zip(lines, is_quoted, strict=True) if is_q]
    return Zones(_joined(new), _joined(quoted), _joined(signature))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t")


def _quoted_lines(lines: list[str]) -> tuple[list[bool], list[int]]:
    """For each line whether it is quoted, and the first lines of the boundaries."""
    is_quoted = [False] * len(lines)
    cuts: list[int] = []
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        if not line:
            index += 1
            continue
        if line[0] == ">":
            is_quoted[index] = True
            index += 1
            continue
        boundary = _boundary_at(lines, index, line)
        if boundary is None:
            index += 1
            continue
        cuts.append(boundary.start)
        if not _is_prefixed(lines, boundary.end):
            for below in range(boundary.start, len(lines)):
                is_quoted[below] = True
            break
        for inside in range(boundary.start, boundary.end):
            is_quoted[inside] = True
        index = boundary.end
    return is_quoted, cuts


def _is_prefixed(lines: list[str], start: int) -> bool:
    for index in range(start, len(lines)):
        line = lines[index].strip()
        if line:
            return line[0] == ">"
    return False


def _boundary_at(lines: list[str], index: int, line: str) -> _Boundary | None:
    if len(line) > LONGEST_LINE:
        return None
    if line[0] in _DIVIDER_FIRST and DIVIDER.match(line):
        return _after_header_block(lines, index, index + 1)
    colon = line.find(":", 0, LONGEST_HEADER_KEY + 4)
    if colon < 0:
        colon = line.find("：", 0, LONGEST_HEADER_KEY + 4)
    if colon > 0:
        key = HEADER_KEYS.get(line[:colon].strip("*_ \t\xa0").casefold())
        if key is not None:
            boundary = _header_block(lines, index, key)
            if boundary is not None:
                return boundary
    if line.rstrip("*_ ").endswith(_COLONS):
        if BEGIN_FORWARD.match(line):
            return _after_header_block(lines, index, index + 1)
        return _attribution(lines, index, line)
    return None


def _attribution(lines: list[str], index: int, line: str) -> _Boundary | None:
    """The attribution ("On ... wrote:") that ends in this line and may begin up to three lines above."""
    joined = line
    for start in range(index, max(index - _ATTRIBUTION_LINES, -1), -1):
        above = lines[start].strip()
        if not above or len(above) > LONGEST_LINE or above[0] == ">":
            break
        joined = above if start == index else f"{above} {joined}"
        tail = joined.rstrip("*_ ")
        if (
            ATTRIBUTION_START.match(above)
            and DATE_EVIDENCE.search(joined)
            and (ATTRIBUTION_VERB.search(joined) or ADDRESS_TAIL.search(tail))
        ):
            return _Boundary(start, index + 1)
        if DATE_EVIDENCE.search(above) and ADDRESS_TAIL.search(tail):
            return _Boundary(start, index + 1)
        if "@" in above and ATTRIBUTION_VERB.search(tail[-30:]):
            return _Boundary(start, index + 1)
    if NAME_AND_VERB.match(line) and _is_prefixed(lines, index + 1):
        return _Boundary(index, index + 1)
    return None


def _header_key(line: str) -> str | None:
    colon = line.find(":", 0, LONGEST_HEADER_KEY + 8)
    if colon < 0:
        colon = line.find("：", 0, LONGEST_HEADER_KEY + 8)
    return HEADER_KEYS.get(line[:colon].strip("*_ \t\xa0>").casefold()) if colon > 0 else None


def _header_block(lines: list[str], index: int, key: str) -> _Boundary | None:
    """The quoted header block that this line begins, with the rule or the Lotus Notes name above it."""
    keys = {key}
    end = index + 1
    for below in range(index + 1, min(index + _HEADER_BLOCK_LINES, len(lines))):
        found = _header_key(lines[below].strip())
        if found is not None:
            keys.add(found)
            end = below + 1
            if len(keys) == 5:
                break
    if key == "from" and len(keys) >= 3:
        return _Boundary(_start_above(lines, index), end)
    if key in {"to", "date", "subject"} and {"to", "subject"} <= keys:
        notes = _notes_start(lines, index)
        if notes is not None:
            return _Boundary(notes, end)
        if len(keys) >= 3 and key != "subject":
            return _Boundary(_start_above(lines, index), end)
    return None


def _start_above(lines: list[str], index: int) -> int:
    """The index of a rule line directly above, or `index`."""
    above = index - 1
    while above >= 0 and above >= index - 2 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and RULE_LINE.match(lines[above].strip()[:LONGEST_LINE]) else index


def _notes_start(lines: list[str], index: int) -> int | None:
    """The first line of a Lotus Notes header whose "To:" stands at `index`: a name and a date, one or two lines."""
    for above in range(index - 1, max(index - 1 - _NOTES_LINES_ABOVE, -1), -1):
        line = lines[above].strip()[:LONGEST_LINE]
        match = NOTES_DATE.search(line)
        if match is None:
            continue
        start = above
        if match.start() < 3:
            while start > 0 and start > above - 2 and not lines[start - 1].strip():
                start -= 1
            if start > 0 and lines[start - 1].strip():
                start -= 1
        return start
    return None


def _after_header_block(lines: list[str], start: int, end: int) -> _Boundary:
    """The boundary with the header lines that follow a divider."""
    index = end
    while index < len(lines) and index < end + _HEADER_BLOCK_LINES:
        line = lines[index].strip()
        if line and _header_key(line) is None:
            break
        index += 1
    return _Boundary(start, index)
