"""Where a quoted or forwarded mail begins: attributions, dividers and the header blocks of Outlook and Lotus Notes."""

import re
from typing import NamedTuple

from rl_emails_assets.mail.zone_patterns import (
    ADDRESS_AND_VERB,
    ADDRESS_TAIL,
    ATTRIBUTION_OPENING,
    ATTRIBUTION_START,
    ATTRIBUTION_VERB,
    BEGIN_FORWARD,
    DATE_EVIDENCE,
    DATED_ADDRESS,
    DIVIDER,
    DIVIDER_FIRST,
    ENDING_VERBS,
    FORWARD_WORDS,
    FULL_DATE,
    HEADER_KEYS,
    LONGEST_HEADER_KEY,
    LONGEST_LINE,
    NAME_AND_VERB,
    NOTES_DATE,
    SHORT_RULE,
    lowered,
)

_COLONS = (":", "：")
_HEADER_BLOCK_LINES = 12
"""Lines below "From:" in which the other headers are looked for."""
_RECIPIENT_LINES = 60
"""The same below "To:", whose list may be wrapped."""
_ATTRIBUTION_LINES = 4
_NOTES_LINES_ABOVE = 7
_LONGEST_NAME = 80
_LONGEST_TAIL = 20
_EARLY_DIGIT = re.compile(r"\D{0,32}\d")
"""The day stands near the beginning of an attribution that begins with "On" or a weekday."""
_LONGEST_DATED = 120


class Boundary(NamedTuple):
    """The lines between what the sender wrote and what is quoted below; they are quoted too."""

    start: int
    """First line of it, at or above the line where it was recognized."""
    end: int
    """The line after it."""
    is_forward: bool = False
    """Its own words say that what follows is forwarded."""


def may_begin(line: str) -> bool:
    """Whether a line with text can be where a boundary is recognized; quick, and true of few lines."""
    return line[0] in DIVIDER_FIRST or ":" in line or "：" in line or (line[-1] == ">" and line[0].isdigit())


def boundary_at(lines: list[str], index: int, line: str) -> Boundary | None:
    """The boundary that is recognized at `index`, whose stripped text is `line`."""
    if len(line) > LONGEST_LINE:
        return None
    if line[0] in DIVIDER_FIRST:
        folded = lowered(line)
        if DIVIDER.match(folded):
            return _after_header_block(lines, index, index + 1, is_forward=FORWARD_WORDS.search(folded) is not None)
    if line.startswith("---") and line.endswith("---") and ATTRIBUTION_VERB.search(line) and DATE_EVIDENCE.search(line):
        return Boundary(index, index + 1)
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
            return _after_header_block(lines, index, index + 1, is_forward=True)
        return _attribution(lines, index, line)
    if line[-1] == ">" and DATED_ADDRESS.match(line) and is_prefixed(lines, index + 1):
        return Boundary(index, index + 1)
    if line.endswith(ENDING_VERBS) and ADDRESS_AND_VERB.search(line) and ATTRIBUTION_OPENING.match(line):
        return Boundary(index, index + 1)
    return None


def ends_attribution(lines: list[str], index: int, line: str) -> bool:
    """Whether a line that begins with ">" may be the end of an attribution that was wrapped inside an address."""
    if len(line) > _LONGEST_TAIL or not line.endswith(_COLONS) or not index:
        return False
    return "<" in lines[index - 1][-LONGEST_LINE:]


def is_prefixed(lines: list[str], start: int) -> bool:
    """Whether the first line with text at or below `start` begins with ">"."""
    for index in range(start, len(lines)):
        line = lines[index].strip()
        if line:
            return line[0] == ">"
    return False


def _attribution(lines: list[str], index: int, line: str) -> Boundary | None:
    """The attribution ("On ... wrote:") that ends in this line and may begin up to three lines above."""
    joined = line
    found: int | None = None
    is_sure = False
    for start in range(index, max(index - _ATTRIBUTION_LINES, -1), -1):
        above = lines[start].strip()
        if not above or len(above) > LONGEST_LINE or (start < index and (above[0] == ">" or above[-1] in ".?!")):
            break
        joined = above if start == index else f"{above} {joined}"
        has_date = DATE_EVIDENCE.search(joined) is not None
        if not has_date and "@" not in joined:
            continue
        has_verb = ATTRIBUTION_VERB.search(joined) is not None
        if not has_verb and ADDRESS_TAIL.search(joined.rstrip("*_ ")[-LONGEST_LINE:]) is None:
            continue
        is_dated = has_date and _EARLY_DIGIT.match(joined) is not None
        if ATTRIBUTION_OPENING.match(above) and (is_dated or (has_verb and "@" in joined)):
            return Boundary(start, index + 1)
        if not is_sure and is_dated and ATTRIBUTION_START.match(above):
            found, is_sure = start, True
        elif found is None and _may_attribute(lines, index, above, has_date=has_date, has_verb=has_verb):
            found = start
    if found is not None:
        return Boundary(found, index + 1)
    if not is_prefixed(lines, index + 1):
        return None
    if NAME_AND_VERB.match(line):
        return Boundary(index, index + 1)
    is_short = len(line) <= _LONGEST_DATED
    return Boundary(index, index + 1) if is_short and FULL_DATE.search(line) and ATTRIBUTION_VERB.search(line) else None


def _may_attribute(lines: list[str], index: int, above: str, *, has_date: bool, has_verb: bool) -> bool:
    """Whether a line that begins with anything names who wrote what stands below `index`."""
    return "@" in above if has_verb else has_date and is_prefixed(lines, index + 1)


def _header_key(line: str) -> str | None:
    colon = line.find(":", 0, LONGEST_HEADER_KEY + 8)
    if colon < 0:
        colon = line.find("：", 0, LONGEST_HEADER_KEY + 8)
    return HEADER_KEYS.get(line[:colon].strip("*_ \t\xa0>").casefold()) if colon > 0 else None


def _header_block(lines: list[str], index: int, key: str) -> Boundary | None:
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
        return Boundary(_start_above(lines, index), end)
    if key in {"to", "date", "subject"} and {"to", "subject"} <= keys:
        notes = _notes_start(lines, index)
        if notes is not None:
            return Boundary(notes, end)
        if len(keys) >= 3 and key != "subject":
            return Boundary(_start_above(lines, index), end)
    return None


def _start_above(lines: list[str], index: int) -> int:
    """The index of a rule line directly above, or `index`."""
    above = index - 1
    while above >= 0 and above >= index - 2 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and SHORT_RULE.match(lines[above].replace(" ", "").strip()[:LONGEST_LINE]) else index


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


def _after_header_block(lines: list[str], start: int, end: int, *, is_forward: bool) -> Boundary:
    """The boundary with the header lines that follow a divider."""
    index = end
    while index < len(lines) and index < end + _HEADER_BLOCK_LINES:
        line = lines[index].strip()
        if line and _header_key(line) is None:
            break
        index += 1
    return Boundary(start, index, is_forward)
