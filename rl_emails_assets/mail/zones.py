"""What the sender wrote this time, what is quoted, and the signature.

One pass over the lines. A line that begins with ">" is quoted. A boundary (attribution, divider, header block of
Outlook or Lotus Notes) is quoted too and decides about what follows: when the next text begins with ">", only such
lines are quoted and the rest stays the sender's (replies between the lines); otherwise everything below is quoted.
"""

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from rl_emails_assets.mail.signatures import signature_start
from rl_emails_assets.mail.zone_patterns import (
    ADDRESS_TAIL,
    ATTRIBUTION_OPENING,
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
    PROMPT,
    RULE_LINE,
)

_DIVIDER_FIRST = frozenset("-_=*–— \t")
_COLONS = (":", "：")
_HEADER_BLOCK_LINES = 12
"""Lines below "From:" in which the other headers are looked for."""
_RECIPIENT_LINES = 60
"""The same below "To:", whose list may be wrapped."""
_ATTRIBUTION_LINES = 4
_NOTES_LINES_ABOVE = 7
_LONGEST_NAME = 80


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

    `sender` is the sender's name and address, which helps to recognize a bare name as a signature. `html` is the HTML
    body of the same mail: with one, a text that is all ">" lines and quotes nobody is indented, not quoted.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if "\r" in text else text.split("\n")
    is_quoted, cuts = _quoted_lines(lines)
    if not cuts and (
        not any(is_quoted) or (html and _is_all_quoted(lines, is_quoted)) or _is_session(lines, is_quoted)
    ):
        start = signature_start(lines, sender)
        return Zones(_joined(lines[:start]), "", _joined(lines[start:]))
    return _assemble(lines, is_quoted, cuts, sender)


def _assemble(lines: list[str], is_quoted: list[bool], cuts: list[int], sender: str) -> Zones:
    """Collect the zones; a signature is looked for above the first boundary and at the end of the sender's lines."""
    runs = [(key, [line for _, line in run]) for key, run in groupby(zip(is_quoted, lines, strict=True), itemgetter(0))]
    first_cut = cuts[0] if cuts else -1
    last_new = max((at for at, (key, run) in enumerate(runs) if not key and any(map(str.strip, run))), default=-1)
    zones: tuple[list[str], list[str], list[str]] = ([], [], [])
    new, quoted, signature = zones
    end = 0
    for at, (key, run) in enumerate(runs):
        end += len(run)
        if key or (0 < at < len(runs) - 1 and not any(map(str.strip, run))):
            quoted += run
        elif at == last_new or end == first_cut:
            start = signature_start(run, sender)
            new += run[:start]
            signature += run[start:]
        else:
            new += run
    return Zones(*map(_joined, zones))


def _is_all_quoted(lines: list[str], is_quoted: list[bool]) -> bool:
    return all(quoted or not line.strip() for line, quoted in zip(lines, is_quoted, strict=True))


def _is_session(lines: list[str], is_quoted: list[bool]) -> bool:
    """Whether most of the lines with a ">" are code behind a prompt; asked only where nobody is quoted by name."""
    marked = [line[:LONGEST_LINE] for quoted, line in zip(is_quoted, lines, strict=True) if quoted]
    return 2 * sum(PROMPT.match(line) is not None for line in marked) > len(marked)


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t")


def _quoted_lines(lines: list[str]) -> tuple[list[bool], list[int]]:
    """For each line whether it is quoted, and the first lines of the boundaries."""
    is_quoted = [False] * len(lines)
    cuts: list[int] = []
    next_index = 0
    for index, raw in enumerate(lines):
        if index < next_index:
            continue
        line = raw.strip()
        if not line:
            continue
        first = line[0]
        if first == ">":
            is_quoted[index] = True
            continue
        if first not in _DIVIDER_FIRST and ":" not in line and "：" not in line:
            continue
        boundary = _boundary_at(lines, index, line)
        if boundary is None:
            continue
        cuts.append(boundary.start)
        if not _is_prefixed(lines, boundary.end):
            for below in range(boundary.start, len(lines)):
                is_quoted[below] = True
            break
        for inside in range(boundary.start, boundary.end):
            is_quoted[inside] = True
        next_index = boundary.end
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
    if line.startswith("---") and line.endswith("---") and ATTRIBUTION_VERB.search(line) and DATE_EVIDENCE.search(line):
        return _Boundary(index, index + 1)
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
    found: int | None = None
    is_sure = False
    for start in range(index, max(index - _ATTRIBUTION_LINES, -1), -1):
        above = lines[start].strip()
        if not above or len(above) > LONGEST_LINE or above[0] == ">" or (start < index and above[-1] in ".?!"):
            break
        joined = above if start == index else f"{above} {joined}"
        tail = joined.rstrip("*_ ")
        has_date = DATE_EVIDENCE.search(joined) is not None
        has_verb = ATTRIBUTION_VERB.search(joined) is not None
        if not has_verb and ADDRESS_TAIL.search(tail) is None:
            continue
        if ATTRIBUTION_OPENING.match(above) and (has_date or (has_verb and "@" in joined)):
            return _Boundary(start, index + 1)
        if not is_sure and has_date and ATTRIBUTION_START.match(above):
            found, is_sure = start, True
        elif found is None and ((has_date and not has_verb) or ("@" in above and has_verb)):
            found = start
    if found is not None:
        return _Boundary(found, index + 1)
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
    most = _RECIPIENT_LINES if key == "to" else _HEADER_BLOCK_LINES
    for below in range(index + 1, min(index + most, len(lines))):
        found = _header_key(lines[below].strip())
        if found in keys and found != "cc":
            break
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
        return above if match.start() >= 3 else _name_line(lines, above)
    return None


def _name_line(lines: list[str], index: int) -> int:
    """The index of the name above a Lotus Notes date, across at most one blank line; `index` when there is none."""
    for above in range(index - 1, max(index - 3, -1), -1):
        name = lines[above].strip()
        if name:
            return above if len(name) <= _LONGEST_NAME and name[-1] not in ".?!,:;" else index
    return index


def _after_header_block(lines: list[str], start: int, end: int) -> _Boundary:
    """The boundary with the header lines that follow a divider."""
    index = end
    while index < len(lines) and index < end + _HEADER_BLOCK_LINES:
        line = lines[index].strip()
        if line and _header_key(line) is None:
            break
        index += 1
    return _Boundary(start, index)
